package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/labels"
)

// A manifest says what has become of the captures under a folder, so that
// another run can go on where one was stopped. It is a file in the folder of
// the outputs, written anew while the captures are done: not after each of a
// hundred thousand, so after kill -9 what was finished since the last writing
// is done again. Nothing in it tells two runs over the same captures apart.
type manifest struct {
	folder  string // of the outputs
	options rowOptions

	mu    sync.Mutex     // guards what is below
	lines []encodedEntry // by path when written
	rest  time.Time      // not to be written before
}

// An encodedEntry is an entry as it stands in the file. It is encoded once, since
// the file is written many times.
type encodedEntry struct {
	path pathText
	text []byte
}

// A manifestFile is what the file holds.
type manifestFile struct {
	Version  string     `json:"version"`
	Options  rowOptions `json:"options"`
	Captures []entry    `json:"captures"`
}

// An entry is what has become of a capture. A dataset can have a hundred thousand of a
// few rows each, so it is short: see MarshalJSON.
type entry struct {
	Path       pathText            `json:"path"` // below the folder of the captures
	Size       int64               `json:"size"`
	Modified   json.Number         `json:"modified"`         // seconds since 1970, to the nanosecond; compared as they stand
	SHA256     string              `json:"sha256,omitempty"` // with --hash
	Output     pathText            `json:"output,omitempty"` // below the folder of the outputs
	OutputSize int64               `json:"output_size,omitempty"`
	Part       *int                `json:"part,omitempty"`  // of a dataset, in place of output
	Parts      []partFile          `json:"parts,omitempty"` // of a dataset, in place of output_size, with the first capture in them
	Packets    uint64              `json:"packets"`
	Classes    classes             `json:"classes,omitzero"` // where not all packets are counted
	Flows      uint64              `json:"flows"`
	First      time.Time           `json:"first_packet,omitzero"` // of a dataset with the first capture in a part, of all of them
	Last       time.Time           `json:"last_packet,omitzero"`
	Labels     []labels.Count      `json:"labels,omitempty"`
	Splits     []labels.SplitCount `json:"splits,omitempty"`
	Status     status              `json:"status"`
	Error      pathText            `json:"error,omitempty"` // without the name of the capture; it can hold names
}

// A plainEntry is an entry whose fields are encoded as they are.
type plainEntry entry

// MarshalJSON leaves out what follows from the rest.
func (e entry) MarshalJSON() ([]byte, error) {
	p := plainEntry(e)
	if group, _, ok := partNumbers(path.Base(string(p.Output))); ok && path.Dir(string(p.Output)) == partFolder {
		p.Output, p.Part = "", &group
	}
	if p.Classes == (classes{Counted: p.Packets}) {
		p.Classes = classes{}
	}
	return json.Marshal(p)
}

// UnmarshalJSON puts in again what MarshalJSON leaves out.
func (e *entry) UnmarshalJSON(b []byte) error {
	var p plainEntry
	if err := json.Unmarshal(b, &p); err != nil {
		return err
	}
	if p.Part != nil {
		p.Output, p.Part = pathText(path.Join(partFolder, partName(*p.Part, 0))), nil
	}
	if p.Classes == (classes{}) {
		p.Classes.Counted = p.Packets
	}
	p.Status = cmp.Or(p.Status, done)
	*e = entry(p)
	return nil
}

