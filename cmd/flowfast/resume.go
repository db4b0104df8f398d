package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// Entries are what a manifest said at the beginning of a run that resumes.
type entries map[pathText]entry

// read reads what earlier runs have written in the place of a manifest, which may be
// nothing. It is an error if the options of their rows differ from those of this run.
func (m *manifest) read() (entries, error) {
	name := m.name()
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	read := manifestFile{Options: rowOptions{Format: export.Format{}.String()}} // older ones don't name it
	before := entries{}
	err = json.Unmarshal(b, &read)
	for _, e := range read.Captures {
		if err == nil {
			err = before.add(e)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w; --overwrite does all anew", name, err)
	}
	var differences []string
	if read.Version != flowfast.Version {
		differences = append(differences, fmt.Sprintf("version (%s, now %s)", read.Version, flowfast.Version))
	}
	if differences = append(differences, m.options.differences(read.Options)...); len(differences) > 0 {
		return nil, &otherOptions{name, differences}
	}
	return before, nil
}

// An otherOptions error says that what is in the folder of the outputs came of
// other options.
type otherOptions struct {
	manifest    string
	differences []string
}

func (o *otherOptions) Error() string {
	return fmt.Sprintf("%s: options differ from those of the existing outputs: %s; --overwrite replaces them",
		o.manifest, strings.Join(o.differences, ", "))
}

// mayReplace returns an error if the outputs of a run that does all anew would
// replace those of other options.
func (m *manifest) mayReplace() error {
	_, err := m.read()
	if other := (*otherOptions)(nil); errors.As(err, &other) {
		return err
	}
	return nil
}

// add takes in an entry of the file.
func (all entries) add(e entry) error {
	if _, ok := all[e.Path]; ok {
		return fmt.Errorf("two entries for %q", e.Path)
	}
	if !filepath.IsLocal(filepath.FromSlash(string(e.Output))) {
		return fmt.Errorf("output %q is not below the folder", e.Output)
	}
	all[e.Path] = e
	return nil
}

// knows reports whether a capture is the one that there is an entry of.
func (all entries) knows(c capture) bool {
	if len(all) == 0 {
		return false
	}
	now := identity(c)
	e, ok := all[now.Path]
	return ok && e.Size == now.Size && e.Modified == now.Modified
}

// resume takes the jobs out of the plan that are done: the capture is the one
// that was read, and its output is there as it was written.
func (p *plan) resume(before entries) {
	for _, e := range before {
		first := filepath.Join(p.manifest.folder, filepath.FromSlash(string(e.Output)))
		for part := range max(e.Parts, 1) {
			p.leavings = append(p.leavings, partName(first, part))
		}
	}
	jobs := p.jobs
	p.jobs = nil
	for _, j := range jobs {
		p.leavings = append(p.leavings, j.output)
		e, ok := before.finished(j, p.manifest.folder)
		if !ok {
			p.jobs = append(p.jobs, j)
			continue
		}
		p.kept++
		p.manifest.lines = append(p.manifest.lines, e.line())
		if e.Status == damaged {
			p.errs = append(p.errs, fmt.Errorf("%s: %s", j.inputs[0], e.Error))
		}
	}
}

// finished returns the entry of a job that need not be done again.
func (all entries) finished(j job, folder string) (entry, bool) {
	found := j.captures[0]
	if !all.knows(found) {
		return entry{}, false
	}
	e := all[identity(found).Path]
	if e.Status != done && e.Status != damaged || filepath.Join(folder, filepath.FromSlash(string(e.Output))) != j.output {
		return e, false
	}
	var size int64
	for part := range max(e.Parts, 1) {
		info, err := os.Stat(partName(j.output, part))
		if err != nil || !info.Mode().IsRegular() {
			return e, false
		}
		size += info.Size()
	}
	return e, size == e.OutputSize
}

// begin makes the folder of the outputs, takes away what killed runs have left
// there, and begins the manifest. Outputs are replaced from now on: what an
// older manifest said of them does not hold.
func (p *plan) begin(ctx context.Context) error {
	if p.manifest == nil {
		return nil
	}
	if err := os.MkdirAll(p.manifest.folder, 0o777); err != nil {
		return err
	}
	if p.leavings != nil {
		if err := export.RemoveLeftovers(append(p.leavings, p.manifest.name())); err != nil {
			return err
		}
	}
	return p.manifest.close(ctx)
}
