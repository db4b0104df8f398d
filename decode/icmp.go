package decode

// icmpNeed bytes of an ICMP message are needed: its header, up to and with what
// differs from type to type (RFC 792; RFC 4443, 2.1).
const icmpNeed = 8

// icmp reads the front of an ICMP or ICMPv6 message:
//
//	type 1 | code 1 | checksum 2 | 4 that depend on the type | …
//
// In place of ports stand, as in Community ID version 1
// (https://github.com/corelight/community-id-spec), the type and that of its
// counterpart, so that a request and its reply are of one flow; or the type and
// the code of a message without a counterpart, which is then of a flow that goes
// one way. Messages with an identifier are of one flow only if that is the same:
// its halves stand above the two types. What an error quotes has no say.
func (p *Packet) icmp(proto uint8, b []byte, n int) Class {
	if len(b) < icmpNeed {
		return short(n, icmpNeed)
	}
	p.SrcPort, p.DstPort = uint16(b[0]), uint16(b[1])
	p.OneWay = true
	if other, ok := counterpart(proto, b[0]); ok {
		p.DstPort, p.OneWay = uint16(other), false
		if identified(proto, b[0]) {
			p.identify(uint16(b[4])<<8, uint16(b[5])<<8)
		}
	}
	return p.counted(proto, b, n)
}

// identify puts the two halves of an identifier above the types, so that each
// stays with the same type in a message and in its answer.
func (p *Packet) identify(high, low uint16) {
	if p.SrcPort < p.DstPort {
		high, low = low, high
	}
	p.SrcPort |= high
	p.DstPort |= low
}

// identified reports whether messages of a type, which has a counterpart, have an
// identifier behind the checksum: of a program that sends requests.
func identified(proto, kind uint8) bool {
	if proto == protoICMP {
		return kind != 9 && kind != 10 // RFC 792; RFC 950, appendix I
	}
	return kind == 128 || kind == 129 || kind == 144 || kind == 145 // RFC 4443, 4; RFC 6275, 6.5 and 6.6
}

// Ports splits what a packet has in place of ports. Of ICMP and ICMPv6 it returns
// the type of a message, that of its counterpart or its code, and the identifier,
// 0 if there is none; the ports of other protocols it returns as they are.
func Ports(proto uint8, src, dst uint16) (srcPort, dstPort, identifier uint16) {
	if proto != protoICMP && proto != protoICMPv6 {
		return src, dst, 0
	}
	high, low := src, dst
	if src&0xff < dst&0xff {
		high, low = dst, src
	}
	return src & 0xff, dst & 0xff, high&0xff00 | low>>8
}

// TwoWay reports whether flows of an IP protocol, of which those of ICMP begin
// with a message of a type, have packets in both directions: whether that type
// has a counterpart.
func TwoWay(proto uint8, kind uint16) bool {
	if proto != protoICMP && proto != protoICMPv6 {
		return true
	}
	_, ok := counterpart(proto, uint8(kind))
	return ok
}

// counterpart returns the type of the messages that answer those of a type, or
// that those answer.
func counterpart(proto, kind uint8) (other uint8, ok bool) {
	if proto == protoICMP {
		switch kind {
		case 0, 8: // echo reply, echo (RFC 792)
			return 8 - kind, true
		case 9, 10: // router advertisement, solicitation (RFC 1256)
			return 19 - kind, true
		case 13, 14: // timestamp, its reply (RFC 792)
			return 27 - kind, true
		case 15, 16: // information request, reply (RFC 792)
			return 31 - kind, true
		case 17, 18: // address mask request, reply (RFC 950)
			return 35 - kind, true
		}
		return 0, false
	}
	switch kind {
	case 128, 129: // echo request, reply (RFC 4443)
		return 1 ^ kind, true
	case 130, 131: // multicast listener query, report (RFC 2710)
		return 1 ^ kind, true
	case 133, 134: // router solicitation, advertisement (RFC 4861)
		return 3 ^ kind, true
	case 135, 136: // neighbor solicitation, advertisement (RFC 4861)
		return 15 ^ kind, true
	case 139, 140: // node information query, response (RFC 4620)
		return 7 ^ kind, true
	case 144, 145: // home agent address discovery request, reply (RFC 6275)
		return 1 ^ kind, true
	}
	return 0, false
}
