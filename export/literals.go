package export

import (
	"encoding/binary"

	"github.com/klauspost/compress/huff0"
)

// Texts that hardly repeat, such as the sources of a flood, take most of the time that
// all columns are compressed in, and what is found in them is short: that they are
// digits says as much. So of these only the Huffman code of zstd is used (RFC 8878,
// 3.1.1.3.1), without a search for what was there before: 0.2 of the time.

// A frame of zstd and its blocks (RFC 8878, 3.1.1).
const (
	zstdMagic    = 0xfd2fb528
	zstdSized    = 0xa0 // the header has the size of all, in 4 bytes, and no window
	zstdMost     = 128 << 10
	zstdRaw      = 0 << 1 // block types
	zstdCoded    = 2 << 1
	zstdLast     = 1
	zstdFour     = 2 | 3<<2 // literals in a Huffman code of their own, four streams, 18 bits for each size
	zstdHeader   = 5        // bytes of their header
	zstdNoneElse = 0        // sequences
)

// appendLiterals appends a frame that is only a Huffman code.
func (p *pages) appendLiterals(b, plain []byte) []byte {
	le := binary.LittleEndian
	b = append(le.AppendUint32(b, zstdMagic), zstdSized)
	b = le.AppendUint32(b, uint32(len(plain)))
	for last := uint32(0); last == 0; {
		n := len(plain)
		if n > zstdMost {
			n = min(zstdMost, (n+1)/2)
		} else {
			last = zstdLast
		}
		coded, _, err := huff0.Compress4X(plain[:n], &p.huffman)
		if err != nil { // there is nothing to gain
			b = append24(b, last|zstdRaw|uint32(n)<<3)
			b = append(b, plain[:n]...)
		} else {
			b = append24(b, last|zstdCoded|uint32(zstdHeader+len(coded)+1)<<3)
			sizes := zstdFour | uint64(n)<<4 | uint64(len(coded))<<22
			b = append(le.AppendUint32(b, uint32(sizes)), byte(sizes>>32))
			b = append(append(b, coded...), zstdNoneElse)
		}
		plain = plain[n:]
	}
	return b
}

func append24(b []byte, v uint32) []byte { return append(b, byte(v), byte(v>>8), byte(v>>16)) }
