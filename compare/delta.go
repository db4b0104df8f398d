package compare

import "encoding/binary"

// plainOf returns the n integers of a page in the encoding DELTA_BINARY_PACKED, each of
// size bytes, 4 or 8, as in a page that is plain, in the memory of b. It returns false if
// the page is damaged, or in blocks of other sizes than package export writes:
// https://parquet.apache.org/docs/file-format/data-pages/encodings/
func plainOf(b, page []byte, n, size int) ([]byte, bool) {
	const block, parts, part = 128, 4, 32
	head := [3]uint64{}
	for i := range head {
		v, k := binary.Uvarint(page)
		if k <= 0 {
			return nil, false
		}
		head[i], page = v, page[k:]
	}
	first, k := binary.Varint(page)
	if head != [3]uint64{block, parts, uint64(n)} || k <= 0 || n < 1 {
		return nil, false
	}
	page = page[k:]
	b = b[:0]
	put := func(v uint64) {
		if size == 4 {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		} else {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
	}
	v := uint64(first)
	put(v)
	for left := n - 1; left > 0; {
		least, k := binary.Varint(page)
		if k <= 0 || len(page)-k < parts {
			return nil, false
		}
		widths := page[k : k+parts]
		page = page[k+parts:]
		for _, width := range widths {
			if left == 0 {
				break
			}
			if width > 64 || len(page) < part/8*int(width) {
				return nil, false
			}
			for i := range min(part, left) {
				v += uint64(least) + bitsAt(page, i*int(width), int(width))
				put(v)
			}
			page = page[part/8*int(width):]
			left -= min(part, left)
		}
	}
	return b, len(page) == 0
}

// bitsAt returns a number of so many bits that begins at a bit of b, the lowest bit first.
func bitsAt(b []byte, at, width int) (v uint64) {
	for have := 0; have < width; {
		from := at + have
		n := min(8-from%8, width-have)
		v |= uint64(b[from/8]>>(from%8)&(1<<n-1)) << have
		have += n
	}
	return v
}
