package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
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
	read := manifestFile{Options: rowOptions{Format: export.Format{}.String(), TimeUnit: nanoseconds}} // older ones don't name them
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
	for _, p := range e.Parts {
		below, inside := strings.CutPrefix(string(p.Path), partFolder+"/")
		folder, name := path.Split(below)
		if _, _, ok := partNumbers(name); !inside || !ok || folder != "" && !isSplitFolder(strings.TrimSuffix(folder, "/")) {
			return fmt.Errorf("%q is not the name of a part", p.Path)
		}
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

// resume takes the jobs out of the plan that were done before: the captures are those
// that were read, and their output is there as it was written. Without --resume
// nothing was. Fails returns the message of a capture that can't even be opened, "" if
// it can. Hash asks for the SHA-256 of captures.
func (p *plan) resume(before entries, fails func(capture) pathText, hash bool) {
	shared := map[pathText]int{} // captures in an output
	for _, e := range before {
		shared[e.Output]++
		p.leavings = append(p.leavings, filepath.Join(p.manifest.folder, filepath.FromSlash(string(e.Output))))
	}
	jobs := p.jobs
	p.jobs = nil
	for _, j := range jobs {
		p.leavings = append(p.leavings, j.output)
		found, why := before.finished(j, p.manifest.folder, shared, fails)
		if why == "" && hash && slices.ContainsFunc(found, func(e entry) bool { return e.SHA256 == "" && e.Status != failed }) {
			why = "its SHA-256 is not known"
		}
		p.listed = append(p.listed, planned{j, why})
		if why != "" {
			p.jobs = append(p.jobs, j)
			continue
		}
		p.keep(j, found)
	}
}

// keep leaves the output of a job as it is.
func (p *plan) keep(j job, found []entry) {
	lines := &p.manifest.lines
	if j.series {
		m := move{from: groupOf(string(found[0].Output)), to: groupOf(j.output)}
		for _, of := range found[0].Parts {
			m.files = append(m.files, strings.TrimPrefix(string(of.Path), partFolder+"/"))
		}
		p.parts[m.from] = true
		if m.from != m.to {
			p.moves = append(p.moves, m)
			lines = &p.moved
		}
		for i := range found[0].Parts {
			found[0].Parts[i].Path = pathText(partFolder + "/" + renamed(m.files[i], m.to))
		}
	}
	for i, e := range found {
		output, _ := filepath.Rel(p.manifest.folder, j.output)
		e.Output = pathText(filepath.ToSlash(output))
		*lines = append(*lines, e.line())
		if e.Error != "" {
			p.errs = append(p.errs, fmt.Errorf("%s: %s", j.inputs[i], e.Error))
		}
		if e.Status != failed {
			p.kept++
		}
	}
}

// finished returns the entries of a job that need not be done again, or else says why
// it has to be.
func (all entries) finished(j job, folder string, shared map[pathText]int, fails func(capture) pathText) (found []entry, why string) {
	for _, c := range j.captures {
		e, ok := all[identity(c).Path]
		// A capture that can't be read yet has no part in what it shares with others.
		still := j.series && e.Status == failed && e.Error == fails(c)
		switch {
		case !ok:
			return nil, "new"
		case !all.knows(c):
			return nil, "changed"
		case e.Status == partial:
			return nil, "stopped by a signal before"
		case e.Status != done && e.Status != damaged && !still:
			return nil, "failed before"
		}
		found = append(found, e)
	}
	if j.series {
		return found, partsChanged(found, folder, shared[found[0].Output])
	}
	e := found[0]
	if filepath.Join(folder, filepath.FromSlash(string(e.Output))) != j.output {
		return nil, "has another output now"
	}
	return found, changed(j.output, e.OutputSize)
}

// partsChanged says why the parts of captures are not theirs, "" if they are, from the
// number of captures in them.
func partsChanged(found []entry, folder string, shared int) string {
	const others = "shares its part with other captures now"
	if len(found) != shared {
		return others
	}
	for _, e := range found {
		if e.Output != found[0].Output || e.Status != failed && found[0].Parts == nil {
			return others
		}
	}
	for _, p := range found[0].Parts {
		if why := changed(filepath.Join(folder, filepath.FromSlash(string(p.Path))), p.Size); why != "" {
			return why
		}
	}
	return ""
}

// changed says that a file is gone or is not as it was written, "" if it is.
func changed(name string, size int64) string {
	info, err := os.Stat(name)
	switch {
	case err != nil || !info.Mode().IsRegular():
		return "output is gone"
	case info.Size() != size:
		return "output was changed"
	}
	return ""
}

// fails returns the message of a capture that can't be opened, "" if it can.
func (c *command) fails(found capture) pathText {
	run, err := flowfast.Open(c.options, found.path)
	if err == nil {
		err = run.Close()
	}
	if err == nil {
		return ""
	}
	return withoutName(message(err), found.path)
}

// begin makes the folder of the outputs, takes away what killed runs have left
// there, and begins the manifest. Outputs are replaced from now on: what an
// older manifest said of them does not hold. Nor does that of a part that gets another
// name, until it has it.
func (p *plan) begin(ctx context.Context) error {
	m := p.manifest
	if m == nil {
		return nil
	}
	if err := os.MkdirAll(m.folder, 0o777); err != nil {
		return err
	}
	if m.options.Dataset {
		if err := p.beginParts(ctx); err != nil {
			return err
		}
	}
	if p.leavings != nil {
		if err := export.RemoveLeftovers(append(p.leavings, m.name())); err != nil {
			return err
		}
	}
	return m.close(ctx)
}

// beginParts leaves the parts that are kept, under the names that they have now.
func (p *plan) beginParts(ctx context.Context) error {
	folder := filepath.Join(p.manifest.folder, partFolder)
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	if err := removeDescription(p.manifest.folder); err != nil {
		return err
	}
	if err := tidy(folder, p.parts); err != nil {
		return err
	}
	if len(p.moves) == 0 {
		return nil
	}
	if err := p.manifest.close(ctx); err != nil {
		return err
	}
	p.manifest.lines = append(p.manifest.lines, p.moved...)
	return moveParts(folder, p.moves)
}
