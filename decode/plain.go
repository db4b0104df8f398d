package decode

import (
	"encoding/binary"
	"math"
)

// A frame is plain if it is what makes up nearly all traffic: Ethernet with an 802.1Q
// tag or none; IPv4 without options, not a fragment, or IPv6 without extension headers;
// and TCP or UDP, whole as far as they are needed. Decode makes such a packet Counted.
// What stands below is small, to be compiled into whoever reads plain frames.

// What is needed of a plain frame: the Ethernet header, that of IP and the front of one
// of TCP. A tag makes it PlainTagLen longer; without as many of its first bytes such a
// frame is read as one that has none, since nobody asks for the addresses of Ethernet.
const (
	PlainIPv4Len = ethernetLen + ipv4Len + tcpNeed
	PlainIPv6Len = ethernetLen + ipv6Len + tcpNeed
	PlainTagLen  = 4

	ethernetLen = 14
	ipv4Len     = 20
	ipv6Len     = 40
)

type (
	// A PlainIPv4 is the front of a frame that may be plain, of IPv4 or any other.
	PlainIPv4 [PlainIPv4Len]byte
	// A PlainIPv6 is the same, of IPv6 or any other.
	PlainIPv6 [PlainIPv6Len]byte
	// A PlainTransport is the front of a header of TCP, or a header of UDP.
	PlainTransport [tcpNeed]byte
)

// A Plain says what a plain frame's transport header does, in the places where flow
// tables have it: the protocol from PlainProto on, marks, and the control bits as they
// stand from PlainFlags on.
type Plain uint32

// Marks of a Plain, and where its numbers begin.
const (
	PlainProto   = 1
	PlainWhole   = 1 << 18 // Packet.Whole
	PlainNoFlags = 1 << 20 // Packet.Flags is 0, whatever the control bits
	PlainFlags   = 24
)

// Tagged tells whether the frame has a tag, 802.1Q.
func (b *PlainIPv4) Tagged() bool {
	return binary.LittleEndian.Uint16(b[12:]) == etherVLAN>>8
}

// Payload returns how many of n bytes of the frame on the wire are behind the header of
// IPv4, and a negative number if that is not plain: what the ladder asks in many places
// is asked here at once.
func (b *PlainIPv4) Payload(n int64) int64 {
	// EtherType | version and header length | type of service | total length |
	// identification | fragment | time to live | protocol, from the low end
	const ipv4, whole = 0x45<<16 | etherIPv4>>8, 0xff3f
	if binary.LittleEndian.Uint32(b[12:])&0xffffff != ipv4 || binary.LittleEndian.Uint16(b[20:])&whole != 0 {
		return -1
	}
	return min(n-ethernetLen, int64(binary.BigEndian.Uint16(b[16:]))) - ipv4Len
}

// Transport returns what stands behind the header of IPv4.
func (b *PlainIPv4) Transport() *PlainTransport { return (*PlainTransport)(b[ethernetLen+ipv4Len:]) }

// Addrs returns the addresses, source<<32 | destination.
func (b *PlainIPv4) Addrs() uint64 { return binary.BigEndian.Uint64(b[26:]) }

// Proto returns the protocol.
func (b *PlainIPv4) Proto() uint8 { return b[23] }

// Payload is that of IPv6.
func (b *PlainIPv6) Payload(n int64) int64 {
	const ipv6, most = version6<<20 | etherIPv6&0xff<<8 | etherIPv6>>8, 0xf0ffff
	if binary.LittleEndian.Uint32(b[12:])&most != ipv6 {
		return -1
	}
	return min(n-ethernetLen-ipv6Len, int64(binary.BigEndian.Uint16(b[18:])))
}

// Transport returns what stands behind the header of IPv6.
func (b *PlainIPv6) Transport() *PlainTransport { return (*PlainTransport)(b[ethernetLen+ipv6Len:]) }

// Addrs returns the addresses.
func (b *PlainIPv6) Addrs() (src, dst Addr) {
	return Addr{binary.BigEndian.Uint64(b[22:]), binary.BigEndian.Uint64(b[30:])}, Addr{binary.BigEndian.Uint64(b[38:]), binary.BigEndian.Uint64(b[46:])}
}

// Proto returns the protocol.
func (b *PlainIPv6) Proto() uint8 { return b[20] }

// Usual tells whether a header of TCP has the length of one, and all of it is in n bytes
// of payload of IP.
func (b *PlainTransport) Usual(n int64) bool {
	const least = 20
	return n >= least && uint64(b[12]>>2&^3)-least <= uint64(n-least)
}

