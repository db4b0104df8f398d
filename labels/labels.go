// Package labels tells what finished flows are called: by rules, which are read
// from files in YAML, and by what sensors have written.
//
// A [Set] is what is read. It does not change, and any number of runs may use it
// at once: each asks a [Plan] for a [Run], which gives every goroutine a function of
// its own and counts what came of the flows. A Plan can also say which part of a data
// set a flow is in, and leave some of the flows of a label out.
package labels

import (
	"errors"
	"fmt"
	"slices"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// A Set is rules and sensors' records in order: what matches first gives a flow its
// label.
type Set struct {
	// Columns are the names of the rules' own columns, in the order in which they
	// are met.
	Columns  []string
	sources  []source
	fallback flowtable.Label // of flows that nothing matches
	said     bool            // some file says what the default is
	defaults map[string]string
	warnings []string
}

// A source is one file.
type source interface {
	name() string
	// begin returns the state of one run over a capture.
	begin(capture Capture) matching
	// columns returns the names of the source's own columns with what they are where
	// nothing matches.
	columns() (names []string, defaults map[string]string)
	// labels returns the labels that the source gives, which can be there twice.
	labels() []string
	// complete makes the labels that the source gives, whose columns are those of
	// all sources.
	complete(columns []string, defaults map[string]string)
}

// A matching is a source in one run.
type matching interface {
	// worker returns what one goroutine asks. It counts in what it returns.
	worker() worker
	// close takes in what the workers have counted.
	close(workers []worker, to *Counts)
}

// A worker belongs to one goroutine.
type worker interface {
	// match returns the label of a flow, nil if nothing matches.
	match(f *flowtable.Flow) *flowtable.Label
}

// A Capture is what rules can ask of where packets come from.
type Capture struct {
	// Path is that of the file, with / between folders; "" if it has no name, or if
	// there are several.
	Path string
	// Name is what splits by capture go by. It is the same in every run that reads the
	// capture: without the folders above the one that was asked for.
	Name string
}

// An Error says what is wrong with a file, and where.
type Error struct {
	File         string
	Line, Column int // from 1; a column of 0 is not known
	Text         string
}

func (e *Error) Error() string {
	switch {
	case e.Line == 0:
		return e.File + ": " + e.Text
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// join makes one set of sources, whose order is theirs.
func join(sources []source, fallbacks []fallback, warnings []string) (*Set, error) {
	s := &Set{sources: sources, warnings: warnings, defaults: map[string]string{}}
	var errs []error
	for _, f := range fallbacks {
		switch {
		case !f.said:
		case s.said && s.fallback.Name != f.label:
			errs = append(errs, fmt.Errorf("%s: the default is %q, and that of an earlier file %q: one of them has to go", f.file, f.label, s.fallback.Name))
		default:
			s.fallback.Name, s.said = f.label, true
		}
	}
	for _, from := range sources {
		names, defaults := from.columns()
		for _, name := range names {
			if !slices.Contains(s.Columns, name) {
				s.Columns = append(s.Columns, name)
			}
			before, said := s.defaults[name]
			if value, ok := defaults[name]; ok && said && before != value {
				errs = append(errs, fmt.Errorf("%s: column %s is %q where nothing matches, and %q by an earlier file", from.name(), name, value, before))
			} else if ok {
				s.defaults[name] = value
			}
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	for _, name := range s.Columns {
		s.fallback.More = append(s.fallback.More, s.defaults[name])
	}
	s.fallback.CSV = export.LabelCSV(&s.fallback)
	for _, from := range sources {
		from.complete(s.Columns, s.defaults)
	}
	return s, nil
}

// A fallback is what a file calls flows that nothing matches.
type fallback struct {
	file, label string
	said        bool
}

// Warnings are what whoever wrote the files should know.
func (s *Set) Warnings() []string { return s.warnings }

// Labels returns all labels that flows can have, sorted.
func (s *Set) Labels() []string {
	all := []string{s.fallback.Name}
	for _, from := range s.sources {
		all = append(all, from.labels()...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Conditions returns the columns that expressions of the rules look at: what they
// need must be counted.
func (s *Set) Conditions() []*export.Column {
	var all []*export.Column
	for _, from := range s.sources {
		if r, ok := from.(*ruleFile); ok {
			for _, c := range r.conditions() {
				if !slices.Contains(all, c) {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

// Globs returns the names of the files whose rules ask which capture a flow is of.
func (s *Set) Globs() []string {
	var names []string
	for _, from := range s.sources {
		if r, ok := from.(*ruleFile); ok && slices.ContainsFunc(r.rules, func(r *Rule) bool { return len(r.Captures) > 0 }) {
			names = append(names, r.file)
		}
	}
	return names
}
