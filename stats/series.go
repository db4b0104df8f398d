package stats

import "slices"

// A Series counts observations, each with a time, a size and eight bits. The
// zero Series has none. It is part of its [Pool]: copying a Series does not
// copy its values, and [Pool.Free] must end it.
//
// Invariants: block is 0 for at most one observation; it numbers a short block
// for 2 to 5, a medium one for 6 to 17, a long one for more. A byte of bits
// never exceeds 127.
type Series struct {
	// N is the number of observations.
	N uint64
	// Sum is the sum of their sizes.
	Sum uint64
	// Last is the latest time seen, in nanoseconds.
	Last int64
	// bits counts, in byte i, the observations with bit i set that are not
	// counted in a long block.
	bits  uint64
	first uint32
	block uint32
}

const (
	afterShort  = shortLen + 1  // the most observations of a short block
	afterMedium = mediumLen + 1 // the most of a medium block
	spillEvery  = 128           // bits go to the long block before a byte is full
)

// spread has byte i set to one where bit i of the index is set.
var spread = func() (t [256]uint64) {
	for v := range t {
		for i := range 8 {
			t[v] |= uint64(v>>i&1) << (8 * i)
		}
	}
	return t
}()

// Add adds an observation to s. Its interval is the time since s.Last, and 0
// if at is before s.Last; the first observation has none.
func (p *Pool) Add(s *Series, at int64, size uint32, bits uint8) {
	s.Sum += uint64(size)
	s.bits += spread[bits]
	if s.N == 0 {
		s.N = 1
		s.Last = at
		s.first = size
		return
	}
	interval := uint64(0)
	if at > s.Last {
		interval = uint64(at) - uint64(s.Last)
		s.Last = at
	}
	p.append(s, size, interval)
}

// append adds the values of an observation to s, which is not empty, and
// counts it.
func (p *Pool) append(s *Series, size uint32, interval uint64) {
	n := s.N
	switch {
	case n > afterMedium:
		p.appendLong(s, size, interval)
	case n == afterMedium:
		p.lengthen(s)
		p.appendLong(s, size, interval)
	case n > afterShort:
		b := p.mediums.At(s.block)
		b.intervals[n-1], b.sizes[n-1] = interval, size
	case n == afterShort:
		b := p.shorts.At(s.block)
		i := p.mediums.Take()
		m := p.mediums.At(i)
		copy(m.intervals[:], b.intervals[:])
		copy(m.sizes[:], b.sizes[:])
		m.intervals[n-1], m.sizes[n-1] = interval, size
		p.shorts.Put(s.block)
		s.block = i
	default:
		if n == 1 {
			s.block = p.shorts.Take()
		}
		b := p.shorts.At(s.block)
		b.intervals[n-1], b.sizes[n-1] = interval, size
	}
	s.N = n + 1
}

// Touch loads the block that the next Add of s will need, and TouchCounts, once
// that is there, the entries of its tables: both so that memory can be waited
// for while other series do the same. What they return means nothing but that
// the loads were done.
func (p *Pool) Touch(s *Series) uint64 {
	switch n := s.N; {
	case n > afterMedium:
		l := p.longs.At(s.block)
		return uint64(l.sizes.used) + l.longest
	case n > afterShort:
		return p.mediums.At(s.block).intervals[(n-1)%mediumLen]
	case n > 1:
		return p.shorts.At(s.block).intervals[(n-1)%shortLen]
	}
	return 0
}

// TouchCounts: see Touch.
func (p *Pool) TouchCounts(s *Series, at int64, size uint32) uint64 {
	if s.N <= afterMedium {
		return 0
	}
	l := p.longs.At(s.block)
	interval := uint64(max(at, s.Last)) - uint64(s.Last)
	return uint64(l.sizes.touch(&p.counts, size) + l.intervals.touch(&p.counts, intervalBin(interval)))
}

func (p *Pool) appendLong(s *Series, size uint32, interval uint64) {
	l := p.longs.At(s.block)
	l.sizes.add(&p.counts, size, 1)
	l.addInterval(&p.counts, interval)
	if s.N%spillEvery == 0 {
		l.spill(s)
	}
}

// spill empties the bits of s into l.
func (l *long) spill(s *Series) {
	for i := range l.bits {
		l.bits[i] += s.bits >> (8 * i) & 0xff
	}
	s.bits = 0
}

// Bits returns how many observations had bit i (0..7) set, for each i.
func (p *Pool) Bits(s *Series) (n [8]uint64) {
	if s.N > afterMedium {
		n = p.longs.At(s.block).bits
	}
	for i := range n {
		n[i] += s.bits >> (8 * i) & 0xff
	}
	return n
}

// Free gives the blocks of s back and makes it the zero Series.
func (p *Pool) Free(s *Series) {
	if s.N > afterMedium {
		l := p.longs.At(s.block)
		l.sizes.free(&p.counts)
		l.intervals.free(&p.counts)
		p.longs.Put(s.block)
	} else {
		p.release(s)
	}
	*s = Series{}
}

// values returns the sizes after the first and the intervals of a series that
// is not long.
func (p *Pool) values(s *Series) (sizes []uint32, intervals []uint64) {
	switch {
	case s.N > afterShort:
		m := p.mediums.At(s.block)
		return m.sizes[:s.N-1], m.intervals[:s.N-1]
	case s.N > 1:
		b := p.shorts.At(s.block)
		return b.sizes[:s.N-1], b.intervals[:s.N-1]
	}
	return nil, nil
}

// Summarize sets sizes and intervals to the summaries of s.
func (p *Pool) Summarize(s *Series, sizes, intervals *Five) {
	if s.N <= 1 {
		sizes.same(uint64(s.first))
		*intervals = Five{}
		return
	}
	if s.N > afterMedium {
		p.summarizeLong(s, sizes, intervals)
		return
	}
	someSizes, someIntervals := p.values(s)
	v := append(p.sorted[:0], uint64(s.first))
	for _, size := range someSizes {
		v = append(v, uint64(size))
	}
	slices.Sort(v)
	sizes.ofSorted(v)
	v = append(v[:0], someIntervals...)
	slices.Sort(v)
	intervals.ofSorted(v)
	p.sorted = v
}

func (p *Pool) summarizeLong(s *Series, sizes, intervals *Five) {
	l := p.longs.At(s.block)
	c := l.sizes.appendSorted(&p.counts, p.entries[:0])
	sizes.ofCounts(c, s.N, uint64(c[0].value), uint64(c[len(c)-1].value), func(v uint32) uint64 { return uint64(v) })
	c = l.intervals.appendSorted(&p.counts, c[:0])
	intervals.ofCounts(c, s.N-1, l.shortest, l.longest, binMiddle)
	p.entries = c
}
