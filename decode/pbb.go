package decode

import "encoding/binary"

// pbb reads the I-tag of a provider backbone bridge and the customer's frame
// behind it (IEEE 802.1Q, 9.7; once 802.1ah), also behind a B-tag, which is an
// 802.1ad tag:
//
//	priority 3 bits, drop eligible 1, UCA 1, reserved 3 | I-SID 3 |
//	destination 6 | source 6 | EtherType 2
func (p *Packet) pbb(b []byte, n int) Class {
	const size = 18
	if len(b) >= size {
		p.wrap(TunnelEnds, uint64(binary.BigEndian.Uint32(b)&0xffffff))
	}
	return p.tagged(size, false, b, n)
}
