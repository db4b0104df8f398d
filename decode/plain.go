package decode

import (
	"encoding/binary"
	"math"
)

// A Plain is what the headers of a plain packet say. Plain is what makes up
// nearly all traffic: Ethernet with an 802.1Q tag or none; IPv4 without options,
// not a fragment, or IPv6 without extension headers; and TCP or UDP, whole as far
// as they are needed. Decode makes such a packet Counted. It has four fields,
// so that it is returned in registers.
type Plain struct {
	// Addrs are the addresses of IPv4, source<<32 | destination. Those of IPv6 are
	// read by PlainAddrs.
	Addrs uint64
	// Numbers are the sequence and the acknowledgment number of TCP,
	// sequence<<32 | acknowledgment.
	Numbers uint64
	// Ports are source<<16 | destination.
	Ports uint32
	// Says is the rest, in the places where flow tables have it: bit 0 for IPv6, the
	// protocol from PlainProto on, marks, and the control bits as they stand from
	// PlainFlags on. It is 0 if the packet is not plain.
	Says uint32
}

// Marks of Plain.Says, and where its numbers begin.
const (
	PlainProto   = 1
	PlainWhole   = 1 << 18 // Packet.Whole
	PlainNoFlags = 1 << 20 // Packet.Flags is 0
	PlainFlags   = 24
)

// What PlainIPv4 and PlainIPv6 need of a frame: the Ethernet header, that of IP and
// the front of one of TCP. A tag takes PlainTag bytes more.
const (
	PlainIPv4Size = ethernetSize + 20 + tcpNeed
	PlainIPv6Size = ethernetSize + 40 + tcpNeed
	PlainTag      = 4

	ethernetSize = 14
)

// PlainTagged tells whether a frame has an 802.1Q tag. Without its first PlainTag bytes
// it is read as one that has none, since nobody asks for the addresses of Ethernet.
func PlainTagged(frame *[PlainIPv4Size]byte) bool {
	return binary.LittleEndian.Uint16(frame[12:]) == etherVLAN>>8
}

// PlainIPv4 reads the headers of a plain frame of IPv4 without a tag, of which n bytes
// were on the wire: what the ladder asks in many places is asked here at once.
func PlainIPv4(frame *[PlainIPv4Size]byte, n int) (p Plain) {
	// EtherType | version and header length | type of service | total length |
	// identification | fragment | time to live | protocol, from the low end
	const ipv4, more = 0x45<<16 | etherIPv4>>8, 0xff3f
	if binary.LittleEndian.Uint32(frame[12:])&0xffffff != ipv4 || binary.LittleEndian.Uint16(frame[20:])&more != 0 {
		return p
	}
	n = min(n-ethernetSize, int(binary.BigEndian.Uint16(frame[16:]))) - 20
	b := (*[tcpNeed]byte)(frame[34:])
	switch {
	case frame[23] == protoTCP && n >= tcpNeed:
		p.Numbers = binary.BigEndian.Uint64(b[4:])
		p.Says = plainControl(b[12], b[13], n, protoTCP<<PlainProto)
	case frame[23] == protoUDP && n >= 8 && binary.BigEndian.Uint16(b[4:]) >= 8:
		p.Says = protoUDP<<PlainProto | PlainNoFlags
	default:
		return p
	}
	p.Addrs, p.Ports = binary.BigEndian.Uint64(frame[26:]), binary.BigEndian.Uint32(b[:])
	return p
}

