package slab

import (
	"slices"
	"unsafe"
)

const (
	stripShift  = 8
	chunkStrips = 1 << stripShift
)

// Strips are items in strips of one length, which go by the numbers of a slab.
// T holds no pointers. Strips belong to one goroutine at a time.
type Strips[T any] struct {
	length int
	chunks [][]T // of chunkStrips each
	arena  Arena[T]
}

// NewStrips returns no strips, of a length that may be 0.
func NewStrips[T any](length int) Strips[T] { return Strips[T]{length: length} }

// At returns strip i, which must be covered.
func (s *Strips[T]) At(i uint32) []T {
	at := int(i&(chunkStrips-1)) * s.length
	return s.chunks[i>>stripShift][at : at+s.length : at+s.length]
}

// Cover makes the strips up to i exist.
func (s *Strips[T]) Cover(i uint32) {
	for int(i>>stripShift) >= len(s.chunks) {
		s.chunks = append(s.chunks, s.arena.Take(chunkStrips*s.length))
	}
}

// Uncover gives back the memory of the strips from i on. What is left of their
// last chunk keeps what it holds.
func (s *Strips[T]) Uncover(i uint32) {
	n := min(int((i+chunkStrips-1)>>stripShift), len(s.chunks))
	s.arena.Drop(len(s.chunks[n:]) * chunkStrips * s.length)
	clear(s.chunks[n:])
	s.chunks = slices.Clip(s.chunks[:n])
}

// Cost returns the bytes that a strip takes.
func (s *Strips[T]) Cost() int {
	var item T
	return s.length * int(unsafe.Sizeof(item))
}

// Bytes returns the memory that the strips have taken.
func (s *Strips[T]) Bytes() int {
	return s.arena.bytes + cap(s.chunks)*int(unsafe.Sizeof(s.chunks[:1]))
}
