package decode

import "math"

// A Decoder decodes packets as [Packet.Decode] does, but has flows of other IP
// protocols too, looks into UDP tunnels, or notes the encapsulation. Its fields are set before the first
// packet. It belongs to one goroutine at a time; nil is a Decoder for TCP and
// UDP alone.
//
// The flow of a packet is that of the first wanted header on the way: headers
// that carry others (IP in IP, GRE, AH, mobility, HIP, shim6, MPLS and Ethernet
// in IP, a UDP tunnel) are looked through, and have the flow themselves only if
// they are wanted and nothing wanted is found behind them.
type Decoder struct {
	Protocols Protocols
	Tunnels   Tunnels
	// Encapsulation is what Packet.Encapsulation is a digest of.
	Encapsulation Encapsulations
	// Portless are protocols whose packets have ports 0, whatever could stand for
	// them, so that their flows go by addresses; the zero Protocols are none.
	Portless Protocols

	// The last wanted header that was looked through, as the packet that it
	// makes, and whether a UDP tunnel was.
	passed         Packet
	around         []Packet
	outside        uint64 // Packet.Encapsulation at the first fragment that was met last
	hasPassed, dug bool
}

// Decode resets p and reads the headers of one frame, see [Packet.Decode].
func (d *Decoder) Decode(p *Packet, linkType uint32, frame []byte, wireLen uint32) Class {
	if d == nil {
		return p.Decode(linkType, frame, wireLen)
	}
	frame = clip(frame)
	*p = Packet{decoder: d}
	d.hasPassed, d.dug = false, false
	d.around = d.around[:0]
	c := p.link(linkType, frame, max(len(frame), int(min(wireLen, math.MaxInt32))))
	// Between two UDP headers stands an IP header, and those are counted.
	for c == Counted && p.Proto == protoUDP && d.Tunnels != 0 {
		var more bool
		if c, more = p.udpTunnel(frame); !more {
			break
		}
	}
	c = d.settle(p, c)
	if d.Portless.in(p.Proto) {
		p.SrcPort, p.DstPort, p.OneWay = 0, 0, false
	}
	p.Class = c
	if c != Counted {
		p.FirstFragment = false
	}
	return c
}

// wants reports whether packets of an IP protocol have flows.
func (d *Decoder) wants(protocol uint8) bool { return d.Protocols.Has(protocol) }

// pass notes a header that is looked through: that of an IP protocol at the
// front of b.
func (p *Packet) pass(protocol uint8, b []byte, n int) {
	if p.decoder != nil {
		p.decoder.pass(p, protocol, b, n)
	}
}

func (d *Decoder) pass(p *Packet, protocol uint8, b []byte, n int) {
	if !d.wants(protocol) {
		return
	}
	q := *p
	if protocol == protoAH {
		q.spi(b[4:])
	}
	q.Proto = protocol
	q.transport, q.size = int32(cap(b)), int32(n)
	d.passed, d.hasPassed = q, true
}

// settle returns the class of a packet whose reading came to an end in class c,
// after it has given one without a wanted header to the last one that was looked
// through. Bytes that contradict each other inside a UDP tunnel say that it is
// none.
func (d *Decoder) settle(p *Packet, c Class) Class {
	p.decoder, d.passed.decoder = nil, nil
	switch proto := p.Proto; c { // 0 unless a header that has a flow was met
	case Counted:
		if d.wants(proto) {
			return Counted
		}
	case Fragment:
		if proto != protoTCP && proto != protoUDP || d.mayLead(proto) {
			return Fragment
		}
	case OtherProtocol:
		if proto != 0 && d.wants(proto) { // a later fragment
			return Fragment
		}
	case Truncated:
		if proto == 0 || d.mayLead(proto) { // else nothing of it is needed
			return Truncated
		}
	case Malformed:
		if !d.dug && (proto == 0 || d.wants(proto)) {
			return Malformed
		}
	case NotIP:
		if !d.dug && !d.hasPassed {
			return NotIP
		}
	}
	if d.hasPassed {
		*p = d.passed
		return Counted
	}
	return OtherProtocol
}

// mayLead reports whether a datagram of TCP or UDP can have a flow.
func (d *Decoder) mayLead(protocol uint8) bool {
	return protocol == protoUDP && d.Tunnels != 0 || d.wants(protocol)
}
