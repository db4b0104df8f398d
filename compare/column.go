package compare

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/flowfast/flowfast/decode"
)

// decades are the bins of relative differences: bin i has those from 10^(i-decades)
// on; the first also has the smaller ones, and the last all from a tenth on.
const decades = 16

// A Column is what is said of a column that both tables have.
type Column struct {
	// Name is its name, or those of the tables with = between.
	Name string
	// Same, Close and Differ count pairs of rows: with the same value, with numbers
	// that differ within the tolerance, and with others.
	Same, Close, Differ int64
	// Texts are those among Differ of which a value is no number, Missing those of
	// which one is empty or no finite number.
	Texts, Missing int64
	// Absolute and Relative are the greatest differences of numbers among Differ;
	// relative ones are to the greater of the sizes of the two.
	Absolute, Relative float64
	// Greater counts numbers that are greater in the second table.
	Greater int64
	// Histogram counts the relative differences among Differ by decades: the first
	// bin those below 10^-15, the last those of a tenth and more.
	Histogram [decades]int64
	// Examples are those with the greatest relative differences.
	Examples []Difference

	scale [2]float64
	form  func(string) string // writes values in one form; nil for numbers and texts
	time  bool
	unit  int64 // of times, as parseTime has it
}

// A Difference is two values of a flow that differ.
type Difference struct {
	Example        // of the first table
	RowB     int64 // number of the row of the second table
	A, B     string
	Relative float64 // 1 for texts
}

// compare compares two values, and tells if they are equal.
func (c *Column) compare(a, b *row, textA, textB string, o *Options) bool {
	if c.form != nil {
		textA, textB = c.form(textA), c.form(textB)
	}
	if textA == textB && c.scale[0] == c.scale[1] {
		c.Same++
		return true
	}
	x, errX := strconv.ParseFloat(strings.TrimSpace(textA), 64)
	y, errY := strconv.ParseFloat(strings.TrimSpace(textB), 64)
	x, y = x*c.scale[0], y*c.scale[1]
	difference := math.Abs(x - y)
	if c.time { // in floating point they have no nanoseconds
		if s, t, ok := times(textA, textB, c.unit); ok {
			difference, errX, errY = math.Abs(float64(s-t))/1e9, nil, nil
			x, y = float64(s)/1e9, float64(t)/1e9
		}
	}
	number := errX == nil && errY == nil
	relative := 1.0
	switch {
	case number && (math.IsNaN(x) && math.IsNaN(y) || x == y && difference == 0 || math.IsInf(x, 0) && x == y):
		c.Same++
		return true
	case number && !finite(x, y):
		c.Missing++
	case number:
		size := math.Max(math.Abs(x), math.Abs(y))
		if difference <= o.Absolute || difference <= o.Relative*size {
			c.Close++
			return true
		}
		relative = difference / size
		c.Absolute, c.Relative = max(c.Absolute, difference), max(c.Relative, relative)
		c.Histogram[decade(relative)]++
		if y > x {
			c.Greater++
		}
	case textA == "" || textB == "":
		c.Missing++
	default:
		c.Texts++
	}
	c.Differ++
	c.example(Difference{Example{a.number, a.key.text()}, b.number, textA, textB, relative})
	return false
}

func finite(values ...float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

func times(a, b string, unit int64) (x, y int64, ok bool) {
	x, errX := parseTime(a, unit)
	y, errY := parseTime(b, unit)
	return x, y, errX == nil && errY == nil
}

func decade(relative float64) int {
	return min(max(decades+int(math.Floor(math.Log10(relative))), 0), decades-1)
}

// example keeps the differences that say most, the first ones of the table among
// equal ones.
func (c *Column) example(d Difference) {
	before := func(a, b Difference) int {
		return cmp.Or(cmp.Compare(b.Relative, a.Relative), cmp.Compare(a.Row, b.Row))
	}
	if len(c.Examples) == mostExamples && before(d, c.Examples[mostExamples-1]) >= 0 {
		return
	}
	c.Examples = append(c.Examples, d)
	slices.SortFunc(c.Examples, before)
	c.Examples = c.Examples[:min(len(c.Examples), mostExamples)]
}

// protocolText returns the name of a protocol in small letters, what stands there if it
// has none.
func protocolText(text string) string {
	if n, ok := decode.ProtocolNumber(text); ok {
		name := decode.Unread{Kind: decode.IPProtocol, Number: uint16(n)}.Name()
		return cmp.Or(strings.ToLower(name), text)
	}
	return text
}
