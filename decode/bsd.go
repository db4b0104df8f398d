package decode

import (
	"encoding/binary"
	"math/bits"
)

// enc reads the header of OpenBSD's IPsec interface
// (https://www.tcpdump.org/linktypes/LINKTYPE_ENC.html), in host byte order:
//
//	address family 4 | security parameters index 4 | flags 4
func (p *Packet) enc(b []byte, n int) Class {
	if len(b) < 12 {
		return short(n, 12)
	}
	family := binary.BigEndian.Uint32(b)
	if family>>16 != 0 {
		family = bits.ReverseBytes32(family)
	}
	return p.family(family, b[12:], n-12)
}

// pflog reads the header of a packet filter's log
// (https://www.tcpdump.org/linktypes/LINKTYPE_PFLOG.html):
//
//	length 1, without padding to four | address family 1 | …
func (p *Packet) pflog(b []byte, n int) Class {
	const least = 45
	if len(b) < 2 {
		return short(n, least)
	}
	size := (int(b[0]) + 3) &^ 3
	if b[0] < least {
		return Malformed
	}
	if len(b) < size {
		return short(n, size)
	}
	return p.family(uint32(b[1]), b[size:], n-size)
}

// ipnet reads the header of Solaris' IP observability
// (https://www.tcpdump.org/linktypes/LINKTYPE_IPNET.html):
//
//	version 1 | address family 1 | hook 2 | length 4 | interfaces 8 | zones 8
func (p *Packet) ipnet(b []byte, n int) Class {
	const size, ipv4, ipv6 = 24, 2, 26
	if len(b) < size {
		return short(n, size)
	}
	switch b[1] {
	case ipv4:
		return p.ipv4(b[size:], n-size)
	case ipv6:
		return p.ipv6(b[size:], n-size)
	}
	return NotIP
}

// nflog reads the messages of Linux's packet filter log, in host byte order
// (https://www.tcpdump.org/linktypes/LINKTYPE_NFLOG.html):
//
//	address family 1 | version 1 | resource 2 | attributes
//	attribute: length 2 with these four bytes | type 2 | value, padded to four
//
// The packet is the value of attribute 9.
func (p *Packet) nflog(b []byte, n int) Class {
	const ipv4, ipv6 = 2, 10
	if len(b) < 4 {
		return short(n, 4)
	}
	family := b[0]
	b, n = b[4:], n-4
	payload, size := nflogPayload(binary.LittleEndian, b, n)
	if payload == nil {
		payload, size = nflogPayload(binary.BigEndian, b, n)
	}
	switch {
	case payload == nil && len(b) < n:
		return Truncated
	case payload == nil:
		return NotIP
	case family == ipv4:
		return p.ipv4(payload, size)
	case family == ipv6:
		return p.ipv6(payload, size)
	}
	return NotIP
}

// nflogPayload returns the captured bytes of the packet and how many were there,
// nil if attributes of the given byte order do not lead to it.
func nflogPayload(order binary.ByteOrder, b []byte, n int) ([]byte, int) {
	const payload = 9
	for len(b) >= 4 {
		size, kind := int(order.Uint16(b)), order.Uint16(b[2:])&0x7fff
		if size < 4 || size > n {
			return nil, 0
		}
		if kind == payload {
			return b[4:min(size, len(b))], size - 4
		}
		size = (size + 3) &^ 3
		if size > len(b) {
			return nil, 0
		}
		b, n = b[size:], n-size
	}
	return nil, 0
}
