package stats

import (
	"math"
	"math/bits"
	"slices"

	"github.com/flowfast/flowfast/internal/slab"
)

// A count says how often a value was seen. A value seen more than 2^32-1 times
// stands in several entries of its table.
type count struct {
	value uint32
	n     uint32 // 0: the entry is empty
}

const (
	minClass = 3  // 8 counts, 64 bytes: one cache line
	maxClass = 32 // as many counts as there are values
	// chunkClass is the size of what is asked of the system at once: 64 KiB.
	chunkClass = 13
)

// A countPool owns the blocks in which count tables live, one slab of blocks
// for each power of two. A block that is given back is zeroed and used again.
type countPool struct {
	classes [maxClass + 1]blocks
	// mul is a random odd number: values are spread by multiplication, and who
	// does not know the factor can't choose values that share an entry
	// (Dietzfelbinger et al., A Reliable Randomized Algorithm for the
	// Closest-Pair Problem, 1997: multiply-shift is 2-universal).
	mul uint64
	// puts is how many blocks were given back: entries of the others stay where they are.
	puts uint64
	// used is the number of bytes of the blocks in use, taken that of all.
	used, taken int
	// scratch is where counts are sorted.
	scratch [2][]count
}

// blocks are the blocks of a class, numbered from 0.
type blocks struct {
	chunks [][]count // of 64 KiB each, or of one block if that is larger
	free   []uint32
	next   uint32
}

// block returns block i of a class: 1<<class counts.
func (p *countPool) block(class uint8, i uint32) []count {
	perChunk := max(0, chunkClass-int(class)) // log2 of the blocks in a chunk
	chunk := p.classes[class].chunks[i>>perChunk]
	at := int(i&(1<<perChunk-1)) << class
	return chunk[at : at+1<<class : at+1<<class]
}

func (p *countPool) take(class uint8) uint32 {
	c := &p.classes[class]
	p.used += 8 << class
	if n := len(c.free); n > 0 {
		i := c.free[n-1]
		c.free = c.free[:n-1]
		return i
	}
	if perChunk := max(0, chunkClass-int(class)); int(c.next>>perChunk) == len(c.chunks) {
		c.chunks = append(c.chunks, make([]count, 1<<max(chunkClass, class)))
		p.taken += 8 << max(chunkClass, class)
	}
	c.next++
	clear(p.block(class, c.next-1)) // it is read before it is written, see flowtable's index
	return c.next - 1
}

func (p *countPool) put(class uint8, i uint32) {
	p.puts++
	clear(p.block(class, i))
	p.used -= 8 << class
	p.classes[class].free = append(p.classes[class].free, i)
}

// shrink begins to move the blocks in use together; see [slab.Slab.Shrink].
func (p *countPool) shrink() (moves [maxClass + 1]*slab.Moves) {
	for class := range p.classes {
		c := &p.classes[class]
		moves[class] = slab.NewMoves(c.next-uint32(len(c.free)), c.free)
	}
	return moves
}

// cut ends what shrink began.
func (p *countPool) cut(moves *[maxClass + 1]*slab.Moves) {
	for class := range p.classes {
		c := &p.classes[class]
		c.next -= uint32(len(c.free))
		c.free = nil
		perChunk := max(0, chunkClass-class)
		n := int(c.next+1<<perChunk-1) >> perChunk
		p.taken -= len(c.chunks[n:]) * 8 << max(chunkClass, class)
		clear(c.chunks[n:])
		c.chunks = slices.Clip(c.chunks[:n])
	}
}

// counts is a multiset of 32-bit values: an open-addressing table with linear
// probing in a block of a countPool. It has no block until init.
//
// Invariants: used entries are not empty; used is at most 3/4 of the block; a
// value stands in the first free entry at or after its home, wrapping round;
// entries of a value before its last are full.
type counts struct {
	block uint32
	used  uint32
	class uint8
}

