package export

import (
	"math"
	"slices"
	"unicode/utf8"

	"github.com/flowfast/flowfast/decode"
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
	keys      [47]key
	keySizes  [47]uint8
	allZero   []byte
	zerosFrom [48]int // where each key begins in it
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

// Where the columns of Columns stand among them.
const (
	numSrc, numSrcPort, numDst, numDstPort, numProtocol, numStart, numDuration = 0, 1, 2, 3, 4, 5, 6

	numCounts = 7
	numSizes  = numCounts + 4
	numIATs   = numSizes + 10
	numFlags  = numIATs + 10
)

// appendDefaultJSON appends the values of the default columns with their keys, each
// with a comma behind it.
func appendDefaultJSON(b []byte, f *flowtable.Flow) []byte {
	b = slices.Grow(b, rowRoom)
	r := (*row)(b[len(b) : len(b)+rowRoom])
	n := r.quotedAddr(r.key(0, numSrc), f.Src, f.V6)
	n = r.uint(r.key(n, numSrcPort), uint64(f.SrcPort))
	n = r.quotedAddr(r.key(n, numDst), f.Dst, f.V6)
	n = r.uint(r.key(n, numDstPort), uint64(f.DstPort))
	n = r.uint(r.key(n, numProtocol), uint64(f.Protocol))
	n = r.time(r.key(n, numStart), f.Start, f.Fine)
	n = r.seconds(r.key(n, numDuration), f.Nanoseconds(), 0, f.Fine)
	if d := &f.Fwd; d.Packets == 1 && f.Bwd.Packets == 0 {
		n = r.uint(r.key(n, numCounts), 1)
		n = r.uint(r.key(n, numCounts+1), d.Bytes)
		n = r.zeroKeys(n, numCounts+2, numSizes)
		for i := range 5 {
			n = r.uint(r.key(n, numSizes+i), d.Bytes)
		}
		n = r.zeroKeys(n, numSizes+5, numFlags)
		n = r.flagKeys(n, numFlags, &d.Flags)
		n = r.zeroKeys(n, numFlags+8, len(defaultColumns))
	} else {
		n = r.bothKeys(n, f)
	}
	return b[:len(b)+n]
}

// key writes the key of a column.
func (r *row) key(n, column int) int {
	*(*key)(r[n : n+len(key{})]) = keys[column]
	return n + int(keySizes[column])
}

// quotedAddr writes an address in quotation marks.
func (r *row) quotedAddr(n int, a decode.Addr, v6 bool) int {
	r[n] = '"'
	n = r.addr(n+1, a, v6)
	r[n-1], r[n] = '"', ','
	return n + 1
}

// zeroKeys writes columns whose values are 0, with their keys.
func (r *row) zeroKeys(n, from, to int) int {
	return n + copy(r[n:], allZero[zerosFrom[from]:zerosFrom[to]])
}

// flagKeys writes the counts of the control bits, with their keys.
func (r *row) flagKeys(n, column int, counts *[8]uint64) int {
	if counts[0]|counts[1]|counts[2]|counts[3]|counts[4]|counts[5]|counts[6]|counts[7] < 8 {
		from := n - zerosFrom[column]
		n = r.zeroKeys(n, column, column+8)
		for i, v := range counts {
			r[from+zerosFrom[column+i+1]-len("0,")] = '0' + byte(v)
		}
		return n
	}
	for i, v := range counts {
		n = r.uint(r.key(n, column+i), v)
	}
	return n
}

// bothKeys writes the columns of the directions of any flow, with their keys.
func (r *row) bothKeys(n int, f *flowtable.Flow) int {
	directions := [2]*flowtable.Direction{&f.Fwd, &f.Bwd}
	for i, d := range directions {
		if d.Packets == 0 {
			n = r.zeroKeys(n, numCounts+2*i, numCounts+2*i+2)
			continue
		}
		n = r.uint(r.key(n, numCounts+2*i), d.Packets)
		n = r.uint(r.key(n, numCounts+2*i+1), d.Bytes)
	}
	for i, d := range directions {
		if d.Packets == 0 {
			n = r.zeroKeys(n, numSizes+5*i, numSizes+5*i+5)
			continue
		}
		for k, v := range d.Sizes.Whole {
			n = r.quarters(r.key(n, numSizes+5*i+k), v, d.Sizes.Quarters[k])
		}
	}
	for i, d := range directions {
		if d.Packets < 2 {
			n = r.zeroKeys(n, numIATs+5*i, numIATs+5*i+5)
			continue
		}
		for k, v := range d.IATs.Whole {
			n = r.seconds(r.key(n, numIATs+5*i+k), v, d.IATs.Quarters[k], f.Fine)
		}
	}
	for i, d := range directions {
		if d.Packets == 0 {
			n = r.zeroKeys(n, numFlags+8*i, numFlags+8*i+8)
			continue
		}
		n = r.flagKeys(n, numFlags+8*i, &d.Flags)
	}
	return n
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
