package decode

import "encoding/binary"

// pktap reads the header of Apple's packet tap, which Wireshark also expects as
// link type USER2 (https://www.tcpdump.org/linktypes/LINKTYPE_PKTAP.html), all of
// it little-endian:
//
//	length 4, at least 108 | record type 4, 1 for a packet | link type 4 | …
func pktap(b []byte, n int) wrapping {
	const least, packet = 108, 1
	if len(b) < 12 {
		return wrapping{class: short(n, least)}
	}
	size := binary.LittleEndian.Uint32(b)
	switch {
	case size < least || uint64(size) > uint64(n):
		return wrapping{class: Malformed}
	case binary.LittleEndian.Uint32(b[4:]) != packet:
		return wrapping{class: NotIP}
	}
	return wrapping{linkType: binary.LittleEndian.Uint32(b[8:]), size: int(size)}
}

// prism reads the header of Prism's drivers, which has 144 bytes in either byte
// order, and may be AVS's or missing
// (https://www.tcpdump.org/linktypes/LINKTYPE_IEEE802_11_PRISM.html).
func prism(b []byte, n int) wrapping {
	const size, rx, tx = 144, 0x44, 0x41
	if len(b) < 4 {
		return wrapping{class: short(n, 4)}
	}
	code := binary.BigEndian.Uint32(b)
	switch little := binary.LittleEndian.Uint32(b); {
	case code&^0xf == 0x80211000:
		return avs(b, n)
	case code == rx || code == tx || little == rx || little == tx:
		return wrapping{linkType: linkIEEE80211, size: size}
	}
	return wrapping{linkType: linkIEEE80211}
}

// avs reads the header of AbsoluteValue Systems' drivers, big-endian:
//
//	magic and version 4 | length 4 | …
func avs(b []byte, n int) wrapping {
	if len(b) < 8 {
		return wrapping{class: short(n, 8)}
	}
	size := binary.BigEndian.Uint32(b[4:])
	if size < 8 || uint64(size) > uint64(n) {
		return wrapping{class: Malformed}
	}
	return wrapping{linkType: linkIEEE80211, size: int(size)}
}

// mPacket reads the preamble of an Ethernet frame (IEEE 802.3br, 99.3). Of a frame
// that was preempted the first piece is read; the others have another delimiter.
func mPacket(b []byte, n int) wrapping {
	if len(b) < 8 {
		return wrapping{class: short(n, 8)}
	}
	switch b[7] {
	case 0xd5, 0xe6, 0x4c, 0x7f, 0xb3:
		return wrapping{linkType: LinkEthernet, size: 8, fcs: 4}
	}
	return wrapping{class: NotIP}
}

// docsis reads a DOCSIS header (CM-SP-MULPIv3.1, 6.2) of a packet:
//
//	type 2 bits, parameter 5, extended header 1 | its length 1 | length 2 | extended header | check 2
func docsis(b []byte, n int) wrapping {
	if len(b) < 6 {
		return wrapping{class: short(n, 6)}
	}
	size := 6
	if b[0]&1 != 0 {
		size += int(b[1])
	}
	if b[0]>>6 != 0 || encrypted(b[4:min(size-2, len(b))]) {
		return wrapping{class: NotIP}
	}
	return wrapping{linkType: LinkEthernet, size: size, fcs: 4}
}

// encrypted reports whether an extended header has an element of baseline privacy
// (type 3 or 4) that is enabled.
func encrypted(elements []byte) bool {
	for len(elements) >= 3 {
		kind, size := elements[0]>>4, int(elements[0]&0xf)
		if kind == 3 || kind == 4 {
			return elements[2]&0x80 != 0
		}
		if 1+size > len(elements) {
			break
		}
		elements = elements[1+size:]
	}
	return false
}

// erf reads the header of an Endace record (Extensible Record Format):
//
//	time 8 | type 7 bits, more 1 | flags 1 | record length 2 | 2 | wire length 2 |
//	extension headers 8 each, while the first bit of the one before is set
//
// An Ethernet frame has two bytes in front and its checksum behind.
func erf(b []byte, n int) wrapping {
	if len(b) < 16 {
		return wrapping{class: short(n, 16)}
	}
	size := 16
	for more := b[8]; more&0x80 != 0; size += 8 {
		if len(b) < size+8 {
			return wrapping{class: short(n, size+8)}
		}
		more = b[size]
	}
	switch b[8] & 0x7f {
	case 2, 11, 16, 20:
		return wrapping{linkType: LinkEthernet, size: size + 2, fcs: 4}
	case 1, 10, 15, 19:
		return wrapping{linkType: linkPPPHDLC, size: size}
	case 4:
		return wrapping{linkType: linkRFC1483, size: size + 4}
	case 22:
		return wrapping{linkType: linkIPv4, size: size}
	case 23:
		return wrapping{linkType: linkIPv6, size: size}
	}
	return wrapping{class: NotIP}
}

// upperPDU reads the tags of a packet that Wireshark exported
// (https://www.tcpdump.org/linktypes/LINKTYPE_WIRESHARK_UPPER_PDU.html):
//
//	tag 2 | length 2 | value, up to tag 0
func upperPDU(b []byte, n int) wrapping {
	const end, protocolName = 0, 12
	w := wrapping{class: NotIP}
	for at := 0; ; {
		if len(b) < at+4 {
			return wrapping{class: short(n, at+4)}
		}
		tag, size := binary.BigEndian.Uint16(b[at:]), int(binary.BigEndian.Uint16(b[at+2:]))
		at += 4
		if tag == end {
			w.size = at + size
			return w
		}
		if len(b) < at+size {
			return wrapping{class: short(n, at+size)}
		}
		if tag == protocolName {
			if linkType, ok := pduLink(b[at : at+size]); ok {
				w = wrapping{linkType: linkType}
			}
		}
		at += size
	}
}

func pduLink(name []byte) (linkType uint32, ok bool) {
	for len(name) > 0 && name[len(name)-1] == 0 {
		name = name[:len(name)-1]
	}
	switch string(name) {
	case "ip":
		return linkIPv4, true
	case "ipv6":
		return linkIPv6, true
	case "eth", "eth_withoutfcs", "eth_maybefcs":
		return LinkEthernet, true
	}
	return 0, false
}
