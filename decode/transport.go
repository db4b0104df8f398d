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
		return short(n, tcpNeed)
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

// udp reads a UDP header (RFC 768):
//
//	source port 2 | destination port 2 | length 2 | checksum 2
//
// A length below the header's is malformed, but 0 is a jumbogram's in IPv6
// (RFC 2675, 4).
func (p *Packet) udp(b []byte, n int) Class {
	if len(b) < 8 {
		return short(n, 8)
	}
	if size := binary.BigEndian.Uint16(b[4:]); size < 8 && (size != 0 || !p.V6) {
		return Malformed
	}
	p.transport, p.size = int32(cap(b)), int32(n)
	p.SrcPort = binary.BigEndian.Uint16(b)
	p.DstPort = binary.BigEndian.Uint16(b[2:])
	p.Proto = protoUDP
	return Counted
}
