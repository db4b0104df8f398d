package decode

import "encoding/binary"

// Details are what the headers of a packet say besides what makes a flow.
type Details struct {
	// Payload is the number of bytes of transport payload, by the lengths in the
	// headers and the frame's original length, not by what was captured: of a
	// later fragment all that follows its IP header, a rest of a TCP header too.
	Payload uint32
	// HeaderLen is the length of the transport header in bytes: the data offset
	// for TCP, 0 where that is below the least possible, and what is there of it in
	// a first fragment that ends before it does; 8 for UDP, UDP-Lite, ICMP,
	// ICMPv6 and ESP, 12 for SCTP, 0 for other protocols, of which all is payload,
	// and for a later fragment.
	HeaderLen uint8
	// TTL is the time to live or hop limit, TOS the type of service or traffic
	// class: DSCP in its upper six bits, ECN in its lower two (RFC 2474, 3; RFC
	// 3168, 5), of the IP header directly above the transport header.
	TTL, TOS uint8
	// Segment tells that there is a TCP header; what follows is 0 without one.
	Segment bool
	Window  uint16 // as it stands, without its scale
	// Options of a TCP header with the control bit SYN (RFC 9293, 3.2; RFC 7323,
	// 2.2; RFC 2018, 2): the maximum segment size, 0 if it is not there; the
	// shift count of the window scale, -1 if it is not there; whether selective
	// acknowledgments are permitted.
	MSS           uint16
	WindowScale   int8
	SACKPermitted bool
}

// Details sets d to the details of a Counted packet or a Fragment that p was
// decoded from frame as. It returns the captured bytes of the payload, which are
// part of the frame.
func (p *Packet) Details(d *Details, frame []byte) (payload []byte) {
	*d = Details{WindowScale: -1}
	frame = clip(frame)
	ip := frame[len(frame)-int(p.network):]
	if p.V6 {
		word := binary.BigEndian.Uint16(ip)
		d.TOS, d.TTL = uint8(word>>4), ip[7]
	} else {
		d.TOS, d.TTL = ip[1], ip[8]
	}
	b := p.transported(frame)
	if p.Class == Counted {
		switch p.Proto {
		case protoTCP:
			if len(b) < tcpNeed { // a tiny first fragment, all of it header
				d.HeaderLen = uint8(p.size)
				break
			}
			d.Segment = true
			d.Window = binary.BigEndian.Uint16(b[14:])
			d.HeaderLen = uint8(headerLen(b[12]))
			if p.RawFlags&SYN != 0 && len(b) > 20 {
				d.options(b[20:max(20, min(int(d.HeaderLen), len(b)))])
			}
		case protoUDP, protoUDPLite, protoICMP, protoICMPv6, protoESP:
			d.HeaderLen = 8
		case protoSCTP:
			d.HeaderLen = 12
		}
	}
	if p.FirstFragment {
		d.HeaderLen = uint8(min(int32(d.HeaderLen), p.size))
	}
	d.Payload = uint32(max(0, int(p.size)-int(d.HeaderLen)))
	return b[min(int(d.HeaderLen), len(b)):]
}

// transported returns the captured bytes of the frame from the transport header
// on, or of a later fragment, from what follows the IP header on.
func (p *Packet) transported(frame []byte) []byte {
	at := len(frame) - int(p.transport)
	return frame[at:min(at+int(p.size), len(frame))]
}

// options reads the options of a TCP header.
func (d *Details) options(b []byte) {
	const end, nop, mss, scale, sackPermitted = 0, 1, 2, 3, 4
	for len(b) > 0 && b[0] != end {
		if b[0] == nop {
			b = b[1:]
			continue
		}
		if len(b) < 2 || b[1] < 2 || int(b[1]) > len(b) {
			return
		}
		switch kind, length := b[0], b[1]; {
		case kind == mss && length == 4:
			d.MSS = binary.BigEndian.Uint16(b[2:])
		case kind == scale && length == 3:
			d.WindowScale = int8(min(b[2], 127))
		case kind == sackPermitted && length == 2:
			d.SACKPermitted = true
		}
		b = b[b[1]:]
	}
}

// A Link is what the outermost link header of a frame says.
type Link struct {
	// Src and Dst are its addresses; of a cooked header there is only Src.
	Src, Dst       [6]byte
	HasSrc, HasDst bool
	// VLANs are the identifiers of the NumVLANs tags, the outermost first.
	VLANs    [maxTags]uint16
	NumVLANs uint8
	// MPLS is the label at the top of the stack behind the tags, -1 if there is
	// none.
	MPLS int32
}

// Read sets l to what the link header of a frame says. Of a link type without
// addresses and tags, or of a header that is cut, it has less or nothing.
func (l *Link) Read(linkType uint32, frame []byte) {
	*l = Link{MPLS: -1}
	switch {
	case linkType == LinkEthernet && len(frame) >= 14:
		l.HasSrc, l.HasDst = true, true
		l.Dst, l.Src = [6]byte(frame), [6]byte(frame[6:])
		l.tags(binary.BigEndian.Uint16(frame[12:]), frame[14:])
	case linkType == linkCooked && len(frame) >= 16:
		if l.HasSrc = binary.BigEndian.Uint16(frame[4:]) == 6; l.HasSrc {
			l.Src = [6]byte(frame[6:])
		}
		l.tags(binary.BigEndian.Uint16(frame[14:]), frame[16:])
	case linkType == linkCooked2 && len(frame) >= 20:
		if l.HasSrc = frame[11] == 6; l.HasSrc {
			l.Src = [6]byte(frame[12:])
		}
		l.tags(binary.BigEndian.Uint16(frame), frame[20:])
	case linkType == linkPPP || linkType == linkPPPHDLC:
		l.ppp(frame)
	case linkType == linkPPI && len(frame) >= 8:
		// The header has its length and the link type of what is behind it.
		size, inner := int(binary.LittleEndian.Uint16(frame[2:])), binary.LittleEndian.Uint32(frame[4:])
		if inner != linkPPI && size <= len(frame) {
			l.Read(inner, frame[size:])
		}
	}
}

// ppp reads the protocol of a PPP frame, with the address and control bytes of
// HDLC in front or without (RFC 1662, 3.1).
func (l *Link) ppp(b []byte) {
	if len(b) >= 2 && b[0] == 0xff && b[1] == 0x03 {
		b = b[2:]
	}
	if len(b) < 2 {
		return
	}
	switch binary.BigEndian.Uint16(b) {
	case 0x0281, 0x0283: // RFC 3032, 4.3
		l.tags(etherMPLS, b[2:])
	}
}

// tags reads what follows an EtherType.
func (l *Link) tags(t uint16, b []byte) {
	for range maxTags {
		switch t {
		case etherVLAN, etherQinQ, etherQinQOld:
			if len(b) < 4 {
				return
			}
			l.VLANs[l.NumVLANs] = binary.BigEndian.Uint16(b) & 0xfff
			l.NumVLANs++
			t, b = binary.BigEndian.Uint16(b[2:]), b[4:]
		case etherMPLS, etherMPLSUp:
			if len(b) >= 4 {
				l.MPLS = int32(binary.BigEndian.Uint32(b) >> 12)
			}
			return
		default:
			return
		}
	}
}
