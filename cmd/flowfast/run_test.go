package main

import (
	"bytes"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/spf13/cobra"
)

// Every flag arrives where it belongs, wherever it stands.
func TestFlags(t *testing.T) {
	var out bytes.Buffer
	for _, test := range []struct {
		rule string
		args []string
		want command
	}{
		{"defaults", []string{"in", "out"},
			command{inputs: []string{"in"}, output: "out", jobs: runtime.GOMAXPROCS(0)}},
		{"short flags", []string{"-r", "in", "-t600", "-i", "1000", "out", "-l=10", "-j", "3", "-q"},
			command{inputs: []string{"in"}, output: "out", recursive: true, jobs: 3, quiet: true,
				options: flowfast.Options{IdleTimeout: 10 * time.Minute, CheckEvery: 1000, CheckMost: 10}}},
		{"resume", []string{"--resume", "-r", "in", "out"},
			command{inputs: []string{"in"}, output: "out", recursive: true, resume: true, jobs: runtime.GOMAXPROCS(0)}},
		{"long flags", []string{"a", "--idle-timeout", ".25", "b", "--join", "--summary=s", "--check-every=2",
			"c", "--check-most", "3", "--jobs", "4", "--quiet", "--recursive"},
			command{inputs: []string{"a", "b"}, output: "c", recursive: true, join: true, jobs: 4, quiet: true, summary: "s",
				options: flowfast.Options{IdleTimeout: time.Second / 4, CheckEvery: 2, CheckMost: 3}}},
	} {
		c := command{streams: streams{nil, &out, &out}}
		root := c.cobra()
		root.Run = func(*cobra.Command, []string) {}
		root.SetArgs(test.args)
		if err := root.Execute(); err != nil {
			t.Errorf("%s: %q: %v", test.rule, test.args, err)
		}
		if len(c.columns) != len(export.Columns()) {
			t.Errorf("%s: %d columns", test.rule, len(c.columns))
		}
		c.streams, c.rows, c.columns, c.flags, c.given = streams{}, choice{}, nil, nil, nil
		if !reflect.DeepEqual(c, test.want) {
			t.Errorf("%s: %q: got %+v, want %+v", test.rule, test.args, c, test.want)
		}
	}
}

func TestLargestFirst(t *testing.T) {
	jobs := []job{{size: 2}, {size: 0}, {size: 9}, {size: 2}, {size: 5}}
	if got, want := largestFirst(jobs), []int{2, 4, 0, 3, 1}; !slices.Equal(got, want) {
		t.Errorf("sizes 2 0 9 2 5: got %v, want %v", got, want)
	}
}

// The totals span the times of all runs that have packets, in any order.
func TestReportAdd(t *testing.T) {
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	runs := []outcome{
		{},
		{Summary: flowfast.Summary{Packets: 1, First: at(5), Last: at(6)}},
		{Summary: flowfast.Summary{Packets: 2, First: at(-3), Last: at(4)}, Errors: []string{"one", "two"}},
		{Summary: flowfast.Summary{Packets: 4, First: at(7), Last: at(9)}, Written: true},
	}
	for range 2 {
		var r report
		r.Written = true
		for _, o := range runs {
			r.add(o)
		}
		if r.Packets != 7 || !r.First.Equal(at(-3)) || !r.Last.Equal(at(9)) {
			t.Errorf("got %d packets from %v to %v", r.Packets, r.First, r.Last)
		}
		if r.Failed != 1 || len(r.Errors) != 2 || r.Written {
			t.Errorf("failed %d, errors %q, written %v, want 1, two and false", r.Failed, r.Errors, r.Written)
		}
		slices.Reverse(runs)
	}
}
