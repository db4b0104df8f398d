package stats

import (
	"math/rand/v2"
	"unsafe"

	"github.com/flowfast/flowfast/internal/slab"
)

// ExactIntervals is the number of intervals of a series that are kept one by
// one; a longer series keeps a histogram.
const ExactIntervals = mediumLen

// A Pool holds the values of many series. The zero Pool is not ready for use;
// see [NewPool].
type Pool struct {
	// Back is the number of observations so far that were earlier than the one
	// before them in their series.
	Back uint64

	shorts    slab.Slab[short]
	mediums   slab.Slab[medium]
	wides     slab.Slab[wide]
	smallLogs slab.Slab[smallLog]
	largeLogs slab.Slab[largeLog]
	longs     slab.Slab[long]
	spills    slab.Slab[spilled]
	counts    countPool
	few       few           // scratch for summaries
	weighed   [2][]weighted // scratch for quantiles
	touched   uint32        // keeps the loads of Touch alive
	touchedAt uint64        // countPool.puts when Touch was called
	totals    bool          // it is a pool of totals, and the only blocks are spills
}

// NewPool returns an empty pool.
func NewPool() *Pool {
	return &Pool{counts: countPool{mul: rand.Uint64() | 1}}
}

// InUse returns the bytes of the blocks that series hold now.
func (p *Pool) InUse() int {
	return p.shorts.InUse()*32 + p.mediums.InUse()*128 + p.wides.InUse()*192 +
		p.smallLogs.InUse()*192 + p.largeLogs.InUse()*448 + p.longs.InUse()*128 + p.counts.used +
		p.spills.InUse()*64
}

// Bytes returns the memory that the pool has taken. It falls only with
// [Pool.Shrink].
func (p *Pool) Bytes() int {
	return p.shorts.Bytes() + p.mediums.Bytes() + p.wides.Bytes() +
		p.smallLogs.Bytes() + p.largeLogs.Bytes() + p.longs.Bytes() + p.counts.taken + p.spills.Bytes() +
		8*(cap(p.counts.scratch[0])+cap(p.counts.scratch[1])) + 16*(cap(p.weighed[0])+cap(p.weighed[1]))
}

// Largest returns the size in bytes of the largest block in use: the table of a
// series with very many different sizes. No other block has more than 64 KiB.
func (p *Pool) Largest() int {
	for class := maxClass; class > minClass; class-- {
		if c := &p.counts.classes[class]; int(c.next) > len(c.free) {
			return 8 << class
		}
	}
	return 0
}

// Table returns the size in bytes of the table of the sizes of s, 0 if it has
// none.
func (p *Pool) Table(s *Series) int {
	if !s.isLong() {
		return 0
	}
	return 8 << p.longs.At(s.block).sizes.class
}

// Shrink moves the blocks in use together and gives back the memory behind
// them. All calls its argument with every series of the pool that is not empty.
// It takes time in proportion to their number.
func (p *Pool) Shrink(all func(func(*Series))) {
	shorts, mediums, wides := p.shorts.Shrink(), p.mediums.Shrink(), p.wides.Shrink()
	smallLogs, largeLogs, longs := p.smallLogs.Shrink(), p.largeLogs.Shrink(), p.longs.Shrink()
	counts, spills := p.counts.shrink(), p.spills.Shrink()
	all(func(s *Series) {
		switch p.kind(s) {
		case isShort:
			s.block = p.shorts.Move(shorts, s.block)
		case isMedium:
			s.block = p.mediums.Move(mediums, s.block)
		case isWide:
			s.block = p.wides.Move(wides, s.block)
		case isSmallLog:
			s.block = p.smallLogs.Move(smallLogs, s.block)
		case isLargeLog:
			s.block = p.largeLogs.Move(largeLogs, s.block)
		case isSpilled:
			s.block = p.spills.Move(spills, s.block)
		case isLong:
			s.block = p.longs.Move(longs, s.block)
			l := p.longs.At(s.block)
			l.sizes.move(&p.counts, &counts)
			l.intervals.move(&p.counts, &counts)
		}
	})
	p.shorts.Cut(shorts)
	p.mediums.Cut(mediums)
	p.wides.Cut(wides)
	p.smallLogs.Cut(smallLogs)
	p.largeLogs.Cut(largeLogs)
	p.longs.Cut(longs)
	p.counts.cut(&counts)
	p.spills.Cut(spills)
}

// The sizes that InUse and the package's doc speak of: whole cache lines, or
// halves, so that no block lies in more lines than it needs (a slab's memory
// begins at a page).
var (
	_ [32]struct{}  = [unsafe.Sizeof(short{})]struct{}{}
	_ [128]struct{} = [unsafe.Sizeof(medium{})]struct{}{}
	_ [192]struct{} = [unsafe.Sizeof(wide{})]struct{}{}
	_ [192]struct{} = [unsafe.Sizeof(smallLog{})]struct{}{}
	_ [448]struct{} = [unsafe.Sizeof(largeLog{})]struct{}{}
	_ [128]struct{} = [unsafe.Sizeof(long{})]struct{}{}
	_ [64]struct{}  = [unsafe.Sizeof(spilled{})]struct{}{}
)

// The kinds of blocks; see [Series].
const (
	isNone = iota
	isShort
	isMedium
	isWide
	isSmallLog
	isLargeLog
	isLong
	isSpilled
)

// kind returns the kind of block that s has.
func (p *Pool) kind(s *Series) int {
	if p.totals {
		if s.block != 0 {
			return isSpilled
		}
		return isNone
	}
	switch n := s.N; {
	case s.isLong():
		return isLong
	case s.bits&far != 0:
		return isWide
	case n > smallLogLen:
		return isLargeLog
	case n > afterMedium:
		return isSmallLog
	case n > afterShort:
		return isMedium
	case n > 1:
		return isShort
	}
	return isNone
}

// release gives back the block of s, which is not long.
func (p *Pool) release(s *Series) {
	switch p.kind(s) {
	case isWide:
		p.wides.Put(s.block)
	case isLargeLog:
		p.largeLogs.Put(s.block)
	case isSmallLog:
		p.smallLogs.Put(s.block)
	case isMedium:
		p.mediums.Put(s.block)
	case isShort:
		p.shorts.Put(s.block)
	case isSpilled:
		p.spills.Put(s.block)
	}
}

// Free gives the blocks of s back and makes it the zero Series.
func (p *Pool) Free(s *Series) {
	if s.isLong() {
		l := p.longs.At(s.block)
		l.sizes.free(&p.counts)
		l.intervals.free(&p.counts)
		p.longs.Put(s.block)
	} else {
		p.release(s)
	}
	*s = Series{}
}
