// Package export turns finished flows into rows: the columns, and the formats
// in which they are written.
package export

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowfast/flowfast/flowtable"
)

// CSV is the format of comma-separated values (RFC 4180, with \n for the line
// break): a header, then a row for each flow. The zero CSV has the columns of
// [Columns]; [NewCSV] takes others. Those are formatted from integers, without
// floating point, and no row allocates.
type CSV struct {
	columns *csvColumns // nil for those of Columns alone
}

// csvColumns are the columns of a CSV.
type csvColumns struct {
	rest   []*Column // behind those of Columns
	other  bool      // they are not there
	texts  bool      // all of rest are texts
	labels int       // of rest, those of labels that come first
	alone  *templates
}

// NewCSV returns the format with the given columns, with those of [Columns] if
// there are none. Where those of [Columns]
// come first, they take no longer than they do alone.
func NewCSV(columns []*Column) CSV {
	if n := len(defaultColumns); len(columns) >= n && slices.Equal(columns[:n], defaultColumns) {
		columns = columns[n:]
		if len(columns) == 0 {
			return CSV{}
		}
		texts := !slices.ContainsFunc(columns, func(c *Column) bool { return c == nil || c.text == nil })
		return CSV{&csvColumns{rest: columns, texts: texts, labels: labelsFirst(columns), alone: csvTemplates(columns)}}
	}
	if len(columns) == 0 {
		return CSV{}
	}
	return CSV{&csvColumns{rest: columns, other: true, alone: csvTemplates(columns)}}
}

func csvTemplates(columns []*Column) *templates {
	if len(columns) == 0 {
		return nil
	}
	return newTemplates(columns, func(int) []byte { return nil }, (*Column).appendCSV)
}

// all returns the columns.
func (c CSV) all() *csvColumns { return cmp.Or(c.columns, &csvColumns{}) }

// AppendHeader appends the names of the columns.
func (c CSV) AppendHeader(b []byte) []byte {
	if !c.all().other {
		b = appendNames(b, defaultColumns)
	}
	b = appendNames(b, c.all().rest)
	b[len(b)-1] = '\n'
	return b
}

func appendNames(b []byte, columns []*Column) []byte {
	for _, column := range columns {
		b = append(appendQuoted(b, column.Name), ',')
	}
	return b
}

// AppendRow appends the row of a flow. What can only be zero it does not read:
// the IATs of a direction with fewer than two packets, and of one without any
// all but their number. Nor does it read the Sizes of a direction with one packet,
// which are all its Bytes. So whoever hands over a flood of such flows can leave
// these fields as they are.
func (c CSV) AppendRow(b []byte, f *flowtable.Flow) []byte {
	if c.columns == nil {
		b = appendDefault(b, f)
	} else {
		b = c.columns.append(b, f)
	}
	b[len(b)-1] = '\n'
	return b
}

// append appends the values of a flow, each with a comma behind it.
func (c *csvColumns) append(b []byte, f *flowtable.Flow) []byte {
	if !c.other {
		b = appendDefault(b, f)
	}
	if c.texts { // a few, such as labels: templates cost more than they save
		rest := c.rest
		if c.labels > 0 && f.Label != nil && f.Label.CSV != nil {
			b = appendLabel(b, f.Label.CSV)
			rest = rest[c.labels:]
		}
		for _, column := range rest {
			b = column.appendCSV(b, nil, f)
		}
		return b
	}
	if len(c.rest) == 0 {
		return b
	}
	v := values.Get().(*Value)
	if c.alone != nil && isAlone(f) {
		b = c.alone.of(f).append(b, v, f, (*Column).appendCSV)
	} else {
		for _, column := range c.rest {
			b = column.appendCSV(b, v, f)
		}
	}
	values.Put(v)
	return b
}

// appendDefault appends the values of the default columns, each with a comma
// behind it.
func appendDefault(b []byte, f *flowtable.Flow) []byte {
	b, r := roomFor(b)
	n := r.head(f)
	if flags, ok := f.Alone(); ok {
		n = r.fill(n, csvForm, f.Fwd.Bytes)
		n = r.text(n, &csvForm.before)
		*(*[16]byte)(r[at(n) : at(n)+16]) = csvFlags[flags]
		n = r.text(n+16, &csvForm.behind)
	} else {
		n = r.groups(n, f)
	}
	return b[:len(b)+n]
}

