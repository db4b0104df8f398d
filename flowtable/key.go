package flowtable

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/cespare/xxhash/v2"

	"github.com/flowfast/flowfast/decode"
)

// A key is what the packets of a flow have in common, as five words. Endpoint
// a is not above endpoint b, but of a flow that goes one way a is the source.
type key struct {
	a, b decode.Addr
	// rest is, from the top: port of a, port of b, 16 bits each; 16 bits that
	// are not of the key; protocol, in 15; IP version 6, 1.
	rest uint64
}

// keyMask has the bits of key.rest that are of the key.
const keyMask = ^uint64(0xffff << 16)

// masked returns the key without what else stands in its rest.
func (k *key) masked() key { return key{k.a, k.b, k.rest & keyMask} }

// is reports whether k, which has nothing else in its rest, is the key of p.
// Words compared one by one in line take less time than a call to compare
// bytes, which is what == is here. Those of IPv4 have nothing in the upper words.
func (k *key) is(p *key) bool {
	if (k.a.Lo^p.a.Lo)|(k.b.Lo^p.b.Lo)|(k.rest^p.rest)&keyMask != 0 {
		return false
	}
	return !k.v6() || (k.a.Hi^p.a.Hi)|(k.b.Hi^p.b.Hi) == 0
}

// of sets k to the key of a packet, and tells whether the packet goes from
// endpoint b to a. Between identical endpoints it goes from a to b, and so it
// does where the key, or what stands for the ports, goes one way: the reverse
// has another key, which no packet that goes both ways can have.
func (k *key) of(p *decode.Packet, oneWay bool) (reverse bool) {
	low := uint64(p.Proto) << 1
	if p.V6 {
		low |= 1
	}
	if !oneWay && !p.OneWay && above(p.Src, p.SrcPort, p.Dst, p.DstPort) {
		k.a.Lo, k.a.Hi, k.b.Lo, k.b.Hi = p.Dst.Lo, p.Dst.Hi, p.Src.Lo, p.Src.Hi
		k.rest = uint64(p.DstPort)<<48 | uint64(p.SrcPort)<<32 | low
		return true
	}
	k.a.Lo, k.a.Hi, k.b.Lo, k.b.Hi = p.Src.Lo, p.Src.Hi, p.Dst.Lo, p.Dst.Hi
	k.rest = uint64(p.SrcPort)<<48 | uint64(p.DstPort)<<32 | low
	return false
}

func above(a decode.Addr, aPort uint16, b decode.Addr, bPort uint16) bool {
	if a.Lo != b.Lo {
		return a.Lo > b.Lo
	}
	if a.Hi != b.Hi {
		return a.Hi > b.Hi
	}
	return aPort > bPort
}

func (k *key) proto() uint8  { return uint8(k.rest >> 1) }
func (k *key) v6() bool      { return k.rest&1 != 0 }
func (k *key) portA() uint16 { return uint16(k.rest >> 48) }
func (k *key) portB() uint16 { return uint16(k.rest >> 32) }

// A hasher hashes keys, combined with words that are drawn at random in each process,
// so that nobody can aim collisions at tables. See mix.go; where the hash leaves the
// process it is seeded, and xxHash64 of the words.
type hasher struct {
	words  [6]uint64
	mask   uint32 // bits of the index's half that are used; tests use few
	seeded bool
	Keys
}

// Keys say which packets are of one flow. The zero Keys are the default.
type Keys struct {
	// OneWay makes the two directions flows of their own.
	OneWay bool
	// Portless are protocols whose flows go by addresses alone; the zero Protocols
	// are none.
	Portless decode.Protocols
	// Encapsulation is what of it the key has, as a digest of 64 bits: packets with
	// different digests are of different flows.
	Encapsulation decode.Encapsulations
	// Sample leaves out all packets but those of one flow in Sample, chosen by a
	// hash of its key: the same ones in every capture. 0 and 1 leave none out.
	Sample uint64
}

// leftOut tells if the sample, which is 2 or more, leaves out the flow with a
// key.
func (k *Keys) leftOut(of *key) bool {
	var b [40]byte
	for i, word := range [5]uint64{of.a.Hi, of.a.Lo, of.b.Hi, of.b.Lo, of.rest} {
		binary.BigEndian.PutUint64(b[8*i:], word)
	}
	return xxhash.Sum64(b[:])%k.Sample != 0
}

func newHasher() hasher {
	h := hasher{mask: ^uint32(0)}
	for i := range h.words {
		h.words[i] = rand.Uint64()
	}
	return h
}

// hash returns the hash of a key and a digest of the encapsulation: the low half
// for the index, the high half to share keys out among tables.
func (h *hasher) hash(k *key, encapsulation uint64) (index, share uint32) {
	var sum uint64
	switch {
	case h.seeded:
		sum = h.xxhash(k, encapsulation)
	case k.v6():
		sum = h.mix6(k, k.rest)
	default:
		sum = h.mix4(k.a.Lo<<32|k.b.Lo, k.rest)
	}
	if encapsulation != 0 && !h.seeded {
		sum = fold(sum^h.words[4], encapsulation^h.words[5])
	}
	return uint32(sum) & h.mask, uint32(sum >> 32)
}

// xxhash returns xxHash64 of a key and, if it is not 0, a digest of the encapsulation.
func (h *hasher) xxhash(k *key, encapsulation uint64) uint64 {
	var b [48]byte
	binary.LittleEndian.PutUint64(b[0:], k.a.Lo^h.words[0])
	binary.LittleEndian.PutUint64(b[8:], k.b.Lo^h.words[1])
	binary.LittleEndian.PutUint64(b[16:], k.rest^h.words[2])
	n := 24
	if k.v6() {
		n = 40
		binary.LittleEndian.PutUint64(b[24:], k.a.Hi^h.words[3])
		binary.LittleEndian.PutUint64(b[32:], k.b.Hi^h.words[4])
	}
	if encapsulation != 0 {
		binary.LittleEndian.PutUint64(b[n:], encapsulation^h.words[5])
		n += 8
	}
	return xxhash.Sum64(b[:n])
}
