package export

import (
	"errors"
	"fmt"
	"slices"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// Demand returns what columns ask of the flows that they are computed from, by
// the flow rules of the profile: what [Profile.With] or [Profile.Select] returned
// for the same number of first packets and the same quantiles. Where no column is
// computed from the Sizes and IATs of a direction, flows do not have them.
func (p Profile) Demand(columns []*Column, first int, quantiles []float64) flowtable.Demand {
	summaries := slices.ContainsFunc(columns, func(c *Column) bool { return c.summaries })
	return flowtable.Demand{
		IdleTimeout: p.IdleTimeout, Resolution: p.Resolution, Monotone: p.Monotone,
		Rules: p.Rules, Keys: p.Keys, Protocols: p.Protocols,
		Features: features.Options{Set: Needs(columns), First: first, Quantiles: quantiles, NoSummaries: !summaries},
	}
}

// NewColumn returns a column of one's own: a whole number, a real number or a text
// that is computed from a flow, which is lent for the time of the call. Several
// goroutines may call it at once. A column that looks at f.Features sets its field
// Needs to the groups that it looks at, one that looks at f.Number its field Numbered.
func NewColumn[T uint64 | int64 | float64 | string](name, unit, definition string, of func(f *flowtable.Flow) T) *Column {
	c := &Column{Name: name, Unit: unit, Definition: definition, summaries: true}
	switch of := any(of).(type) {
	case func(*flowtable.Flow) uint64:
		c.Kind, c.set = Uint, func(v *Value, f *flowtable.Flow) { v.Uint = of(f) }
	case func(*flowtable.Flow) int64:
		c.Kind, c.set = Int, func(v *Value, f *flowtable.Flow) { v.Int = of(f) }
	case func(*flowtable.Flow) float64:
		c.Kind, c.set = Float, func(v *Value, f *flowtable.Flow) { v.Float = of(f) }
	case func(*flowtable.Flow) string:
		c.Kind, c.text = Text, func(b []byte, f *flowtable.Flow) []byte { return append(b, of(f)...) }
	}
	return c
}

// Check returns an error if flows with these features lack what the columns are
// computed from.
func (c CSV) Check(o features.Options) error {
	return checkColumns(c.all().rest, !c.all().other, o)
}

// Numbered tells if one of the columns says the number of the row.
func (c CSV) Numbered() bool { return Numbered(c.all().rest) }

// Numbered is that of CSV.
func (j JSONLines) Numbered() bool { return Numbered(j.columns) }

// Numbered is that of CSV.
func (p *packed) Numbered() bool { return Numbered(p.columns) }

// Check is that of CSV.
func (j JSONLines) Check(o features.Options) error { return checkColumns(j.columns, false, o) }

// Check is that of CSV.
func (p *packed) Check(o features.Options) error { return checkColumns(p.columns, false, o) }

func checkColumns(columns []*Column, others bool, o features.Options) error {
	if len(columns) == 0 && !others {
		return errors.New("rows without columns")
	}
	for i, c := range columns {
		switch {
		case c == nil || c.set == nil && c.text == nil:
			return fmt.Errorf("column %d has no values: columns come from profiles or from NewColumn", i)
		case !c.Counted(o):
			return fmt.Errorf("column %q needs features that the run does not count: Options.For takes what columns ask for", c.Name)
		}
	}
	return nil
}
