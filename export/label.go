package export

import (
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
	as(RoleLabel, all[from:]...)
	return all
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
