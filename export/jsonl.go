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
	keys    [][]byte   // what stands before each value
	first   int        // columns that appendDefaultJSON appends: those of Columns, or none
	alone   *templates // of the others; nil if there are none
}

// NewJSONLines returns the format with the given columns.
func NewJSONLines(columns []*Column) JSONLines {
	j := JSONLines{columns: columns}
	for _, c := range columns {
		j.keys = append(j.keys, c.key())
	}
	if n := len(defaultColumns); len(columns) >= n && slices.Equal(columns[:n], defaultColumns) {
		j.first = n
	}
	if j.first < len(columns) {
		j.alone = newTemplates(columns[j.first:], func(i int) []byte { return j.keys[j.first+i] }, (*Column).appendMember)
	}
	return j
}

func (c *Column) key() []byte { return append(appendString(nil, []byte(c.Name)), ':') }

func jsonRows(columns []*Column) Rows { return NewJSONLines(columns) }

// AppendHeader appends nothing.
func (j JSONLines) AppendHeader(b []byte) []byte { return b }

// AppendRow appends the row of a flow. Like CSV it does not read what can only be
// zero.
func (j JSONLines) AppendRow(b []byte, f *flowtable.Flow) []byte {
	b = append(b, '{')
	if j.first > 0 {
		b = appendDefaultJSON(b, f)
	}
	if j.first < len(j.columns) {
		v := values.Get().(*Value)
		if j.alone != nil && isAlone(f) {
			b = j.alone.of(f).append(b, v, f, (*Column).appendMember)
		} else {
			for i, c := range j.columns[j.first:] {
				b = c.appendMember(append(b, j.keys[j.first+i]...), v, f)
			}
		}
		values.Put(v)
	}
	b[len(b)-1] = '}'
	return append(b, '\n')
}

// keysSize is what the keys of the columns of Columns take, with the quotation
// marks of the addresses.
const keysSize = 695

// A key is a key with its colon, stored at once like a text.
type key [24]byte

// The keys of the columns of Columns, and an object in which all of them are 0,
// with a comma behind each and without its braces.
var (
	keys      [numDefault]key
	keySizes  [numDefault]uint8
	allZero   []byte
	zerosFrom [numDefault + 1]int // where each key begins in it
)

func init() {
	for i, c := range defaultColumns {
		k := c.key()
		keySizes[i] = uint8(copy(keys[i][:], k))
		zerosFrom[i] = len(allZero)
		allZero = append(append(allZero, k...), "0,"...)
	}
	zerosFrom[len(defaultColumns)] = len(allZero)
}

// appendDefaultJSON appends the values of the default columns with their keys, each
// with a comma behind it.
func appendDefaultJSON(b []byte, f *flowtable.Flow) []byte {
	b, r := roomFor(b)
	n := r.headKeys(f)
	if d := &f.Fwd; d.Packets == 1 && f.Bwd.Packets == 0 {
		n = r.fill(n, jsonForm, d.Bytes)
		n = r.text(n, &jsonForm.before)
		n = r.flagKeys(n, jsonForm.bits, d, false)
		n = r.text(n, &jsonForm.behind)
	} else {
		n = r.groupKeys(n, f)
	}
	return b[:len(b)+n]
}

// groupKeys writes the columns behind the head with their keys.
func (r *row) groupKeys(n int, f *flowtable.Flow) int {
	first := numHead
	for i := range groups {
		g := &groups[i]
		for _, d := range [2]*flowtable.Direction{&f.Fwd, &f.Bwd} {
			if d.Packets < g.least {
				n = r.zeroKeys(n, first, first+g.size)
			} else {
				n = g.json(r, n, first, d, f.Fine)
			}
			first += g.size
		}
	}
	return n
}

// key writes the key of a column.
func (r *row) key(n, column int) int {
	*(*key)(r[at(n) : at(n)+len(key{})]) = keys[column]
	return n + int(keySizes[column])
}

// zeroKeys writes columns whose values are 0, with their keys.
func (r *row) zeroKeys(n, from, to int) int {
	return n + copy(r[n:], allZero[zerosFrom[from]:zerosFrom[to]])
}

// appendMember appends a value with a comma behind it.
func (c *Column) appendMember(b []byte, v *Value, f *flowtable.Flow) []byte {
	return append(c.appendJSON(b, v, f), ',')
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