// TCP returns what the header says as one of TCP that is usual.
func (b *PlainTransport) TCP() Plain {
	return protoTCP<<PlainProto | PlainWhole | Plain(b[13])<<PlainFlags
}

// UnusualTCP is TCP for a header that is not usual, and 0 if it is not plain. It is seldom
// called, and compiled in it keeps registers from what is done for each frame.
//
//go:noinline
func (b *PlainTransport) UnusualTCP(n int64) Plain {
	if n < tcpNeed {
		return 0
	}
	says := protoTCP<<PlainProto | Plain(b[13])<<PlainFlags
	if b[12] < 5<<4 && b[13] != 0 {
		says |= PlainNoFlags
	}
	if n >= int64(b[12]>>2&^3) {
		says |= PlainWhole
	}
	return says
}

// UDP tells whether a header of UDP in front of n bytes of payload of IP is plain. It says
// no more than its protocol.
func (b *PlainTransport) UDP(n int64) bool {
	return n >= 8 && binary.BigEndian.Uint16(b[4:]) >= 8
}

// Ports returns source<<16 | destination.
func (b *PlainTransport) Ports() uint32 { return binary.BigEndian.Uint32(b[0:]) }

// Numbers returns the sequence and the acknowledgment number of TCP.
func (b *PlainTransport) Numbers() (seq, ack uint32) {
	return binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
}

// TakesPlain tells whether the decoder makes the same of a plain frame, one without a
// tag if it notes the encapsulation, as [Packet.Decode].
func (d *Decoder) TakesPlain() bool {
	return d == nil || d.Tunnels == 0 && d.Protocols.Has(protoTCP) && d.Protocols.Has(protoUDP) &&
		!d.Portless.in(protoTCP) && !d.Portless.in(protoUDP)
}

// plain reads a frame if it is plain, and returns false if it has done nothing.
func (p *Packet) plain(linkType uint32, frame []byte, wireLen uint32) bool {
	captured := len(frame)
	if linkType != LinkEthernet || uint(captured-PlainIPv4Len) > math.MaxInt32-PlainIPv4Len {
		return false
	}
	n := max(int64(captured), int64(min(wireLen, math.MaxInt32)))
	b := (*PlainIPv4)(frame)
	if b.Tagged() {
		frame, captured, n = frame[PlainTagLen:], captured-PlainTagLen, n-PlainTagLen
		if captured < PlainIPv4Len {
			return false
		}
		b = (*PlainIPv4)(frame)
	}
	size := b.Payload(n)
	if size < 0 {
		return p.plainIPv6(frame, n)
	}
	if !p.plainTransport(b.Transport(), b.Proto(), size) {
		return false
	}
	addrs := b.Addrs()
	p.Src.Lo, p.Dst.Lo = addrs>>32, addrs&math.MaxUint32
	p.network, p.transport, p.size = int32(captured-ethernetLen), int32(captured-ethernetLen-ipv4Len), int32(size)
	return true
}

// plainIPv6 is plain for a frame of IPv6 without a tag.
func (p *Packet) plainIPv6(frame []byte, n int64) bool {
	captured := len(frame)
	if captured < PlainIPv6Len {
		return false
	}
	b := (*PlainIPv6)(frame)
	size := b.Payload(n)
	if !p.plainTransport(b.Transport(), b.Proto(), size) {
		return false
	}
	p.V6 = true
	p.Src, p.Dst = b.Addrs()
	p.network, p.transport, p.size = int32(captured-ethernetLen), int32(captured-ethernetLen-ipv6Len), int32(size)
	return true
}

// plainTransport resets p to what the header of a protocol says, if it is plain.
func (p *Packet) plainTransport(b *PlainTransport, proto uint8, n int64) bool {
	var says Plain
	switch proto {
	case protoTCP:
		if says = b.TCP(); !b.Usual(n) {
			if says = b.UnusualTCP(n); says == 0 {
				return false
			}
		}
		*p = Packet{}
		p.Seq, p.Ack = b.Numbers()
		p.RawFlags, p.Whole = b[13], says&PlainWhole != 0
		if says&PlainNoFlags == 0 {
			p.Flags = b[13]
		}
	case protoUDP:
		if !b.UDP(n) {
			return false
		}
		*p = Packet{}
	default:
		return false
	}
	p.headers, p.Proto = 1, proto
	ports := b.Ports()
	p.SrcPort, p.DstPort = uint16(ports>>16), uint16(ports)
	return true
}
