package decode

import (
	"encoding/binary"
	"math"
)

// Address families as the BSDs number them.
const (
	familyIPv4        = 2
	familyIPv6NetBSD  = 24 // NetBSD, OpenBSD, BSD/OS
	familyIPv6FreeBSD = 28
	familyIPv6Darwin  = 30
)

// null reads the loopback header of most BSDs: the address family as four bytes
// in the order of the host that captured, which nothing names. Families are
// small, so the order shows. Two relatives are told apart by the same means: a
// big-endian family in two bytes and two bytes 0, and two bytes 0 and an
// EtherType. A frame that starts as PPP in HDLC framing does is that.
func (p *Packet) null(b []byte, n int) Class {
	if len(b) < 4 {
		return short(n, 4)
	}
	if b[0] == 0xff && b[1] == 0x03 {
		return p.pppHDLC(b, n)
	}
	v := binary.LittleEndian.Uint32(b)
	switch {
	case v>>16 == 0:
		if v&0xff == 0 && v < 0x600 {
			v >>= 8
		}
	case v>>24 == 0 && v>>16 < 6:
		v >>= 16
	default:
		v = binary.BigEndian.Uint32(b)
	}
	if v > maxLength {
		return p.etherType(uint16(v), b[4:], n-4)
	}
	return p.family(v, b[4:], n-4)
}

// loop reads the loopback header of OpenBSD: the family in network byte order.
func (p *Packet) loop(b []byte, n int) Class {
	if len(b) < 4 {
		return short(n, 4)
	}
	return p.family(binary.BigEndian.Uint32(b), b[4:], n-4)
}

func (p *Packet) family(f uint32, b []byte, n int) Class {
	switch f {
	case familyIPv4:
		return p.ipv4(b, n)
	case familyIPv6NetBSD, familyIPv6FreeBSD, familyIPv6Darwin:
		return p.ipv6(b, n)
	}
	if f > math.MaxUint16 { // no family
		return NotIP
	}
	return p.unread(AddressFamily, uint16(f))
}
