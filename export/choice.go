package export

import (
	"encoding/binary"
	"math/bits"

	"github.com/klauspost/compress/huff0"
)

// How the pages of a Parquet file are encoded and compressed is told by some of their
// values, never by others than theirs, so that it does not depend on who makes them.

// What compresses a page.
const (
	searched = iota // zstd at its fastest
	calm            // without a Huffman code: its table takes longer than what it is for, and saves 0.5 % of a file
	coded           // with nothing else, see literals.go
)

// someValues are the values of a page that are looked at, and sampleSize the bytes that
// are tried.
const (
	someValues = 256
	sampleSize = 4 << 10
)

// areCalm tells if few values are others than the ones before.
func areCalm(values []byte, width int) bool {
	n := len(values)/width - 1
	if n < someValues {
		return false
	}
	changes := 0
	for i := range someValues {
		at := n * i / someValues * width
		if string(values[at:at+width]) != string(values[at+width:at+2*width]) {
			changes++
		}
	}
	return changes < someValues/32
}

// areMixed tells if of values of 8 bytes that are no more than one apart a 16th or more are
// the greater ones, as some of them have it. In these, as in ones with a zero now and then,
// zstd at its fastest finds a match for each, and takes ten times as long.
func areMixed(values, least []byte) bool {
	step := max(len(values)/8/someValues, 1) * 8
	n, all := 0, 0
	for at := 0; at < len(values); at += step {
		if values[at] != least[0] {
			n++
		}
		all++
	}
	return 16*n >= all
}

// areMany tells if values of 2 bytes are as many as those of random ports, or of ports one
// after the other, as some of them have it: differences of these take fewer bytes than
// what can be found in them.
func areMany(values []byte) bool {
	const some = someValues
	n := len(values) / 2
	if n < some {
		return false
	}
	var seen [4 * some / 64]uint64
	for i := range some {
		v := uint32(binary.LittleEndian.Uint16(values[n*i/some*2:])) * 0x9e3779b1 >> 22
		seen[v/64] |= 1 << (v % 64)
	}
	many := 0
	for _, word := range seen {
		many += bits.OnesCount64(word)
	}
	return many > some*5/8
}

// repeat tells if texts, which are plain as a page has them, have a beginning that is worth
// the search.
func (p *pages) repeat(c *columnBytes, plain []byte) bool {
	if len(plain) < 8*sampleSize || c.staysSame() {
		return true
	}
	const worth = 0.75
	sample := plain[:sampleSize]
	p.sample = p.zstd.EncodeAll(sample, p.sample[:0])
	coded, _, err := huff0.Compress4X(sample, &p.huffman)
	return err != nil || float64(len(p.sample)) < worth*float64(len(coded))
}

// staysSame tells if half of the first texts are as the ones before.
func (c *columnBytes) staysSame() bool {
	const some = 64
	n, from, size := 0, 0, 0
	for at := 4; at+4 <= len(c.ends) && at <= 4*some; at += 4 {
		end := int(binary.LittleEndian.Uint32(c.ends[at:]))
		if end-from == size && string(c.values[from:end]) == string(c.values[from-size:from]) {
			n++
		}
		from, size = end, end-from
	}
	return n >= some/2
}
