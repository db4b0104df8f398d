package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/features"
)

// A choice is what the user wants in the rows.
type choice struct {
	profile   string
	names     names
	splt      int
	quantiles quantiles
	endReason bool
}

// maxSPLT is the most first packets of a flow that are kept.
const maxSPLT = 1000

func (c *choice) profileFlag(f *pflag.FlagSet) {
	f.StringVar(&c.profile, "profile", "default",
		"use the columns and the flow rules of `NAME`: "+alternatives(profileNames())+" (default default)")
	f.Lookup("profile").DefValue = ""
}

func (c *choice) flags(f *pflag.FlagSet) {
	f.Var(&c.names, "columns",
		"write the columns `A,B,C`, in this order: names, @feature and other roles, nfstream:* and other profiles; "+
			"+A and -A add to the profile and leave out (default those of the profile)")
	f.Var((*count)(&c.splt), "splt",
		"add sizes, inter-arrival times and flags of the first `N` packets of each flow (default none)")
	f.Var(&c.quantiles, "quantiles",
		"add the quantiles `P,Q`, from 0 to 1, of sizes and inter-arrival times (default none)")
	f.BoolVar(&c.endReason, "end-reason", false,
		"add the column end_reason: idle, reuse, end, evicted, active or closed")
}

// profileNames returns the names of all profiles.
func profileNames() (names []string) {
	for _, p := range export.Profiles() {
		names = append(names, p.Name)
	}
	return append(names, legacyProfile)
}

// columns returns the columns that are wanted, and the profile. Labels may be added
// to them.
func (c *choice) columns(labeled bool) (columns []*export.Column, profile export.Profile, err error) {
	if profile, err = export.FindProfile(c.profile); err != nil {
		return nil, profile, err
	}
	if c.splt > maxSPLT {
		return nil, profile, fmt.Errorf("--splt %d: want %d at most", c.splt, maxSPLT)
	}
	switch {
	case c.names == nil:
		columns = profile.With(c.splt, c.quantiles)
	case slices.ContainsFunc(c.names, func(name string) bool { return strings.HasPrefix(strings.TrimLeft(name, "+-"), legacyProfile+":") }):
		return nil, profile, fmt.Errorf("columns of %s come only with that profile, all of them", legacyProfile)
	default:
		if columns, err = profile.Select(c.names, c.splt, c.quantiles); err != nil {
			return nil, profile, err
		}
		needs := export.Needs(columns)
		if c.splt > 0 && needs&features.First == 0 {
			return nil, profile, errors.New("--splt: none of its columns is among --columns")
		}
		if c.quantiles != nil && needs&features.Quantiles == 0 {
			return nil, profile, errors.New("--quantiles: none of their columns is among --columns")
		}
	}
	if slices.Contains(c.names, "@"+export.RoleLabel.String()) && !labeled && !slices.ContainsFunc(columns, isLabel) {
		return nil, profile, errors.New("--columns @label: there are none without --labels or --split")
	}
	if len(columns) == 0 && !labeled {
		return nil, profile, errors.New("--columns: no column is left")
	}
	if c.endReason && !slices.Contains(columns, export.EndReason) {
		columns = append(columns, export.EndReason)
	}
	return columns, profile, nil
}

func isLabel(c *export.Column) bool { return c.Role == export.RoleLabel }

// Names are the value of a flag: names with commas between.
type names []string

func (n *names) Set(text string) error {
	*n = nil
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name == "" {
			return errors.New("want names with commas between")
		}
		*n = append(*n, name)
	}
	return nil
}

func (n *names) String() string { return "" }
func (n *names) Type() string   { return "names" }

// Quantiles are the value of a flag: numbers from 0 to 1 with commas between.
type quantiles []float64

func (q *quantiles) Set(text string) error {
	*q = nil
	for number := range strings.SplitSeq(text, ",") {
		v, err := strconv.ParseFloat(number, 64)
		if err != nil || !(v >= 0 && v <= 1) || strings.Trim(number, "0123456789.") != "" {
			return fmt.Errorf("%q: want numbers from 0 to 1 with commas between, such as 0.05,0.95", number)
		}
		if slices.Contains(*q, v) {
			return fmt.Errorf("%s is given twice", number)
		}
		*q = append(*q, v)
	}
	return nil
}

