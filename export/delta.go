package export

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// Integers in the encoding DELTA_BINARY_PACKED of Parquet: the first one, and then for
// every block of differences the least of them, and how much greater the others are, in
// as many bits as the greatest of a part of the block needs:
// https://parquet.apache.org/docs/file-format/data-pages/encodings/
const (
	deltaBlock = 128 // differences
	deltaParts = 4   // of a block
	deltaPart  = deltaBlock / deltaParts
)

// appendDelta appends values of 8 bytes each, of which there are some.
func appendDelta(b, values []byte) []byte {
	le := binary.LittleEndian
	b = binary.AppendUvarint(b, deltaBlock)
	b = binary.AppendUvarint(b, deltaParts)
	b = binary.AppendUvarint(b, uint64(len(values)/8))
	last := le.Uint64(values)
	b = binary.AppendVarint(b, int64(last))
	values = values[8:]
	for len(values) >= 8*deltaBlock {
		block := (*[8 * deltaBlock]byte)(values)
		b = appendDeltaBlock(b, block, last, deltaBlock)
		last = le.Uint64(block[8*deltaBlock-8:])
		values = values[8*deltaBlock:]
	}
	if len(values) > 0 {
		var block [8 * deltaBlock]byte
		b = appendDeltaBlock(b, &block, last, copy(block[:], values)/8)
	}
	return b
}

// appendDeltaBlock appends the block of the first n values, which come behind last.
func appendDeltaBlock(b []byte, values *[8 * deltaBlock]byte, last uint64, n int) []byte {
	le := binary.LittleEndian
	var differences [deltaBlock]uint64
	for i := range differences {
		v := le.Uint64(values[8*i : 8*i+8])
		differences[i], last = v-last, v
	}
	least := int64(math.MaxInt64)
	for _, d := range differences[:n] {
		least = min(least, int64(d))
	}
	for i := n; i < deltaBlock; i++ {
		differences[i] = uint64(least) // there is none
	}
	b = binary.AppendVarint(b, least)
	widths := len(b)
	b = append(b, make([]byte, deltaParts)...)
	for part := 0; part*deltaPart < n; part++ {
		from := (*[deltaPart]uint64)(differences[part*deltaPart:])
		all := uint64(0)
		for i, d := range from {
			d -= uint64(least)
			from[i] = d
			all |= d
		}
		if width := bits.Len64(all); width > 0 {
			b[widths+part] = byte(width)
			b = appendBits(b, from, width)
		}
	}
	return b
}

// appendBits appends the lowest bits of values, at least one of each, the first in the
// lowest bits of the first byte. They fill whole words of 4 bytes.
func appendBits(b []byte, values *[deltaPart]uint64, width int) []byte {
	const mask = 8*deltaPart - 8
	le := binary.LittleEndian
	b = slices.Grow(b, 8*deltaPart)
	to := (*[8 * deltaPart]byte)(b[len(b) : len(b)+8*deltaPart])
	word, have, n := uint64(0), 0, 0
	for _, v := range values {
		word |= v << (have & 63)
		if have += width; have >= 64 {
			at := n & mask
			le.PutUint64(to[at:at+8], word)
			n += 8
			have -= 64
			word = v >> (width - have) // all of it is there if that is 64
		}
	}
	if have > 0 {
		le.PutUint64(to[n&mask:n&mask+8], word)
	}
	return b[:len(b)+deltaPart/8*width]
}

// ports encodes values of 2 bytes each, and sets their bounds.
func (p *pages) ports(b *bounds, values []byte) []byte {
	le := binary.LittleEndian
	p.plain = slices.Grow(p.plain[:0], 4*len(values))[:4*len(values)]
	least, greatest := uint64(math.MaxUint64), uint64(0)
	to := p.plain
	for len(values) >= 2 && len(to) >= 8 {
		v := uint64(le.Uint16(values))
		le.PutUint64(to, v)
		least, greatest = min(least, v), max(greatest, v)
		values, to = values[2:], to[8:]
	}
	b.min, b.max, b.there = le.AppendUint32(b.min[:0], uint32(least)), le.AppendUint32(b.max[:0], uint32(greatest)), true
	p.delta = appendDelta(p.delta[:0], p.plain)
	return p.delta
}
