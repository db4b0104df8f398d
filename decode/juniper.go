package decode

import "encoding/binary"

// juniperInner returns the link type of the frames behind Juniper's header in a
// link type, and 0 if it is none of those.
func juniperInner(linkType uint32) uint32 {
	switch linkType {
	case linkJuniperEther:
		return linkEthernet
	case linkJuniperPPP:
		return linkPPPHDLC
	case linkJuniperFrameRelay:
		return linkFrameRelay
	case linkJuniperCHDLC:
		return linkCiscoHDLC
	}
	return 0
}

// juniper reads Juniper's header
// (https://www.tcpdump.org/linktypes/LINKTYPE_JUNIPER_ETHER.html):
//
//	"MGC" | flags 1 | with flag 0x80: length of extensions 2 | extensions
//
// Without a link header (flag 2) there are four bytes before the packet, of which
// the first tells the protocol.
func juniper(inner uint32, b []byte, n int) wrapping {
	const noLink, extended, ipv4, ipv6 = 0x02, 0x80, 2, 6
	if len(b) < 4 {
		return wrapping{class: short(n, 4)}
	}
	if string(b[:3]) != "MGC" {
		return wrapping{class: NotIP}
	}
	size := 4
	if b[3]&extended != 0 {
		if len(b) < 6 {
			return wrapping{class: short(n, 6)}
		}
		size = 6 + int(binary.BigEndian.Uint16(b[4:]))
	}
	if b[3]&noLink == 0 {
		return wrapping{linkType: inner, size: size}
	}
	if len(b) < size+4 {
		return wrapping{class: short(n, size+4)}
	}
	switch binary.LittleEndian.Uint32(b[size:]) {
	case ipv4:
		return wrapping{linkType: linkIPv4, size: size + 4}
	case ipv6:
		return wrapping{linkType: linkIPv6, size: size + 4}
	}
	return wrapping{class: NotIP}
}
