package legacy

import (
	"encoding/binary"

	"github.com/flowfast/flowfast/decode"
)

// A kind is a header that can lie on the way to a TCP or UDP header.
type kind uint8

const (
	nothing kind = iota // what follows is payload, or a header that leads nowhere
	ethernet
	vlan
	llc
	snap
	ipv4
	ipv6
	icmp
	l2tp
	ppp
	tcp
	udp
	kinds
)

// A header is where one was found in a frame.
type header struct {
	offset  int
	length  int // bytes of the header, 0 if there is none
	payload int // bytes behind it that count; below 0 if it is whole and reaches beyond them
}

// A scan finds the headers of a frame, from the outside in, as jNetPcap's
// scanner does (packet_jscanner.c, packet_protocol.c).
//
// The bytes that count are frame[:end]. They only become fewer, with each
// trailer that is found; when end is not above at the scan is over.
type scan struct {
	frame []byte
	end   int
	wire  int // bytes on the wire, less the trailers of 802.3
	at    int // offset of the header that is read
	above kind
	first [kinds]header // the outermost header of each kind
}

// A reading is what a header says of itself.
type reading struct {
	length  int  // bytes of the header, 0 if there is none
	trailer int  // bytes behind its payload
	whole   bool // is not cut to the bytes that count: it claims that its packet ends within
	next    kind // of the header behind it
}

// scan finds the headers of a frame of which wire bytes were on the wire, if
// it begins with a header of kind k.
func (s *scan) scan(frame []byte, wire int, k kind) {
	*s = scan{frame: frame, end: len(frame), wire: wire}
	for k != nothing && s.at < s.end {
		h := s.read(k)
		if h.length == 0 {
			return
		}
		s.record(k, &h)
		s.at += h.length
		s.above = k
		k = h.next
	}
}

func (s *scan) read(k kind) reading {
	b := s.frame[s.at:s.end]
	switch k {
	case ethernet:
		return s.ethernet(b)
	case vlan:
		return s.vlan(b)
	case llc:
		return s.llc(b)
	case snap:
		return s.snap(b)
	case ipv4:
		return s.ipv4(b)
	case ipv6:
		return s.ipv6(b)
	case icmp:
		return s.icmp(b)
	case l2tp:
		return s.l2tp(b)
	case ppp:
		return s.ppp(b)
	case tcp:
		return s.tcp(b)
	case udp:
		return s.udp(b)
	}
	return reading{}
}

// record notes a header. A record with more bytes than were on the wire is cut.
func (s *scan) record(k kind, h *reading) {
	s.wire -= h.trailer
	s.end = min(s.end, s.wire)
	if !h.whole {
		h.length = min(h.length, max(0, s.end-s.at))
	}
	if s.first[k].length == 0 {
		s.first[k] = header{offset: s.at, length: h.length, payload: s.end - s.at - h.length}
	}
}

// bytes returns the bytes of the outermost header of a kind, nil if there is
// none or not all of it in the frame.
func (s *scan) bytes(k kind) []byte {
	h := s.first[k]
	if h.length == 0 || h.offset+h.length > len(s.frame) {
		return nil
	}
	return s.frame[h.offset : h.offset+h.length]
}

// etherType is the kind of header that an EtherType announces.
func etherType(b []byte) kind {
	switch binary.BigEndian.Uint16(b) {
	case 0x0800:
		return ipv4
	case 0x86dd:
		return ipv6
	case 0x8100, 0x88a8, 0x9100:
		return vlan
	}
	return nothing
}

// minEtherType is where EtherTypes begin; below are lengths of IEEE 802.3.
const minEtherType = 0x600

func (s *scan) ethernet(b []byte) reading {
	if len(b) < 14 {
		return reading{}
	}
	n := int(binary.BigEndian.Uint16(b[12:]))
	if n >= minEtherType {
		return reading{length: 14, next: etherType(b[12:])}
	}
	// The length is taken for that of the whole frame, so the last 14 bytes of
	// the payload are taken for a trailer.
	return reading{length: 14, trailer: s.end - n, next: llc}
}

func (s *scan) vlan(b []byte) reading {
	if len(b) < 4 {
		return reading{}
	}
	if binary.BigEndian.Uint16(b[2:]) < minEtherType {
		return reading{length: 4, next: llc}
	}
	return reading{length: 4, next: etherType(b[2:])}
}

