package flowfast_test

import (
	"context"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/features"
)

// TestFlowsLendTheirFeatures wants what stands in the features of a flow to be
// of that flow, with more flows at a time than go together from a worker: the
// medians of its sizes, and its first packets, counted and summed.
func TestFlowsLendTheirFeatures(t *testing.T) {
	const first = 8
	asked := features.Options{Set: features.First | features.Quantiles, First: first, Quantiles: []float64{0.5}}
	for name, c := range recorded(t) {
		for workers := 1; workers <= 2; workers++ {
			run, err := flowfast.Open(flowfast.Options{Workers: workers, Features: asked}, "testdata/"+c.Capture)
			if err != nil {
				t.Fatal(err)
			}
			for f, err := range run.Flows(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				q := &f.Features.Quantiles
				if fwd, bwd := q[0].Sizes[0], q[1].Sizes[0]; fwd != f.Fwd.Sizes.Float(2) || bwd != f.Bwd.Sizes.Float(2) {
					t.Errorf("%s, %d workers, flow %d: medians of sizes are %v and %v as quantiles, %v and %v of five numbers",
						name, workers, f.Number, fwd, bwd, f.Fwd.Sizes.Float(2), f.Bwd.Sizes.Float(2))
				}
				packets, bytes := f.Fwd.Packets+f.Bwd.Packets, uint64(0)
				for _, p := range f.Features.First {
					bytes += uint64(p.Size)
				}
				if len(f.Features.First) != int(min(packets, first)) || packets <= first && bytes != f.Fwd.Bytes+f.Bwd.Bytes {
					t.Errorf("%s, %d workers, flow %d: first packets %v of %d packets, %d bytes",
						name, workers, f.Number, f.Features.First, packets, f.Fwd.Bytes+f.Bwd.Bytes)
				}
			}
		}
	}
}
