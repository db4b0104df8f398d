package stats

import (
	"cmp"
	"math"
	"slices"
)

// AppendQuantiles appends the quantiles of the sizes of s to sizes, and those of
// its intervals to intervals, for each p in at, from 0 to 1: at position (n-1)·p
// between the n values in ascending order, by linear interpolation (Hyndman and
// Fan's type 7, as in [Five]); 0 where there are no values. Those of intervals
// are as exact as the quartiles in [Pool.Summarize].
func (p *Pool) AppendQuantiles(sizes, intervals []float64, s *Series, at []float64) ([]float64, []float64) {
	var sizeCounts, intervalCounts []weighted
	if s.N > 0 {
		sizeCounts, intervalCounts = p.weigh(s)
	}
	for _, q := range at {
		sizes = append(sizes, quantile(sizeCounts, s.N, q))
		intervals = append(intervals, quantile(intervalCounts, max(s.N, 1)-1, q))
	}
	return sizes, intervals
}

// A weighted is a value and how often it stands in a sample.
type weighted struct{ value, n uint64 }

// weigh returns the values of a series, in ascending order. They stand in
// scratch memory of the pool.
func (p *Pool) weigh(s *Series) (sizes, intervals []weighted) {
	sizes, intervals = p.weighed[0][:0], p.weighed[1][:0]
	switch {
	case s.isLong():
		l := p.longs.At(s.block)
		for _, c := range l.sortedSizes(&p.counts) {
			sizes = append(sizes, weighted{uint64(c.value), uint64(c.n)})
		}
		for _, c := range l.intervals.sorted(&p.counts) {
			intervals = append(intervals, weighted{l.middle(c.value), uint64(c.n)})
		}
		// The extremes are exact, and are in the first and the last bin.
		last := len(intervals) - 1
		intervals[0].n--
		intervals[last].n--
		intervals = append(intervals, weighted{l.shortest, 1}, weighted{l.longest, 1})
	case s.N > afterMedium:
		x, entries := p.log(s)
		for i, e := range entries {
			sizes = append(sizes, weighted{uint64(e & maxPairSize), 1})
			if i > 0 {
				intervals = append(intervals, weighted{x.middle(e >> 16), 1})
			}
		}
		slices.SortFunc(intervals, byValue)
		intervals[0].value, intervals[len(intervals)-1].value = x.shortest, x.longest
	default:
		var v values
		p.exact(s, &v)
		sizes = append(sizes, weighted{uint64(s.first), 1})
		for i, size := range v.sizes[:v.n] {
			sizes = append(sizes, weighted{uint64(size), 1})
			intervals = append(intervals, weighted{v.intervals[i], 1})
		}
	}
	slices.SortFunc(sizes, byValue)
	slices.SortFunc(intervals, byValue)
	p.weighed = [2][]weighted{sizes, intervals}
	return sizes, intervals
}

func byValue(a, b weighted) int { return cmp.Compare(a.value, b.value) }

// quantile returns the value at position (n-1)·q of n values.
func quantile(values []weighted, n uint64, q float64) float64 {
	if n == 0 {
		return 0
	}
	whole, part := math.Modf(float64(n-1) * q)
	low := valueAt(values, uint64(whole))
	if part == 0 {
		return float64(low)
	}
	high := valueAt(values, uint64(whole)+1)
	return float64(low) + float64(high-low)*part
}

// valueAt returns the value of a rank, from 0.
func valueAt(values []weighted, rank uint64) uint64 {
	for _, v := range values {
		if rank < v.n {
			return v.value
		}
		rank -= v.n
	}
	return values[len(values)-1].value
}
