package decode

import "encoding/binary"

// An L2TPv3 data message over IP (RFC 3931, 4.1.1.1), and over UDP behind four more
// bytes, of which the first two are as in version 2 (4.1.2.1):
//
//	session identifier 4 | cookie 0, 4 or 8 | L2-specific sublayer 0 or 4 | frame
//
// How long cookie and sublayer are, and what kind of frame follows, is agreed on in
// control messages. Here they are what fits: the first of the four places where a frame
// can begin at which there is one whose IP header is right in all that can be checked.
const (
	sessionHeader = 4
	mostFront     = 12 // cookie and sublayer
)

// l2tpv3 reads on at what a session carries. It returns false if the message is a
// control message, carries no IP, or may not be looked into.
func (p *Packet) l2tpv3(b []byte, n int) (c Class, is bool) {
	if p.decoder == nil || p.decoder.Tunnels&L2TPv3 == 0 || len(b) < sessionHeader || binary.BigEndian.Uint32(b) == 0 {
		return 0, false
	}
	for front := sessionHeader; front <= sessionHeader+mostFront && front < len(b); front += 4 {
		if read := p.sessionFrame(b[front:], n-front); read != nil {
			if p.Proto == protoUDP {
				p.dig()
			} else {
				p.pass(protoL2TP, b, n)
			}
			return read(p, b[front:], n-front), true
		}
	}
	return 0, false
}

// l2tpv3UDP is l2tpv3 for what a UDP header carries, which is a packet of its flow
// otherwise.
func (p *Packet) l2tpv3UDP(b []byte, n int) Class {
	const front = 4
	if len(b) > front {
		if c, is := p.l2tpv3(b[front:], n-front); is {
			return c
		}
	}
	return Counted
}

// sessionFrame returns what reads the frame at the front of b: an Ethernet, PPP or Cisco
// HDLC frame, or a packet, of IP; nil if it is none.
func (p *Packet) sessionFrame(b []byte, n int) func(*Packet, []byte, int) Class {
	at := 12
	for range maxTags {
		if len(b) < at+2 {
			break
		}
		t := binary.BigEndian.Uint16(b[at:])
		if at += 2; t == etherVLAN || t == etherQinQ {
			at += 2
			continue
		}
		if t == etherIPv4 && p.rightIPv4(b[at:], n-at) || t == etherIPv6 && p.rightIPv6(b[at:], n-at) {
			return (*Packet).bridged
		}
		break
	}
	const address = 0xff03
	at = 0
	if len(b) > 2 && binary.BigEndian.Uint16(b) == address {
		at = 2
	}
	if len(b) > at+2 {
		t, b, n := binary.BigEndian.Uint16(b[at:]), b[at+2:], n-at-2
		if t == pppIPv4 && p.rightIPv4(b, n) || t == pppIPv6 && p.rightIPv6(b, n) {
			return (*Packet).pppHDLC
		}
	}
	if len(b) > 4 && (b[0] == hdlcUnicast || b[0] == hdlcMulticast) && b[1] == 0 {
		t, b, n := binary.BigEndian.Uint16(b[2:]), b[4:], n-4
		if t == etherIPv4 && p.rightIPv4(b, n) || t == etherIPv6 && p.rightIPv6(b, n) {
			return (*Packet).ciscoHDLC
		}
	}
	if p.rightIPv4(b, n) {
		return (*Packet).ipv4
	}
	if p.rightIPv6(b, n) {
		return (*Packet).ipv6
	}
	return nil
}

// rightIPv4 reports whether b begins with an IPv4 header whose lengths and check value
// are right (RFC 791, 3.1).
func (p *Packet) rightIPv4(b []byte, n int) bool {
	if len(b) < 20 || b[0]>>4 != version4 {
		return false
	}
	size, total := int(b[0]&0xf)*4, int(binary.BigEndian.Uint16(b[2:]))
	if size < 20 || len(b) < size || total < size || total > n && !p.inFragment() {
		return false
	}
	sum := uint32(0)
	for at := 0; at < size; at += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[at:]))
	}
	return sum>>16+sum&0xffff == 0xffff
}

// rightIPv6 reports whether b begins with an IPv6 header that says how much follows, and
// leads to a header of a protocol that is common (RFC 8200, 3).
func (p *Packet) rightIPv6(b []byte, n int) bool {
	if len(b) < 40 || b[0]>>4 != version6 {
		return false
	}
	if whole := 40 + int(binary.BigEndian.Uint16(b[4:])); whole != n && (!p.inFragment() || whole < n) {
		return false
	}
	switch b[6] {
	case protoHopByHop, protoTCP, protoUDP, protoRouting, protoFragment, protoICMPv6, protoDestination:
		return true
	}
	return false
}
