package decode

import "encoding/binary"

// The versions of IP, in the first four bits of its headers (RFC 791, 3.1; RFC 8200, 3).
const (
	version4 = 4
	version6 = 6
)

// IP protocol numbers (IANA, protocol-numbers).
const (
	protoHopByHop    = 0
	protoICMP        = 1
	protoIPv4        = 4
	protoTCP         = TCP
	protoUDP         = UDP
	protoDCCP        = DCCP
	protoIPv6        = 41
	protoRouting     = 43
	protoFragment    = 44
	protoGRE         = 47
	protoESP         = 50
	protoAH          = 51
	protoICMPv6      = 58
	protoNone        = 59 // no next header (RFC 8200, 4.7)
	protoDestination = 60
	protoEtherIP     = 97 // RFC 3378
	protoPIM         = 103
	protoL2TP        = 115 // RFC 3931
	protoSCTP        = SCTP
	protoMobility    = 135
	protoUDPLite     = UDPLite
	protoMPLS        = 137 // RFC 4023
	protoHIP         = 139
	protoShim6       = 140
	protoEthernet    = 143 // RFC 8986
)

// raw reads a frame without a link header: IP of either version. Old ISDN and
// PPP drivers of Linux and IRIX left pieces of their own in front, which are
// taken off as Wireshark does: an HDLC header at the start, after one byte or
// after a made-up address of six, or ten bytes of zero.
func (p *Packet) raw(b []byte, n int) Class {
	if len(b) < 10 {
		return short(n, 20)
	}
	const hdlc = 0xff03
	switch {
	case binary.BigEndian.Uint16(b) == hdlc:
		return p.pppHDLC(b, n)
	case binary.BigEndian.Uint16(b[6:]) == hdlc:
		return p.pppHDLC(b[6:], n-6)
	case binary.BigEndian.Uint16(b[1:]) == hdlc:
		return p.pppHDLC(b[1:], n-1)
	case binary.BigEndian.Uint64(b) == 0 && b[8] == 0 && b[9] == 0:
		return p.ipv4(b[10:], n-10)
	case b[0]>>4 == version4 || b[0]>>4 == version6:
		return p.ipv4(b, n)
	}
	return NotIP
}

// protocol reads what follows an IP header: extension headers up to one that
// belongs to a transport, a tunnel, or nothing we know. IPv4 may carry the same
// extension headers as IPv6: AH does in earnest, the others do in Wireshark.
func (p *Packet) protocol(proto uint8, b []byte, n int) Class {
	for range maxExtensions {
		switch proto {
		case protoTCP:
			return p.tcp(b, n)
		case protoUDP:
			return p.udp(b, n)
		case protoIPv4:
			p.pass(proto, b, n)
			return p.ipv4(b, n)
		case protoIPv6:
			p.pass(proto, b, n)
			return p.ipv6(b, n)
		case protoGRE:
			p.pass(proto, b, n)
			return p.gre(b, n)
		case protoMPLS:
			p.pass(proto, b, n)
			return p.mpls(b, n)
		case protoEthernet:
			p.pass(proto, b, n)
			return p.bridged(b, n)
		case protoEtherIP:
			p.pass(proto, b, n)
			return p.etherIP(b, n)
		case protoL2TP:
			if c, is := p.l2tpv3(b, n); is {
				return c
			}
			return p.other(proto, b, n)
		case protoPIM:
			return p.pim(b, n)
		case protoHopByHop, protoRouting, protoDestination, protoMobility, protoHIP, protoShim6:
			// RFC 8200, 4.3; RFC 6275, 6.1; RFC 7401, 5.1; RFC 5533, 5.1:
			// next header, then the length in units of 8 bytes less 1.
			p.pass(proto, b, n)
			if len(b) < 8 {
				return short(n, 8)
			}
			size := 8 + 8*int(b[1])
			if len(b) < size {
				return short(n, size)
			}
			if proto == protoHopByHop || proto == protoDestination {
				if need := optionsEnd(b, size); need > len(b) {
					return short(n, need)
				}
			}
			proto, b, n = b[0], b[size:], n-size
		case protoAH:
			// RFC 4302, 2: next header, then the length in units of 4 bytes less 2.
			if len(b) < ahNeed {
				return short(n, ahNeed)
			}
			p.pass(proto, b, n)
			size := 8 + 4*int(b[1])
			if len(b) < size {
				return short(n, size)
			}
			proto, b, n = b[0], b[size:], n-size
		case protoFragment:
			// RFC 8200, 4.5: next header 1 | reserved 1 | offset 13 bits,
			// reserved 2, more fragments 1 | identification 4
			if len(b) < 8 {
				return short(n, 8)
			}
			proto = b[0]
			at := binary.BigEndian.Uint16(b[2:])
			// A fragment of nothing is none, and malformed further on, unless the
			// first fragment of a tunnel's datagram ends there. IPv4 has its own
			// fragments: there the header is only passed over.
			if p.V6 && at&^6 != 0 && (n > 8 || p.InFragments > 0) {
				p.fragmented = true
				p.FragProto, p.FragID = proto, binary.BigEndian.Uint32(b[4:])
				if at >= 8 {
					return p.laterFragment(at&^7, b[8:], n-8)
				}
				p.FirstFragment = true
				p.atFragment()
				p.transport = int32(cap(b) - 8)
			}
			b, n = b[8:], n-8
		default:
			return p.other(proto, b, n)
		}
	}
	return Malformed
}

// inFragment reports whether what is read stands in the first fragment of a
// datagram: what ends it is in another one.
func (p *Packet) inFragment() bool { return p.fragmented || p.InFragments > 0 }

// optionsEnd returns where the last option of the hop-by-hop or destination
// header at the front of b ends (RFC 8200, 4.2), or the first place beyond b that
// an option reaches. A last option that runs out of its header, but not out of
// the packet, is let through.
func optionsEnd(b []byte, size int) int {
	const pad1 = 0
	at := 2
	for at < size && at < len(b) {
		switch {
		case b[at] == pad1:
			at++
		case at+1 < len(b):
			at += 2 + int(b[at+1])
		default:
			return at + 2
		}
	}
	return at
}

// laterFragment is the class of a fragment that is not its datagram's first; b
// and n are its part of the datagram, from a place in it on, in bytes.
// The ports of the datagram are in the first one; whether that was seen is not
// for this package to know, so such a packet is a Fragment if its protocol may
// lead to what is wanted. If it may not, no first fragment will ever be counted.
func (p *Packet) laterFragment(at uint16, b []byte, n int) Class {
	p.Proto = p.FragProto
	var front [8]byte
	p.At, p.front = at, uint8(copy(front[:], b))
	p.Seq, p.Ack = binary.BigEndian.Uint32(front[:]), binary.BigEndian.Uint32(front[4:])
	p.transport, p.size = int32(cap(b)), int32(n)
	switch p.FragProto {
	case protoTCP, protoUDP, protoIPv4, protoIPv6, protoGRE, protoMPLS, protoEthernet, protoEtherIP, protoPIM, protoAH,
		protoHopByHop, protoRouting, protoDestination, protoMobility, protoHIP, protoShim6, protoFragment:
		return Fragment
	case protoL2TP:
		if p.decoder != nil && p.decoder.Tunnels&L2TPv3 != 0 {
			return Fragment
		}
	}
	return OtherProtocol
}
