package flowtable

import "math/bits"

// xxHash64 (Y. Collet, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md)
// with the seed 0, of the two lengths that nearly all keys have, and of words in
// registers: the library takes bytes, which have to be stored first.
const (
	prime1 = 0x9e3779b185ebca87
	prime2 = 0xc2b2ae3d27d4eb4f
	prime3 = 0x165667b19e3779f9
	prime4 = 0x85ebca77c2b2ae63
	prime5 = 0x27d4eb2f165667c5

	// What the four lanes begin with, modulo 2^64.
	lane1 = 0x60ea27eeadc0b5d6 // prime1 + prime2
	lane2 = prime2
	lane3 = 0
	lane4 = 0x61c8864e7a143579 // -prime1
)

// lane takes a word into one of the four lanes.
func lane(v, word uint64) uint64 { return bits.RotateLeft64(v+word*prime2, 31) * prime1 }

// tail takes in a word of less than 32 bytes.
func tail(h, word uint64) uint64 { return bits.RotateLeft64(h^lane(0, word), 27)*prime1 + prime4 }

// merge takes a lane into the hash.
func merge(h, v uint64) uint64 { return (h^lane(0, v))*prime1 + prime4 }

func avalanche(h uint64) uint64 {
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

// hash3 returns the hash of three words, the lowest byte of each first.
func hash3(a, b, c uint64) uint64 { return avalanche(tail(front3(a, b), c)) }

// front3 is hash3 up to the third word. Who calls both parts has them compiled in.
func front3(a, b uint64) uint64 {
	const size = 24
	return tail(tail(prime5+size, a), b)
}

// hash5 returns the hash of five words.
func hash5(a, b, c, d, e uint64) uint64 {
	const size = 40
	a, b, c, d = lane(lane1, a), lane(lane2, b), lane(lane3, c), lane(lane4, d)
	h := bits.RotateLeft64(a, 1) + bits.RotateLeft64(b, 7) + bits.RotateLeft64(c, 12) + bits.RotateLeft64(d, 18)
	h = merge(merge(merge(merge(h, a), b), c), d) + size
	return avalanche(tail(h, e))
}
