package flowtable

import (
	"encoding/binary"
	"testing"

	"github.com/cespare/xxhash/v2"

	"github.com/flowfast/flowfast/decode"
)

// TestSeededHash hashes keys by the library, in order of their words, where the hash
// leaves the process.
func TestSeededHash(t *testing.T) {
	gate, _ := mustNew(t, Options{})
	gate.Part(5)
	h := &gate.hasher
	for k, words := range keysOfWords() {
		for _, encapsulation := range []uint64{0, 7} {
			words := words
			if encapsulation != 0 {
				words = append(words[:len(words):len(words)], encapsulation)
			}
			var b []byte
			for i, w := range words {
				if i == len(words)-1 && encapsulation != 0 {
					i = 5
				}
				b = binary.LittleEndian.AppendUint64(b, w^h.words[i])
			}
			want := xxhash.Sum64(b)
			if index, share := h.hash(&k, encapsulation); index != uint32(want) || share != uint32(want>>32) {
				t.Errorf("%x, encapsulation %d: %x %x, want %x", k, encapsulation, index, share, want)
			}
		}
	}
}

// keysOfWords returns keys with what is hashed of them.
func keysOfWords() map[key][]uint64 {
	return map[key][]uint64{
		{a: decode.Addr{Lo: 2}, b: decode.Addr{Lo: 4}, rest: 6 << 1}:                         {2, 4, 6 << 1},
		{a: decode.Addr{Hi: 1, Lo: 2}, b: decode.Addr{Hi: 3, Lo: 4}, rest: 6<<1 | 1<<48 | 1}: {2, 4, 6<<1 | 1<<48 | 1, 1, 3},
	}
}

// TestMixTakesEachBit changes each bit of keys and digests: both halves of the hash
// change, in about half of their bits.
func TestMixTakesEachBit(t *testing.T) {
	h := newHasher()
	differ, n := 0, 0
	check := func(k key, encapsulation uint64, what string, bit int, index, share uint32) {
		i, s := h.hash(&k, encapsulation)
		if i == index || s == share {
			t.Errorf("%s, bit %d, of %x and %x: the hash stays %x %x", what, bit, k, encapsulation, i, s)
		}
		for d := uint64(i^index)<<32 | uint64(s^share); d != 0; d &= d - 1 {
			differ++
		}
		n++
	}
	for k := range keysOfWords() {
		for _, encapsulation := range []uint64{0, 1 << 63} {
			index, share := h.hash(&k, encapsulation)
			size := 32
			if k.v6() {
				size = 64
			}
			for bit := range size {
				a, b := k, k
				a.a.Lo ^= 1 << bit
				b.b.Lo ^= 1 << bit
				check(a, encapsulation, "a", bit, index, share)
				check(b, encapsulation, "b", bit, index, share)
				if k.v6() {
					a, b = k, k
					a.a.Hi ^= 1 << bit
					b.b.Hi ^= 1 << bit
					check(a, encapsulation, "upper a", bit, index, share)
					check(b, encapsulation, "upper b", bit, index, share)
				}
			}
			for bit := 1; bit < 64; bit++ {
				r := k
				r.rest ^= 1 << bit
				check(r, encapsulation, "rest", bit, index, share)
			}
			for bit := range 63 {
				check(k, encapsulation^1<<bit, "encapsulation", bit, index, share)
			}
		}
	}
	if mean := float64(differ) / float64(n); mean < 28 || mean > 36 {
		t.Errorf("%.1f of 64 bits change with one", mean)
	}
}
