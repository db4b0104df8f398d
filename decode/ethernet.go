package decode

import "encoding/binary"

// EtherTypes (IEEE 802 numbers).
const (
	etherIPv4     = 0x0800
	etherVLAN     = 0x8100 // 802.1Q
	etherIPv6     = 0x86dd
	etherMPLS     = 0x8847
	etherMPLSUp   = 0x8848 // upstream-assigned labels, once "multicast"
	etherPPPoE    = 0x8864 // session
	etherJumboLLC = 0x8870
	etherQinQ     = 0x88a8 // 802.1ad
	etherQinQOld  = 0x9100
	etherBridge   = 0x6558 // transparent Ethernet bridging

	// Up to here the field is the length of an 802.3 payload; from 0x0600 on it
	// is an EtherType. Between is nothing.
	maxLength = 1500
)

// ethernet reads an Ethernet header (IEEE 802.3, 3.1.1):
//
//	destination 6 | source 6 | EtherType or length 2 | payload | padding
func (p *Packet) ethernet(b []byte, n int) Class {
	if len(b) < 14 {
		return short(n, 14)
	}
	t := binary.BigEndian.Uint16(b[12:])
	if t <= maxLength {
		if isISL(b) {
			return p.isl(b, n)
		}
		return p.ieee8023(t, b[14:], n-14)
	}
	return p.etherType(t, b[14:], n-14)
}

// etherType reads what follows an EtherType. Tags are taken off in place: 802.1Q,
// 802.1ad and 0x9100 are
//
//	priority 3 bits, drop eligible 1, VLAN 12 | EtherType or length 2
func (p *Packet) etherType(t uint16, b []byte, n int) Class {
	for range maxTags + 1 {
		switch t {
		case etherIPv4:
			return p.ipv4(b, n)
		case etherIPv6:
			return p.ipv6(b, n)
		case etherVLAN, etherQinQ, etherQinQOld:
			if len(b) < 4 {
				return short(n, 4)
			}
			if id := binary.BigEndian.Uint16(b) & 0xfff; id != 0 {
				p.wrap(VLANTags, uint64(id))
			}
			tag := t
			t = binary.BigEndian.Uint16(b[2:])
			b, n = b[4:], n-4
			// Wireshark takes no length after an 802.1ad tag.
			if t <= maxLength && tag != etherQinQ {
				return p.ieee8023(t, b, n)
			}
		case etherMPLS, etherMPLSUp:
			return p.mpls(b, n)
		case etherPPPoE:
			return p.pppoe(b, n)
		case etherBridge:
			return p.bridged(b, n)
		case etherJumboLLC:
			return p.llc(b, n)
		default:
			return p.rareEtherType(t, b, n)
		}
	}
	return Malformed
}

// ieee8023 reads what follows a length: 802.2 LLC, and then padding.
func (p *Packet) ieee8023(length uint16, b []byte, n int) Class {
	n = min(n, int(length))
	return p.llc(b[:min(len(b), n)], n)
}

// bridged reads an Ethernet frame inside another header.
func (p *Packet) bridged(b []byte, n int) Class {
	if !p.nest() {
		return Malformed
	}
	return p.ethernet(b, n)
}
