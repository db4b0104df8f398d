// Package labels tells what finished flows are called: by rules, which are read
// from files in YAML, and by what sensors have written.
//
// A [Set] is what is read. It does not change, and any number of runs may use it
// at once: each asks for a [Run], which gives every goroutine a function of its
// own and counts what came of the flows.
package labels

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

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
			errs = append(errs, fmt.Errorf("%s: the default is %q, and that of a file before it %q: one of them has to go", f.file, f.label, s.fallback.Name))
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
				errs = append(errs, fmt.Errorf("%s: column %s is %q where nothing matches, and %q by a file before it", from.name(), name, value, before))
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

// Counts are what came of the flows of a run.
type Counts struct {
	// Labels are the labels that flows had, the commonest first.
	Labels []Count `json:"counts"`
	// Unmatched are the rules that no flow has matched, by their names.
	Unmatched []string `json:"rules_unmatched"`
	// Records say what has become of the records of each sensor's file.
	Records []Records `json:"records,omitempty"`
	// Warnings are rules whose expressions could not be evaluated for some flows.
	Warnings []string `json:"-"`

	matched map[string]bool // rules by name
	rules   []string
}

// A Count is flows and packets with a label.
type Count struct {
	Label   string `json:"label"`
	Flows   uint64 `json:"flows"`
	Packets uint64 `json:"packets"`
}

// Records count the records of a file by what has become of them.
type Records struct {
	File    string `json:"file"`
	Records uint64 `json:"records"`
	Matched uint64 `json:"matched"`
	// NoFlow are records with addresses and ports that no flow has, OtherTime those
	// whose flows were at other times.
	NoFlow    uint64 `json:"no_flow"`
	OtherTime uint64 `json:"other_time"`
	// Unusable are records that name no addresses, by reason.
	Unusable map[string]uint64 `json:"unusable,omitempty"`
	state    []uint8
	file     *sensorFile
}

func (c *Counts) sort() {
	slices.SortFunc(c.Labels, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Flows, a.Flows), strings.Compare(a.Label, b.Label))
	})
}

// Add adds the counts of another run with the same set.
func (c *Counts) Add(o *Counts) {
	if o == nil {
		return
	}
	for _, l := range o.Labels {
		c.count(l.Label, l.Flows, l.Packets)
	}
	c.sort()
	if c.matched == nil {
		c.matched = map[string]bool{}
		c.rules = o.rules
	}
	for name := range o.matched {
		c.matched[name] = true
	}
	c.Unmatched = []string{}
	for _, name := range c.rules {
		if !c.matched[name] {
			c.Unmatched = append(c.Unmatched, name)
		}
	}
	for i := range o.Records {
		if len(c.Records) == i {
			c.Records = append(c.Records, Records{file: o.Records[i].file})
		}
		c.Records[i].add(&o.Records[i])
	}
}

func (c *Counts) count(label string, flows, packets uint64) {
	i := slices.IndexFunc(c.Labels, func(l Count) bool { return l.Label == label })
	if i < 0 {
		i = len(c.Labels)
		c.Labels = append(c.Labels, Count{Label: label})
	}
	c.Labels[i].Flows += flows
	c.Labels[i].Packets += packets
}
