package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/flowfast/flowfast/export"
)

// checkOutputs returns an error if an output would replace what is read, or one
// output another. The partial output, which a signal leaves and the next whole one
// removes, is an output too.
func (c *command) checkOutputs(p *plan) error {
	look := lookup{inputs: map[string]string{}, folders: map[string]string{}}
	for _, j := range p.jobs {
		for _, found := range j.captures {
			look.inputs[found.real] = "an input"
		}
	}
	if c.anonymize.file != "" {
		look.inputs[look.real(c.anonymize.file)] = "the file of the key"
	}
	if c.filter.file != "" {
		look.inputs[look.real(c.filter.file)] = "the list of --filter"
	}
	summary := look.real(c.summary)
	if err := c.checkPage(p, &look); err != nil {
		return err
	}
	for _, j := range p.jobs {
		if j.output == "" {
			continue
		}
		if err := look.output(j); err != nil {
			return err
		}
		if summary != "" && summary == look.real(j.output) {
			return fmt.Errorf("%s: rows and summary can't both go there", j.output)
		}
		if summary != "" && summary == look.real(j.output)+export.Partial {
			return fmt.Errorf("%s: is where the rows go if a signal ends the run, no place for its summary", c.summary)
		}
	}
	if p.manifest != nil {
		name := p.manifest.name()
		if err := look.free(name, look.real(name)); err != nil {
			return err
		}
		if summary == look.real(name) {
			return fmt.Errorf("%s: is the manifest of this run, no place for its summary", c.summary)
		}
	}
	if c.dataset {
		if err := c.checkDataset(&look, summary); err != nil {
			return err
		}
	}
	return look.free(c.summary, summary)
}

// checkDataset returns an error if what a dataset says of itself would replace what is
// read, or if the summary would be in the way.
func (c *command) checkDataset(look *lookup, summary string) error {
	if summary != "" && filepath.Dir(summary) == filepath.Join(look.real(c.output), partFolder) {
		return fmt.Errorf("%s: is among the parts, no place for the summary", c.summary)
	}
	for _, base := range []string{descriptionPage, descriptionName} {
		name := filepath.Join(c.output, base)
		real := look.real(name)
		if err := look.free(name, real); err != nil {
			return err
		}
		if summary == real {
			return fmt.Errorf("%s: is what the data set says of itself, no place for the summary", c.summary)
		}
	}
	return nil
}

// A lookup tells outputs that are inputs. Under a folder there may be a hundred
// thousand outputs: it asks the system once about each, and about each folder.
type lookup struct {
	inputs  map[string]string // what they are, by real path
	folders map[string]string // real paths by path; "" if there is no such folder
}

// output checks the output of a job.
func (l *lookup) output(j job) error {
	folder := l.folder(filepath.Dir(j.output))
	if j.output == "-" || folder == "" {
		return nil
	}
	real := filepath.Join(folder, filepath.Base(j.output))
	info, err := os.Lstat(j.output)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		real, _ = realPath(j.output)
		info, err = os.Stat(j.output)
	}
	for _, found := range j.captures {
		if err == nil && os.SameFile(found.info, info) {
			return fmt.Errorf("%s: input and output are the same file", j.output)
		}
	}
	return cmp.Or(l.free(j.output, real), l.free(j.output+export.Partial, real+export.Partial))
}

// free returns an error if a path is that of an input.
func (l *lookup) free(path, real string) error {
	if what, is := l.inputs[real]; is {
		return fmt.Errorf("%s: is %s, and would be replaced", path, what)
	}
	return nil
}

// real returns the absolute path without symbolic links of a file that may not
// exist, nor even its folder; "" for what is no file.
func (l *lookup) real(path string) string {
	if path == "" || path == "-" {
		return ""
	}
	if real, err := realPath(path); err == nil {
		return real
	}
	if folder := l.folder(filepath.Dir(path)); folder != "" {
		return filepath.Join(folder, filepath.Base(path))
	}
	path, _ = filepath.Abs(path)
	return path
}

func (l *lookup) folder(path string) string {
	real, ok := l.folders[path]
	if !ok {
		real, _ = realPath(path)
		l.folders[path] = real
	}
	return real
}

// same reports whether two paths lead to the same file or folder.
func same(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
