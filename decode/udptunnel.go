package decode

import "encoding/binary"

// Ports of tunnels in UDP (IANA, service-names-port-numbers).
const (
	portL2TP       = 1701
	portGTPU       = 2152
	portTeredo     = 3544
	portVXLAN      = 4789
	portGeneve     = 6081
	portVXLANLinux = 8472 // what Linux takes for VXLAN unless told otherwise
)

// TunnelAt returns the tunnel whose port a UDP port is, 0 if it is none's.
func TunnelAt(port uint16) Tunnels {
	switch port {
	case portVXLAN, portVXLANLinux:
		return VXLAN
	case portGeneve:
		return Geneve
	case portGTPU:
		return GTPU
	case portL2TP:
		return L2TP
	case portTeredo:
		return Teredo
	}
	return 0
}

// udpTunnel looks at what the UDP header that was read last carries: a tunnel is
// known by its port and by what its header says of itself, and what is none, or
// not wanted, stays a packet of the UDP flow. It returns the class of what is
// inside, and whether there may be one more.
//
// The destination tells VXLAN, Geneve and GTP-U (RFC 7348, 5; RFC 8926, 3.3; 3GPP
// TS 29.281, 4.4.2): their source ports are anything. L2TP and Teredo answer
// from their port (RFC 2661, 8.1; RFC 4380, 5.2). Teredo between two clients
// shows neither, and is not known.
//
// In the first fragment of a datagram the lengths in a tunnel's header reach
// beyond its end.
func (p *Packet) udpTunnel(frame []byte) (c Class, more bool) {
	b, n := p.transported(frame), int(p.size)
	size := int(binary.BigEndian.Uint16(b[4:]))
	b, n = b[8:], n-8
	if size != 0 { // 0 is a jumbogram's
		n = min(n, size-8) // what follows is no payload
		b = b[:min(len(b), n)]
	}
	before := p.headers
	c = Counted // if it is none of these
	switch t := p.decoder.Tunnels; {
	case t&VXLAN != 0 && (p.DstPort == portVXLAN || p.DstPort == portVXLANLinux):
		c = p.vxlan(b, n)
	case t&Geneve != 0 && p.DstPort == portGeneve:
		c = p.geneve(b, n)
	case t&GTPU != 0 && p.DstPort == portGTPU:
		c = p.gtpu(b, n)
	case t&(L2TP|L2TPv3) != 0 && (p.DstPort == portL2TP || p.SrcPort == portL2TP):
		c = p.l2tp(b, n)
	case t&Teredo != 0 && (p.DstPort == portTeredo || p.SrcPort == portTeredo):
		c = p.teredo(b, n)
	}
	return c, p.headers > before
}

// noTunnel is the class of a UDP packet that ends inside the header of a tunnel
// of which need bytes are needed: if they were not on the wire, it is none.
func noTunnel(n, need int) Class {
	if n < need {
		return Counted
	}
	return Truncated
}

// dig notes that the tunnel of the UDP header that was read last is looked
// through: what follows is inside.
func (p *Packet) dig() {
	d := p.decoder
	d.dug = true
	if d.wants(protoUDP) {
		d.passed, d.hasPassed = *p, true
	}
	p.Proto, p.SrcPort, p.DstPort = 0, 0, 0
}

// vxlan reads a VXLAN header (RFC 7348, 5):
//
//	reserved 4 bits, I 1, reserved 3 | reserved 3 | network identifier 3 | reserved 1
//
// I says that the identifier is valid, and must be set. An Ethernet frame follows.
func (p *Packet) vxlan(b []byte, n int) Class {
	const size, valid = 8, 0x08
	if len(b) < size {
		return noTunnel(n, size)
	}
	if b[0]&valid == 0 {
		return Counted
	}
	p.dig()
	p.wrap(TunnelEnds, uint64(binary.BigEndian.Uint32(b[4:])>>8))
	return p.bridged(b[size:], n-size)
}

// geneve reads a Geneve header (RFC 8926, 3.4):
//
//	version 2 bits, length of the options 6 | O 1 bit, C 1, reserved 6 | EtherType 2 |
//	network identifier 3 | reserved 1 | options, in units of 4 bytes
//
// O says that it is a control message.
func (p *Packet) geneve(b []byte, n int) Class {
	const control = 0x80
	if len(b) < 8 {
		return noTunnel(n, 8)
	}
	size := 8 + int(b[0]&0x3f)*4
	if b[0]>>6 != 0 || b[1]&control != 0 || n < size {
		return Counted
	}
	if len(b) < size {
		return Truncated
	}
	p.dig()
	p.wrap(TunnelEnds, uint64(binary.BigEndian.Uint32(b[4:])>>8))
	return p.etherType(binary.BigEndian.Uint16(b[2:]), b[size:], n-size)
}

