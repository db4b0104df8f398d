package decode

import (
	"encoding/binary"
	"fmt"
)

// An Unread is what a header carries that is not read: a number and what kind of
// number that is. The zero Unread is none.
type Unread struct {
	Kind   UnreadKind
	Number uint16
}

// An UnreadKind says what numbers a header has for what it carries.
type UnreadKind uint8

// The kinds.
const (
	EtherType     UnreadKind = iota + 1 // IEEE 802 numbers
	IPProtocol                          // IANA, protocol-numbers
	GREType                             // EtherTypes, mostly (RFC 2784, 2.4)
	PPPProtocol                         // IANA, ppp-numbers
	LLCService                          // destination service access point of 802.2
	LinkType                            // LINKTYPE_ numbers
	AddressFamily                       // of a BSD's loopback header
	UDPPort                             // IANA, service-names-port-numbers
)

var unreadKinds = [...]string{"", "EtherType", "protocol", "GRE type", "PPP protocol", "LLC service", "link type", "address family", "UDP port"}

// String returns the name of the kind as people write it before the number.
func (k UnreadKind) String() string {
	if int(k) < len(unreadKinds) {
		return unreadKinds[k]
	}
	return "unknown kind"
}

// String returns the kind, the number and, where it has one, its name in
// parentheses: "EtherType 0x0806 (ARP)", "protocol 1 (ICMP)".
func (u Unread) String() string {
	number := fmt.Sprint(u.Number)
	switch u.Kind {
	case EtherType, GREType, PPPProtocol, LLCService:
		number = fmt.Sprintf("%#04x", u.Number)
		if u.Kind == LLCService {
			number = fmt.Sprintf("%#02x", u.Number)
		}
	}
	if name := u.Name(); name != "" {
		return fmt.Sprintf("%v %s (%s)", u.Kind, number, name)
	}
	return fmt.Sprintf("%v %s", u.Kind, number)
}

// Option returns the option of the command that makes packets like this have
// flows, "" if there is none.
func (u Unread) Option() string {
	if u.Kind == UDPPort {
		if text, _ := TunnelAt(u.Number).MarshalText(); TunnelAt(u.Number) != 0 {
			return "--decap " + string(text)
		}
	}
	if u.Kind == IPProtocol && u.Number == protoL2TP {
		return "--decap l2tpv3"
	}
	if u.Kind != IPProtocol || !AllProtocols.Has(uint8(u.Number)) {
		return ""
	}
	p := Protocols{}
	p.set[u.Number>>6&3] = 1 << (u.Number & 63)
	text, _ := p.MarshalText() // never an error
	return "--protocols " + string(text)
}

// unread notes what a header carries that leads nowhere, and returns the class of
// the packet.
func (p *Packet) unread(kind UnreadKind, number uint16) Class {
	p.Unread = Unread{kind, number}
	return p.unknown()
}

// Why returns what of a frame, which p was decoded from as NotIP or
// OtherProtocol, is not read: the number that the innermost header gave, or else
// the one in its link header. The zero Unread means that no header says.
func (p *Packet) Why(linkType uint32, frame []byte) Unread {
	switch {
	case p.Unread != Unread{}:
		return p.Unread
	case p.Class == OtherProtocol && p.FragProto != 0:
		return Unread{IPProtocol, uint16(p.FragProto)}
	case p.Class == OtherProtocol:
		return Unread{}
	case !KnownLinkType(linkType):
		return Unread{LinkType, uint16(linkType)}
	case linkType == LinkEthernet && len(frame) >= 14:
		return behindTags(binary.BigEndian.Uint16(frame[12:]), frame[14:])
	case linkType == linkCooked && len(frame) >= 16:
		return behindTags(binary.BigEndian.Uint16(frame[14:]), frame[16:])
	case linkType == linkCooked2 && len(frame) >= 20:
		return behindTags(binary.BigEndian.Uint16(frame), frame[20:])
	}
	return Unread{}
}

// behindTags returns what stands behind the VLAN tags after an EtherType or
// length.
func behindTags(t uint16, b []byte) Unread {
	for range maxTags {
		if t != etherVLAN && t != etherQinQ && t != etherQinQOld || len(b) < 4 {
			break
		}
		t, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	if t > maxLength {
		return Unread{EtherType, t}
	}
	const snap = 0xaa
	switch {
	case len(b) >= 8 && b[0] == snap: // the protocol, whatever the organisation
		return Unread{EtherType, binary.BigEndian.Uint16(b[6:])}
	case len(b) >= 1:
		return Unread{LLCService, uint16(b[0])}
	}
	return Unread{}
}
