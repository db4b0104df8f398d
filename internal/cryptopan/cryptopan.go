// Package cryptopan anonymizes IP addresses so that two addresses with the same
// first n bits have the same first n bits afterwards, and no others do: Crypto-PAn
// (Xu, Fan, Ammar, Moon, Prefix-Preserving IP Address Anonymization, ICNP 2002).
// The same key gives the same addresses in every capture.
package cryptopan

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
)

// KeySize is the length of a key in bytes: that of an AES-128 key, and of the
// block that becomes the pad.
const KeySize = 32

// A Key anonymizes addresses. It may be used by several goroutines at once.
type Key struct {
	block cipher.Block
	pad   [2]uint64
}

// New returns the key that KeySize bytes are.
func New(key []byte) (*Key, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("a key of %d bytes: want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		return nil, err
	}
	var pad [16]byte
	block.Encrypt(pad[:], key[16:])
	return &Key{block, [2]uint64{binary.BigEndian.Uint64(pad[:]), binary.BigEndian.Uint64(pad[8:])}}, nil
}

// V4 returns the address that stands for an IPv4 address.
func (k *Key) V4(address uint32) uint32 {
	hi, _ := k.mask(uint64(address)<<32, 0, 32)
	return address ^ uint32(hi>>32)
}

// V6 returns the address that stands for an IPv6 address, whose first half is
// hi.
func (k *Key) V6(hi, lo uint64) (uint64, uint64) {
	maskHi, maskLo := k.mask(hi, lo, 128)
	return hi ^ maskHi, lo ^ maskLo
}

// mask returns the bits that are turned over in the first n bits of an address:
// bit i by the first bit of the cipher of its first i bits, with the pad behind
// them.
func (k *Key) mask(hi, lo uint64, n int) (maskHi, maskLo uint64) {
	var in, out [16]byte
	for i := range n {
		keepHi, keepLo := prefix(i), prefix(max(i-64, 0))
		binary.BigEndian.PutUint64(in[:], hi&keepHi|k.pad[0]&^keepHi)
		binary.BigEndian.PutUint64(in[8:], lo&keepLo|k.pad[1]&^keepLo)
		k.block.Encrypt(out[:], in[:])
		if bit := uint64(out[0] >> 7); i < 64 {
			maskHi |= bit << (63 - i)
		} else {
			maskLo |= bit << (127 - i)
		}
	}
	return maskHi, maskLo
}

// prefix has the first n bits set, all from 64 on.
func prefix(n int) uint64 {
	if n >= 64 {
		return ^uint64(0)
	}
	return ^(^uint64(0) >> n)
}
