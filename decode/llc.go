package decode

import "encoding/binary"

// Organisation codes in a SNAP header behind which IP may stand.
const (
	ouiEtherType = 0x000000 // the protocol is an EtherType (RFC 1042)
	ouiBridge    = 0x0000f8 // so it is in an 802.1H bridge tunnel
	ouiIEEE8021  = 0x0080c2 // a bridged frame (RFC 2684, 5.2)
)

// llc reads an 802.2 LLC header and the SNAP header after it if its addresses
// say so (IEEE 802.2, 3.2; RFC 1042):
//
//	DSAP 1 | SSAP 1 | control 1 or 2 | SNAP: organisation 3, protocol 2
//
// The control field has one byte if its two lowest bits are set. Only unnumbered
// information and numbered information frames carry anything.
func (p *Packet) llc(b []byte, n int) Class {
	const sapIP, sapSNAP = 0x06, 0xaa
	const sapOSI14, sapOSI20, sapOSI54, sapOSI = 0x14, 0x20, 0x54, 0xfe // Wireshark takes all for it
	if len(b) < 3 {
		return short(n, 3)
	}
	dsap, ssap, control := b[0], b[1], b[2]
	b, n = b[3:], n-3
	if control&3 != 3 {
		if len(b) < 1 {
			return short(n, 1)
		}
		b, n = b[1:], n-1
	}
	information := control&1 == 0 || control == 3
	if dsap != sapSNAP || ssap != sapSNAP {
		if dsap == sapIP && information {
			return p.ipv4(b, n)
		}
		if information && (dsap == sapOSI || dsap == sapOSI14 || dsap == sapOSI20 || dsap == sapOSI54) {
			return p.osi(b, n)
		}
		return p.unknown()
	}
	return p.snap(information, b, n)
}

// snap reads a SNAP header, and what follows it if the LLC header in front is one of
// information.
func (p *Packet) snap(information bool, b []byte, n int) Class {
	if len(b) < 5 {
		return short(n, 5)
	}
	organisation, protocol := binary.BigEndian.Uint32(b)>>8, binary.BigEndian.Uint16(b[3:])
	b, n = b[5:], n-5
	switch organisation {
	case ouiEtherType, ouiBridge:
		if information && protocol > maxLength {
			return p.etherType(protocol, b, n)
		}
	case ouiIEEE8021:
		// Ethernet with (1) and without (7) its checksum, after 2 bytes of padding.
		if protocol != 1 && protocol != 7 {
			break
		}
		if len(b) < 2 {
			return short(n, 2)
		}
		b, n = b[2:], n-2
		if protocol == 1 && !p.inFragment() {
			b, n = withoutFCS(b, n)
		}
		return p.bridged(b, n)
	}
	return p.unknown()
}
