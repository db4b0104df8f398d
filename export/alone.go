package export

import (
	"slices"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// Most columns of a flow of one packet say the same for every such flow: there are
// no times between packets, no deviation and nothing in the other direction. So
// the rows of a flood are written from templates: text that is known beforehand,
// with the other columns between. Which columns are the same is said where they
// are made, with [always] and [oneSided], and which of a row are like each other,
// such as the least and the greatest size, with [saying].

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

// saying gives columns a name for what they say of a flow of one packet: those
// with the same name, of which some may be the same for all such flows, have the
// same text in a row.
func saying(what string, columns ...*Column) []*Column {
	for _, c := range columns {
		c.says = what
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

// A part is a column and the text before it. Parts that say the same have the
// same number; the first one's text is that of the others. Where several that follow each
// other say again what so many say that followed each other, they are one part.
type part struct {
	before []byte
	column *Column
	says   int // from 1, 0 for what is said once
	again  bool
	until  int // the number of the last that is said again, says or more
}

// mostSaid is how many things a template says more than once.
const mostSaid = 32

// said is where in a row each stands.
type said [mostSaid + 1]struct{ from, to int }

// append appends the row of a flow.
func (t *template) append(b []byte, v *Value, f *flowtable.Flow, write appender) []byte {
	var told said
	for i := range t.parts {
		p := &t.parts[i]
		if len(p.before) > 0 {
			b = append(b, p.before...)
		}
		if p.again {
			b = repeat(b, told[p.says].from, told[p.until].to)
			continue
		}
		from := len(b)
		b = write(p.column, b, v, f)
		if p.says > 0 {
			told[p.says].from, told[p.says].to = from, len(b)
		}
	}
	return append(b, t.behind...)
}

// repeat appends what stands in b already. Short texts are moved with one store,
// which a row with many of them sees: 0.9 of its time.
func repeat(b []byte, from, to int) []byte {
	const short = 16
	if to-from > short {
		return append(b, b[from:to]...)
	}
	b = slices.Grow(b, short)
	n := len(b)
	b = b[:n+short]
	*(*[short]byte)(b[n:]) = *(*[short]byte)(b[from:])
	return b[:n+to-from]
}

// An appender appends the value of a column: a method of Column.
type appender func(c *Column, b []byte, v *Value, f *flowtable.Flow) []byte

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
func newTemplates(columns []*Column, before func(i int) []byte, write appender) *templates {
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
			numbers := map[string]int{"": 0}
			for i, c := range columns {
				t.behind = append(t.behind, before(i)...)
				if c != nil && c.same[direction] {
					t.behind = write(c, t.behind, v, f)
					continue
				}
				p := part{before: t.behind, column: c}
				t.behind = nil
				if c != nil {
					if p.says, p.again = numbers[c.says]; c.says == "" {
						p.again = false
					} else if !p.again && len(numbers) <= mostSaid {
						p.says = len(numbers)
						numbers[c.says] = p.says
					}
				}
				t.add(p)
			}
		}
	}
	return all
}

// add adds a part, to the last one if that can say both.
func (t *template) add(p part) {
	p.until = p.says
	if last := len(t.parts) - 1; last >= 0 && p.again && t.parts[last].again && len(p.before) == 0 {
		first := func(says int) int {
			return slices.IndexFunc(t.parts, func(q part) bool { return q.says == says })
		}
		q := &t.parts[last]
		if i := first(p.says); i == first(q.until)+1 && len(t.parts[i].before) == 0 {
			q.until = p.says
			return
		}
	}
	t.parts = append(t.parts, p)
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