func (s *scan) llc(b []byte) reading {
	if len(b) < 4 {
		return reading{}
	}
	h := reading{length: 4}
	if b[2]&1 != 0 { // meant for unnumbered frames; supervisory ones have the bit too
		h.length = 3
	}
	if b[0] == 0xaa {
		h.next = snap
	}
	return h
}

func (s *scan) snap(b []byte) reading {
	if len(b) < 5 {
		return reading{}
	}
	if b[0]|b[1]|b[2] != 0 {
		return reading{length: 5}
	}
	return reading{length: 5, next: etherType(b[3:])}
}

// ipv4 reads an IPv4 header; the version is not looked at. Only directly below
// an Ethernet header the total length ends the packet; that of 0, of
// segmentation offload, ends it before it begins.
func (s *scan) ipv4(b []byte) reading {
	if len(b) < 20 {
		return reading{}
	}
	behind := s.at + int(binary.BigEndian.Uint16(b[2:]))
	if s.above == ethernet {
		s.end = min(s.end, behind)
	}
	fragment := binary.BigEndian.Uint16(b[6:])
	if fragment&0x2000 != 0 { // more fragments
		behind = s.end
	}
	h := reading{length: int(b[0]&0xf) * 4, whole: behind <= min(s.end, s.wire)}
	if fragment&0x1fff != 0 {
		return h
	}
	if h.next = protocol(b[9]); b[9] == 115 { // not below IPv6
		h.next = l2tp
	}
	return h
}

func protocol(number byte) kind {
	switch number {
	case 1:
		return icmp
	case 4:
		return ipv4
	case decode.TCP:
		return tcp
	case decode.UDP:
		return udp
	}
	return nothing
}

// ipv6 reads an IPv6 header with its extension headers. It can lead to IPv4.
func (s *scan) ipv6(b []byte) reading {
	if len(b) < 40 {
		return reading{}
	}
	h := reading{length: 40}
	next := b[6]
	for extension(next) {
		if len(b) < h.length+2 {
			return h
		}
		n := int(b[h.length+1])*8 + 8
		next = b[h.length]
		if s.at+n > len(b) { // not where the extension header ends, but as it is there
			return h
		}
		h.length += n
	}
	h.next = protocol(next)
	return h
}

func extension(number byte) bool {
	switch number {
	case 0, 43, 44, 50, 51, 60, 135:
		return true
	}
	return false
}

// icmp reads an ICMP header. Destination unreachable and parameter problem
// quote a packet.
func (s *scan) icmp(b []byte) reading {
	if len(b) < 4 {
		return reading{}
	}
	if b[0] == 3 || b[0] == 12 {
		return reading{length: 8, next: ipv4}
	}
	return reading{length: 8}
}

func (s *scan) tcp(b []byte) reading {
	if len(b) < 20 {
		return reading{}
	}
	return reading{length: int(b[12]>>4) * 4}
}

func (s *scan) udp(b []byte) reading {
	if len(b) < 8 {
		return reading{}
	}
	h := reading{length: 8}
	src, dst := binary.BigEndian.Uint16(b), binary.BigEndian.Uint16(b[2:])
	switch dst { // known ports of the destination come first
	case 1701:
		h.next = l2tp
	case 5004, 5005, 5060:
	default:
		if src == 1701 {
			h.next = l2tp
		}
	}
	return h
}

// l2tp reads an L2TP header (RFC 2661, 3.1): the fields length, Ns and Nr, and
// offset size are there if the bits L, S and O are set. Data, with the bit T
// clear, is in PPP frames.
func (s *scan) l2tp(b []byte) reading {
	if len(b) < 2 {
		return reading{}
	}
	h := reading{length: 6}
	if b[0]&0x40 != 0 {
		h.length += 2
	}
	if b[0]&0x08 != 0 {
		h.length += 4
	}
	if b[0]&0x02 != 0 {
		h.length += 4
	}
	if b[0]&0x80 == 0 {
		h.next = ppp
	}
	return h
}

// ppp reads a PPP header with address and control fields.
func (s *scan) ppp(b []byte) reading {
	if len(b) < 4 {
		return reading{}
	}
	h := reading{length: 4}
	switch binary.BigEndian.Uint16(b[2:]) {
	case 0x0021:
		h.next = ipv4
	case 0x0057:
		h.next = ipv6
	}
	return h
}
