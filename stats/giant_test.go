package stats

import (
	"maps"
	"slices"
	"testing"
)

// A tally counts values, more than 2^32 of each if need be.
type tally map[uint64]uint64

func (c tally) merge(o tally) {
	for v, n := range o {
		c[v] += n
	}
}

// quartile returns quartile i (0..4) as a number of quarters.
func (c tally) quartile(i int) uint64 {
	total := uint64(0)
	for _, n := range c {
		total += n
	}
	values := slices.Sorted(maps.Keys(c))
	at := func(rank uint64) uint64 {
		for _, v := range values {
			if n := c[v]; rank >= n {
				rank -= n
				continue
			}
			return v
		}
		return values[len(values)-1]
	}
	pos := (total - 1) * uint64(i)
	lo, hi := at(pos/4), at(pos/4+1)
	return 4*lo + (hi-lo)*(pos%4)
}

// TestGiantSeries merges two series into each other in turn until they have
// more than 2^36 observations, and more than 2^32 of one size and of one bin:
// sizes, counts and extremes stay exact.
func TestGiantSeries(t *testing.T) {
	const gap = 5_000_000
	pools := [2]*Pool{NewPool(), NewPool()}
	var series [2]Series
	var sizes, intervals [2]tally
	var bits [2]uint64
	for k := range series {
		sizes[k], intervals[k] = tally{}, tally{}
		at := int64(0)
		for i := range 150 {
			size, interval := uint32([]int{60, 1514, 1514, 1514, 200 + i}[i%5]), int64(1000)
			if i%10 == 0 {
				interval = int64(i) * 1_000_000
			}
			at += interval
			pools[k].Add(&series[k], at, size, 0xff)
			sizes[k][uint64(size)]++
			if i > 0 {
				intervals[k][uint64(interval)]++
			}
		}
		bits[k] = 150
	}
	for i := 0; series[0].N < 1<<36; i++ {
		into, from := i%2, 1-i%2
		pools[into].Merge(&series[into], pools[from], &series[from], gap)
		sizes[into].merge(sizes[from])
		intervals[into].merge(intervals[from])
		intervals[into][gap]++
		bits[into] += bits[from]
		checkGiant(t, pools[into], &series[into], sizes[into], intervals[into], bits[into])
		if t.Failed() {
			t.Fatalf("after %d merges, with %d observations", i+1, series[into].N)
		}
	}
	if sizes[0][1514] < 1<<33 || intervals[0][1000] < 1<<33 {
		t.Errorf("%d observations of 1514, %d intervals of 1000: too few to fill an entry", sizes[0][1514], intervals[0][1000])
	}
	used := pools[0].counts.used
	if used > 64<<10 {
		t.Errorf("the counts take %d bytes", used)
	}
	// It goes on to count.
	for range 1000 {
		pools[0].Add(&series[0], series[0].Last+1000, 1514, 0xff)
	}
	sizes[0][1514] += 1000
	intervals[0][1000] += 1000
	checkGiant(t, pools[0], &series[0], sizes[0], intervals[0], bits[0]+1000)
}

func checkGiant(t *testing.T, p *Pool, s *Series, sizes, intervals tally, bits uint64) {
	t.Helper()
	n, sum := uint64(0), uint64(0)
	for v, k := range sizes {
		n += k
		sum += v * k
	}
	if s.N != n || s.Sum != sum {
		t.Errorf("%d observations of %d in all, want %d of %d", s.N, s.Sum, n, sum)
	}
	for i, got := range p.Bits(s) {
		if got != bits {
			t.Errorf("bit %d is set in %d, want %d", i, got, bits)
		}
	}
	var size, interval Five
	p.Summarize(s, &size, &interval)
	for i := range 5 {
		if got, want := 4*size.Whole[i]+uint64(size.Quarters[i]), sizes.quartile(i); got != want {
			t.Errorf("size %d is %d quarters, want %d", i, got, want)
		}
		got, want := 4*interval.Whole[i]+uint64(interval.Quarters[i]), intervals.quartile(i)
		allowed := want / 128
		if i == 0 || i == 4 {
			allowed = 0
		}
		if max(got, want)-min(got, want) > allowed {
			t.Errorf("interval %d is %d quarters, want %d", i, got, want)
		}
	}
}
