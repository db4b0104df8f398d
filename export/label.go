package export

import (
	"slices"

	"github.com/flowfast/flowfast/flowtable"
)

// cicLabel is the column that CICFlowMeter leaves to be filled in by hand.
var cicLabel = find(cicFlowMeter.Columns, "Label")

// WithLabels returns columns with those behind that say what flows are called: label,
// label_rule, and the rules' own, in the order of [flowtable.Label].More. The column
// Label of the profile cicflowmeter says it too.
func WithLabels(columns []*Column, names []string) []*Column {
	label := func(name, definition string) *Column {
		return textColumn(name, definition, func(b []byte, f *flowtable.Flow) []byte {
			if f.Label == nil {
				return b
			}
			return append(b, f.Label.Name...)
		})
	}
	var all []*Column
	for _, c := range columns {
		if c == cicLabel {
			c = as(RoleLabel, label(c.Name, "what the flow is called by the rules that were given"))[0]
		}
		all = append(all, c)
	}
	from := len(all)
	all = append(all,
		label("label", "what the flow is called: by the first rule that matches, or else by the default of the rules"),
		textColumn("label_rule", "name of the rule that gave the label, empty if none matched", func(b []byte, f *flowtable.Flow) []byte {
			if f.Label == nil {
				return b
			}
			return append(b, f.Label.Rule...)
		}))
	for i, name := range names {
		all = append(all, textColumn(name, "what the rule that gave the label says besides", func(b []byte, f *flowtable.Flow) []byte {
			if f.Label == nil || i >= len(f.Label.More) {
				return b
			}
			return append(b, f.Label.More[i]...)
		}))
	}
	for i, c := range as(RoleLabel, all[from:]...) {
		c.labels, c.labelAt = len(all)-from, i+1
	}
	return all
}

// LabelCSV returns what [flowtable.Label].CSV is to be.
func LabelCSV(l *flowtable.Label) []byte {
	var b []byte
	for _, text := range append([]string{l.Name, l.Rule}, l.More...) {
		b = append(appendQuoted(b, text), ',')
	}
	return slices.Grow(b, shortLabel)
}

// shortLabel is the length up to which labels are written with one store of a constant
// size.
const shortLabel = 32

// appendLabel appends what LabelCSV returned.
func appendLabel(b, label []byte) []byte {
	if len(label) > shortLabel || cap(label) < shortLabel {
		return append(b, label...)
	}
	b = slices.Grow(b, shortLabel)
	n := len(b)
	*(*[shortLabel]byte)(b[n : n+shortLabel]) = *(*[shortLabel]byte)(label[:shortLabel])
	return b[:n+len(label)]
}

// labelsFirst returns how many columns of labels, all that one has, come first.
func labelsFirst(columns []*Column) int {
	n := 0
	for n < len(columns) && columns[n] != nil && columns[n].labelAt == n+1 {
		n++
	}
	if n > 0 && n == columns[0].labels {
		return n
	}
	return 0
}

// WithSplit returns columns with one behind that says which part of a data set the flow
// is in: names are those of the numbers of [flowtable.Flow].Split, from 1.
func WithSplit(columns []*Column, names []string) []*Column {
	c := textColumn("split", "part of the data set that the flow is in, empty for none", func(b []byte, f *flowtable.Flow) []byte {
		if f.Split == 0 || int(f.Split) > len(names) {
			return b
		}
		return append(b, names[f.Split-1]...)
	})
	return append(columns[:len(columns):len(columns)], as(RoleLabel, c)...)
}
