package flowtable

import "math/bits"

// Within a process keys are hashed as wyhash does it (W. Yi,
// https://github.com/wangyi-fudan/wyhash), of which Go's maps have what they use where the
// processor has no AES: words, combined with secret ones, are multiplied, and the halves of
// the product combined. Whoever chooses keys would have to know the secret words to
// choose ones that collide; they are drawn when the process begins and nothing that
// leaves it depends on them. It takes a third of the instructions of xxHash64.

// fold returns the halves of the product of two words, combined.
func fold(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b)
	return high ^ low
}

// mix4 returns the hash of a key of IPv4: its addresses, that of endpoint a in the upper
// half, and its rest.
func (h *hasher) mix4(addrs, rest uint64) uint64 {
	return fold(fold(addrs^h.words[0], rest^h.words[1]), h.words[2])
}

// mix6 returns the hash of a key of IPv6: its addresses, and its rest apart from them.
func (h *hasher) mix6(k *key, rest uint64) uint64 {
	addrs := fold(k.a.Lo^h.words[0], k.b.Lo^h.words[3]) ^ fold(k.a.Hi^h.words[4], k.b.Hi^h.words[5])
	return fold(fold(addrs, rest^h.words[1]), h.words[2])
}
