package stats

import "math"

// A long block holds a series of more than 108 observations, or of more than
// 17 with a size that no log can hold. It is two cache lines, of which adding
// touches the first.
//
// Sizes come in runs: bulk data in one direction, its acknowledgments in the
// other. A run is counted here, and goes to the table of sizes when it ends.
type long struct {
	sizes     counts
	intervals counts // of intervalBin
	extremes         // of the intervals
	runSize   uint32
	run       uint32
	_         [2]uint64
	bits      [8]uint64 // the counts of the bits that no longer fit the series
}

// spillEvery says after how many observations the bits of a series go to its
// long block: before a byte of them is full.
const spillEvery = 64

// add adds an observation that is not the first.
func (l *long) add(p *countPool, size uint32, interval uint64) {
	l.addSize(p, size)
	l.intervals.add(p, intervalBin(interval), 1)
	l.extremes.add(interval)
}

// addSize adds the size of an observation.
func (l *long) addSize(p *countPool, size uint32) {
	if size != l.runSize || l.run == math.MaxUint32 {
		l.endRun(p)
		l.runSize = size
	}
	l.run++
}

// endRun counts the run of sizes in their table.
func (l *long) endRun(p *countPool) {
	if l.run > 0 {
		l.sizes.add(p, l.runSize, l.run)
		l.run = 0
	}
}

// sortedSizes returns the counts of all sizes, see counts.sorted.
func (l *long) sortedSizes(p *countPool) []count {
	l.endRun(p)
	return l.sizes.sorted(p)
}

// spill empties the bits of s into l.
func (l *long) spill(s *Series) {
	for i := range l.bits {
		l.bits[i] += s.bits >> (8 * i) & 0x7f
	}
	s.bits = far
}

// appendFar adds an observation to a series of one or more that is far, or
// becomes it with this observation.
func (p *Pool) appendFar(s *Series, size uint32, interval uint64) {
	isFar := s.bits&far != 0
	if s.N < afterMedium {
		if !isFar {
			p.widen(s)
		}
		w := p.wides.At(s.block)
		w.intervals[s.N-1], w.sizes[s.N-1] = interval, size
		return
	}
	if s.N == afterMedium && isFar && size <= maxPairSize {
		p.relog(s, size, interval) // the intervals were too long for pairs, but not the sizes for a log
		return
	}
	if s.N == afterMedium || !isFar {
		p.lengthen(s)
	}
	l := p.longs.At(s.block)
	l.add(&p.counts, size, interval)
	if s.N%spillEvery == 0 {
		l.spill(s)
	}
}

// addLong adds an observation to a series that is long. Touched is the entry where the
// search for some interval of the series began, as it was then, or nil.
func (p *Pool) addLong(s *Series, touched *count, size uint32, interval uint64) {
	l, bin := p.longs.At(s.block), intervalBin(interval)
	if e := touched; e != nil && e.value == bin && e.n-1 < math.MaxUint32-1 && p.touchedAt == p.counts.puts {
		e.n++
	} else {
		l.intervals.add(&p.counts, bin, 1)
	}
	l.extremes.add(interval)
	l.addSize(&p.counts, size)
	if (s.N-1)%spillEvery == 0 {
		l.spill(s)
	}
}

// lengthen moves the values of s, which is not long, into a long block.
func (p *Pool) lengthen(s *Series) {
	i := p.longs.Take()
	l := p.longs.At(i)
	*l = long{extremes: noExtremes}
	l.sizes.init(&p.counts, 6)
	l.intervals.init(&p.counts, int(s.N))
	l.count(&p.counts, p, s, 0)
	p.release(s)
	s.block = i
	l.spill(s)
}

// count adds the values of s, a series of the pool from that is not long, to l;
// interval is the one before the first, unless l is empty. It does not count
// the bits.
func (l *long) count(p *countPool, from *Pool, s *Series, interval uint64) {
	if l.sizes.used > 0 || l.run > 0 {
		l.intervals.add(p, intervalBin(interval), 1)
		l.extremes.add(interval)
	}
	if s.N > afterMedium {
		x, entries := from.log(s)
		l.sizes.add(p, entries[0]&maxPairSize, 1)
		for _, e := range entries[1:] {
			l.sizes.add(p, e&maxPairSize, 1)
			l.intervals.add(p, e>>16, 1)
		}
		l.stretch(x)
		return
	}
	l.sizes.add(p, s.first, 1)
	var v values
	from.exact(s, &v)
	for i, size := range v.sizes[:v.n] {
		l.add(p, size, v.intervals[i])
	}
}

// summarizeLong is Summarize for a long series.
func (p *Pool) summarizeLong(s *Series, sizes, intervals *Five) {
	l := p.longs.At(s.block)
	c := l.sortedSizes(&p.counts)
	sizes.ofCounts(c, s.N, uint64(c[0].value), uint64(c[len(c)-1].value), func(v uint32) uint64 { return uint64(v) })
	intervals.ofCounts(l.intervals.sorted(&p.counts), s.N-1, l.shortest, l.longest, binMiddle)
}