// appendCSV appends a value of the column with a comma behind it. Text that a
// comma or a quotation mark is in, and lists, stand in quotation marks.
func (c *Column) appendCSV(b []byte, v *Value, f *flowtable.Flow) []byte {
	switch c.Kind {
	case Text:
		at := len(b)
		b = c.text(b, f)
		if !c.plain && has(b[at:], quoted) {
			b = appendQuoted(b[:at], string(b[at:]))
		}
		return append(b, ',')
	case Uint:
		c.set(v, f)
		return appendUint(b, v.Uint)
	case List:
		c.set(v, f)
		return append(appendList(append(b, '"'), v.List), `",`...)
	}
	c.set(v, f)
	return append(c.appendNumber(b, v), ',')
}

// appendNumber appends a value that is a number.
func (c *Column) appendNumber(b []byte, v *Value) []byte {
	switch c.Kind {
	case Int:
		if v.Int < 0 {
			return strconv.AppendInt(b, v.Int, 10)
		}
		v.Uint = uint64(v.Int)
	case Float:
		return appendFloat(b, v.Float)
	}
	b, r := roomFor(b)
	n := 0
	switch {
	case c.Kind == Time:
		n = r.time(0, flowtable.Time(v.Int), v.Fine)
	case c.Kind == Quarters:
		n = r.quarters(0, v.Uint, v.Quarters)
	case c.Kind == Seconds && !v.None:
		n = r.seconds(0, v.Uint, v.Quarters, v.Fine)
	default:
		n = r.uint(0, v.Uint)
	}
	return b[:len(b)+n-1] // without the comma
}

// appendUint appends a number with a comma behind it.
func appendUint(b []byte, v uint64) []byte {
	b = slices.Grow(b, uintSize)
	if v < uint64(len(short)) {
		*(*text)(b[len(b) : len(b)+len(text{})]) = short[v]
		return b[:len(b)+int(shortSize[v])]
	}
	return slowUint(b, v)
}

func slowUint(b []byte, v uint64) []byte {
	b, r := roomFor(b)
	return b[:len(b)+r.long(0, v)]
}

// appendFloat appends the shortest decimal that is read as the same number,
// with an exponent where its digits would be far from the point.
func appendFloat(b []byte, v float64) []byte {
	const exact = 1 << 50 // whole numbers up to here have all their digits
	if v > 0 && v < exact && v == math.Trunc(v) {
		b = appendUint(b, uint64(v))
		return b[:len(b)-1] // without the comma
	}
	format := byte('f')
	if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(b, v, format, -1, 64)
}

// appendList appends [1, 2, 3].
func appendList(b []byte, list []int64) []byte {
	b = append(b, '[')
	for i, n := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		switch {
		case n == -1: // what fills lists up
			b = append(b, "-1"...)
		case n < 0:
			b = strconv.AppendInt(b, n, 10)
		default:
			b = appendUint(b, uint64(n))
			b = b[:len(b)-1] // without the comma
		}
	}
	return append(b, ']')
}

// What bytes of a text ask for: quotation marks in CSV, an escape in JSON, or
// that they are looked at since they may be part of what is no UTF-8.
const (
	quoted = 1 << iota
	escaped
)

var asks = func() (t [256]uint8) {
	for i := range t {
		switch char := byte(i); {
		case char == '"' || char == '\r' || char == '\n':
			t[i] = quoted | escaped
		case char == ',':
			t[i] = quoted
		case char < ' ' || char == '\\' || char >= utf8.RuneSelf:
			t[i] = escaped
		}
	}
	return t
}()

// has tells if a byte of a text asks for something.
func has(text []byte, what uint8) bool {
	all := uint8(0)
	for _, char := range text {
		all |= asks[char]
	}
	return all&what != 0
}

// appendQuoted appends text, in quotation marks if it needs them.
func appendQuoted(b []byte, text string) []byte {
	if !strings.ContainsAny(text, ",\"\r\n") {
		return append(b, text...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(text, `"`, `""`)...)
	return append(b, '"')
}
