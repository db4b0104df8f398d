package decode

import "encoding/binary"

// radiotap reads a radiotap header (radiotap.org), all of it little-endian:
//
//	version 1 | padding 1 | length with this header 2 | fields present 4, and
//	4 more while bit 31 is set | fields, each aligned to its size
//
// Only two fields matter here: the flags, behind the time if there is one, and
// the mark of a frame whose data were not captured.
func (p *Packet) radiotap(b []byte, n int) Class {
	const (
		timePresent, flagsPresent, noDataPresent, more = 1 << 0, 1 << 1, 1 << 26, 1 << 31

		hasFCS, hasPadding = 0x10, 0x20
	)
	if len(b) < 8 {
		return short(n, 8)
	}
	size := int(binary.LittleEndian.Uint16(b[2:]))
	if size < 8 {
		return Malformed
	}
	if len(b) < size {
		return short(n, size)
	}
	header := b[:size]
	b, n = b[size:], n-size

	present := binary.LittleEndian.Uint32(header[4:])
	if present&noDataPresent != 0 {
		return NotIP
	}
	at := 8
	for word := present; word&more != 0; at += 4 {
		if len(header) < at+4 {
			return p.wifi(b, n, false)
		}
		word = binary.LittleEndian.Uint32(header[at:])
	}
	if present&timePresent != 0 {
		at = (at+7)&^7 + 8
	}
	if present&flagsPresent == 0 || at >= len(header) {
		return p.wifi(b, n, false)
	}
	flags := header[at]
	if flags&hasFCS != 0 {
		b, n = withoutFCS(b, n)
	}
	return p.wifi(b, n, flags&hasPadding != 0)
}

// withoutFCS takes the frame check sequence off the end of an Ethernet or 802.11 frame.
func withoutFCS(b []byte, n int) ([]byte, int) {
	if n < 4 {
		return b, n
	}
	n -= 4
	return b[:min(len(b), n)], n
}
