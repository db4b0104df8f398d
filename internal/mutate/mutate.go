// Package mutate damages bytes at random, as tests of readers need it: a seed
// gives the same damage on every machine. Only tests import it.
package mutate

import (
	"math/rand/v2"
	"slices"
)

// Bytes returns a copy of b with one to four changes: bits flipped, bytes
// replaced, numbers of two or four bytes set to what lengths should not be, the
// end cut off, and pieces taken out, doubled, or put in from other, which may
// be b itself.
func Bytes(r *rand.Rand, b, other []byte) []byte {
	m := slices.Clone(b)
	for range 1 + r.IntN(4) {
		m = change(r, m, other)
	}
	return m
}

// Many returns b and n damaged copies of it.
func Many(r *rand.Rand, n int, b, other []byte) [][]byte {
	all := [][]byte{b}
	for range n {
		all = append(all, Bytes(r, b, other))
	}
	return all
}

func change(r *rand.Rand, b, other []byte) []byte {
	if len(b) == 0 {
		return piece(r, other)
	}
	at := place(r, len(b))
	switch r.IntN(12) {
	case 0, 1, 2, 3:
		b[at] ^= 1 << r.IntN(8)
	case 4, 5:
		b[at] = byte(r.Uint32())
	case 6, 7, 8:
		number(r, b[at:])
	case 9:
		return b[:at]
	case 10: // taken out, or doubled
		end := at + min(r.IntN(64), len(b)-at)
		if r.IntN(2) == 0 {
			return slices.Delete(b, at, end)
		}
		return slices.Insert(b, at, slices.Clone(b[at:end])...)
	case 11:
		with := piece(r, other)
		end := at
		if r.IntN(2) == 0 {
			end += min(len(with), len(b)-at)
		}
		return slices.Replace(b, at, end, with...)
	}
	return b
}

// place is a place in n bytes, near the front in one case of two: headers stand
// there.
func place(r *rand.Rand, n int) int {
	if r.IntN(2) == 0 {
		n = min(n, 64)
	}
	return r.IntN(n)
}

// piece returns a copy of a piece of b.
func piece(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return nil
	}
	at := r.IntN(len(b))
	return slices.Clone(b[at : at+min(r.IntN(128), len(b)-at)])
}

// odd are lengths that a reader may stumble over.
var odd = []uint32{0, 1, 3, 4, 7, 8, 11, 12, 13, 15, 16, 19, 20, 27, 28, 31, 32, 39, 40, 60, 1500, 1501, 0x5ff,
	0xffff, 0x10000, 0x3ffff, 0x40000, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff}

// number writes a number of two or four bytes over the front of b, in either
// order: an odd one, or what stands there with a little more or less.
func number(r *rand.Rand, b []byte) {
	size, bigEndian := 2+2*r.IntN(2), r.IntN(2) == 0
	if len(b) < size {
		return
	}
	shift := func(i int) int {
		if bigEndian {
			return 8 * (size - 1 - i)
		}
		return 8 * i
	}
	v := uint32(0)
	for i := range size {
		v |= uint32(b[i]) << shift(i)
	}
	if r.IntN(2) == 0 {
		v = odd[r.IntN(len(odd))]
	} else {
		v += uint32(r.IntN(33) - 16)
	}
	for i := range size {
		b[i] = byte(v >> shift(i))
	}
}
