package flowtable

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/cespare/xxhash/v2"
)

// TestHash compares hash3 and hash5 with the library.
func TestHash(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 10_000 {
		var w [5]uint64
		var b [40]byte
		for i := range w {
			w[i] = r.Uint64() & []uint64{0, 0xff, ^uint64(0), ^uint64(0)}[r.IntN(4)]
			binary.LittleEndian.PutUint64(b[8*i:], w[i])
		}
		if got, want := hash3(w[0], w[1], w[2]), xxhash.Sum64(b[:24]); got != want {
			t.Fatalf("hash3(%x) = %x, want %x", w[:3], got, want)
		}
		if got, want := hash5(w[0], w[1], w[2], w[3], w[4]), xxhash.Sum64(b[:]); got != want {
			t.Fatalf("hash5(%x) = %x, want %x", w, got, want)
		}
	}
}

// hashOfBytes is what hash3 and hash5 stand for, of the words of a key.
func hashOfBytes(h *hasher, k *key) uint64 {
	words := []uint64{k.a.Lo, k.b.Lo, k.rest}
	if k.v6() {
		words = append(words, k.a.Hi, k.b.Hi)
	}
	var b []byte
	for i, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w^h.words[i])
	}
	return xxhash.Sum64(b)
}
