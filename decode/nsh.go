package decode

import "encoding/binary"

// nsh reads a network service header (RFC 8300, 2.2):
//
//	version 2 bits, OAM 1, unassigned 1, TTL 6, length in units of 4 bytes 6 |
//	unassigned 4 bits, metadata type 4 | next protocol 1 | service path 3 | index 1 |
//	metadata
//
// The path of the other direction is another one (2.3), so it is no part of the
// encapsulation.
func (p *Packet) nsh(b []byte, n int) Class {
	const base, fixed = 8, 16 // the latter of metadata type 1
	const nextIPv4, nextIPv6, nextEthernet, nextNSH, nextMPLS = 1, 2, 3, 4, 5
	for p.nest() {
		if len(b) < base {
			return short(n, base)
		}
		size := max(base, int(binary.BigEndian.Uint16(b)&0x3f)*4)
		if b[2]&0xf == 1 {
			size = base + fixed
		}
		if len(b) < size {
			return short(n, size)
		}
		next := b[3]
		b, n = b[size:], n-size
		switch next {
		case nextIPv4:
			return p.ipv4(b, n)
		case nextIPv6:
			return p.ipv6(b, n)
		case nextEthernet:
			return p.bridged(b, n)
		case nextMPLS:
			return p.mpls(b, n)
		case nextNSH:
		default:
			return p.unknown()
		}
	}
	return Malformed
}