// PlainIPv6 is PlainIPv4 for IPv6.
func PlainIPv6(frame *[PlainIPv6Size]byte, n int) (p Plain) {
	const ipv6, most = version6<<20 | etherIPv6&0xff<<8 | etherIPv6>>8, 0xf0ffff
	payload := int(binary.BigEndian.Uint16(frame[18:]))
	if binary.LittleEndian.Uint32(frame[12:])&most != ipv6 || payload == 0 {
		return p
	}
	n = min(n-ethernetSize-40, payload)
	b := (*[tcpNeed]byte)(frame[54:])
	switch {
	case frame[20] == protoTCP && n >= tcpNeed:
		p.Numbers = binary.BigEndian.Uint64(b[4:])
		p.Says = plainControl(b[12], b[13], n, protoTCP<<PlainProto|1)
	case frame[20] == protoUDP && n >= 8 && binary.BigEndian.Uint16(b[4:]) >= 8:
		p.Says = protoUDP<<PlainProto | PlainNoFlags | 1
	default:
		return p
	}
	p.Ports = binary.BigEndian.Uint32(b[:])
	return p
}

// PlainAddrs returns the addresses of a frame that PlainIPv6 has found plain.
func PlainAddrs(frame *[PlainIPv6Size]byte) (src, dst Addr) {
	b := (*[32]byte)(frame[22:])
	return Addr{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])}, Addr{binary.BigEndian.Uint64(b[16:]), binary.BigEndian.Uint64(b[24:])}
}

// plainControl adds the data offset and the control bits of a TCP segment of n bytes
// to Plain.Says.
func plainControl(offset, flags byte, n int, says uint32) uint32 {
	says |= uint32(flags)<<PlainFlags | PlainWhole
	if flags == 0 || offset < 5<<4 {
		says |= PlainNoFlags
	}
	if int(offset>>2&^3) > n {
		says &^= PlainWhole
	}
	return says
}

// plain reads a frame if it is plain, and returns false if it has done nothing.
func (p *Packet) plain(linkType uint32, frame []byte, wireLen uint32) bool {
	if linkType != linkEthernet || uint(len(frame)-PlainIPv4Size) > math.MaxInt32-PlainIPv4Size {
		return false
	}
	n := max(len(frame), int(min(wireLen, math.MaxInt32)))
	b := (*[PlainIPv4Size]byte)(frame)
	if PlainTagged(b) {
		if len(frame) < PlainTag+PlainIPv4Size {
			return false
		}
		frame, n = frame[PlainTag:], n-PlainTag
		b = (*[PlainIPv4Size]byte)(frame)
	}
	is := PlainIPv4(b, n)
	if is.Says == 0 {
		return p.plainIPv6(frame, n)
	}
	const header = 20
	*p = Packet{}
	p.Src.Lo, p.Dst.Lo = is.Addrs>>32, is.Addrs&math.MaxUint32
	p.says(is, len(frame)-ethernetSize, header)
	p.size = int32(min(n-ethernetSize, int(binary.BigEndian.Uint16(b[16:]))) - header)
	return true
}

// plainIPv6 is plain for a frame of IPv6 without a tag.
func (p *Packet) plainIPv6(frame []byte, n int) bool {
	if len(frame) < PlainIPv6Size {
		return false
	}
	b := (*[PlainIPv6Size]byte)(frame)
	is := PlainIPv6(b, n)
	if is.Says == 0 {
		return false
	}
	const header = 40
	*p = Packet{}
	p.V6 = true
	p.Src, p.Dst = PlainAddrs(b)
	p.says(is, len(frame)-ethernetSize, header)
	p.size = int32(min(n-ethernetSize-header, int(binary.BigEndian.Uint16(b[18:]))))
	return true
}

// says takes in what IPv4 and IPv6 have in common: so many bytes were captured from the
// header of IP on, which has so many.
func (p *Packet) says(is Plain, captured, header int) {
	p.headers = 1
	p.Proto, p.RawFlags = uint8(is.Says>>PlainProto), uint8(is.Says>>PlainFlags)
	if is.Says&PlainNoFlags == 0 {
		p.Flags = p.RawFlags
	}
	p.Whole = is.Says&PlainWhole != 0
	p.Seq, p.Ack = uint32(is.Numbers>>32), uint32(is.Numbers)
	p.SrcPort, p.DstPort = uint16(is.Ports>>16), uint16(is.Ports)
	p.network, p.transport = int32(captured), int32(captured-header)
}
