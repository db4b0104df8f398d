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
	shorts    slab.Slab[short]
	mediums   slab.Slab[medium]
	wides     slab.Slab[wide]
	smallLogs slab.Slab[smallLog]
	largeLogs slab.Slab[largeLog]
	longs     slab.Slab[long]
	counts    countPool
	few       [2]few // scratch for summaries
}

// NewPool returns an empty pool.
func NewPool() *Pool {
	return &Pool{counts: countPool{mul: rand.Uint64() | 1}}
}

// InUse returns the bytes of the blocks that series hold now.
func (p *Pool) InUse() int {
	return p.shorts.InUse()*32 + p.mediums.InUse()*128 + p.wides.InUse()*192 +
		p.smallLogs.InUse()*192 + p.largeLogs.InUse()*448 + p.longs.InUse()*128 + p.counts.used
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
)

// release gives back the block of s, which is not long.
func (p *Pool) release(s *Series) {
	switch n := s.N; {
	case s.bits&far != 0:
		p.wides.Put(s.block)
	case n > smallLogLen:
		p.largeLogs.Put(s.block)
	case n > afterMedium:
		p.smallLogs.Put(s.block)
	case n > afterShort:
		p.mediums.Put(s.block)
	case n > 1:
		p.shorts.Put(s.block)
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
