package export

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// A Profile is a named set of columns, with the flow rules that they are made for.
type Profile struct {
	// Name is that of --profile, Definition a line about it.
	Name, Definition string
	// Columns are the columns, in order.
	Columns []*Column
	// The rules that belong to the columns: see flowfast.Options.
	IdleTimeout time.Duration
	Resolution  time.Duration
	Monotone    bool
	Rules       flowtable.Rules
	Keys        flowtable.Keys
	Protocols   decode.Protocols

	first func(n int) []*Column
}

// SPLT returns the profile's columns of the first n packets of a flow.
func (p Profile) SPLT(n int) []*Column {
	if p.first != nil {
		return p.first(n)
	}
	return SPLT()
}

// Profiles returns all profiles.
func Profiles() []Profile {
	return []Profile{
		{Name: "default", Definition: "what flowfast writes if it is told nothing else", Columns: Columns()},
		{Name: "full", Definition: "all that flowfast knows of a flow", Columns: append(Columns(), fullColumns...)},
		pyFlowMeter,
		cicFlowMeter,
		pyCICFlowMeter,
		nfStream,
	}
}

// FindProfile returns the profile with a name; an error names those that there
// are.
func FindProfile(name string) (Profile, error) {
	all := Profiles()
	for _, p := range all {
		if p.Name == name {
			return p, nil
		}
	}
	names := make([]string, len(all))
	for i, p := range all {
		names[i] = p.Name
	}
	nearest := Nearest(name, append(names[:len(names):len(names)], "cicflowmeter-legacy"))
	if nearest != "" {
		nearest = fmt.Sprintf("the nearest is %q; ", nearest)
	}
	return Profile{}, fmt.Errorf("no profile %q; %sthere are %s and cicflowmeter-legacy", name, nearest, strings.Join(names, ", "))
}

// Nearest returns the name that a misspelt one is likely to mean, "" if none is
// near: that which takes the fewest changes of a letter, at most a third of them.
func Nearest(name string, among []string) string {
	best, least := "", len(name)/3+1
	for _, other := range among {
		if d := distance(name, other); d < least {
			best, least = other, d
		}
	}
	return best
}

// With returns the columns of the profile, those of the first packets of a flow, if
// there are any, and those of quantiles.
func (p Profile) With(first int, quantiles []float64) []*Column {
	return slices.Concat(p.Columns, p.more(first, quantiles))
}

// more returns the columns of the first packets, if there are any, and of
// quantiles.
func (p Profile) more(first int, quantiles []float64) []*Column {
	var more []*Column
	if first > 0 {
		more = p.SPLT(first)
	}
	return append(more, Quantiles(quantiles)...)
}

var quantileName = regexp.MustCompile(`^(fwd|bwd)_(pkt_size|iat)_p[0-9.]+$`)

// noColumn is the error that a name is not one of a column.
func (p Profile) noColumn(name string, more []*Column) error {
	_, plain, qualified := strings.Cut(name, ":")
	if !qualified {
		plain = name
	}
	for _, other := range Profiles() {
		if find(other.SPLT(1), plain) != nil {
			return fmt.Errorf("no column %q without a number of first packets (--splt)", name)
		}
	}
	if plain == "label" || plain == "label_rule" {
		return fmt.Errorf("column %q can't be chosen: --labels adds it after the others", name)
	}
	if quantileName.MatchString(plain) {
		return fmt.Errorf("no column %q unless its quantile is asked for (--quantiles)", name)
	}
	return fmt.Errorf("no column %q; the nearest is %q", name, p.nearest(name, more))
}

func find(columns []*Column, name string) *Column {
	i := slices.IndexFunc(columns, func(c *Column) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return columns[i]
}

// nearest returns the name of the column that takes the fewest changes of a
// letter to come to.
func (p Profile) nearest(name string, more []*Column) string {
	best, least := "", 1<<30
	consider := func(columns []*Column) {
		for _, c := range columns {
			if d := distance(name, c.Name); d < least {
				best, least = c.Name, d
			}
		}
	}
	consider(p.Columns)
	consider(more)
	for _, other := range Profiles() {
		consider(other.Columns)
	}
	return best
}

// distance is the number of letters to put in, take out or change to make b of
// a (Levenshtein, 1966).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Needs returns the groups of features that columns are computed from.
func Needs(columns []*Column) features.Set {
	set := features.Set(0)
	for _, c := range columns {
		set |= c.Needs
	}
	return set
}