// Classes are those of packets, but for empty ones: a folder can have a hundred
// thousand captures of few packets.
type classes struct {
	Counted        uint64 `json:"counted,omitempty"`
	OtherProtocol  uint64 `json:"other_protocol,omitempty"`
	NotIP          uint64 `json:"not_ip,omitempty"`
	OrphanFragment uint64 `json:"orphan_fragment,omitempty"`
	Truncated      uint64 `json:"truncated,omitempty"`
	Malformed      uint64 `json:"malformed,omitempty"`
	LeftOut        uint64 `json:"left_out,omitempty"`
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

// hidden begins the names of files among the parts of a dataset that are none:
// readers of datasets pass over them.
const hidden = "_"

// pause is how much longer than a writing the time until the next one is: with a
// hundred thousand captures one takes a twentieth of a second.
const pause = 50

func newManifest(folder string, o rowOptions) *manifest {
	return &manifest{folder: folder, options: o}
}

// name returns the path of the file.
func (m *manifest) name() string { return filepath.Join(m.folder, manifestName) }

// record takes in what came of a job. It may be called by several goroutines at
// once. That the file can't be written shows when it is written last.
func (m *manifest) record(ctx context.Context, results []result) {
	if m == nil {
		return
	}
	var first, last time.Time
	if m.options.Dataset {
		first, last = timesOf(results)
	}
	var lines []encodedEntry
	for i := range results {
		if r := &results[i]; !r.stopped || r.partial != "" {
			e := m.entry(r)
			if m.options.Dataset {
				e.First, e.Last = first, last
				first, last = time.Time{}, time.Time{}
			}
			lines = append(lines, e.line())
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lines = append(m.lines, lines...)
	if time.Now().After(m.rest) {
		_ = m.write(ctx)
	}
}

// timesOf returns the times of the first and of the last packet, zero if there is none.
func timesOf(results []result) (first, last time.Time) {
	for i := range results {
		s := &results[i].summary
		if s.Packets == 0 {
			continue
		}
		if first.IsZero() || s.First.Before(first) {
			first = s.First
		}
		if s.Last.After(last) {
			last = s.Last
		}
	}
	return first, last
}

// entry returns the entry of a job. What had been counted before an output
// failed is left out: it is another number each time.
func (m *manifest) entry(r *result) entry {
	found := r.job.captures[0]
	e := identity(found)
	output, _ := filepath.Rel(m.folder, r.job.output)
	e.Output = pathText(filepath.ToSlash(output))
	e.Status = r.status()
	for _, err := range r.errs {
		e.Error = join(e.Error, withoutName(message(err), found.path))
	}
	if r.failed != nil {
		e.Error = join(e.Error, withoutName(message(r.failed), found.path))
	}
	e.Parts, e.SHA256 = r.parts, r.sha256
	if r.parts == nil {
		e.OutputSize = r.written
	}
	if e.Status != failed {
		s := &r.summary
		e.Packets, e.Classes, e.Flows, e.First, e.Last = s.Packets, classes(s.Classes), s.Flows, s.First, s.Last
		if r.labels != nil {
			e.Splits = r.labels.Splits
			if r.ruled {
				e.Labels = r.labels.Labels
			}
		}
	}
	return e
}

// identity returns an entry with that by which a capture is known again.
func identity(c capture) entry {
	return entry{
		Path:     pathText(filepath.ToSlash(c.rel)),
		Size:     c.info.Size(),
		Modified: modificationTime(c.info),
	}
}

func modificationTime(info fs.FileInfo) json.Number {
	t := info.ModTime()
	return json.Number(strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()), "0"), "."))
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
func (m *manifest) close(ctx context.Context) error {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.write(ctx)
}

// write writes the file; m.mu is held.
func (m *manifest) write(ctx context.Context) error {
	began := time.Now()
	defer func() {
		now := time.Now()
		m.rest = now.Add(pause * now.Sub(began))
	}()
	return writeFile(ctx, m.name(), m.text())
}

// allDone ends the line of a capture that is done. Where all of a dataset are, it is left
// out of them: programs that look for the status by its path find that of all or of none.
const allDone = `,"status":"done"}`

// text returns the manifest as JSON, with a line for each capture.
func (m *manifest) text() []byte {
	short := m.options.Dataset && !slices.ContainsFunc(m.lines, func(l encodedEntry) bool { return !bytes.HasSuffix(l.text, []byte(allDone)) })
	slices.SortFunc(m.lines, func(a, b encodedEntry) int { return cmp.Compare(a.path, b.path) })
	head := fmt.Appendf(nil, `{"version": %s, "options": %s, "captures": [`, encoded(flowfast.Version), encoded(m.options))
	size := len(head)
	for _, l := range m.lines {
		size += len(l.text) + len(",\n")
	}
	b := append(make([]byte, 0, size+len("\n]}\n")), head...)
	separator := "\n"
	for _, l := range m.lines {
		b = append(b, separator...)
		if short {
			b = append(b, l.text[:len(l.text)-len(allDone)]...)
			b = append(b, '}')
		} else {
			b = append(b, l.text...)
		}
		separator = ",\n"
	}
	return append(b, "\n]}\n"...)
}

func (e entry) line() encodedEntry { return encodedEntry{e.Path, encoded(e)} }

func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and numbers can be encoded
	}
	return b
}
