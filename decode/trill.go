package decode

import "encoding/binary"

// trill reads a TRILL header and the Ethernet frame behind it (RFC 6325, 3.1):
//
//	version 2 bits, reserved 2, multi-destination 1, length of the options 5, hops 6 |
//	egress nickname 2 | ingress nickname 2 | options, in units of 4 bytes
func (p *Packet) trill(b []byte, n int) Class {
	if len(b) < 6 {
		return short(n, 6)
	}
	size := 6 + int(binary.BigEndian.Uint16(b)>>6&0x1f)*4
	if len(b) < size {
		return short(n, size)
	}
	p.wrapPair(binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:]))
	return p.bridged(b[size:], n-size)
}

// fabricPath reads the rest of a FabricPath header, which is an Ethernet header
// with made-up addresses and this, and the Ethernet frame behind it (Cisco
// FabricPath, white paper of 2012):
//
//	forwarding tag 10 bits, time to live 6
//
// The tag names a tree of the fabric, and is no part of the encapsulation.
func (p *Packet) fabricPath(b []byte, n int) Class {
	const size = 2
	if len(b) < size {
		return short(n, size)
	}
	return p.bridged(b[size:], n-size)
}