// init gives c an empty block with room for n distinct values.
func (c *counts) init(p *countPool, n int) {
	class := uint8(minClass)
	for 3<<class < 4*n {
		class++
	}
	*c = counts{block: p.take(class), class: class}
}

// move moves the block of c if it must.
func (c *counts) move(p *countPool, moves *[maxClass + 1]*slab.Moves) {
	to, moved := moves[c.class].To(c.block)
	if moved {
		copy(p.block(c.class, to), p.block(c.class, c.block))
	}
	c.block = to
}

// free gives the block back.
func (c *counts) free(p *countPool) { p.put(c.class, c.block) }

// home returns where the search for a value begins.
func (c *counts) home(p *countPool, value uint32) uint {
	return uint(uint64(value) * p.mul >> ((64 - c.class) & 63)) // no class is 0
}

// entry returns the entry where the search for a value begins.
func (c *counts) entry(p *countPool, value uint32) *count {
	perChunk := max(0, chunkClass-int(c.class)) // as block has it
	at := uint(c.block&(1<<perChunk-1))<<(c.class&63) + c.home(p, value)
	return &p.classes[c.class].chunks[c.block>>perChunk][at]
}

// add counts value n times.
func (c *counts) add(p *countPool, value, n uint32) {
	b := p.block(c.class, c.block)
	mask := uint(len(b) - 1)
	i := c.home(p, value)
	for {
		e := &b[i&mask]
		if e.n == 0 {
			break
		}
		if e.value == value {
			sum, carry := bits.Add32(e.n, n, 0)
			if carry == 0 {
				e.n = sum
				return
			}
			n -= math.MaxUint32 - e.n
			e.n = math.MaxUint32
		}
		i++
	}
	if 4*(c.used+1) > 3<<c.class {
		c.grow(p)
		c.add(p, value, n)
		return
	}
	b[i&mask] = count{value, n}
	c.used++
}

// grow moves the counts to a block twice as large.
func (c *counts) grow(p *countPool) {
	old := *c
	*c = counts{block: p.take(old.class + 1), class: old.class + 1}
	for _, e := range p.block(old.class, old.block) {
		if e.n != 0 {
			c.add(p, e.value, e.n)
		}
	}
	old.free(p)
}

// sorted returns the counts in the order of their values, to be read before the
// next call.
func (c *counts) sorted(p *countPool) []count {
	v, w := p.scratch[0][:0], p.scratch[1]
	lowest, highest := uint32(math.MaxUint32), uint32(0)
	for _, e := range p.block(c.class, c.block) {
		if e.n != 0 {
			lowest, highest = min(lowest, e.value), max(highest, e.value)
			v = append(v, e)
		}
	}
	w = slices.Grow(w[:0], len(v))[:len(v)]
	p.scratch[0], p.scratch[1] = v, w
	return sortCounts(v, w, lowest, highest)
}

// sortCounts sorts v, whose values lie between lowest and highest, with the
// help of w, and returns where the counts then stand: v or w. It is a radix
// sort in base 256, least significant digit first (Knuth, TAOCP 5.2.5), of how
// far the values are above the lowest. The summary of 1000 observations takes 0.2 of
// the time that it does with slices.SortFunc (BenchmarkSummarizeMany).
//
// Few are sorted by insertion: the digits of the radix sort take longer to count.
func sortCounts(v, w []count, lowest, highest uint32) []count {
	if len(v) <= 32 {
		for i := 1; i < len(v); i++ {
			e, k := v[i], i
			for ; k > 0 && v[k-1].value > e.value; k-- {
				v[k] = v[k-1]
			}
			v[k] = e
		}
		return v
	}
	for shift := 0; shift < bits.Len32(highest-lowest); shift += 8 {
		var next [256]uint32
		for _, e := range v {
			next[(e.value-lowest)>>shift&0xff]++
		}
		before := uint32(0)
		for i, n := range next {
			next[i] = before
			before += n
		}
		for _, e := range v {
			i := &next[(e.value-lowest)>>shift&0xff]
			w[*i] = e
			*i++
		}
		v, w = w, v
	}
	return v
}
