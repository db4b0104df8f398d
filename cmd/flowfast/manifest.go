package main

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// A manifest says what has become of the captures under a folder, so that
// another run can go on where one was stopped. It is a file in the folder of
// the outputs, written anew while the captures are done: not after each of a
// hundred thousand, so after kill -9 what was finished since the last writing
// is done again. Nothing in it tells two runs over the same captures apart.
type manifest struct {
	folder string // of the outputs

	mu       sync.Mutex // guards what is below
	Version  string     `json:"version"`
	Options  rowOptions `json:"options"`
	Captures []entry    `json:"captures"` // in a file: by path
	rest     time.Time  // not to be written before
}

// An entry is what has become of a capture.
type entry struct {
	Path       pathText         `json:"path"` // below the folder of the captures
	Size       int64            `json:"size"`
	Modified   string           `json:"modified"`
	Output     pathText         `json:"output"` // below the folder of the outputs
	OutputSize int64            `json:"output_size"`
	Packets    uint64           `json:"packets"`
	Classes    flowfast.Classes `json:"classes"`
	Flows      uint64           `json:"flows"`
	Status     status           `json:"status"`
	Error      pathText         `json:"error,omitempty"` // without the name of the capture; it can hold names
}

// A status is a word for what has become of a capture.
type status string

const (
	done    status = "done"    // read to its end, and the output written
	damaged status = "damaged" // not read to its end, what could be read is written
	failed  status = "failed"  // no output
	partial status = "partial" // stopped by a signal; the output has another name
)

const manifestName = "flowfast-manifest.json"

// writeShare is how much longer the pause between two writings is than the last
// of them took.
const writeShare = 20

func newManifest(folder string, o rowOptions) *manifest {
	return &manifest{folder: folder, Version: flowfast.Version, Options: o}
}

// name returns the path of the file.
func (m *manifest) name() string { return filepath.Join(m.folder, manifestName) }

// record takes in what came of a job. It may be called by several goroutines at
// once. That the file can't be written shows when it is written last.
func (m *manifest) record(r *result) {
	if m == nil || r.stopped && r.partial == "" {
		return
	}
	e := m.entry(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Captures = append(m.Captures, e)
	if time.Now().After(m.rest) {
		_ = m.write()
	}
}

// entry returns the entry of a job. What had been counted before an output
// failed is left out: it is another number each time.
func (m *manifest) entry(r *result) entry {
	found := r.job.captures[0]
	e := identity(found)
	output, _ := filepath.Rel(m.folder, r.job.output)
	e.Output = pathText(filepath.ToSlash(output))
	e.Status = r.status()
	for _, err := range errorsOf(r) {
		e.Error = join(e.Error, withoutName(message(err), found.path))
	}
	if e.Status != failed {
		e.OutputSize = r.written
		e.Packets, e.Classes, e.Flows = r.summary.Packets, r.summary.Classes, r.summary.Flows
	}
	return e
}

// identity returns an entry with that by which a capture is known again.
func identity(c capture) entry {
	return entry{
		Path:     pathText(filepath.ToSlash(c.rel)),
		Size:     c.info.Size(),
		Modified: c.info.ModTime().UTC().Format(time.RFC3339Nano),
	}
}

func (r *result) status() status {
	switch {
	case r.partial != "":
		return partial
	case r.failed != nil || len(r.summary.Captures) == 0:
		return failed
	case len(r.errs) > 0:
		return damaged
	}
	return done
}

// close writes the manifest for the last time.
func (m *manifest) close() error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write()
}

// write writes the file; m.mu is held.
func (m *manifest) write() error {
	began := time.Now()
	defer func() {
		now := time.Now()
		m.rest = now.Add(writeShare * now.Sub(began))
	}()
	out, err := export.Create(m.name())
	if err != nil {
		return err
	}
	defer out.Discard()
	if _, err := out.Write(m.text()); err != nil {
		return err
	}
	return out.Commit()
}

// text returns the manifest as JSON, with a line for each capture.
func (m *manifest) text() []byte {
	slices.SortFunc(m.Captures, func(a, b entry) int { return cmp.Compare(a.Path, b.Path) })
	b := []byte(`{"version": ` + encoded(m.Version) + `, "options": ` + encoded(m.Options) + `, "captures": [`)
	separator := "\n"
	for _, e := range m.Captures {
		b = append(b, separator...)
		b = append(b, encoded(e)...)
		separator = ",\n"
	}
	return append(b, "\n]}\n"...)
}

func encoded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers can be encoded
	}
	return string(b)
}
