package decode

import "encoding/binary"

// Labels with a meaning of their own (RFC 3032, 2.1; RFC 5586).
const (
	labelELI  = 7  // entropy label indicator: the next one spreads load (RFC 6790, 4.2)
	labelGACH = 13 // generic associated channel: management, no packet
	labelOAM  = 14 // OAM alert (RFC 3429)

	labelReserved = 15 // the last with a meaning of its own
)

// mpls reads a label stack (RFC 3032, 2.1):
//
//	label 20 bits | traffic class 3 | bottom of stack 1 | TTL 8
//
// The bottom label does not say what follows it. As routers do, the first four
// bits tell: 4 and 6 are the IP versions, 0 is taken for an Ethernet frame with
// or without the control word of RFC 4448, 1 is the channel beside a pseudowire,
// anything else is not looked at.
func (p *Packet) mpls(b []byte, n int) Class {
	above := uint32(0)
	for range maxLabels {
		if len(b) < 4 {
			return short(n, 4)
		}
		entry := binary.BigEndian.Uint32(b)
		b, n = b[4:], n-4
		label := entry >> 12
		if label > labelReserved && above != labelELI {
			p.wrap(MPLSLabels, uint64(label))
		}
		above = label
		if entry>>8&1 == 0 {
			continue
		}
		if label == labelOAM {
			return p.unknown()
		}
		if label == labelGACH {
			return p.associatedChannel(b, n)
		}
		if len(b) < 1 {
			return short(n, 1)
		}
		switch b[0] >> 4 {
		case version4:
			return p.ipv4(b, n)
		case version6:
			return p.ipv6(b, n)
		case 0:
			return p.pseudowire(b, n)
		case 1:
			return p.associatedChannel(b, n)
		}
		return p.unknown()
	}
	return Malformed
}

// pseudowire reads an Ethernet frame below a label, behind a control word if it
// has one (RFC 4448, 4.6: sixteen bits of zero, then a sequence number). Nothing
// says whether it has. Wireshark asks its list of manufacturers whether there are
// two addresses at the front; here the EtherType decides, at the place it has
// without the control word or with it, then a length with LLC without it, and then
// the control word's zeros.
func (p *Packet) pseudowire(b []byte, n int) Class {
	if len(b) < 18 {
		return short(n, 18)
	}
	word := !everCarried(binary.BigEndian.Uint16(b[12:])) &&
		(everCarried(binary.BigEndian.Uint16(b[16:])) || b[0]|b[1] == 0 && !p.lengthLLC(b[12:], n-14))
	if word {
		b, n = b[4:], n-4
	}
	return p.bridged(b, n)
}

// lengthLLC reports whether b begins with the length of 802.3, of n bytes at most
// unless a fragment ends there, and an LLC header of one of the kinds that carry IP.
func (p *Packet) lengthLLC(b []byte, n int) bool {
	length := binary.BigEndian.Uint16(b)
	return length <= maxLength && (int(length) <= n || p.inFragment()) && b[2] == b[3] && (b[2] == 0xaa || b[2] == 0x06 || b[2] == 0xfe) && b[4] == 3
}

// associatedChannel reads the channel beside a pseudowire or a label-switched path,
// in which IP may stand (RFC 4385, 5; RFC 5586, 2.1):
//
//	0001 4 bits, version 4 | reserved 1 | channel type 2
func (p *Packet) associatedChannel(b []byte, n int) Class {
	const channelIPv4, channelIPv6 = 0x0021, 0x0057
	if len(b) < 4 {
		return short(n, 4)
	}
	channel := binary.BigEndian.Uint16(b[2:])
	b, n = b[4:], n-4
	switch channel {
	case channelIPv4:
		return p.ipv4(b, n)
	case channelIPv6:
		return p.ipv6(b, n)
	}
	return p.unknown()
}

// carried reports whether etherType reads on behind one of the common EtherTypes.
func carried(t uint16) bool {
	switch t {
	case etherIPv4, etherIPv6, etherVLAN, etherQinQ, etherQinQOld, etherMPLS, etherMPLSUp, etherPPPoE, etherBridge:
		return true
	}
	return false
}

// everCarried reports whether etherType reads on behind an EtherType.
func everCarried(t uint16) bool {
	switch t {
	case etherJumboLLC, etherCentrino, etherTRILL, etherBatman, etherMACsec, etherPBB, etherFabricPath, etherCMD, etherVNTag,
		etherHSR, etherETag, etherNSH, etherRTag:
		return true
	}
	return carried(t)
}
