// Package slab hands out items of one type by number. Items never move and are
// used again, so what refers to them can be a 32-bit number in place of a
// pointer, and the garbage collector has nothing to trace.
package slab

import (
	"slices"
	"unsafe"
)

const (
	shift     = 10
	chunkSize = 1 << shift // items
	// arenaSize is the most that is asked of the system at once when a slab has
	// grown, and arenaShare the part of what it has. It is for the system to say
	// whether huge pages are behind it: to ask for them made a flood of 10
	// million flows take from 0.8 to 1.4 of the time, on a virtual machine whose
	// host has to find the memory first.
	arenaSize  = 8 << 20 // bytes
	arenaShare = 32
)

// A Slab holds items numbered from 1; number 0 is never handed out and can
// mean none. The zero Slab is empty and ready for use. T holds no pointers.
// A Slab belongs to one goroutine at a time.
type Slab[T any] struct {
	chunks []*T // the first of chunkSize items each
	free   []uint32
	next   uint32 // the first number never handed out, less one
	arena  Arena[T]
}

// At returns item i, which must be between 1 and [Slab.Len].
//
// The place in the chunk is one of the chunkSize that it has, so nothing is left to check
// there. To follow a pointer to an array would read the front of the chunk first, and a
// slice takes three instructions more, on the way of each packet several times.
func (s *Slab[T]) At(i uint32) *T {
	first := s.chunks[i>>shift]
	return (*T)(unsafe.Add(unsafe.Pointer(first), uintptr(i&(chunkSize-1))*unsafe.Sizeof(*first)))
}

// Take hands out an item: the one given back last, as it was left, or a new
// one, which is zero.
func (s *Slab[T]) Take() uint32 {
	if len(s.free) > 0 || int((s.next+1)>>shift) >= len(s.chunks) {
		return s.take()
	}
	s.next++
	return s.next
}

func (s *Slab[T]) take() uint32 {
	if n := len(s.free); n > 0 {
		i := s.free[n-1]
		s.free = s.free[:n-1]
		return i
	}
	s.next++
	s.cover(s.next)
	return s.next
}

// Put gives item i back.
func (s *Slab[T]) Put(i uint32) { s.free = append(s.free, i) }

// Cover makes items up to i exist without handing them out, for a slab whose
// items go by the numbers of another.
func (s *Slab[T]) Cover(i uint32) {
	if int(i>>shift) >= len(s.chunks) {
		s.cover(i)
	}
}

// cover makes the chunks that are missing.
func (s *Slab[T]) cover(i uint32) {
	for int(i>>shift) >= len(s.chunks) {
		s.chunks = append(s.chunks, &s.arena.Take(chunkSize)[0])
	}
}

// Len returns the highest number ever handed out.
func (s *Slab[T]) Len() uint32 { return s.next }

// InUse returns how many items are handed out.
func (s *Slab[T]) InUse() int { return int(s.next) - len(s.free) }

// Bytes returns the memory that the slab has taken.
func (s *Slab[T]) Bytes() int {
	return s.arena.bytes + cap(s.free)*4 + cap(s.chunks)*int(unsafe.Sizeof(s.chunks[0]))
}

// Discard gives the memory of all items back to the system, see [Arena.Discard]. The slab
// is empty then.
func (s *Slab[T]) Discard() {
	s.arena.Discard()
	*s = Slab[T]{}
}

// Moves say where items go when those in use are moved together.
type Moves struct {
	end   uint32 // the first number that none keeps
	holes []uint32
}

// NewMoves returns the moves after which no item has the number end or one
// above it. Free are the numbers of the items that are not in use, all others
// are: end is the number of those, and the first number.
func NewMoves(end uint32, free []uint32) *Moves {
	m := &Moves{end: end}
	for _, i := range free {
		if i < end {
			m.holes = append(m.holes, i)
		}
	}
	return m
}

// To returns the new number of item i, which must be in use, and whether it
// moves at all. It must be asked for once for each item.
func (m *Moves) To(i uint32) (to uint32, moves bool) {
	if i < m.end {
		return i, false
	}
	last := len(m.holes) - 1
	to, m.holes = m.holes[last], m.holes[:last]
	return to, true
}

// Shrink begins to make the slab as short as the number of its items allows:
// each must be moved, with [Slab.Move], before Cut ends it.
func (s *Slab[T]) Shrink() *Moves { return NewMoves(uint32(s.InUse())+1, s.free) }

// Move moves item i if it must, and returns its number now.
func (s *Slab[T]) Move(m *Moves, i uint32) uint32 {
	to, moves := m.To(i)
	if moves {
		*s.At(to) = *s.At(i)
	}
	return to
}

// Cut ends what Shrink began: it gives back the memory behind the last item.
func (s *Slab[T]) Cut(m *Moves) {
	s.free, s.next = nil, m.end-1
	s.Uncover(m.end)
}

// Uncover gives back the memory of the items from i on, of which none may be in
// use. It is the opposite of Cover.
func (s *Slab[T]) Uncover(i uint32) {
	n := min(int(i>>shift)+1, len(s.chunks))
	s.arena.Drop(len(s.chunks[n:]) * chunkSize)
	clear(s.chunks[n:])
	s.chunks = slices.Clip(s.chunks[:n])
	if int(i>>shift) < n {
		clear(unsafe.Slice(s.chunks[n-1], chunkSize)[i&(chunkSize-1):]) // new items are zero
	}
}

// An Arena gives out memory for items. The zero Arena is ready for use. T holds
// no pointers.
type Arena[T any] struct {
	rest   []T
	bytes  int   // taken from the system and not dropped
	blocks [][]T // what was taken; none once something was dropped
}

// Bytes returns the memory that was taken from the system and not dropped.
func (a *Arena[T]) Bytes() int { return a.bytes }

// Drop tells the arena that the n items it gave last are not used any more, so
// that it counts them no longer. The garbage collector frees their memory, but
// for a part of what was asked of the system at once with others.
func (a *Arena[T]) Drop(n int) {
	var item T
	a.bytes -= (n + len(a.rest)) * int(unsafe.Sizeof(item))
	a.rest, a.blocks = nil, nil
}

// Take returns n new items, all zero.
func (a *Arena[T]) Take(n int) []T {
	if len(a.rest) < n {
		var item T
		size := int(unsafe.Sizeof(item))
		a.bytes -= len(a.rest) * size // what is left of them is lost
		more := max(n, min(arenaSize, a.bytes/arenaShare)/size/n*n)
		a.rest = make([]T, more)
		a.blocks = append(a.blocks, a.rest)
		a.bytes += more * size
	}
	taken := a.rest[:n:n]
	a.rest = a.rest[n:]
	return taken
}

// Discard gives the memory of all items back to the system, of which none may be in use
// or be taken again. It is for who has had many: the system takes its time for each page,
// and takes it of one goroutine for all memory when the process ends.
func (a *Arena[T]) Discard() {
	for _, b := range a.blocks {
		discard(unsafe.Pointer(unsafe.SliceData(b)), len(b)*int(unsafe.Sizeof(b[0])))
	}
	*a = Arena[T]{}
}
