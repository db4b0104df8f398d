package flowfast_test

import (
	"context"
	"io"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/features"
)

// Whatever options and rows a caller puts together, what does not fit is an error,
// with one worker and with several.
func TestMismatchIsAnError(t *testing.T) {
	full, err := export.FindProfile("full")
	if err != nil {
		t.Fatal(err)
	}
	quantiles := full.With(0, []float64{0.1, 0.9})
	of := func(o features.Options) flowfast.Options { return flowfast.Options{Features: o} }
	for _, test := range []struct {
		rule    string
		options flowfast.Options
		rows    flowfast.Rows
	}{
		{"no features", flowfast.Options{}, export.NewCSV(full.Columns)},
		{"too few features", of(features.Options{Set: features.Sizes}), export.NewCSV(full.Columns)},
		{"no features, as JSON", flowfast.Options{}, export.NewJSONLines(full.Columns)},
		{"no quantiles", of(features.Options{Set: export.Needs(quantiles)}), export.NewCSV(quantiles)},
		{"too few quantiles", of(features.Options{Set: export.Needs(quantiles), Quantiles: []float64{0.1}}), export.NewCSV(quantiles)},
		{"no columns", flowfast.Options{}, export.JSONLines{}},
		{"a column of nothing", flowfast.Options{}, export.NewCSV([]*export.Column{{Name: "a"}})},
		{"a nil column", flowfast.Options{}, export.NewCSV([]*export.Column{nil})},
	} {
		for _, test.options.Workers = range []int{1, 3} {
			run, err := flowfast.Open(test.options, "testdata/flags.pcap")
			if err != nil {
				t.Fatal(err)
			}
			if err := run.Write(context.Background(), io.Discard, test.rows); err == nil {
				t.Errorf("%s, %d workers: no error", test.rule, test.options.Workers)
			}
		}
	}
	for _, o := range []features.Options{{Set: features.First, First: -1}, {Set: features.First, First: 1 << 40}, {Quantiles: []float64{2}}} {
		if _, err := flowfast.Open(of(o), "testdata/flags.pcap"); err == nil {
			t.Errorf("%+v: no error", o)
		}
	}
}

// A run that was not opened, or has come to its end, says so.
func TestRunTwice(t *testing.T) {
	if err := new(flowfast.Run).Write(context.Background(), io.Discard, export.CSV{}); err == nil {
		t.Error("a run that nobody opened: no error")
	}
	run, err := flowfast.Open(flowfast.Options{}, "testdata/flags.pcap")
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Write(context.Background(), io.Discard, export.CSV{}); err != nil {
		t.Fatal(err)
	}
	n := 0
	for flow, err := range run.Flows(context.Background()) {
		if n++; flow != nil || err == nil {
			t.Errorf("a second time: %v, %v", flow, err)
		}
	}
	if n != 1 {
		t.Errorf("a second time: %d answers, want an error", n)
	}
}
