package flowfast_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// TestLabeler wants flows to get their labels before their addresses change, once
// each, on any number of workers, and rows to have them.
func TestLabeler(t *testing.T) {
	key := []byte("an example of a key of 32 bytes.")
	for name, c := range recorded(t) {
		for workers := 1; workers <= 3; workers++ {
			var labeled, goroutines atomic.Int64
			options := flowfast.Options{Workers: workers, AnonymizeKey: key, Labeler: func() func(*flowfast.Flow) bool {
				goroutines.Add(1)
				return func(f *flowfast.Flow) bool {
					labeled.Add(1)
					f.Label = &flowtable.Label{Name: f.SrcIP().String(), Rule: "r", More: []string{f.DstIP().String()}}
					return true
				}
			}}
			plain, err := flowfast.Open(flowfast.Options{Workers: 1}, "testdata/"+c.Capture)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for f, err := range plain.Flows(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, f.SrcIP().String()+",r,"+f.DstIP().String())
			}
			run, err := flowfast.Open(options, "testdata/"+c.Capture)
			if err != nil {
				t.Fatal(err)
			}
			var b strings.Builder
			columns := export.WithLabels(nil, []string{"dst"})
			if err := run.Write(context.Background(), &b, export.NewCSV(columns)); err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(append([]string{"label,label_rule,dst"}, want...), "\n") + "\n"; b.String() != got {
				t.Errorf("%s, %d workers: rows are not the true addresses of each flow", name, workers)
			}
			if int(labeled.Load()) != len(want) || int(goroutines.Load()) != workers {
				t.Errorf("%s: %d of %d flows labelled on %d goroutines, want %d", name, labeled.Load(), len(want), goroutines.Load(), workers)
			}
		}
	}
}
