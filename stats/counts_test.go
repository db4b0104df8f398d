package stats

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFullCounts shows that a value may be seen more often than an entry can
// count.
func TestFullCounts(t *testing.T) {
	p := &NewPool().counts
	var c counts
	c.init(p, 1)
	for range 5 {
		c.add(p, 60, math.MaxUint32)
	}
	c.add(p, 1514, 3)
	for i := range uint32(100) {
		c.add(p, i+2000, 1) // grows the block
	}
	var n60 uint64
	for _, e := range c.sorted(p) {
		if e.value == 60 {
			n60 += uint64(e.n)
		}
	}
	if n60 != 5*math.MaxUint32 {
		t.Errorf("counted %d, want %d", n60, uint64(5*math.MaxUint32))
	}
}

func TestSortCountsEqualsSort(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 19))
	for _, n := range []int{1, 2, 100, 3000} {
		for length := range 33 {
			lowest := r.Uint32() >> length << length
			v, w := make([]count, n), make([]count, n)
			for i := range v {
				v[i] = count{lowest + uint32(r.Uint64N(1<<length)), uint32(i)}
			}
			byValue := func(a, b count) int { return cmp.Compare(a.value, b.value) }
			want := slices.Clone(v)
			slices.SortStableFunc(want, byValue)
			got := sortCounts(v, w, want[0].value, want[n-1].value)
			if !slices.Equal(got, want) {
				t.Fatalf("%d values of %d bits:\ngot  %v\nwant %v", n, length, got, want)
			}
		}
	}
}
