package flowtable

import (
	"math/bits"

	"github.com/flowfast/flowfast/internal/slab"
)

// A slot of the index: 32 bits of a key's hash, and the reference of its
// record, 0 if the slot is empty.
type slot struct{ hash, ref uint32 }

// An index finds records by the hash of their key: extendible hashing (Fagin,
// Nievergelt, Pippenger, Strong, 1979) over segments with open addressing.
//
//	hash   dddddddd ........ ....pppp pppppppp
//	       |                     |
//	       high bits: which      low bits: home in the segment,
//	       segment               then linear probing
//
// A segment that has become too full is split in two by the next high bit, so
// that growth moves 4096 slots at a time, whatever the size of the table, and
// never touches a record.
//
// Invariants: the directory has 1<<depth entries; the segment with depth d is
// in 1<<(depth-d) neighbouring ones; no empty slot lies between the home of a
// hash and its slot.
type index struct {
	directory []*segment
	slots     [][]slot // of each segment in the directory, which a search has sooner from here
	depth     uint8
	used      int
	moves     uint64 // how often references have moved to other slots
	arena     slab.Arena[slot]
	old       []slot // what a segment held before it was split
}

type segment struct {
	slots []slot // a power of two
	used  int
	depth uint8 // high bits that all hashes of the segment share
}

const (
	segmentSlots = 1 << 12
	maxDepth     = 20
)

func newIndex() index {
	x := index{}
	s := &segment{slots: x.arena.Take(segmentSlots)}
	x.directory, x.slots = []*segment{s}, [][]slot{s.slots}
	return x
}

func (x *index) segment(hash uint32) *segment {
	return x.directory[uint64(hash)*uint64(len(x.directory))>>32] // as slotsOf
}

// probe returns the first slot on the way of a hash that has that hash, or the empty one
// at its end. The home of the hash is neither.
func (x *index) probe(hash uint32) *slot {
	s := slotsOf(x.slots, hash)
	for i := hash + 1; ; i++ {
		if e := &s[i&uint32(len(s)-1)]; e.ref == 0 || e.hash == hash {
			return e
		}
	}
}

// slotsOf returns those of the segment of a hash: its high bits are the number of it, as
// the product has them.
func slotsOf(slots [][]slot, hash uint32) []slot {
	return slots[uint64(hash)*uint64(len(slots))>>32]
}

// insert adds a reference. The hash may be there already, for another key.
func (x *index) insert(hash, ref uint32) {
	s := x.segment(hash)
	x.fill(s, s.empty(hash), slot{hash, ref})
}

// empty returns the first empty slot on the way of a hash.
func (s *segment) empty(hash uint32) *slot {
	slots := s.slots
	for i := hash; ; i++ {
		if e := &slots[i&uint32(len(slots)-1)]; e.ref == 0 {
			return e
		}
	}
}

// fill puts a reference into the empty slot of a segment where it belongs.
func (x *index) fill(s *segment, at *slot, e slot) {
	*at = e
	s.used++
	x.used++
	for 16*s.used > 11*len(s.slots) {
		x.split(s, e.hash)
		s = x.segment(e.hash)
	}
}

// split makes room in the segment of a hash.
func (x *index) split(s *segment, hash uint32) {
	x.moves++
	x.old = append(x.old[:0], s.slots...)
	// Hashes that agree in more bits than chance explains can't be told apart
	// by splitting: their segment grows instead. An even hash never gets there.
	if int(s.depth) >= min(maxDepth, bits.Len(uint(x.used/segmentSlots))+4) {
		s.slots = make([]slot, 2*len(x.old))
		for _, e := range x.old {
			if e.ref != 0 {
				*s.empty(e.hash) = e
			}
		}
		x.spread(s, hash)
		return
	}

	if s.depth == x.depth {
		x.directory, x.slots = doubled(x.directory), doubled(x.slots)
		x.depth++
	}
	s.depth++
	upper := &segment{slots: x.arena.Take(len(x.old)), depth: s.depth}
	// New memory that is read first is the system's page of zeros, and to write
	// there then stops the other cores.
	clear(upper.slots)
	clear(s.slots)
	bit := uint32(1) << (32 - s.depth)
	for _, e := range x.old {
		switch {
		case e.ref == 0:
		case e.hash&bit != 0:
			*upper.empty(e.hash) = e
			upper.used++
		default:
			*s.empty(e.hash) = e
		}
	}
	s.used -= upper.used
	x.spread(s, hash&^bit)
	x.spread(upper, hash|bit)
}

// doubled returns each element twice.
func doubled[T any](v []T) []T {
	twice := make([]T, 0, 2*len(v))
	for _, e := range v {
		twice = append(twice, e, e)
	}
	return twice
}

// spread puts a segment, which a hash is of, where the directory has it.
func (x *index) spread(s *segment, hash uint32) {
	span := 1 << (x.depth - s.depth) // directory entries
	first := int(hash>>(32-x.depth)) &^ (span - 1)
	for i := range span {
		x.directory[first+i], x.slots[first+i] = s, s.slots
	}
}

// remove takes a reference out, and moves those after it that it kept from
// their home (Knuth, TAOCP 6.4, algorithm R).
func (x *index) remove(hash, ref uint32) {
	x.moves++
	s := x.segment(hash)
	mask := len(s.slots) - 1
	i := int(hash) & mask
	for s.slots[i].ref != ref {
		i = (i + 1) & mask
	}
	for j := i; ; {
		j = (j + 1) & mask
		e := s.slots[j]
		if e.ref == 0 {
			break
		}
		if home := int(e.hash) & mask; (j-home)&mask >= (j-i)&mask {
			s.slots[i] = e
			i = j
		}
	}
	s.slots[i] = slot{}
	s.used--
	x.used--
}
