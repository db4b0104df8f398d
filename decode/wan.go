package decode

import "encoding/binary"

// Network layer protocol identifiers (ISO/IEC TR 9577; RFC 2427, 3).
const (
	nlpidSNAP = 0x80
	nlpidIPv6 = 0x8e
	nlpidIPv4 = 0xcc
	nlpidPPP  = 0xcf // RFC 1973
)

// frameRelay reads a Frame Relay header (ITU-T Q.922, 3.3; RFC 2427, 3):
//
//	address 2 to 4, its last byte odd | control 1 | padding 0 | NLPID 1
//
// Cisco's own encapsulation has an EtherType behind the address.
func (p *Packet) frameRelay(b []byte, n int) Class {
	const information = 3
	at := 0
	for {
		if len(b) <= at {
			return short(n, at+1)
		}
		if at++; b[at-1]&1 != 0 {
			break
		}
		if at == 4 {
			return Malformed
		}
	}
	if at < 2 {
		return Malformed
	}
	b, n = b[at:], n-at
	if len(b) < 2 {
		return short(n, 2)
	}
	if b[0] != information {
		if t := binary.BigEndian.Uint16(b); carried(t) {
			return p.etherType(t, b[2:], n-2)
		}
		return NotIP
	}
	b, n = b[1:], n-1
	if b[0] == 0 {
		if b, n = b[1:], n-1; len(b) < 1 {
			return short(n, 1)
		}
	}
	return p.nlpid(b, n)
}

// nlpid reads what follows a network layer protocol identifier, with that in
// front of it.
func (p *Packet) nlpid(b []byte, n int) Class {
	id := b[0]
	b, n = b[1:], n-1
	switch id {
	case nlpidIPv4:
		return p.ipv4(b, n)
	case nlpidIPv6:
		return p.ipv6(b, n)
	case nlpidPPP:
		return p.ppp(b, n)
	case nlpidSNAP:
		return p.snap(true, b, n)
	}
	return NotIP
}

// rfc1483 reads a packet of RFC 2684 (once RFC 1483), 5: LLC, of which one address
// pair names ISO protocols (5.1).
func (p *Packet) rfc1483(b []byte, n int) Class {
	if len(b) >= 4 && b[0] == 0xfe && b[1] == 0xfe && b[2] == 3 {
		return p.nlpid(b[3:], n-3)
	}
	return p.llc(b, n)
}

// sunATM reads the header of SunATM's captures
// (https://www.tcpdump.org/linktypes/LINKTYPE_SUNATM.html):
//
//	direction 1 bit, flags 3, traffic 4 | VPI 1 | VCI 2
//
// LAN emulation has an identifier of two bytes before an Ethernet frame.
func (p *Packet) sunATM(b []byte, n int) Class {
	const lane, llc = 1, 2
	if len(b) < 4 {
		return short(n, 4)
	}
	kind := b[0] & 0xf
	b, n = b[4:], n-4
	switch kind {
	case llc:
		return p.rfc1483(b, n)
	case lane:
		if len(b) < 2 {
			return short(n, 2)
		}
		if binary.BigEndian.Uint16(b) == 0xff00 { // control
			return NotIP
		}
		return p.bridged(b[2:], n-2)
	}
	return NotIP
}

// slip reads IP behind the header of a BSD's SLIP interface, in which the
// direction and a copy of the compressed header stand: the packet is whole.
func (p *Packet) slip(b []byte, n, header int) Class {
	if len(b) <= header {
		return short(n, header+20)
	}
	if v := b[header] >> 4; v != version4 && v != version6 {
		return NotIP
	}
	return p.ipv4(b[header:], n-header)
}

// pppd reads the header of Linux's PPP filter: the direction, 0 or 1, in place of
// the address 0xff of HDLC, or in front of it.
func pppd(b []byte, n int) wrapping {
	if len(b) < 2 {
		return wrapping{class: short(n, 2)}
	}
	if b[1] == 3 {
		return wrapping{linkType: linkPPP, size: 2}
	}
	return wrapping{linkType: linkPPPHDLC, size: 1}
}
