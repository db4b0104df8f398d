package decode

import "encoding/binary"

// Protocol types of GRE that are no EtherTypes of ours.
const (
	greWCCP = 0x883e // redirected IP, behind 4 more bytes in version 2
	grePPP  = 0x880b // PPTP (RFC 2637)
	greEoIP = 0x6400 // MikroTik's Ethernet over IP
	greOSI  = 0x00fe

	greERSPAN  = 0x88be // type I without a sequence number, type II with one
	greERSPAN3 = 0x22eb

	// Aruba's access points send 802.11 frames under the types between, every
	// sixteenth of them.
	greAruba    = 0x8200
	greArubaMax = 0x8370
)

// gre reads a GRE header (RFC 2784, 2; RFC 2890; RFC 2637, 4.1 for version 1):
//
//	C R K S s recursion 3 bits, A flags 4, version 3 | protocol type 2 |
//	C or R: checksum 2, offset 2 | K: key 4 | S: sequence number 4 | A: acknowledgment 4
//
// Source routes (R; RFC 1701, dropped by RFC 2784) stand behind that, and are
// passed over.
func (p *Packet) gre(b []byte, n int) Class {
	if len(b) < 4 {
		return short(n, 4)
	}
	flags, t := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	size := 4
	if flags&0xc000 != 0 {
		size += 4
	}
	keyAt := size
	if flags&0x2000 != 0 {
		size += 4
	}
	if flags&0x1000 != 0 {
		size += 4
	}
	ppp := t == grePPP && flags&7 != 0
	if ppp && flags&0x0080 != 0 {
		size += 4
	}
	if t == greWCCP && len(b) > 4 && b[4]>>4 != version4 {
		size += 4
	}
	if len(b) < size {
		return short(n, size)
	}
	if flags&0x2000 != 0 && flags&7 == 0 {
		key := binary.BigEndian.Uint32(b[keyAt:])
		if t == etherBridge { // NVGRE; below the network's identifier is the flow's
			key >>= 8
		}
		p.wrap(TunnelEnds, uint64(key))
	}
	b, n = b[size:], n-size
	if flags&0x4000 != 0 {
		size := routesEnd(b)
		if len(b) < size {
			return short(n, size)
		}
		b, n = b[size:], n-size
	}
	if t == greERSPAN && flags&0x1000 != 0 {
		return p.erspan(b, n)
	}
	return p.grePayload(t, b, n)
}

// routesEnd returns where the source routes at the front of b end, or the first
// place beyond b that one reaches (RFC 1701: family 2 | offset 1 | length 1 | route,
// the last with all of them 0).
func routesEnd(b []byte) int {
	at := 0
	for at+4 <= len(b) {
		last := binary.BigEndian.Uint16(b[at:]) == 0 && b[at+3] == 0
		at += 4 + int(b[at+3])
		if last {
			return at
		}
	}
	if at > len(b) {
		return at
	}
	return at + 4
}

func (p *Packet) grePayload(t uint16, b []byte, n int) Class {
	switch t {
	case etherIPv4, greWCCP:
		return p.ipv4(b, n)
	case etherIPv6:
		return p.ipv6(b, n)
	case etherBridge, greEoIP:
		return p.bridged(b, n)
	case etherMPLS, etherMPLSUp:
		return p.mpls(b, n)
	case grePPP:
		return p.pppHDLC(b, n)
	case greERSPAN:
		return p.bridged(b, n)
	case greERSPAN3:
		return p.erspan(b, n)
	case etherNSH:
		return p.nsh(b, n)
	case greOSI:
		return p.osi(b, n)
	}
	if t >= greAruba && t <= greArubaMax && t&0xf == 0 {
		return p.wifi(b, n, false)
	}
	return p.unread(GREType, t)
}
