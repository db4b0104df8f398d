package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// A plan is what is to be done.
type plan struct {
	jobs     []job
	manifest *manifest // of the jobs under -r; nil without
	listed   []planned // all jobs, also those that were done before
	kept     int       // captures that were done before, and are left as they are
	leavings []string  // outputs beside which a killed run may have left temporary files
	others   int       // files under the folders that are no captures
	errs     []error   // what could not even be looked at, or is known to be damaged

	// Of a dataset:
	parts map[int]bool   // groups that are kept, by the numbers that they had
	moves []move         // those of them that have other numbers now
	moved []encodedEntry // of the captures in these
}

// A planned is a job, and why it is to be done, "" if it was done before.
type planned struct {
	job job
	why string
}

// A job is what makes an output: one run or, in a series, one for each capture.
type job struct {
	inputs   []string
	captures []capture // the inputs, but for standard input
	output   string
	size     int64 // bytes of the inputs, 0 if unknown
	stream   bool  // the input is no regular file: it may be silent for long
	series   bool
	taken    flowfast.Taken // packets in place of those of the inputs, nil for none
}

// jobsOf returns the captures of jobs as jobs of their own.
func jobsOf(jobs []job) []job {
	var all []job
	for i := range jobs {
		all = append(all, jobs[i].each()...)
	}
	return all
}

// plan finds the captures and names the outputs. An error means that there is
// nothing to do.
func (c *command) plan() (*plan, error) {
	if c.intoFolder() {
		return c.folder()
	}
	if c.oneTable {
		return c.table()
	}
	p, err := c.find()
	if err != nil {
		return nil, err
	}
	return p, c.checkOutputs(p)
}

func (c *command) find() (*plan, error) {
	if c.page.only {
		return c.captures()
	}
	if c.join {
		return c.joined()
	}
	found, err := single(c.inputs[0], c.in)
	if err != nil {
		return nil, err
	}
	found.output = c.output
	return &plan{jobs: []job{found}}, nil
}

// single returns the job of one input without output.
func single(input string, stdin any) (job, error) {
	j := job{inputs: []string{input}}
	var info fs.FileInfo
	var err error
	if input != "-" {
		info, err = os.Stat(input)
	} else if f, ok := stdin.(*os.File); ok {
		info, err = f.Stat()
	}
	switch {
	case err != nil:
		return j, err
	case info == nil:
		j.stream = true
	case info.IsDir():
		return j, fmt.Errorf("%s: is a directory; -r reads the captures under it", input)
	case info.Mode().IsRegular():
		j.size = info.Size()
		j.stream = input == "-" // it has no name to open it by
	default:
		j.stream = true
	}
	if real, err := realPath(input); err == nil && info != nil {
		j.captures = []capture{{path: input, real: real, info: info}}
	}
	return j, nil
}

// folder returns a job for each capture under the folder, with --resume for each
// that has not been done before.
func (c *command) folder() (*plan, error) {
	input := c.inputs[0]
	if err := c.checkFolders(input); err != nil {
		return nil, err
	}
	m := newManifest(c.output, c.rowOptions())
	var before entries
	if c.resume {
		var err error
		if before, err = m.read(); err != nil {
			return nil, err
		}
	} else if !c.overwrite {
		if err := m.mayReplace(); err != nil {
			return nil, err
		}
	}
	t, err := walk(input, c.output, before.knows)
	if err != nil {
		return nil, err
	}
	p := &plan{manifest: m, others: t.others, errs: t.errs, parts: map[int]bool{}}
	if c.dataset {
		p.jobs = c.groupJobs(t.captures)
	} else {
		p.jobs = c.fileJobs(t.captures)
	}
	if err := p.empty(input); err != nil {
		return nil, err
	}
	if err := c.checkOutputs(p); err != nil {
		return nil, err
	}
	p.resume(before, c.fails, c.hash)
	if !c.resume {
		p.leavings = nil
	}
	return p, nil
}

