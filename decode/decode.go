// Package decode reads the headers of one packet from the outside in, down to
// TCP or UDP, and says which class the packet is in.
//
// The way of a packet is one ladder:
//
//	Decode       the link type
//	 └─ ethernet, cooked, null, ppp, …      a link header, with its tags and labels
//	     └─ etherType                       what a link header carries
//	         └─ ipv4, ipv6                  addresses, fragmentation
//	             └─ protocol                extension headers; IP in IP and GRE go back up
//	                 └─ tcp, udp, icmp, …   ports or what stands for them, control bits
//
// Plain frames, nearly all of most traffic, are told at the foot of it and read in
// one step, see [Plain]: what is said of them there is what the ladder says.
//
// Every rung takes the captured bytes from its header on, b, and the number of
// bytes that stood there on the wire, n ≥ len(b). Bytes that are in n but not in
// b were cut by the snap length: a header that needs them is Truncated. A header
// that needs more than n is Malformed.
//
// The first TCP or UDP header ends the way, with the addresses of the IP header
// directly above it. What a UDP tunnel carries is not looked at, and packets of
// other protocols have no flows, unless a [Decoder] is asked for them.
//
// Where headers are odd the package does what Wireshark 4.0 does. It differs
// where Wireshark remembers earlier packets (802.11 frames in fragments, PPI's
// aggregates, the sessions of L2TPv3), asks its list of manufacturers (Ethernet
// below an MPLS label), or looks into options that are of no use here. The
// encapsulations that are read are listed in docs/encapsulations.md.
package decode

import (
	"encoding/binary"
	"math"
)

// LinkEthernet is the LINKTYPE_ number of Ethernet.
const LinkEthernet = 1

// The other link types that Decode knows, by their LINKTYPE_ numbers
// (https://www.tcpdump.org/linktypes.html).
const (
	linkNull      = 0 // BSD loopback, family in the capturing host's byte order
	linkPPP       = 9
	linkRaw12     = 12  // raw IP as most systems number DLT_RAW
	linkRaw14     = 14  // raw IP as OpenBSD does
	linkPPPHDLC   = 50  // PPP in HDLC-like framing
	linkRaw       = 101 // raw IP
	linkCiscoHDLC = 104
	linkIEEE80211 = 105
	linkLoop      = 108 // OpenBSD loopback, family in network byte order
	linkCooked    = 113 // Linux cooked v1
	linkRadiotap  = 127
	linkPPI       = 192
	linkIPv4      = 228
	linkIPv6      = 229
	linkCooked2   = 276 // Linux cooked v2
)

// Chains of headers are followed this far; a packet with a longer one is
// Malformed. No honest packet comes near: two or three of each is common.
const (
	maxTags       = 20 // VLAN tags in a row
	maxLabels     = 32 // MPLS labels in one stack
	maxExtensions = 32 // extension headers, AH among them, after one IP header
	maxHeaders    = 16 // IP headers, the flow's own included
	maxFrames     = 16 // Ethernet and PPI headers inside others
	// A UDP tunnel needs no count of its own: an IP header stands in each.
)

// Decode resets p and reads the headers of one frame. linkType is the
// LINKTYPE_ number of the interface (its low 26 bits, where a file keeps more in
// the same word), frame the captured bytes and wireLen the frame's original
// length. It sets p.Class and returns it: any class but OrphanFragment. A frame
// of an unknown link type is NotIP.
//
// The frame is not kept, no input makes Decode panic or loop, and it allocates
// nothing. Calls on different Packets may run at the same time.
func (p *Packet) Decode(linkType uint32, frame []byte, wireLen uint32) Class {
	// A usual packet of TCP in IPv4 is read here, so that what it takes is not spread over
	// calls: see plainIPv4 for the rest.
	if n := len(frame); linkType == LinkEthernet && n >= PlainIPv4Len && n <= math.MaxInt32 {
		b := (*PlainIPv4)(frame)
		size := b.Payload(max(int64(n), int64(wireLen)))
		if t := b.Transport(); t.Usual(size) && b[23] == protoTCP {
			*p = Packet{}
			addrs, ports, flags := binary.BigEndian.Uint64(b[26:]), binary.BigEndian.Uint32(t[0:]), t[13]
			p.Src.Lo, p.Dst.Lo = addrs>>32, addrs&math.MaxUint32
			p.SrcPort, p.DstPort = uint16(ports>>16), uint16(ports)
			p.Seq, p.Ack = binary.BigEndian.Uint32(t[4:]), binary.BigEndian.Uint32(t[8:])
			p.Proto, p.Flags, p.RawFlags, p.Whole, p.headers = protoTCP, flags, flags, true, 1
			p.network, p.transport, p.size = int32(n-ethernetLen), int32(n-ethernetLen-ipv4Len), int32(size)
			return Counted
		}
	}
	if p.plain(linkType, frame, wireLen) {
		return Counted
	}
	return p.climb(linkType, frame, wireLen)
}

// climb is Decode by way of the ladder, for any frame.
func (p *Packet) climb(linkType uint32, frame []byte, wireLen uint32) Class {
	*p = Packet{}
	frame = clip(frame)
	// A record with more bytes than it says were on the wire is believed.
	n := max(len(frame), int(min(wireLen, math.MaxInt32)))
	c := p.link(linkType, frame, n)
	p.Class = c
	if c != Counted {
		p.FirstFragment = false
	}
	return c
}

// clip makes a slice end where the frame does, so that the capacity of a part of it
// says where that begins, in 31 bits: what is beyond 2 GiB is no frame's.
func clip(frame []byte) []byte {
	n := min(len(frame), math.MaxInt32)
	return frame[:n:n]
}

// link reads a frame of a link type.
func (p *Packet) link(linkType uint32, b []byte, n int) Class {
	switch linkType {
	case LinkEthernet:
		return p.ethernet(b, n)
	case linkCooked:
		return p.cooked(b, n)
	case linkCooked2:
		return p.cooked2(b, n)
	case linkRaw, linkRaw12, linkRaw14:
		return p.raw(b, n)
	case linkIPv4:
		return p.ipv4(b, n)
	case linkIPv6:
		return p.ipv6(b, n)
	case linkNull:
		return p.null(b, n)
	case linkLoop:
		return p.loop(b, n)
	case linkPPP, linkPPPHDLC:
		return p.pppHDLC(b, n)
	case linkCiscoHDLC:
		return p.ciscoHDLC(b, n)
	case linkIEEE80211:
		return p.wifi(b, n, false)
	case linkRadiotap:
		return p.radiotap(b, n)
	case linkPPI:
		return p.ppi(b, n)
	}
	return p.rarer(linkType, b, n)
}

// KnownLinkType reports whether Decode can read frames of the link type.
func KnownLinkType(linkType uint32) bool {
	switch linkType {
	case linkNull, LinkEthernet, linkPPP, linkRaw12, linkRaw14, linkPPPHDLC, linkRaw, linkCiscoHDLC, linkIEEE80211,
		linkLoop, linkCooked, linkRadiotap, linkPPI, linkIPv4, linkIPv6, linkCooked2:
		return true
	}
	return rareLinkType(linkType)
}

// short is the class of a packet that ends inside a header of which need bytes
// are needed: n bytes of it were on the wire, fewer than need were captured.
func short(n, need int) Class {
	if n < need {
		return Malformed
	}
	return Truncated
}

// unknown is the class of a packet with a header that leads nowhere: whether it
// is IP depends on what stood above.
func (p *Packet) unknown() Class {
	if p.headers > 0 {
		return OtherProtocol
	}
	return NotIP
}
