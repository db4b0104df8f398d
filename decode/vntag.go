package decode

import "encoding/binary"

// vnTag reads a VN-tag of Cisco's fabric extenders and virtual interface cards
// (draft of IEEE 802.1Qbh, 2010):
//
//	direction 1 bit, pointer 1, destination interface 14 |
//	looped 1 bit, reserved 1, version 2, source interface 12 | EtherType or length 2
func (p *Packet) vnTag(b []byte, n int) Class {
	const size = 6
	if len(b) >= size {
		p.wrapPair(binary.BigEndian.Uint16(b)&0x3fff, binary.BigEndian.Uint16(b[2:])&0xfff)
	}
	return p.tagged(size, true, b, n)
}

// eTag reads an E-tag of a port extender (IEEE 802.1BR, 7.5):
//
//	priority 3 bits, drop eligible 1, ingress E-CID base 12 |
//	reserved 2 bits, group 2, E-CID base 12 | ingress E-CID extension 1 |
//	E-CID extension 1 | EtherType 2
func (p *Packet) eTag(b []byte, n int) Class {
	const size = 8
	if len(b) >= size {
		p.wrapPair(binary.BigEndian.Uint16(b)&0xfff, binary.BigEndian.Uint16(b[2:])&0x3fff)
	}
	return p.tagged(size, false, b, n)
}
