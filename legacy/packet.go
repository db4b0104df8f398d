package legacy

import (
	"encoding/binary"

	"github.com/flowfast/flowfast/decode"
)

// A key is what the packets of a flow have in common, as the first of them has
// it (FlowGenerator: fwdFlowId, bwdFlowId).
type key struct {
	src, dst         uint32
	srcPort, dstPort uint16
	protocol         uint8
}

func (k key) swapped() key {
	k.src, k.dst = k.dst, k.src
	k.srcPort, k.dstPort = k.dstPort, k.srcPort
	return k
}

// A packet is what counts of a packet (BasicPacketInfo). Of one that is neither
// TCP nor UDP that is only its addresses; its protocol is 0.
type packet struct {
	key
	flags   uint8
	window  uint16
	time    int64 // microseconds since the epoch
	header  int   // bytes of the TCP or UDP header
	payload int   // bytes behind it
}

// read reads a frame of which so many bytes were on the wire, at a time in
// nanoseconds since the epoch, and reports whether it found an IPv4 header
// (PacketReader: nextPacket). A frame without one that can be read is read a
// second time, as if it began with an IPv4 header; the L2TP header that the
// original looks for first, in its getVPNInfo, is found in any 2 bytes.
func (p *packet) read(frame []byte, length int, at int64) bool {
	var s scan
	s.scan(frame, length, ethernet)
	ok := p.from(&s)
	if !ok {
		s.scan(frame, length, ipv4)
		ok = p.from(&s)
	}
	p.time = microseconds(at)
	return ok
}

// microseconds cuts nanoseconds down, as libpcap does: to the earlier one.
func microseconds(ns int64) int64 {
	t := ns / 1000
	if ns%1000 < 0 {
		t--
	}
	return t
}

// from takes the packet from the headers of a frame (PacketReader:
// getIpv4Info): the addresses of the outermost IPv4 header, the rest of the
// outermost TCP header, or else UDP header, be they below it or not. It returns
// false if there is no IPv4 header, or if the original would read beyond one of
// the headers, which ends in an exception there.
func (p *packet) from(s *scan) bool {
	*p = packet{}
	b := s.bytes(ipv4)
	if len(b) < 20 || !ipv4Options(b) {
		return false
	}
	p.src = binary.BigEndian.Uint32(b[12:])
	p.dst = binary.BigEndian.Uint32(b[16:])
	if s.first[tcp].length > 0 {
		return p.tcp(s.bytes(tcp), s.first[tcp].payload)
	}
	if b := s.bytes(udp); b != nil {
		p.ports(b)
		p.protocol = decode.UDP
		p.header, p.payload = len(b), s.first[udp].payload
	}
	return true
}

func (p *packet) ports(b []byte) {
	p.srcPort = binary.BigEndian.Uint16(b)
	p.dstPort = binary.BigEndian.Uint16(b[2:])
}

// tcp takes what counts of a TCP header.
func (p *packet) tcp(b []byte, payload int) bool {
	if len(b) < 16 || !tcpOptions(b) {
		return false
	}
	p.ports(b)
	p.protocol = decode.TCP
	p.flags = b[13]
	p.window = binary.BigEndian.Uint16(b[14:])
	p.header, p.payload = len(b), payload
	return true
}

// ipv4Options reports whether jNetPcap's Ip4.decodeHeader comes to the end of
// the options of a header without reading beyond it. The step over an option is
// one byte too long there, so it often reads the middle of options.
func ipv4Options(b []byte) bool {
	end := int(b[0]&0xf) * 4
	for i := 20; i < end; i++ {
		if i >= len(b) {
			return false
		}
		switch code := b[i] & 0x1f; code {
		case 0: // end of options
			return true
		case 1: // no operation
		case 22, 26, 27, 28, 29, 30, 31: // unknown, and the end
			return true
		default:
			if i+1 >= len(b) {
				return false
			}
			i += int(b[i+1])
		}
	}
	return true
}

// tcpOptions reports whether jNetPcap's Tcp.decodeHeader reads the options of a
// header without reading beyond it. It never comes further than the first one.
func tcpOptions(b []byte) bool {
	if b[12]>>4 <= 5 {
		return true
	}
	if len(b) <= 20 {
		return false
	}
	return b[20] <= 1 || len(b) > 21
}
