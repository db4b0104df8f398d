package stats

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
)

// Merge adds to s the observations of other, a series of the pool from, which
// may be p itself; neither series is empty. The interval between the last
// observation of the one and the first of the other, which neither could see,
// is given by the caller. Other is not changed.
//
// The result is the state of one pass over all observations with these
// intervals: [Pool.AppendState] gives the same bytes, whatever the parts and
// the order in which they were merged. For two parts of a series of times that
// asks for one thing: no time of the later part is before the earlier's Last.
func (p *Pool) Merge(s *Series, from *Pool, other *Series, interval uint64) {
	s.Sum += other.Sum
	last := max(s.Last, other.Last)
	defer func() { s.Last = last }()
	switch n := s.N + other.N; {
	case n <= afterMedium:
		s.bits += other.bits &^ far
		p.addValue(s, other.first, interval)
		var v values
		from.exact(other, &v)
		for i, size := range v.sizes[:v.n] {
			p.addValue(s, size, v.intervals[i])
		}
	case n > largeLogLen || s.isLong() || other.isLong() || !p.mergeLogs(s, from, other, interval):
		p.mergeLong(s, from, other, interval)
	}
}

// addValue adds a size and an interval to s, which is not empty: its Last is another
// then, its Sum is not.
func (p *Pool) addValue(s *Series, size uint32, interval uint64) {
	s.Last = math.MinInt64
	p.Add(s, int64(1<<63+interval), size, 0)
	s.Sum -= uint64(size)
}

// mergeLogs is Merge for two series of 18 to 108 observations together, neither
// of them long. It returns false, and has done nothing, if no log can hold
// them.
func (p *Pool) mergeLogs(s *Series, from *Pool, other *Series, interval uint64) bool {
	g := gathering{extremes: noExtremes}
	if !p.gather(&g, s, 0) || !from.gather(&g, other, interval) {
		return false
	}
	p.release(s)
	p.store(s, &g)
	s.bits += other.bits &^ far
	s.N += other.N
	return true
}

// mergeLong is Merge for a result that is long.
func (p *Pool) mergeLong(s *Series, from *Pool, other *Series, interval uint64) {
	if !s.isLong() {
		p.lengthen(s)
	}
	l := p.longs.At(s.block)
	l.spill(s)
	s.N += other.N
	for i, n := range from.Bits(other) {
		l.bits[i] += n
	}
	if !other.isLong() {
		l.count(&p.counts, from, other, interval)
		return
	}
	l.intervals.add(&p.counts, intervalBin(interval), 1)
	l.extremes.add(interval)
	more := from.longs.At(other.block)
	for _, e := range more.sortedSizes(&from.counts) {
		l.sizes.add(&p.counts, e.value, e.n)
	}
	for _, e := range more.intervals.sorted(&from.counts) {
		l.intervals.add(&p.counts, e.value, e.n)
	}
	l.stretch(&more.extremes)
}

// AppendState appends the state of s to dst in a form that depends on nothing
// but the observations: two series with the same state give the same bytes.
//
//	N, Sum, Last, 8 bit counts
//	sizes:      n, then n times (size, count), ascending
//	intervals:  n, then the N-1 intervals, ascending, if n is 0;
//	            else shortest, longest, n times (bin, count), ascending
//
// All numbers are unsigned varints, Last a signed one (encoding/binary).
func (p *Pool) AppendState(dst []byte, s *Series) []byte {
	dst = binary.AppendUvarint(dst, s.N)
	dst = binary.AppendUvarint(dst, s.Sum)
	dst = binary.AppendVarint(dst, s.Last)
	for _, n := range p.Bits(s) {
		dst = binary.AppendUvarint(dst, n)
	}
	if s.isLong() {
		l := p.longs.At(s.block)
		dst = appendCounts(dst, l.sortedSizes(&p.counts))
		bins := appendCounts(nil, l.intervals.sorted(&p.counts))
		return appendHistogram(dst, bins, &l.extremes)
	}
	if s.N > afterMedium {
		x, entries := p.log(s)
		dst = appendValues(dst, entries, func(e uint32) uint32 { return e & maxPairSize })
		bins := appendValues(nil, entries[1:], func(e uint32) uint32 { return e >> 16 })
		return appendHistogram(dst, bins, x)
	}
	var v values
	sizes := make([]uint32, 0, afterMedium)
	if s.N > 0 {
		p.exact(s, &v)
		sizes = append(append(sizes, s.first), v.sizes[:v.n]...)
	}
	dst = appendValues(dst, sizes, func(size uint32) uint32 { return size })
	dst = append(dst, 0)
	for _, interval := range slices.Sorted(slices.Values(v.intervals[:v.n])) {
		dst = binary.AppendUvarint(dst, interval)
	}
	return dst
}

// appendHistogram appends what appendCounts has made of bins, with the extremes
// where they belong.
func appendHistogram(dst, bins []byte, x *extremes) []byte {
	n, head := binary.Uvarint(bins)
	dst = binary.AppendUvarint(dst, n)
	dst = binary.AppendUvarint(dst, x.shortest)
	dst = binary.AppendUvarint(dst, x.longest)
	return append(dst, bins[head:]...)
}

// appendValues appends the values that entries hold as appendCounts does.
func appendValues(dst []byte, entries []uint32, value func(uint32) uint32) []byte {
	counts := make([]count, 0, len(entries))
	for _, e := range entries {
		counts = append(counts, count{value(e), 1})
	}
	slices.SortFunc(counts, func(a, b count) int { return cmp.Compare(a.value, b.value) })
	return appendCounts(dst, counts)
}

// appendCounts appends the number of values in ascending entries, then each
// value with its count over all its entries.
func appendCounts(dst []byte, entries []count) []byte {
	type total struct{ value, n uint64 }
	var totals []total
	for _, e := range entries {
		if k := len(totals) - 1; k >= 0 && totals[k].value == uint64(e.value) {
			totals[k].n += uint64(e.n)
			continue
		}
		totals = append(totals, total{uint64(e.value), uint64(e.n)})
	}
	dst = binary.AppendUvarint(dst, uint64(len(totals)))
	for _, t := range totals {
		dst = binary.AppendUvarint(dst, t.value)
		dst = binary.AppendUvarint(dst, t.n)
	}
	return dst
}
