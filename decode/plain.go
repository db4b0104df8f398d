package decode

import (
	"encoding/binary"
	"math"
)

// A Layout says where the headers of a plain frame stand. Plain is what makes
// up nearly all traffic: Ethernet with an 802.1Q tag or none; IPv4 without
// options, not a fragment, or IPv6 without extension headers; and TCP or UDP,
// of which all that is needed was captured. Decode makes such a frame Counted.
type Layout struct {
	Network, Transport int   // where the IP and the transport header begin in the frame
	Size               int   // bytes of the datagram from the transport header on, on the wire
	Proto              uint8 // TCP or UDP; 0 if the frame is not plain
}

// V6 reports whether the IP header is one of IPv6.
func (l Layout) V6() bool { return l.Transport-l.Network == ipv6Size }

// TCP reports whether the transport header is one of TCP.
func (l Layout) TCP() bool { return l.Proto == protoTCP }

const (
	ethernetSize = 14
	tagSize      = 4
	ipv4Size     = 20
	ipv6Size     = 40
	udpSize      = 8
)

// PlainLayout returns the layout of a frame if that is plain: what Decode takes
// link type, frame and wireLen for. All that it takes is asked here, in one go
// and at places that are known, and not the rungs of the ladder one after the
// other; of a plain frame the bytes from Transport on are at least 16 for TCP and
// 8 for UDP.
func PlainLayout(linkType uint32, frame []byte, wireLen uint32) (l Layout) {
	const least, most = ethernetSize + ipv4Size + udpSize, math.MaxInt32
	if linkType != linkEthernet || uint(len(frame)-least) > most-least {
		return l
	}
	network, t := ethernetSize, binary.BigEndian.Uint16(frame[12:])
	if t == etherVLAN {
		network, t = network+tagSize, binary.BigEndian.Uint16(frame[16:])
	}
	b := frame[network:]
	n := max(len(frame), int(min(wireLen, most))) - network
	size := ipv4Size
	var proto uint8
	var ports []byte
	switch {
	case t == etherIPv4 && len(b) >= ipv4Size+udpSize:
		total := int(binary.BigEndian.Uint16(b[2:]))
		if b[0] != 0x45 || binary.BigEndian.Uint16(b[6:])&0x3fff != 0 || total < ipv4Size {
			return l
		}
		n, proto, ports = min(n, total), b[9], b[ipv4Size:]
	case t == etherIPv6 && len(b) >= ipv6Size+udpSize:
		payload := int(binary.BigEndian.Uint16(b[4:]))
		if b[0]>>4 != 6 || payload == 0 {
			return l
		}
		size = ipv6Size
		n, proto, ports = min(n, ipv6Size+payload), b[6], b[ipv6Size:]
	default:
		return l
	}
	n -= size
	switch have := min(n, len(ports)); {
	case proto == protoTCP && have >= tcpNeed:
	case proto == protoUDP && have >= udpSize && binary.BigEndian.Uint16(ports[4:]) >= udpSize:
	default:
		return l
	}
	return Layout{network, network + size, n, proto}
}

// plain reads a frame that has the layout.
func (p *Packet) plain(frame []byte, l Layout) {
	*p = Packet{}
	b := frame[l.Network:]
	p.network, p.transport, p.size = int32(len(b)), int32(len(frame)-l.Transport), int32(l.Size)
	p.headers = 1
	p.Proto = l.Proto
	if l.V6() {
		h := (*[ipv6Size]byte)(b)
		p.V6 = true
		p.Src = Addr{binary.BigEndian.Uint64(h[8:]), binary.BigEndian.Uint64(h[16:])}
		p.Dst = Addr{binary.BigEndian.Uint64(h[24:]), binary.BigEndian.Uint64(h[32:])}
	} else {
		h := (*[ipv4Size]byte)(b)
		p.Src.Lo = uint64(binary.BigEndian.Uint32(h[12:]))
		p.Dst.Lo = uint64(binary.BigEndian.Uint32(h[16:]))
	}
	b = frame[l.Transport:]
	if !l.TCP() {
		h := (*[udpSize]byte)(b)
		p.SrcPort, p.DstPort = binary.BigEndian.Uint16(h[0:]), binary.BigEndian.Uint16(h[2:])
		return
	}
	h := (*[tcpNeed]byte)(b)
	p.SrcPort, p.DstPort = binary.BigEndian.Uint16(h[0:]), binary.BigEndian.Uint16(h[2:])
	p.Seq, p.Ack = binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
	p.RawFlags = h[13]
	if h[12] >= 5<<4 {
		p.Flags = h[13]
	}
	p.Whole = l.Size >= int(h[12]>>4)*4
}
