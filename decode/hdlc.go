package decode

import "encoding/binary"

// Addresses of Cisco HDLC frames.
const (
	hdlcUnicast   = 0x0f
	hdlcMulticast = 0x8f
)

// ciscoHDLC reads a Cisco HDLC header:
//
//	address 1 | control 1 | EtherType 2
func (p *Packet) ciscoHDLC(b []byte, n int) Class {
	if len(b) < 4 {
		return short(n, 4)
	}
	t := binary.BigEndian.Uint16(b[2:])
	b, n = b[4:], n-4
	switch t {
	case etherIPv4:
		return p.ipv4(b, n)
	case etherIPv6:
		return p.ipv6(b, n)
	case etherMPLS, etherMPLSUp:
		return p.mpls(b, n)
	case etherBridge:
		return p.bridged(b, n)
	}
	return p.unread(EtherType, t)
}
