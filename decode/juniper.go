package decode

import "encoding/binary"

// Link types of Juniper's captures, by their LINKTYPE_ numbers.
const (
	linkJuniperMLPPP      = 130
	linkJuniperMLFR       = 131
	linkJuniperES         = 132 // encryption services
	linkJuniperGGSN       = 133
	linkJuniperMFR        = 134
	linkJuniperATM2       = 135
	linkJuniperServices   = 136
	linkJuniperATM1       = 137
	linkJuniperMonitor    = 164
	linkJuniperPPPoE      = 167
	linkJuniperPPPoEATM   = 168
	linkJuniperEther      = 178
	linkJuniperPPP        = 179
	linkJuniperFrameRelay = 180
	linkJuniperCHDLC      = 181
	linkJuniperVP         = 183
	linkJuniperST         = 200 // secure tunnels
)

func isJuniper(linkType uint32) bool {
	switch linkType {
	case linkJuniperMLPPP, linkJuniperMLFR, linkJuniperGGSN, linkJuniperATM2, linkJuniperServices, linkJuniperATM1,
		linkJuniperPPPoE, linkJuniperEther, linkJuniperPPP, linkJuniperFrameRelay, linkJuniperCHDLC, linkJuniperVP,
		linkJuniperES, linkJuniperMFR, linkJuniperMonitor, linkJuniperPPPoEATM, linkJuniperST:
		return true
	}
	return false
}

// juniper reads Juniper's header
// (https://www.tcpdump.org/linktypes/LINKTYPE_JUNIPER_ETHER.html):
//
//	"MGC" | flags 1 | with flag 0x80: length of extensions 2 | extensions
//
// Without a link header (flag 2) there are four bytes before the packet, of which
// the first tells the protocol.
func juniper(linkType uint32, b []byte, n int) wrapping {
	const noLink, extended = 0x02, 0x80
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
	if len(b) < size {
		return wrapping{class: short(n, size)}
	}
	var w wrapping
	if b[3]&noLink != 0 {
		w = juniperProtocol(b[size:], n-size)
	} else {
		const out = 0x01
		w = juniperLink(linkType, b[3]&out == 0, b[size:], n-size)
	}
	w.size += size
	return w
}

// juniperProtocol reads four bytes that tell the protocol behind them.
func juniperProtocol(b []byte, n int) wrapping {
	const size, ipv4, ipv6 = 4, 2, 6
	if len(b) < size {
		return wrapping{class: short(n, size)}
	}
	switch binary.LittleEndian.Uint32(b) {
	case ipv4:
		return wrapping{linkType: linkIPv4, size: size}
	case ipv6:
		return wrapping{linkType: linkIPv6, size: size}
	}
	return wrapping{class: NotIP}
}

// juniperLink says what stands behind Juniper's header: in front of the frame the
// card may have put bytes of its own, a cookie. What they are is Wireshark's word, and
// tcpdump's for PPPoE over ATM; of encryption services, multilink frame relay and
// monitoring neither finds IP there.
func juniperLink(linkType uint32, out bool, b []byte, n int) wrapping {
	switch linkType {
	case linkJuniperES, linkJuniperMFR, linkJuniperMonitor:
		return wrapping{class: NotIP}
	case linkJuniperPPPoEATM:
		return wrapping{next: func(p *Packet, b []byte, n int) Class { return p.typed(b, n, 0, 2) }}
	case linkJuniperST:
		return juniperST(b, n)
	case linkJuniperEther, linkJuniperPPPoE:
		return wrapping{linkType: LinkEthernet}
	case linkJuniperPPP:
		return wrapping{linkType: linkPPPHDLC}
	case linkJuniperFrameRelay, linkJuniperMLFR: // the latter with two bytes in place of the address
		return wrapping{linkType: linkFrameRelay}
	case linkJuniperCHDLC:
		return wrapping{linkType: linkCiscoHDLC}
	case linkJuniperServices:
		return wrapping{linkType: linkIPv4, size: 12}
	case linkJuniperVP:
		return wrapping{linkType: linkIPv4, size: 18}
	case linkJuniperGGSN:
		return juniperProtocol(b, n)
	case linkJuniperMLPPP:
		return juniperMLPPP(b, n)
	}
	return juniperATM(linkType, out, b, n)
}

// juniperMLPPP looks for PPP behind a cookie of a kind that its first byte tells, or
// behind two bytes, or behind nothing.
func juniperMLPPP(b []byte, n int) wrapping {
	const as, ls = 0x54, 0x40 // adaptive services, link services
	if len(b) < 2 {
		return wrapping{class: short(n, 2)}
	}
	switch protocol := binary.BigEndian.Uint16(b); {
	case b[0] == as:
		return wrapping{linkType: linkPPP, size: 4}
	case b[0] == ls:
		return wrapping{linkType: linkIPv4, size: 8}
	case protocol == pppIPv4 || protocol == pppIPv6 || protocol == pppMPLS || protocol == pppOSI:
		return wrapping{linkType: linkPPP}
	}
	return wrapping{linkType: linkPPP, size: 2}
}

// juniperATM reads the cookie of an ATM card, which says if the cell is one of
// control and, of the second kind and sent, if it may be Ethernet, and guesses what
// follows.
func juniperATM(linkType uint32, out bool, b []byte, n int) wrapping {
	size, ethernet, control := 4, false, false
	if linkType == linkJuniperATM2 {
		size = 8
	}
	if len(b) < size+4 {
		return wrapping{class: short(n, size+4)}
	}
	if linkType == linkJuniperATM2 {
		const gap, packetType = 0x3f << 32, 0x70
		cookie := binary.BigEndian.Uint64(b)
		ethernet, control = out && cookie&gap != 0, cookie&packetType != 0
	} else {
		control = b[0] == 0x80
	}
	switch front := binary.BigEndian.Uint32(b[size:]); {
	case control:
	case front>>8 == 0xaaaa03, front>>8 == 0xfefe03:
		return wrapping{linkType: linkRFC1483, size: size}
	case ethernet:
		return wrapping{linkType: LinkEthernet, size: size}
	case front>>28 == version4, front>>28 == version6:
		return wrapping{linkType: linkIPv4, size: size}
	case linkType == linkJuniperATM2 && (front>>16 == pppIPv4 || front>>16 == pppIPv6):
		return wrapping{linkType: linkPPP, size: size}
	case front>>24 == 0x03:
		return wrapping{next: (*Packet).osi, size: size + 1}
	}
	return wrapping{class: NotIP}
}

// juniperST looks for the packet in a secure tunnel, which stands there in clear behind
// the headers that it got:
//
//	Ethernet 14 | IPv4 | ESP 8 | 16 bytes of no known meaning | IP
func juniperST(b []byte, n int) wrapping {
	const outer, esp, unknown = 14, 8, 16
	if len(b) < outer+20 {
		return wrapping{class: short(n, outer+20)}
	}
	if binary.BigEndian.Uint16(b[12:]) != etherIPv4 || b[outer+9] != protoESP {
		return wrapping{class: NotIP}
	}
	size := outer + int(b[outer]&0xf)*4 + esp + unknown
	if len(b) <= size {
		return wrapping{class: short(n, size+1)}
	}
	if v := b[size] >> 4; v != version4 && v != version6 {
		return wrapping{class: NotIP}
	}
	return wrapping{linkType: linkIPv4, size: size}
}