// gtpu reads a GTP-U header of version 1 (3GPP TS 29.281, 5.1 and 5.2):
//
//	version 3 bits, protocol type 1, reserved 1, E 1, S 1, PN 1 | message type 1 |
//	length of what follows the first 8 bytes 2 | tunnel endpoint identifier 4 |
//	E, S or PN: sequence number 2, N-PDU number 1, type of the extension header 1
//
// and extension headers, if E is set, up to one after which none comes:
//
//	length in units of 4 bytes 1 | content | type of the next one 1
//
// A G-PDU carries a packet of a user. Its header does not say which kind: IP is
// told by its version, anything else (PPP, Ethernet) is not looked at.
func (p *Packet) gtpu(b []byte, n int) Class {
	const version1, gpdu, extension, any = 0x30, 255, 0x04, 0x07
	if len(b) < 8 {
		return noTunnel(n, 8)
	}
	flags, length := b[0], int(binary.BigEndian.Uint16(b[2:]))
	if flags&0xf0 != version1 || b[1] != gpdu || length > n-8 && !p.inFragment() {
		return Counted
	}
	n = min(n-8, length)
	b = b[8:min(len(b), 8+n)]
	if flags&any != 0 {
		if len(b) < 4 {
			return noTunnel(n, 4)
		}
		next := b[3]
		b, n = b[4:], n-4
		for flags&extension != 0 && next != 0 {
			if len(b) < 1 {
				return noTunnel(n, 1)
			}
			size := int(b[0]) * 4
			if size == 0 {
				return Counted
			}
			if len(b) < size {
				return noTunnel(n, size)
			}
			next = b[size-1]
			b, n = b[size:], n-size
		}
	}
	if len(b) < 1 {
		return noTunnel(n, 1)
	}
	switch b[0] >> 4 {
	case version4:
		p.dig()
		return p.ipv4(b, n)
	case version6:
		p.dig()
		return p.ipv6(b, n)
	}
	return Counted
}

// l2tp reads an L2TP header (RFC 2661, 3.1):
//
//	T 1 bit, L 1, reserved 2, S 1, reserved 1, O 1, P 1, reserved 4, version 4 |
//	L: length of all of it 2 | tunnel 2 | session 2 | S: sequence numbers 2 and 2 |
//	O: offset 2, and as many bytes
//
// T says that it is a control message; data are PPP in version 2.
func (p *Packet) l2tp(b []byte, n int) Class {
	const control, length, sequence, offset, version = 0x8000, 0x4000, 0x0800, 0x0200, 0x000f
	if len(b) < 2 {
		return noTunnel(n, 2)
	}
	flags := binary.BigEndian.Uint16(b)
	if flags&control == 0 && flags&version == 3 {
		return p.l2tpv3UDP(b, n)
	}
	if flags&control != 0 || flags&version != 2 || p.decoder.Tunnels&L2TP == 0 {
		return Counted
	}
	size := 6
	if flags&length != 0 {
		if len(b) < 4 {
			return noTunnel(n, 4)
		}
		whole := int(binary.BigEndian.Uint16(b[2:]))
		if whole > n && !p.inFragment() {
			return Counted
		}
		n = min(n, whole)
		b = b[:min(len(b), n)]
		size += 2
	}
	if flags&sequence != 0 {
		size += 4
	}
	if flags&offset != 0 {
		if len(b) < size+2 {
			return noTunnel(n, size+2)
		}
		size += 2 + int(binary.BigEndian.Uint16(b[size:]))
	}
	if len(b) < size || n == size {
		return noTunnel(n, size+1)
	}
	p.dig()
	return p.pppHDLC(b[size:], n-size)
}

// teredo reads what may stand before the IPv6 packet of a Teredo message (RFC 4380,
// 5.1.1), in this order:
//
//	authentication: 0x0001 | length of the identifier 1, of the value 1 | both |
//	nonce 8 | confirmation 1
//	origin indication: 0x0000 | port 2 | address 4
func (p *Packet) teredo(b []byte, n int) Class {
	const authentication, origin, ipv6Need = 1, 0, 40
	for want := authentication; want >= origin; want-- {
		if len(b) < 4 {
			return noTunnel(n, 4)
		}
		if int(binary.BigEndian.Uint16(b)) != want {
			continue
		}
		size := 8
		if want == authentication {
			size = 4 + int(b[2]) + int(b[3]) + 9
		}
		if len(b) < size {
			return noTunnel(n, size)
		}
		b, n = b[size:], n-size
	}
	if len(b) < ipv6Need {
		return noTunnel(n, ipv6Need)
	}
	if b[0]>>4 != version6 || ipv6Need+int(binary.BigEndian.Uint16(b[4:])) > n && !p.inFragment() {
		return Counted
	}
	p.dig()
	return p.ipv6(b, n)
}
