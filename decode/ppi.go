package decode

import "encoding/binary"

// ppi reads a PPI header (CACE Technologies, PPI Header Format 1.0.10, 3), all of
// it little-endian:
//
//	version 1 | flags 1 | length with this header 2 | link type 4 | fields
//	field: type 2 | length without these four bytes 2 | …
//
// The link type is that of the frame behind it. Flag 0 says that each field is
// padded to a multiple of four. Aggregated 802.11 frames (A-MPDU) are read one by
// one, as they were recorded.
func (p *Packet) ppi(b []byte, n int) Class {
	const common, commonSize, hasFCS = 2, 20, 1 // the 802.11 field, with flags at 8
	if len(b) < 8 {
		return short(n, 8)
	}
	size := int(binary.LittleEndian.Uint16(b[2:]))
	linkType, aligned := binary.LittleEndian.Uint32(b[4:]), b[1]&1 != 0
	if size < 8 {
		return Malformed
	}
	if len(b) < size {
		return short(n, size)
	}
	if p.frames++; p.frames > maxFrames {
		return Malformed
	}
	fields := b[8:size]
	b, n = b[size:], n-size
	for len(fields) >= 4 {
		kind, size := binary.LittleEndian.Uint16(fields), int(binary.LittleEndian.Uint16(fields[2:]))
		fields = fields[4:]
		if size > len(fields) {
			return Malformed
		}
		if kind == common && size == commonSize && fields[8]&hasFCS != 0 && linkType == linkIEEE80211 {
			b, n = withoutFCS(b, n)
		}
		if aligned {
			size = min((size+3)&^3, len(fields))
		}
		fields = fields[size:]
	}
	if linkType != linkIEEE80211 {
		return p.link(linkType, b, n)
	}
	return p.wifi(b, n, false)
}
