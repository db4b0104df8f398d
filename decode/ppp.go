package decode

import "encoding/binary"

// PPP protocol numbers (IANA, ppp-numbers). A PPP link that carries an
// EtherType instead is known to Wireshark, so to us.
const (
	pppIPv4   = 0x0021
	pppIPv6   = 0x0057
	pppOSI    = 0x0023 // RFC 1377
	pppLLC    = 0x004b
	pppMPLS   = 0x0281
	pppMPLSUp = 0x0283
)

// ppp reads a PPP header, which is its protocol field alone (RFC 1661, 2): two
// bytes, or one if the field is compressed, told by its lowest bit.
func (p *Packet) ppp(b []byte, n int) Class {
	if len(b) < 2 {
		return short(n, 2)
	}
	t := uint16(b[0])
	if t&1 != 0 {
		b, n = b[1:], n-1
	} else {
		t = binary.BigEndian.Uint16(b)
		b, n = b[2:], n-2
	}
	switch t {
	case pppIPv4, etherIPv4:
		return p.ipv4(b, n)
	case pppIPv6, etherIPv6:
		return p.ipv6(b, n)
	case pppMPLS, pppMPLSUp:
		return p.mpls(b, n)
	case pppOSI:
		return p.osi(b, n)
	case pppLLC:
		if !p.nest() {
			return Malformed
		}
		return p.llc(b, n)
	}
	return p.unread(PPPProtocol, t)
}

// pppHDLC reads PPP in HDLC-like framing (RFC 1662, 3.1): an address (0xff) and
// a control byte, unless both are compressed away. Cisco HDLC is known by its
// own addresses.
func (p *Packet) pppHDLC(b []byte, n int) Class {
	if len(b) < 2 {
		return short(n, 2)
	}
	switch b[0] {
	case hdlcUnicast, hdlcMulticast:
		return p.ciscoHDLC(b, n)
	case 0xff:
		b, n = b[2:], n-2
	}
	return p.ppp(b, n)
}
