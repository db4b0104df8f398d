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
	// Src and Dst are the ports, of IPv4 below the addresses: address<<16 | port.
	Src, Dst uint64
	// Numbers are the sequence and the acknowledgment number of TCP,
	// sequence<<32 | acknowledgment.
	Numbers uint64
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

// What PlainIPv4 and PlainIPv6 need of a packet: the IP header and the front of
// one of TCP.
const (
	PlainIPv4Size = 20 + tcpNeed
	PlainIPv6Size = 40 + tcpNeed
)

// PlainFrame returns what stands behind the Ethernet header and a tag, 802.1Q, of a
// frame that may be plain, and how many bytes of it were on the wire; v6 tells
// whether that is to be given to PlainIPv6 or to PlainIPv4, and ok whether it is
// long enough for that.
func PlainFrame(linkType uint32, frame []byte, wireLen uint32) (ip []byte, n int, v6, ok bool) {
	const least = 14 + PlainIPv4Size
	if linkType != linkEthernet || uint(len(frame)-least) > math.MaxInt32-least {
		return nil, 0, false, false
	}
	t := binary.BigEndian.Uint16(frame[12:])
	ip = frame[14:]
	if t == etherVLAN {
		t = binary.BigEndian.Uint16(frame[16:])
		ip = frame[18:]
	}
	n = max(len(frame), int(min(wireLen, math.MaxInt32))) - (len(frame) - len(ip))
	switch t {
	case etherIPv4:
		return ip, n, false, len(ip) >= PlainIPv4Size
	case etherIPv6:
		return ip, n, true, len(ip) >= PlainIPv6Size
	}
	return nil, 0, false, false
}

// PlainUntagged returns what PlainFrame does, in fewer steps, for a frame that may
// be one of IPv4 without a tag, and nil for any other.
func PlainUntagged(linkType uint32, frame []byte) *[PlainIPv4Size]byte {
	const from, to = 14, 14 + PlainIPv4Size
	if linkType != linkEthernet || len(frame) < to || binary.LittleEndian.Uint16(frame[12:]) != etherIPv4>>8 {
		return nil
	}
	return (*[PlainIPv4Size]byte)(frame[from:to])
}

// PlainIPv4 reads the headers of a plain IPv4 packet of which n bytes were on the
// wire: what the ladder asks in many places is asked here at once.
func PlainIPv4(b *[PlainIPv4Size]byte, n int) (p Plain) {
	// version and header length | type of service | total length | identification |
	// fragment | time to live | protocol
	first, second := binary.BigEndian.Uint64(b[0:]), binary.BigEndian.Uint32(b[6:])
	if first>>56 != 0x45 || second&0x3fff_0000 != 0 {
		return p
	}
	n = min(n, int(first>>32&0xffff)) - 20
	says := second & 0xff << PlainProto
	switch {
	case says == protoTCP<<PlainProto && n >= tcpNeed:
		p.Numbers = binary.BigEndian.Uint64(b[24:])
		says |= plainControl(b[32], b[33], n)
	case says == protoUDP<<PlainProto && n >= 8 && binary.BigEndian.Uint16(b[24:]) >= 8:
		says |= PlainNoFlags
	default:
		return p
	}
	p.Src = uint64(binary.BigEndian.Uint32(b[12:]))<<16 | uint64(binary.BigEndian.Uint16(b[20:]))
	p.Dst = uint64(binary.BigEndian.Uint32(b[16:]))<<16 | uint64(binary.BigEndian.Uint16(b[22:]))
	p.Says = says
	return p
}

// PlainIPv6 is PlainIPv4 for IPv6.
func PlainIPv6(b *[PlainIPv6Size]byte, n int) (p Plain) {
	payload := int(binary.BigEndian.Uint16(b[4:]))
	if b[0]>>4 != version6 || payload == 0 {
		return p
	}
	n = min(n-40, payload)
	says := uint32(b[6])<<PlainProto | 1
	switch {
	case says == protoTCP<<PlainProto|1 && n >= tcpNeed:
		p.Numbers = binary.BigEndian.Uint64(b[44:])
		says |= plainControl(b[52], b[53], n)
	case says == protoUDP<<PlainProto|1 && n >= 8 && binary.BigEndian.Uint16(b[44:]) >= 8:
		says |= PlainNoFlags
	default:
		return p
	}
	p.Src, p.Dst = uint64(binary.BigEndian.Uint16(b[40:])), uint64(binary.BigEndian.Uint16(b[42:]))
	p.Says = says
	return p
}

// plainControl returns what the data offset and the control bits of a TCP segment
// of n bytes add to Plain.Says.
func plainControl(offset, flags byte, n int) uint32 {
	says := uint32(flags) << PlainFlags
	if n >= int(offset>>4)*4 {
		says |= PlainWhole
	}
	if flags == 0 || offset < 5<<4 {
		says |= PlainNoFlags
	}
	return says
}

// plain reads a frame if it is plain, and returns false if it has done nothing.
func (p *Packet) plain(linkType uint32, frame []byte, wireLen uint32) bool {
	if b := PlainUntagged(linkType, frame); b != nil && len(frame) <= math.MaxInt32 {
		return p.plainIPv4(b, len(frame)-14, max(len(frame), int(min(wireLen, math.MaxInt32)))-14)
	}
	b, n, v6, ok := PlainFrame(linkType, frame, wireLen)
	switch {
	case !ok:
		return false
	case v6:
		return p.plainIPv6((*[PlainIPv6Size]byte)(b), len(b), n)
	}
	return p.plainIPv4((*[PlainIPv4Size]byte)(b), len(b), n)
}

// plainIPv4 reads an IPv4 packet if it is plain; captured bytes of it are there, and
// n were on the wire.
func (p *Packet) plainIPv4(b *[PlainIPv4Size]byte, captured, n int) bool {
	is := PlainIPv4(b, n)
	if is.Says == 0 {
		return false
	}
	*p = Packet{}
	p.says(is)
	p.Src.Lo, p.Dst.Lo = is.Src>>16, is.Dst>>16
	p.network, p.transport = int32(captured), int32(captured-20)
	p.size = int32(min(n, int(binary.BigEndian.Uint16(b[2:]))) - 20)
	return true
}

// plainIPv6 is plainIPv4 for IPv6.
func (p *Packet) plainIPv6(b *[PlainIPv6Size]byte, captured, n int) bool {
	is := PlainIPv6(b, n)
	if is.Says == 0 {
		return false
	}
	*p = Packet{}
	p.says(is)
	p.V6 = true
	p.Src = Addr{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}
	p.Dst = Addr{binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[32:])}
	p.network, p.transport = int32(captured), int32(captured-40)
	p.size = int32(min(n-40, int(binary.BigEndian.Uint16(b[4:]))))
	return true
}

// says takes in what IPv4 and IPv6 have in common.
func (p *Packet) says(is Plain) {
	p.headers = 1
	p.Proto, p.RawFlags = uint8(is.Says>>PlainProto), uint8(is.Says>>PlainFlags)
	if is.Says&PlainNoFlags == 0 {
		p.Flags = p.RawFlags
	}
	p.Whole = is.Says&PlainWhole != 0
	p.Seq, p.Ack = uint32(is.Numbers>>32), uint32(is.Numbers)
	p.SrcPort, p.DstPort = uint16(is.Src), uint16(is.Dst)
}
