package stats

// A pair holds an interval and the size of the observation that ended it,
// interval<<16 | size, in half the bytes of a uint64 and a uint32 with their
// padding: eight to a cache line. A series with one that doesn't fit is wide.
type pair uint64

const (
	pairSizeBits    = 16
	maxPairSize     = 1<<pairSizeBits - 1
	maxPairInterval = 1<<48 - 1 // nanoseconds: 78 hours
)

func makePair(size uint32, interval uint64) pair { return pair(interval<<pairSizeBits | uint64(size)) }

func (e pair) size() uint32     { return uint32(e & maxPairSize) }
func (e pair) interval() uint64 { return uint64(e >> pairSizeBits) }

const (
	shortLen  = 4
	mediumLen = 16

	afterShort  = shortLen + 1  // the most observations of a short block
	afterMedium = mediumLen + 1 // the most of a medium or wide block
)

// A short block holds the second to the fifth observation: 32 bytes.
type short [shortLen]pair

// A medium block holds the second to the seventeenth: two cache lines, of which
// adding touches one.
type medium [mediumLen]pair

// A wide block holds the second to the seventeenth size and the intervals
// before them when not all are pairs.
type wide struct {
	intervals [mediumLen]uint64
	sizes     [mediumLen]uint32
}

// appendSixth adds the sixth observation to a series with a short block.
func (p *Pool) appendSixth(s *Series, e pair) {
	i := p.mediums.Take()
	m := p.mediums.At(i)
	copy(m[:], p.shorts.At(s.block)[:])
	m[shortLen] = e
	p.shorts.Put(s.block)
	s.block = i
}

// widen moves the pairs of a series of 1 to 16 observations into a wide block.
func (p *Pool) widen(s *Series) {
	i := p.wides.Take()
	w := p.wides.At(i)
	for k, e := range p.pairs(s) {
		w.intervals[k], w.sizes[k] = e.interval(), e.size()
	}
	p.release(s)
	s.block = i
	s.bits |= far
}

// pairs returns the pairs of a series of at most 17 observations that is not
// far.
func (p *Pool) pairs(s *Series) []pair {
	switch {
	case s.N > afterShort:
		return p.mediums.At(s.block)[:s.N-1]
	case s.N > 1:
		return p.shorts.At(s.block)[:s.N-1]
	}
	return nil
}

// values are what blocks hold of a series of at most 17 observations.
type values struct {
	n         int // one less than the observations: there is no first
	intervals [mediumLen]uint64
	sizes     [mediumLen]uint32
}

// exact sets v to the values of a series of 1 to 17 observations.
func (p *Pool) exact(s *Series, v *values) {
	v.n = int(s.N) - 1
	if s.bits&far != 0 {
		w := p.wides.At(s.block)
		v.intervals, v.sizes = w.intervals, w.sizes
		return
	}
	for k, e := range p.pairs(s) {
		v.intervals[k], v.sizes[k] = e.interval(), e.size()
	}
}
