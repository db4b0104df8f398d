package decode

import "encoding/binary"

// tcpNeed bytes of a TCP header are needed: up to and with the window, as
// Wireshark reads it before it gives the segment to a stream.
const tcpNeed = 16

// tcp reads the front of a TCP header (RFC 9293, 3.1):
//
//	source port 2 | destination port 2 | sequence number 4 | acknowledgment number 4 |
//	data offset 4 bits, reserved 4, control bits 8 | window 2 | …
//
// A header whose data offset is below the least possible ends there for
// Wireshark, after the numbers and before the control bits: the segment belongs
// to its stream, and shows no flags.
func (p *Packet) tcp(b []byte, n int) Class {
	if len(b) < tcpNeed {
		return p.shortTCP(b, n)
	}
	if p.FirstFragment {
		p.HeaderEnd = uint16(p.transport) - uint16(cap(b)) + headerLen(b[12]) // transport is the datagram's still
	}
	p.transport, p.size = int32(cap(b)), int32(n)
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	p.Seq = binary.BigEndian.Uint32(b[4:])
	p.Ack = binary.BigEndian.Uint32(b[8:])
	p.RawFlags = b[13]
	if b[12] >= 5<<4 {
		p.Flags = b[13]
	}
	p.Proto = protoTCP
	p.Whole = !p.fragmented && n >= int(b[12]>>4)*4
	return Counted
}

// headerLen returns the length of a TCP header by the byte that has its data offset: 0
// where that is below the least.
func headerLen(b byte) uint16 {
	if b>>4 < 5 {
		return 0
	}
	return uint16(b>>4) * 4
}

// shortTCP reads the front of a TCP header of which less than needed was
// captured. A first fragment may have so little of it (RFC 791, 3.2: fragments
// are cut at any 8 bytes): its ports are enough, and the control bits are left
// to a later fragment.
func (p *Packet) shortTCP(b []byte, n int) Class {
	const ports, number = 4, 8
	p.Proto = protoTCP
	if !p.FirstFragment || n >= tcpNeed {
		return short(n, tcpNeed)
	}
	if len(b) < ports {
		return short(n, ports)
	}
	start := uint16(p.transport) - uint16(cap(b)) // in the datagram, as transport is of that still
	p.At, p.HeaderEnd = start+controlWord, start+20
	p.transport, p.size = int32(cap(b)), int32(n)
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	if len(b) >= number {
		p.Seq = binary.BigEndian.Uint32(b[4:])
	}
	return Counted
}

// controlWord is where in a TCP header the data offset, the control bits and the
// window stand, 4 bytes.
const controlWord = 12

// Control returns the control bits of a TCP header whose data offset stands at a
// place of the datagram, in bytes, as RawFlags and Flags have them, and where the header
// ends; false if they are not in the first 8 bytes of the Fragment: where fragments do
// not overlap, those have what a first one lacks.
func (p *Packet) Control(at uint16) (raw, flags uint8, end uint16, ok bool) {
	const wordLen = 4
	i := int(at) - int(p.At)
	if i != 0 && i != wordLen || i+wordLen > int(p.front) {
		return 0, 0, 0, false
	}
	word := p.Seq
	if i > 0 {
		word = p.Ack
	}
	if raw = uint8(word >> 16); word>>24 >= 5<<4 {
		flags = raw
	}
	return raw, flags, at - controlWord + headerLen(uint8(word>>24)), true
}

// udp reads a UDP header (RFC 768):
//
//	source port 2 | destination port 2 | length 2 | checksum 2
//
// A length below the header's is malformed, but 0 is a jumbogram's in IPv6
// (RFC 2675, 4).
func (p *Packet) udp(b []byte, n int) Class {
	if len(b) < 8 {
		p.Proto = protoUDP
		return short(n, 8)
	}
	if size := binary.BigEndian.Uint16(b[4:]); size < 8 && (size != 0 || !p.V6) {
		p.Proto = protoUDP
		return Malformed
	}
	p.transport, p.size = int32(cap(b)), int32(n)
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	p.Proto = protoUDP
	return Counted
}

// What is needed of other transport headers.
const (
	sctpNeed    = 12 // the common header (RFC 9260, 3.1)
	dccpNeed    = 12 // the generic header without extended numbers (RFC 4340, 5.1)
	udpLiteNeed = 8  // all of it (RFC 3828, 3.1)
	espNeed     = 8  // up to and with the sequence number (RFC 4303, 2)
	ahNeed      = 12 // what is always there (RFC 4302, 2)
)

// other reads the header of an IP protocol that is neither TCP nor UDP and
// carries nothing that is looked into.
func (p *Packet) other(proto uint8, b []byte, n int) Class {
	if p.decoder == nil || !p.decoder.wants(proto) {
		p.Unread = Unread{IPProtocol, uint16(proto)}
		return OtherProtocol
	}
	switch proto {
	case protoICMP, protoICMPv6:
		return p.icmp(proto, b, n)
	case protoSCTP:
		return p.ported(proto, b, n, sctpNeed)
	case protoDCCP:
		return p.ported(proto, b, n, dccpNeed)
	case protoUDPLite:
		// The checksum's coverage stands where UDP has its length: 0 is all, and 1
		// to 7 would not cover the header.
		if len(b) >= udpLiteNeed && b[4] == 0 && b[5] > 0 && b[5] < udpLiteNeed {
			return Malformed
		}
		return p.ported(proto, b, n, udpLiteNeed)
	case protoESP:
		if len(b) < espNeed {
			return short(n, espNeed)
		}
		p.spi(b)
	case protoNone:
		if p.decoder.hasPassed { // it is what has no next header
			return OtherProtocol
		}
	}
	return p.counted(proto, b, n)
}

// ported reads a header that begins with the ports, of which need bytes are
// needed.
func (p *Packet) ported(proto uint8, b []byte, n, need int) Class {
	if len(b) < need {
		return short(n, need)
	}
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	return p.counted(proto, b, n)
}

// spi takes the security parameters index at the front of b for the ports: its
// upper half is the source's, its lower half the destination's. It names an
// association that goes one way (RFC 4301, 4.1).
func (p *Packet) spi(b []byte) {
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	p.OneWay = true
}

// counted makes a packet one of a flow of an IP protocol.
func (p *Packet) counted(proto uint8, b []byte, n int) Class {
	p.transport, p.size = int32(cap(b)), int32(n)
	p.Proto = proto
	return Counted
}
