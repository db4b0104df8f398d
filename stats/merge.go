package stats

import (
	"encoding/binary"
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
	set := from.Bits(other)
	s.Sum += other.Sum
	s.Last = max(s.Last, other.Last)
	if s.N+other.N <= afterMedium {
		p.append(s, other.first, interval)
		sizes, intervals := from.values(other)
		for i, size := range sizes {
			p.append(s, size, intervals[i])
		}
		s.bits += other.bits
		return
	}

	if s.N <= afterMedium {
		p.lengthen(s)
	}
	l := p.longs.At(s.block)
	l.spill(s)
	s.N += other.N
	for i := range l.bits {
		l.bits[i] += set[i]
	}
	l.addInterval(&p.counts, interval)
	if other.N <= afterMedium {
		l.sizes.add(&p.counts, other.first, 1)
		sizes, intervals := from.values(other)
		for i, size := range sizes {
			l.sizes.add(&p.counts, size, 1)
			l.addInterval(&p.counts, intervals[i])
		}
		return
	}
	more := from.longs.At(other.block)
	for _, e := range more.sizes.appendSorted(&from.counts, nil) {
		l.sizes.add(&p.counts, e.value, e.n)
	}
	for _, e := range more.intervals.appendSorted(&from.counts, nil) {
		l.intervals.add(&p.counts, e.value, e.n)
	}
	l.shortest = min(l.shortest, more.shortest)
	l.longest = max(l.longest, more.longest)
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
	if s.N > afterMedium {
		l := p.longs.At(s.block)
		dst = appendCounts(dst, l.sizes.appendSorted(&p.counts, nil))
		intervals := appendCounts(nil, l.intervals.appendSorted(&p.counts, nil))
		n, head := binary.Uvarint(intervals)
		dst = binary.AppendUvarint(dst, n)
		dst = binary.AppendUvarint(dst, l.shortest)
		dst = binary.AppendUvarint(dst, l.longest)
		return append(dst, intervals[head:]...)
	}
	var entries []count
	if s.N > 0 {
		entries = append(entries, count{s.first, 1})
	}
	sizes, intervals := p.values(s)
	for _, size := range sizes {
		entries = append(entries, count{size, 1})
	}
	slices.SortFunc(entries, func(a, b count) int { return int(int64(a.value) - int64(b.value)) })
	dst = appendCounts(dst, entries)
	dst = append(dst, 0)
	for _, v := range slices.Sorted(slices.Values(intervals)) {
		dst = binary.AppendUvarint(dst, v)
	}
	return dst
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
