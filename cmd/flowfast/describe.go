package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// A described option is what a program that runs this one must know of a flag.
type describedOption struct {
	Name  string `json:"name"`
	Short string `json:"short,omitempty"`
	// Value is what the flag takes, "" if it takes nothing.
	Value string `json:"value,omitempty"`
	// List says how the flag takes several values: with commas between ("comma"),
	// or by standing several times ("repeat"); "" if it takes one.
	List    string `json:"list,omitempty"`
	Meaning string `json:"meaning"`
}

type describedOptions struct {
	Version string            `json:"version"`
	Options []describedOption `json:"options"`
}

// describe returns the flags of a command in the order of its help.
func describe(f *pflag.FlagSet) describedOptions {
	d := describedOptions{Version: flowfast.Version}
	f.VisitAll(func(flag *pflag.Flag) {
		value, meaning := usageOf(flag)
		o := describedOption{Name: flag.Name, Short: flag.Shorthand, Value: value, Meaning: meaning}
		switch flag.Value.(type) {
		case *names, *quantiles, *shares, text:
			o.List = "comma"
		case *filter, *labelFiles, *thinning:
			o.List = "repeat"
		}
		d.Options = append(d.Options, o)
	})
	return d
}

// optionsCommand lists the flags for programs.
func optionsCommand(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:   "options [COMMAND]",
		Short: "list the options as JSON, or those of a command",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, names []string) error {
			of, _, err := c.Root().Find(names)
			if err == nil && len(names) > 0 && of == c.Root() {
				err = fmt.Errorf("unknown command %q for %q", names[0], c.CommandPath())
			}
			if err != nil {
				return err
			}
			return writeJSON(out, describe(of.Flags()))
		},
	}
}

// A describedTable is a table of columns.
type describedTable struct {
	Profiles []string          `json:"profiles"`
	Title    string            `json:"title"`
	Columns  []describedColumn `json:"columns"`
}

type describedColumn struct {
	Name       string `json:"name"`
	Role       string `json:"role"`
	Type       string `json:"type"`
	Unit       string `json:"unit"`
	Definition string `json:"definition"`
}

func describeTables(all []listed) []describedTable {
	tables := []describedTable{}
	for _, t := range all {
		tables = append(tables, describedTable{t.profiles, t.title, describeColumns(t.columns)})
	}
	return tables
}

func describeColumns(columns []*export.Column) []describedColumn {
	all := []describedColumn{}
	for _, c := range columns {
		all = append(all, describedColumn{c.Name, c.Role.String(), c.Kind.String(), c.Unit, c.Definition})
	}
	return all
}

// capturesCommand lists the captures that -r finds under a folder. It is for
// programs that read them one by one. Folders are called captures, and commands
// are told from folders by their names alone.
func capturesCommand(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:    "list-captures FOLDER",
		Short:  "list the captures under a folder as JSON",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(_ *cobra.Command, args []string) error {
			list := struct {
				Captures   []string `json:"captures"`
				OtherFiles int      `json:"other_files"`
				Errors     []string `json:"errors"`
			}{Captures: []string{}, Errors: []string{}}
			t, err := walk(args[0], "", func(capture) bool { return false })
			if err != nil {
				return err
			}
			for _, c := range t.captures {
				list.Captures = append(list.Captures, c.rel)
			}
			for _, err := range t.errs {
				list.Errors = append(list.Errors, message(err))
			}
			list.OtherFiles = t.others
			return writeJSON(out, list)
		},
	}
}

func writeJSON(out io.Writer, v any) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
