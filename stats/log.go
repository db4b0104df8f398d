package stats

import "math"

// A log holds what a middling series has seen in the order it came, four bytes
// an observation:
//
//	bin<<16 | size    bin: intervalBin of the interval before it
//
// The first observation, which has no interval, has bin 0. A size above 65535
// makes the series long. Blocks have room for 44 or 108 observations, behind
// the exact extremes of the intervals.
//
// Adding touches one cache line, that of the new entry: the bins of the
// extremes are kept in the series itself (see [Series.bounds]), so only an
// interval in one of these bins, or beyond, has to look at the extremes.
// Adding at random to 90,000 series of 40 observations takes a fourth of the
// time that counting tables take, and 192 bytes in place of 820.
const (
	smallLogLen = 44  // 192 bytes
	largeLogLen = 108 // 448 bytes
)

type extremes struct{ shortest, longest uint64 }

var noExtremes = extremes{shortest: math.MaxUint64}

func (x *extremes) add(interval uint64) {
	x.shortest = min(x.shortest, interval)
	x.longest = max(x.longest, interval)
}

// stretch makes x the extremes of what both have seen.
func (x *extremes) stretch(other *extremes) {
	x.shortest = min(x.shortest, other.shortest)
	x.longest = max(x.longest, other.longest)
}

// bounds returns the bins of both.
func (x *extremes) bounds() uint32 {
	return intervalBin(x.shortest) | intervalBin(x.longest)<<16
}

// middle returns what stands for the intervals of a bin: its middle, unless that
// lies beyond an extreme.
func (x *extremes) middle(bin uint32) uint64 {
	return min(max(binMiddle(bin), x.shortest), x.longest)
}

type smallLog struct {
	extremes
	entries [smallLogLen]uint32
}

type largeLog struct {
	extremes
	entries [largeLogLen]uint32
}

// log returns the parts of the block of a series of 18 to 108 observations that
// is not far.
func (p *Pool) log(s *Series) (*extremes, []uint32) {
	if s.N <= smallLogLen {
		l := p.smallLogs.At(s.block)
		return &l.extremes, l.entries[:s.N]
	}
	l := p.largeLogs.At(s.block)
	return &l.extremes, l.entries[:s.N]
}

// stretch takes an interval into the extremes of a series with a log.
func (p *Pool) stretch(s *Series, interval uint64) {
	x, _ := p.log(s)
	x.add(interval)
	s.first = x.bounds()
}

// relog moves the values of a series to a new log, with an observation more.
func (p *Pool) relog(s *Series, size uint32, interval uint64) {
	g := gathering{extremes: noExtremes}
	if !p.gather(&g, s, 0) {
		p.lengthen(s)
		p.longs.At(s.block).add(&p.counts, size, interval)
		return
	}
	g.add(size, interval)
	p.release(s)
	p.store(s, &g)
}

// A gathering is a log in the making.
type gathering struct {
	extremes
	n       int
	entries [largeLogLen]uint32
}

func (g *gathering) add(size uint32, interval uint64) {
	g.entries[g.n] = intervalBin(interval)<<16 | size
	g.n++
	g.extremes.add(interval)
}

// addPairs is add for pairs: as a loop of its own it takes half of the instructions.
func (g *gathering) addPairs(pairs []pair) {
	x, entries := g.extremes, g.entries[g.n:][:len(pairs)]
	for k, e := range pairs {
		interval := e.interval()
		x.shortest, x.longest = min(x.shortest, interval), max(x.longest, interval)
		entries[k] = intervalBin(interval)<<16 | e.size()
	}
	g.extremes = x
	g.n += len(pairs)
}

// gather adds the values of s, which is not long, to g, which has room for
// them; interval is the one before the first, unless g is empty. It returns
// false if a size is too large for a log.
func (p *Pool) gather(g *gathering, s *Series, interval uint64) bool {
	if s.N > afterMedium {
		x, entries := p.log(s)
		at := g.n
		g.n += copy(g.entries[g.n:], entries)
		if at > 0 {
			g.entries[at] |= intervalBin(interval) << 16
			g.extremes.add(interval)
		}
		g.stretch(x)
		return true
	}
	all := s.first
	if g.n == 0 {
		g.entries[0] = s.first
		g.n = 1
	} else {
		g.add(s.first, interval)
	}
	if s.bits&far == 0 {
		g.addPairs(p.pairs(s))
		return all <= maxPairSize
	}
	w := p.wides.At(s.block)
	for k, size := range w.sizes[:s.N-1] {
		all |= size
		g.add(size, w.intervals[k])
	}
	return all <= maxPairSize
}

// store puts g, of more than 17 observations, into a new block for s.
func (p *Pool) store(s *Series, g *gathering) {
	s.bits &^= far
	s.first = g.bounds()
	if g.n <= smallLogLen {
		s.block = p.smallLogs.Take()
		l := p.smallLogs.At(s.block)
		l.extremes = g.extremes
		copy(l.entries[:], g.entries[:g.n])
		return
	}
	s.block = p.largeLogs.Take()
	l := p.largeLogs.At(s.block)
	l.extremes = g.extremes
	copy(l.entries[:], g.entries[:g.n])
}
