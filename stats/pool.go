package stats

import (
	"math"
	"math/rand/v2"

	"github.com/flowfast/flowfast/internal/slab"
)

// ExactIntervals is the number of intervals of a series that are kept one by
// one; a longer series keeps a histogram.
const ExactIntervals = mediumLen

const (
	shortLen  = 4
	mediumLen = 16
)

// A short block holds the second to the fifth size and the intervals before
// them.
type short struct {
	intervals [shortLen]uint64
	sizes     [shortLen]uint32
}

// A medium block holds the second to the seventeenth size and the intervals
// before them.
type medium struct {
	intervals [mediumLen]uint64
	sizes     [mediumLen]uint32
}

// A long block holds a series of more than 17 observations.
type long struct {
	sizes     counts
	intervals counts // of intervalBin
	shortest  uint64 // the exact extremes of the intervals
	longest   uint64
	bits      [8]uint64 // the counts of the bits that no longer fit the series
}

// A Pool holds the values of many series. The zero Pool is not ready for use;
// see [NewPool].
type Pool struct {
	shorts  slab.Slab[short]
	mediums slab.Slab[medium]
	longs   slab.Slab[long]
	counts  countPool
	// scratch for summaries
	sorted  []uint64
	entries []count
}

// NewPool returns an empty pool.
func NewPool() *Pool {
	return &Pool{counts: countPool{mul: rand.Uint64() | 1}}
}

// InUse returns the bytes of the blocks that series hold now.
func (p *Pool) InUse() int {
	return p.shorts.InUse()*48 + p.mediums.InUse()*192 + p.longs.InUse()*112 + p.counts.used
}

// lengthen moves the values of s, which is not long, into a long block.
func (p *Pool) lengthen(s *Series) {
	i := p.longs.Take()
	l := p.longs.At(i)
	*l = long{shortest: math.MaxUint64}
	sizes, intervals := p.values(s)
	l.sizes.init(&p.counts, 6)
	l.intervals.init(&p.counts, len(intervals))
	l.sizes.add(&p.counts, s.first, 1)
	for k, size := range sizes {
		l.sizes.add(&p.counts, size, 1)
		l.addInterval(&p.counts, intervals[k])
	}
	p.release(s)
	s.block = i
}

// release gives back the block of s, which is not long.
func (p *Pool) release(s *Series) {
	switch {
	case s.N > afterShort:
		p.mediums.Put(s.block)
	case s.N > 1:
		p.shorts.Put(s.block)
	}
}

func (l *long) addInterval(p *countPool, interval uint64) {
	l.intervals.add(p, intervalBin(interval), 1)
	l.shortest = min(l.shortest, interval)
	l.longest = max(l.longest, interval)
}
