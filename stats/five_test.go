package stats

import (
	"math"
	"slices"
	"testing"
)

// The expected numbers are those of numpy.percentile(v, [0, 25, 50, 75, 100]),
// numpy 2.
func TestFiveEqualsNumpy(t *testing.T) {
	for _, test := range []struct {
		v    []uint64
		want [5]float64
	}{
		{[]uint64{7}, [5]float64{7, 7, 7, 7, 7}},
		{[]uint64{1, 2}, [5]float64{1, 1.25, 1.5, 1.75, 2}},
		{[]uint64{1, 2, 3, 4}, [5]float64{1, 1.75, 2.5, 3.25, 4}},
		{[]uint64{40, 60, 60, 1500, 54, 66, 1514}, [5]float64{40, 57, 60, 783, 1514}},
		{[]uint64{0, 0, 0, 5}, [5]float64{0, 0, 0, 1.25, 5}},
		{[]uint64{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5}, [5]float64{1, 2.5, 4, 5, 9}},
		{[]uint64{100, 93, 86, 79, 72, 65, 58, 51, 44, 37, 30, 23, 16, 9, 2}, [5]float64{2, 26.5, 51, 75.5, 100}},
		{nil, [5]float64{}},
	} {
		slices.Sort(test.v)
		var f Five
		ofSorted(&f, test.v, 0)
		for i, want := range test.want {
			if got := f.Float(i); got != want {
				t.Errorf("%v: number %d is %v, want %v", test.v, i, got, want)
			}
		}
	}
}

func TestFiveDoesNotOverflow(t *testing.T) {
	var f Five
	ofSorted(&f, []uint64{0, math.MaxUint64}, 0)
	want := Five{
		// (2^64-1) · 1/4, 2/4, 3/4
		Whole:    [5]uint64{0, 1<<62 - 1, 1<<63 - 1, 3<<62 - 1, math.MaxUint64},
		Quarters: [5]uint8{0, 3, 2, 1, 0},
	}
	if f != want {
		t.Errorf("got %v, want %v", f, want)
	}
}

// TestBinError checks the promised bound at both ends of every bin, and that
// the bins leave no gap.
func TestBinError(t *testing.T) {
	const bins = 57<<6 + 128
	next := uint64(0)
	for bin := range uint32(bins) {
		first := next
		last := first
		if e := bin >> 6; e > 1 {
			last = first + 1<<(e-1) - 1
		}
		for _, v := range []uint64{first, last} {
			if got := intervalBin(v); got != bin {
				t.Fatalf("intervalBin(%d) = %d, want %d", v, got, bin)
			}
			middle := binMiddle(bin)
			off := max(middle, v) - min(middle, v)
			if off > v/128 {
				t.Fatalf("bin %d stands for %d, which is %d away from %d: more than 1/128", bin, middle, off, v)
			}
		}
		next = last + 1
	}
	if next != 0 {
		t.Errorf("the last bin ends at %d, want 2^64-1", next-1)
	}
}
