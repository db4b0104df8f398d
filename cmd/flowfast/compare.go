package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flowfast/flowfast/compare"
)

const compareLong = `Flowfast compare shows how two tables of flows differ, flow by flow: which flows
only one of them has, and for each column how many values differ and by how much,
with examples. A and B are tables that flowfast wrote, in any format, or CSV of
CICFlowMeter, NFStream or PyFlowMeter, recognised by their first bytes. Rows are
of the same flow if endpoints, in either order, protocol and start time are the
same. Times without a zone are UTC.

The exit status is 0 if the tables are equal, 1 if they differ, 2 if something
could not be read or the arguments make no sense.`

const compareExamples = `  flowfast compare before.csv after.parquet
  flowfast compare --relative 1e-9 --html differences.html a.csv b.csv
  flowfast compare --slack 0.001 flows.csv nfstream.csv
  flowfast compare --pair flow_duration=duration --ignore label a.csv b.csv`

// The exit statuses of compare, as diff has them.
const (
	exitDiffer  = 1
	exitTrouble = 2
)

// compareCommand returns the command that compares two tables.
func compareCommand(s streams, status *int) *cobra.Command {
	o := compare.Options{Slack: time.Second}
	page, quiet := "", false
	var ignore, pairs []string
	c := &cobra.Command{
		Use:     "compare [flags] A B",
		Short:   "show how two tables of flows differ",
		Long:    compareLong,
		Example: compareExamples,
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if o.Absolute < 0 || o.Relative < 0 || o.Absolute != o.Absolute || o.Relative != o.Relative {
				return errors.New("--absolute and --relative must not be negative")
			}
			for _, p := range pairs {
				a, b, ok := strings.Cut(p, "=")
				if !ok {
					return fmt.Errorf("--pair %s: want a column of A, = and a column of B", p)
				}
				o.Pairs = append(o.Pairs, [2]string{a, b})
			}
			o.Ignore = ignore
			*status = runCompare(args, o, page, quiet, s)
			return nil
		},
	}
	f := c.Flags()
	f.SortFlags = false
	f.Var((*orNone)(&o.Slack), "slack",
		"pair rows whose start times differ by `SECONDS` at most; none: not at all (default 1)")
	f.Float64Var(&o.Absolute, "absolute", 0,
		"treat numbers as equal that differ by `N` at most (default 0)")
	f.Float64Var(&o.Relative, "relative", 0,
		"treat numbers as equal that differ by `N` times the greater one at most (default 0)")
	for _, name := range []string{"absolute", "relative"} {
		f.Lookup(name).DefValue = "0"
	}
	f.StringArrayVar(&ignore, "ignore", nil,
		"leave out the column `NAME`; can be given several times (default none)")
	f.StringArrayVar(&pairs, "pair", nil,
		"compare a column of A with one of B that has another name: `A=B`; can be given several times (default the known equivalents)")
	f.StringVar(&page, "html", "",
		"write an HTML page to `FILE` instead of text to standard output (default none)")
	f.BoolVarP(&quiet, "quiet", "q", false, "write nothing, only exit with the status")
	return c
}

// runCompare compares two tables, says what came of it and returns the exit status.
func runCompare(files []string, o compare.Options, page string, quiet bool, s streams) int {
	ctx, stop := untilSignal()
	defer stop()
	r, err := compare.Files(ctx, files[0], files[1], o)
	switch {
	case err != nil:
	case page != "":
		err = writeWith(ctx, page, r.WriteHTML)
	case !quiet:
		err = r.WriteText(s.out)
	}
	switch {
	case signalOf(ctx) != 0:
		return 128 + int(signalOf(ctx))
	case err != nil:
		fmt.Fprintf(s.err, "flowfast: %s\n", printable(message(err)))
		return exitTrouble
	case !r.Same():
		return exitDiffer
	}
	return exitOK
}
