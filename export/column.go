package export

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// A Kind says what the values of a column are, and which parts of a [Value]
// hold one.
type Kind uint8

const (
	Uint     Kind = iota // a whole number, not negative: Uint
	Int                  // a whole number: Int
	Float                // a real number: Float
	Quarters             // Uint and as many quarters: Quarters
	Seconds              // nanoseconds and quarters of one, in seconds: Uint, Quarters and Fine
	Time                 // nanoseconds since the Unix epoch, UTC, in seconds: Int and Fine
	Text                 // Text
	List                 // whole numbers: List
)

// A Value is one value of a column. The Kind of the column says which fields hold it.
type Value struct {
	Uint     uint64
	Int      int64
	Float    float64
	Quarters uint8
	// Fine is set where the clock of the capture, or the value, is finer than a
	// microsecond.
	Fine bool
	// None is set where the value stands for an empty sample; it is then 0.
	None bool
	// Text and List are lent until the next value.
	Text []byte
	List []int64
}

// values are for the rows of all formats: one on the stack would not stay there,
// since it is handed to a function that only the column knows.
var values = sync.Pool{New: func() any { return new(Value) }}

// A Column is one column of a row: what it is called, what it says and how that
// is computed.
type Column struct {
	// Name is the column's name in headers and on the command line.
	Name string
	// Unit is that of the values, "" if they have none.
	Unit string
	// Definition says, in a line, what the values are.
	Definition string
	// Kind is the kind of the values.
	Kind Kind
	// Role says whether a model may learn from the column. NewColumn sets RoleFeature.
	Role Role
	// Needs are the groups of features that the column is computed from.
	Needs features.Set
	// Numbered says that the column is also computed from the number of the row, which
	// is known when rows are in order: they are formatted then, not before.
	Numbered bool

	summaries bool    // it may look at those of a direction
	quantiles int     // that must be counted, if it is one of them
	same      [2]bool // see always
	says      string  // see saying
	plain     bool    // no text asks for quotation marks or escapes
	bits      int     // 8 or 16 where that is enough for every value of kind Uint; else 0
	labels    int     // how many columns of labels there are, if it is one of them,
	labelAt   int     // and which one it is, from 1
	set       func(v *Value, f *flowtable.Flow)
	text      func(b []byte, f *flowtable.Flow) []byte // in place of set where Kind is Text
}

// Value sets v to the column's value of a flow. Of v only the parts that belong
// to the column's kind mean anything.
func (c *Column) Value(v *Value, f *flowtable.Flow) {
	if c.text != nil {
		v.Text = c.text(v.Text[:0], f)
		return
	}
	c.set(v, f)
}

func column(kind Kind, name, unit, definition string, set func(v *Value, f *flowtable.Flow)) *Column {
	return &Column{Name: name, Unit: unit, Definition: definition, Kind: kind, set: set}
}

func uintColumn(name, unit, definition string, of func(f *flowtable.Flow) uint64) *Column {
	return column(Uint, name, unit, definition, func(v *Value, f *flowtable.Flow) { v.Uint = of(f) })
}

// narrow says that so many bits, 8 or 16, hold every value of a column of kind
// Uint.
func narrow(bits int, c *Column) *Column {
	c.bits = bits
	return c
}

// summarizing says that columns are computed from the summaries of a direction.
func summarizing(columns ...*Column) []*Column {
	for _, c := range columns {
		c.summaries = true
	}
	return columns
}

// Counted tells if flows with these features have what the column is computed from.
func (c *Column) Counted(o features.Options) bool {
	return c.Needs&^o.Set == 0 && !(c.summaries && o.NoSummaries) &&
		(c.Needs&features.Quantiles == 0 || len(o.Quantiles) >= c.quantiles)
}

func numbered(c *Column) *Column {
	c.Numbered = true
	return c
}

// Numbered tells if one of the columns says the number of the row.
func Numbered(columns []*Column) bool {
	return slices.ContainsFunc(columns, func(c *Column) bool { return c != nil && c.Numbered })
}

func textColumn(name, definition string, text func(b []byte, f *flowtable.Flow) []byte) *Column {
	return &Column{Name: name, Definition: definition, Kind: Text, text: text}
}

// plainColumn is a textColumn whose texts need not be looked at for what CSV or
// JSON would quote or escape.
func plainColumn(name, definition string, text func(b []byte, f *flowtable.Flow) []byte) *Column {
	c := textColumn(name, definition, text)
	c.plain = true
	return c
}

// String returns the name of a kind: "integer", "real", "time", "text" or
// "list of integers".
func (k Kind) String() string {
	switch k {
	case Uint, Int:
		return "integer"
	case Time:
		return "time"
	case Text:
		return "text"
	case List:
		return "list of integers"
	}
	return "real"
}

// Markdown returns columns as a table in Markdown.
func Markdown(columns []*Column) string {
	var b strings.Builder
	b.WriteString("| column | role | type | unit | definition |\n| --- | --- | --- | --- | --- |\n")
	for _, c := range columns {
		fmt.Fprintf(&b, "| `%s` | %v | %v | %s | %s |\n", c.Name, c.Role, c.Kind, c.Unit, c.Definition)
	}
	return b.String()
}
