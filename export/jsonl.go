package export

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/flowfast/flowfast/flowtable"
)

// JSONLines is the format of JSON Lines: an object for each flow, on a line of
// its own. Its numbers are those of CSV, digit for digit; a [Float] that is no
// number or infinite is null, and a byte that is no UTF-8 is U+FFFD. No row
// allocates.
type JSONLines struct {
	columns []*Column
	keys    [][]byte // what stands before each value
	alone   *templates
}

// NewJSONLines returns the format with the given columns.
func NewJSONLines(columns []*Column) JSONLines {
	j := JSONLines{columns: columns}
	before := byte('{')
	for _, c := range columns {
		key := appendString([]byte{before}, []byte(c.Name))
		j.keys = append(j.keys, append(key, ':'))
		before = ','
	}
	j.alone = newTemplates(columns, func(i int) []byte { return j.keys[i] }, (*Column).appendJSON)
	return j
}

func jsonRows(columns []*Column) Rows { return NewJSONLines(columns) }

// AppendHeader appends nothing.
func (j JSONLines) AppendHeader(b []byte) []byte { return b }

// AppendRow appends the row of a flow.
func (j JSONLines) AppendRow(b []byte, f *flowtable.Flow) []byte {
	v := values.Get().(*Value)
	if j.alone != nil && isAlone(f) {
		b = j.alone.of(f).append(b, v, f, (*Column).appendJSON)
	} else {
		for i, c := range j.columns {
			b = c.appendJSON(append(b, j.keys[i]...), v, f)
		}
	}
	values.Put(v)
	return append(b, "}\n"...)
}

func (c *Column) appendJSON(b []byte, v *Value, f *flowtable.Flow) []byte {
	switch c.Kind {
	case Text:
		at := len(b) + 1
		b = c.text(append(b, '"'), f)
		if !c.plain && has(b[at:], escaped) {
			return appendString(b[:at-1], slices.Clone(b[at:]))
		}
		return append(b, '"')
	case List:
		c.set(v, f)
		return appendList(b, v.List)
	}
	c.set(v, f)
	if c.Kind == Float && (math.IsNaN(v.Float) || math.IsInf(v.Float, 0)) {
		return append(b, "null"...)
	}
	return c.appendNumber(b, v)
}

// appendString appends a JSON string (RFC 8259, 7).
func appendString(b, text []byte) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			b = append(b, `\u00`...)
			b = append(b, hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r) // U+FFFD for what is none
		}
		text = text[n:]
	}
	return append(b, '"')
}
