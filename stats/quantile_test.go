package stats

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestQuantilesOfNumpy has the numbers of numpy 2: quantile with its defaults.
func TestQuantilesOfNumpy(t *testing.T) {
	p := NewPool()
	var s Series
	at := int64(5)
	intervals := []int64{0, 7, 1000, 250, 13, 999999, 42, 42}
	for i, size := range []uint32{1514, 60, 66, 1514, 583, 60, 1200, 90} {
		at += intervals[i]
		p.Add(&s, at, size, 0)
	}
	gotSizes, gotIntervals := p.AppendQuantiles(nil, nil, &s, []float64{0, 0.05, 0.1, 0.333, 0.5, 0.9, 0.999, 1})
	for _, v := range []struct {
		name      string
		got, want []float64
	}{
		{"sizes", gotSizes, []float64{60.0, 60.0, 60.0, 73.944, 336.5, 1514.0, 1514.0, 1514.0}},
		{"intervals", gotIntervals, []float64{7.0, 8.8, 10.600000000000001, 41.94200000000001, 42.0, 400599.6000000003, 994005.0059999998, 999999.0}},
	} {
		if !slices.EqualFunc(v.got, v.want, func(a, b float64) bool { return math.Abs(a-b) <= 1e-12*b }) {
			t.Errorf("%s: got %v, want %v", v.name, v.got, v.want)
		}
	}
}

// quantileTwin returns a quantile by sorting.
func quantileTwin(values []uint64, q float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	position := float64(len(s)-1) * q
	low := int(position)
	high := min(low+1, len(s)-1)
	return float64(s[low]) + (position-float64(low))*float64(s[high]-s[low])
}

// compareQuantiles wants quantiles of sizes to be exact, and those of intervals
// to be as exact as quartiles are.
func compareQuantiles(t *testing.T, p *Pool, s *Series, w *twin, at []float64) {
	t.Helper()
	const before = 77 // what stands there must stay
	sizes, intervals := p.AppendQuantiles([]float64{before}, []float64{before}, s, at)
	if len(sizes) != 1+len(at) || len(intervals) != 1+len(at) || sizes[0] != before || intervals[0] != before {
		t.Fatalf("got %v and %v for %v", sizes, intervals, at)
	}
	for i, q := range at {
		if got, want := sizes[1+i], quantileTwin(w.sizes, q); math.Abs(got-want) > 1e-12*want {
			t.Errorf("%d observations: quantile %v of sizes is %v, want %v", s.N, q, got, want)
		}
		got, want := intervals[1+i], quantileTwin(w.intervals, q)
		bound := 1e-12 * want
		if q > 0 && q < 1 && len(w.intervals) > ExactIntervals {
			bound = want / 128 * (1 + 1e-12)
		}
		if math.Abs(got-want) > bound {
			t.Errorf("%d observations: quantile %v of intervals is %v, want %v within %v", s.N, q, got, want, bound)
		}
	}
	five, fiveIntervals := Five{}, Five{}
	p.Summarize(s, &five, &fiveIntervals)
	sizes, intervals = p.AppendQuantiles(nil, nil, s, []float64{0, 0.25, 0.5, 0.75, 1})
	for i := range 5 {
		if sizes[i] != five.Float(i) || intervals[i] != fiveIntervals.Float(i) {
			t.Errorf("%d observations: number %d of five is %v and %v, as a quantile %v and %v",
				s.N, i, five.Float(i), fiveIntervals.Float(i), sizes[i], intervals[i])
		}
	}
}

// TestQuantilesEqualTwin takes series in every kind of block, with what is odd
// in any place.
func TestQuantilesEqualTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	some := func() []float64 {
		at := []float64{0, 1, 0.5, 0.05, 0.95, 0.999, 1e-9, 1 - 1e-9}
		for range 5 {
			at = append(at, r.Float64())
		}
		return at
	}
	p := NewPool()
	p.AppendQuantiles(nil, nil, &Series{}, []float64{0.5})
	compareQuantiles(t, p, &Series{}, &twin{}, some())
	for odd := range oddities {
		for _, n := range lengths {
			for _, place := range []int{1, n / 2, n - 1} {
				var w twin
				s := makeSeries(p, &w, n, odd, place, 5)
				compareQuantiles(t, p, &s, &w, some())
				again := p.AppendState(nil, &s)
				compareQuantiles(t, p, &s, &w, some())
				if !slices.Equal(p.AppendState(nil, &s), again) {
					t.Errorf("%s, %d observations: quantiles change the series", oddities[odd].name, n)
				}
				p.Free(&s)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(traffic)) {
		next := traffic[name]
		for _, n := range []int{3, 17, 30, 100, 110, 1000} {
			var s Series
			var w twin
			at := int64(1_700_000_000_000_000_000)
			for i := range n {
				interval, size, _ := next(r, i)
				at += interval
				p.Add(&s, at, size, 0)
				w.add(at, size, 0)
			}
			compareQuantiles(t, p, &s, &w, some())
			p.Free(&s)
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
}