func (q *quantiles) String() string { return "" }
func (q *quantiles) Type() string   { return "quantiles" }

// columnsCommand is the command that lists columns.
func columnsCommand(out io.Writer) *cobra.Command {
	profile := ""
	var asNames, asMarkdown, asJSON bool
	command := &cobra.Command{
		Use:   "columns [--profile NAME] [--names|--markdown|--json]",
		Short: "list the columns of every profile, or of one",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			all := tables()
			if profile != "" && profile != legacyProfile {
				if _, err := export.FindProfile(profile); err != nil {
					return err
				}
			}
			if profile != "" {
				all = slices.DeleteFunc(all, func(t listed) bool { return !slices.Contains(t.profiles, profile) })
			}
			if asJSON {
				return writeJSON(out, describeTables(all))
			}
			var text string
			switch {
			case asNames:
				text = namesText(all)
			case asMarkdown:
				text = tablesText(all, export.Markdown)
			default:
				width := terminalWidth(out)
				text = tablesText(all, func(columns []*export.Column) string { return columnsText(columns, width) })
			}
			_, err := io.WriteString(out, text)
			return err
		},
	}
	f := command.Flags()
	f.SortFlags = false
	f.StringVar(&profile, "profile", "", "list the columns of the profile `NAME` (default all)")
	f.BoolVar(&asNames, "names", false, "list the names alone, each once")
	f.BoolVar(&asMarkdown, "markdown", false, "list them as tables in Markdown")
	f.BoolVar(&asJSON, "json", false, "list them as JSON")
	command.MarkFlagsMutuallyExclusive("names", "markdown", "json")
	return command
}

// tablesText writes tables below their titles.
func tablesText(all []listed, write func([]*export.Column) string) string {
	var b strings.Builder
	for i, t := range all {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(t.title + "\n\n" + write(t.columns))
	}
	return b.String()
}

// columnsText writes columns as plain text, no wider than a terminal.
func columnsText(columns []*export.Column, width int) string {
	rows := [][]string{{"COLUMN", "ROLE", "TYPE", "UNIT", "DEFINITION"}}
	for _, c := range columns {
		rows = append(rows, []string{c.Name, c.Role.String(), c.Kind.String(), c.Unit, strings.ReplaceAll(c.Definition, "`", "")})
	}
	return aligned(rows, width)
}

// namesText writes the names of the columns of profiles, each once.
func namesText(all []listed) string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, t := range all {
		for _, c := range t.columns {
			if !t.added && !seen[c.Name] {
				seen[c.Name] = true
				b.WriteString(c.Name + "\n")
			}
		}
	}
	return b.String()
}

// A listed is a table of columns, of one profile or more.
type listed struct {
	profiles []string
	title    string
	columns  []*export.Column
	added    bool // by a flag
}

// tables returns the columns of all profiles, and those that flags add to them.
func tables() []listed {
	var all []listed
	var most []string // all but legacy and nfstream
	nfstream, _ := export.FindProfile("nfstream")
	for _, p := range append(export.Profiles(), legacyColumns()) {
		all = append(all, listed{[]string{p.Name}, fmt.Sprintf("Profile %s: %s", p.Name, p.Definition), p.Columns, false})
		if p.Name != legacyProfile && p.Name != nfstream.Name {
			most = append(most, p.Name)
		}
	}
	return append(all,
		listed{[]string{nfstream.Name}, "With --splt N, of the first N packets of a flow, in the profile nfstream:", nfstream.SPLT(1), true},
		listed{most, "With --splt N, of the first N packets of a flow, in other profiles:", export.SPLT(), true},
		listed{append(most, nfstream.Name), "With --quantiles 0.05, and with others accordingly:", export.Quantiles([]float64{0.05}), true})
}
