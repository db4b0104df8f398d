package decode

import "encoding/binary"

// pppoe reads a PPPoE session header (RFC 2516, 4):
//
//	version 4 bits, type 4 | code 1 | session 2 | length 2 | PPP
//
// A credit tag (RFC 5578, 3.2) may stand before the PPP header.
func (p *Packet) pppoe(b []byte, n int) Class {
	const creditTag, creditSize = 0x0106, 8
	if len(b) < 8 {
		return short(n, 8)
	}
	size := int(binary.BigEndian.Uint16(b[4:]))
	credit := binary.BigEndian.Uint16(b[6:]) == creditTag
	n = min(n-6, size) // what follows is padding
	b = b[6:min(len(b), 6+n)]
	if credit {
		if len(b) < creditSize {
			return short(n, creditSize)
		}
		b, n = b[creditSize:], n-creditSize
	}
	return p.ppp(b, n)
}
