package export

import (
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// Most columns of a flow of one packet say the same for every such flow: there are
// no times between packets, no deviation and nothing in the other direction. So
// the rows of a flood are written from templates: text that is known beforehand,
// with the other columns between. Which columns are the same is said where they
// are made, with [always] and [oneSided].

// always says of columns that their values are the same for all flows of one
// packet, as far as they go the same way and have equally fine times.
func always(columns ...*Column) []*Column {
	for _, c := range columns {
		c.same = [2]bool{true, true}
	}
	return columns
}

// oneSided says so of columns of a direction, for flows whose packet goes the
// other way. Direction 2 is both.
func oneSided(direction int, columns ...*Column) []*Column {
	for _, c := range columns {
		if direction < 2 {
			c.same[1-direction] = true
		}
	}
	return columns
}

// isAlone tells if a flow has one packet, and says nothing that such a flow
// does not. Its features, if it has any, are a table's.
func isAlone(f *flowtable.Flow) bool {
	return f.Fwd.Packets+f.Bwd.Packets == 1 && f.Last == f.Start && (f.Features == nil || f.Features.Alone)
}

// templates are the rows of flows of one packet, by its direction and by whether
// their times are fine.
type templates [2][2]template

// A template is a row in parts, and the text behind the last of them.
type template struct {
	parts  []part
	behind []byte
}

// A part is a column and the text before it.
type part struct {
	before []byte
	column *Column
}

// of returns the template of a flow, which must be alone.
func (t *templates) of(f *flowtable.Flow) *template {
	direction, fine := 0, 0
	if f.Fwd.Packets == 0 {
		direction = 1
	}
	if f.Fine {
		fine = 1
	}
	return &t[direction][fine]
}

// newTemplates makes the templates of a format: before is the text in front of
// each column, write what appends its value.
func newTemplates(columns []*Column, before func(i int) []byte, write func(c *Column, b []byte, v *Value, f *flowtable.Flow) []byte) *templates {
	quantiles := 0
	for _, c := range columns {
		if c != nil { // that columns can be used is checked later
			quantiles = max(quantiles, c.quantiles)
		}
	}
	all := &templates{}
	for direction := range all {
		for fine := range all[direction] {
			t, f, v := &all[direction][fine], someAlone(direction, fine == 1, quantiles), &Value{}
			for i, c := range columns {
				t.behind = append(t.behind, before(i)...)
				if c != nil && c.same[direction] {
					t.behind = write(c, t.behind, v, f)
					continue
				}
				t.parts = append(t.parts, part{t.behind, c})
				t.behind = nil
			}
		}
	}
	return all
}

// someAlone returns a flow of one packet.
func someAlone(direction int, fine bool, quantiles int) *flowtable.Flow {
	f := &flowtable.Flow{Fine: fine, Features: &features.Flow{Alone: true}}
	[]*flowtable.Direction{&f.Fwd, &f.Bwd}[direction].Packets = 1
	for i := range f.Features.Quantiles {
		f.Features.Quantiles[i] = features.Order{Sizes: make([]float64, quantiles), Intervals: make([]float64, quantiles)}
	}
	return f
}