// fileJobs returns a job for each capture.
func (c *command) fileJobs(captures []capture) []job {
	paths := make([]string, len(captures))
	for i, found := range captures {
		paths[i] = found.rel
	}
	jobs := make([]job, len(captures))
	for i, name := range outputNames(paths, c.format.String()) {
		jobs[i] = job{
			inputs:   []string{captures[i].path},
			captures: captures[i : i+1],
			output:   filepath.Join(c.output, name),
			size:     captures[i].info.Size(),
		}
	}
	return jobs
}

// table returns the one job of all captures under the folder, whose rows go into one
// file.
func (c *command) table() (*plan, error) {
	input := c.inputs[0]
	if err := mustBeFolder(input); err != nil {
		return nil, err
	}
	t, err := walk(input, "", func(capture) bool { return false })
	if err != nil {
		return nil, err
	}
	p := &plan{others: t.others, errs: t.errs}
	if len(t.captures) > 0 {
		p.jobs = []job{seriesOf(t.captures, c.output)}
	}
	if err := p.empty(input); err != nil {
		return nil, err
	}
	return p, c.checkOutputs(p)
}

func (c *command) checkFolders(input string) error {
	if err := mustBeFolder(input); err != nil {
		return err
	}
	if same(input, c.output) {
		return fmt.Errorf("%s: input and output are the same folder", c.output)
	}
	switch info, err := os.Stat(c.output); {
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s: is not a directory; -r writes into one", c.output)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil && filepath.Ext(c.output) != "" && !c.dataset:
		return fmt.Errorf("%s: is not a folder, and is named like a file of a format that is not written, which are %s; "+
			"-r writes into it if it is made before", c.output, strings.Join(export.FormatNames(), ", "))
	}
	return nil
}

// intoFolder tells if OUTPUT is a folder.
func (c *command) intoFolder() bool { return c.recursive && !c.join && !c.oneTable && !c.page.only }

// asksOneTable tells if OUTPUT is to be one file with the rows of all captures under a
// folder: it is called so, and there is no folder that is called so.
func (c *command) asksOneTable() bool {
	if !c.recursive || c.join || c.dataset || c.page.only {
		return false
	}
	info, err := os.Stat(c.output)
	return c.output == "-" || export.NamesFormat(c.output) && (err != nil || !info.IsDir())
}

// joined returns the one job of all captures. One that links lead to several
// times is read once.
func (c *command) joined() (*plan, error) {
	p := &plan{}
	all := job{output: c.output}
	seen := map[string]bool{}
	for _, input := range c.inputs {
		found := []capture{{path: input}}
		info, err := os.Stat(input)
		switch {
		case err != nil:
			p.errs = append(p.errs, err)
			continue
		case info.IsDir() && c.recursive:
			t, err := walk(input, c.output, func(capture) bool { return false })
			if err != nil {
				p.errs = append(p.errs, err)
				continue
			}
			found, p.others, p.errs = t.captures, p.others+t.others, append(p.errs, t.errs...)
		case info.IsDir():
			p.errs = append(p.errs, fmt.Errorf("%s: is a directory; -r reads the captures under it", input))
			continue
		default:
			found[0].info = info
			if found[0].real, err = realPath(input); err != nil {
				p.errs = append(p.errs, err)
				continue
			}
		}
		for _, f := range found {
			if seen[f.real] {
				continue
			}
			seen[f.real] = true
			all.inputs = append(all.inputs, f.path)
			all.captures = append(all.captures, f)
			all.size += f.info.Size()
		}
	}
	if len(all.inputs) > 0 {
		p.jobs = []job{all}
	}
	return p, p.empty(c.inputs[0])
}

// empty returns an error if there is nothing to do, and no error that says why.
func (p *plan) empty(input string) error {
	switch {
	case len(p.jobs) > 0 || len(p.errs) > 0:
		return nil
	case p.others > 0:
		return fmt.Errorf("%s: no capture among %d files", input, p.others)
	}
	return fmt.Errorf("%s: no capture found", input)
}

func mustBeFolder(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() {
		return fmt.Errorf("%s: is not a directory; -r reads the captures under one", path)
	}
	return err
}
