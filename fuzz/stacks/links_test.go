package stacks

import (
	"encoding/binary"
	"slices"
)

// A linkType is one that is read.
type linkType struct {
	number uint32
	name   string
	build  func(g *generator) []piece
	// unjudged is why tshark has no say on it, "" if it has.
	unjudged string
}

const (
	notOpened = "tshark does not open the file"
	notRead   = "tshark finds no TCP in its frames"
)

var linkTypes = []linkType{
	{0, "NULL", (*generator).null, ""},
	{1, "Ethernet", (*generator).ethernet, ""},
	{3, "AX.25", (*generator).ax25, ""},
	{6, "Token Ring", (*generator).tokenRing, ""},
	{7, "ARCnet of BSD", func(g *generator) []piece { return g.arcnet(2) }, ""},
	{8, "SLIP", func(g *generator) []piece { return g.behind(16) }, notRead},
	{9, "PPP", (*generator).hdlcPPP, ""},
	{10, "FDDI", (*generator).fddi, ""},
	{12, "raw IP, 12", (*generator).raw, ""},
	{50, "PPP in HDLC", (*generator).hdlcPPP, ""},
	{51, "PPPoE", (*generator).pppoe, ""},
	{99, "Symantec", (*generator).symantec, ""},
	{100, "RFC 2684", (*generator).rfc1483, ""},
	{101, "raw IP", (*generator).raw, ""},
	{102, "SLIP of BSD/OS", func(g *generator) []piece { return g.behind(24) }, notOpened},
	{104, "Cisco HDLC", (*generator).ciscoHDLC, ""},
	{105, "802.11 alone", (*generator).wifi, ""},
	{106, "classical IP over ATM", (*generator).raw, ""},
	{107, "Frame Relay", (*generator).frameRelay, ""},
	{108, "LOOP", (*generator).loop, ""},
	{109, "ENC", (*generator).enc, ""},
	{113, "SLL", (*generator).cooked, ""},
	{117, "PFLOG", (*generator).pflog, ""},
	{119, "Prism", (*generator).prism, ""},
	{122, "IP over Fibre Channel", func(g *generator) []piece { return g.llcBehind(16) }, ""},
	{123, "SunATM", (*generator).sunATM, ""},
	{127, "radiotap", (*generator).radiotap, ""},
	{129, "ARCnet of Linux", func(g *generator) []piece { return g.arcnet(4) }, ""},
	{130, "Juniper, MLPPP", func(g *generator) []piece { return g.juniper((*generator).juniperMLPPP) }, ""},
	{131, "Juniper, MLFR", func(g *generator) []piece {
		return g.juniper(func(g *generator) []piece { return in(g.nlpid(), 0, 1, 3) })
	}, ""},
	{133, "Juniper, GGSN", func(g *generator) []piece { return g.juniper((*generator).juniperGGSN) }, ""},
	{135, "Juniper, ATM2", func(g *generator) []piece { return g.juniper((*generator).juniperATM2) }, ""},
	{136, "Juniper, services", func(g *generator) []piece {
		return g.juniper(func(g *generator) []piece { return g.behind(12) })
	}, ""},
	{137, "Juniper, ATM1", func(g *generator) []piece { return g.juniper((*generator).juniperATM1) }, ""},
	{138, "IP over IEEE 1394", func(g *generator) []piece { return g.typedBehind(16, 0) }, ""},
	{143, "DOCSIS", (*generator).docsis, notRead},
	{163, "AVS", (*generator).avs, ""},
	{166, "PPP of pppd", (*generator).pppd, notOpened},
	{167, "Juniper, PPPoE", func(g *generator) []piece { return g.juniper((*generator).ethernet) }, ""},
	{168, "Juniper, PPPoE over ATM", func(g *generator) []piece {
		return g.juniper(func(g *generator) []piece { return g.typedBehind(0, 0) })
	}, notOpened},
	{178, "Juniper, Ethernet", func(g *generator) []piece { return g.juniper((*generator).ethernet) }, ""},
	{179, "Juniper, PPP", func(g *generator) []piece {
		return g.juniper(func(g *generator) []piece { return in(g.ppp(false), 0xff, 3) })
	}, ""},
	{180, "Juniper, Frame Relay", func(g *generator) []piece { return g.juniper((*generator).frameRelay) }, ""},
	{181, "Juniper, Cisco HDLC", func(g *generator) []piece { return g.juniper((*generator).ciscoHDLC) }, ""},
	{183, "Juniper, VP", func(g *generator) []piece {
		return g.juniper(func(g *generator) []piece { return g.behind(18) })
	}, ""},
	{192, "PPI", (*generator).ppi, ""},
	{197, "ERF", (*generator).erf, ""},
	{200, "Juniper, ST", func(g *generator) []piece { return g.juniper((*generator).juniperST) }, ""},
	{202, "AX.25 in KISS", func(g *generator) []piece { return in(g.ax25(), byte(g.IntN(8))<<4) }, ""},
	{204, "PPP with direction", func(g *generator) []piece { return in(g.hdlcPPP(), byte(g.IntN(2))) }, ""},
	{205, "Cisco HDLC with direction", func(g *generator) []piece { return in(g.ciscoHDLC(), byte(g.IntN(2))) }, notOpened},
	{206, "Frame Relay with direction", func(g *generator) []piece { return in(g.frameRelay(), byte(g.IntN(2))) }, notOpened},
	{219, "MPLS alone", (*generator).mpls, notOpened},
	{226, "IPNET", (*generator).ipnet, notRead},
	{228, "IPv4 alone", (*generator).ipv4, ""},
	{229, "IPv6 alone", (*generator).ipv6, ""},
	{239, "NFLOG", (*generator).nflog, ""},
	{240, "netANALYZER", func(g *generator) []piece { return in(g.fcs(g.ethernet()), 0x0c, 0x04, 0x3c, 0) }, ""},
	{241, "netANALYZER, transparent", func(g *generator) []piece { return in(g.fcs(g.ethernet()), make([]byte, 12)...) }, notRead},
	{242, "IP over InfiniBand", (*generator).infiniBand, ""},
	{252, "upper PDU", (*generator).upperPDU, ""},
	{258, "PKTAP", (*generator).pktap, ""},
	{259, "EPON", func(g *generator) []piece { return in(g.ethernet(), 0x55, 0x55, 0xd5, 0x55, 0x55, 0x12, 0x34, 0) }, ""},
	{274, "mPacket", func(g *generator) []piece {
		return in(g.fcs(g.ethernet()), 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0x55, 0xd5)
	}, notRead},
	{276, "SLL2", (*generator).cooked2, ""},
	{281, "tag of Broadcom's", func(g *generator) []piece { return g.typedBehind(16, 0) }, notOpened},
	{282, "tag of Broadcom's in front", func(g *generator) []piece { return in(g.ethernet(), 0, 0, 0, 3) }, notOpened},
	{284, "tag of Marvell's", func(g *generator) []piece { return g.marvell(0xc0, 2, 0, 0) }, notOpened},
	{285, "tag of Marvell's behind an EtherType", func(g *generator) []piece { return g.marvell(0xda, 0xda, 0, 0, 0xc0, 2, 0, 0) }, notOpened},
}

// behind builds IP behind a header of n bytes that says nothing.
func (g *generator) behind(n int) []piece {
	_, pieces := g.ip()
	return in(pieces, make([]byte, n)...)
}

// llcBehind builds LLC behind n bytes of addresses.
func (g *generator) llcBehind(n int) []piece { return in(g.llc(), g.bytes(n)...) }

// typedBehind builds an EtherType behind n bytes of addresses, and so many bytes of
// zero behind it.
func (g *generator) typedBehind(n, reserved int) []piece {
	t, pieces := g.typed()
	return in(pieces, slices.Concat(make([]byte, n), be16(t), make([]byte, reserved))...)
}

// infiniBand builds a global route header and that of IP over InfiniBand (RFC 4391).
func (g *generator) infiniBand() []piece {
	t, pieces := g.typedIP()
	return in(pieces, slices.Concat(make([]byte, 40), be16(t), be16(0))...)
}

func (g *generator) marvell(tag ...byte) []piece {
	t, pieces := g.typed()
	return in(pieces, slices.Concat(g.mac(), g.mac(), tag, be16(t))...)
}

func (g *generator) raw() []piece {
	_, pieces := g.ip()
	return pieces
}

// family builds IP, and returns its address family as a BSD numbers it.
func (g *generator) family() (family uint32, pieces []piece) {
	v6, pieces := g.ip()
	if v6 {
		return pick[uint32](g, 24, 28, 30), pieces
	}
	return 2, pieces
}

// null builds a loopback header in either byte order, or with an EtherType.
func (g *generator) null() []piece {
	if g.chance(6) {
		g.name("EtherType")
		t, pieces := g.typed()
		return in(pieces, slices.Concat(be16(0), be16(t))...)
	}
	family, pieces := g.family()
	if g.chance(2) {
		return in(pieces, be32(family)...)
	}
	return in(pieces, le32(family)...)
}

func (g *generator) loop() []piece {
	family, pieces := g.family()
	return in(pieces, be32(family)...)
}

func (g *generator) tokenRing() []piece {
	head := slices.Concat([]byte{0x10, 0x40}, g.mac(), g.mac())
	if g.chance(3) {
		g.name("route")
		head[8] |= 0x80
		head = append(head, 0x06, 0x30, 0x00, 0x11, 0x00, 0x20)
	}
	return in(g.llc(), head...)
}

func (g *generator) fddi() []piece {
	return in(g.llc(), slices.Concat([]byte{0x50}, g.mac(), g.mac())...)
}

// arcnet builds an ARCnet header: addresses and, with Linux, an offset stand before
// the protocol.
func (g *generator) arcnet(protocolAt int) []piece {
	pieces := g.ipv4()
	head := append([]byte{1, 2, 0, 0}[:protocolAt:protocolAt], 0xf0)
	if g.chance(2) {
		head = append(head[:protocolAt], 0xd4, 0, 0, 1)
	}
	return in(pieces, head...)
}

// enc builds the header of OpenBSD's IPsec interface, in either byte order.
func (g *generator) enc() []piece {
	v6, pieces := g.ip()
	family := uint32(2)
	if v6 {
		family = 24
	}
	if g.chance(2) {
		return in(pieces, slices.Concat(be32(family), be32(1), be32(0))...)
	}
	return in(pieces, littleEndian32(family, 1, 0)...)
}

// cooked builds Linux' header of version 1.
func (g *generator) cooked() []piece {
	device, t, pieces := g.cookedPayload()
	return in(pieces, slices.Concat(be16(g.IntN(5)), be16(device), be16(6), g.mac(), be16(0), be16(t))...)
}

// cooked2 builds that of version 2.
func (g *generator) cooked2() []piece {
	device, t, pieces := g.cookedPayload()
	return in(pieces, slices.Concat(be16(t), be16(0), be32(2), be16(device), []byte{byte(g.IntN(5)), 6}, g.mac(), be16(0))...)
}

func (g *generator) cookedPayload() (device, t int, pieces []piece) {
	switch g.IntN(10) {
	case 0:
		g.name("LLC")
		return 1, 4, g.llc()
	case 1:
		g.name("PPP")
		return 512, 7, g.hdlcPPP()
	case 2:
		g.name("GRE device")
		t, pieces = g.typedIP()
		return 778, t, pieces
	case 3:
		g.name("radiotap device")
		return 803, 4, g.radiotap()
	}
	t, pieces = g.typed()
	return 1, t, pieces
}

func (g *generator) pflog() []piece {
	v6, pieces := g.ip()
	head := make([]byte, pick(g, 48, 64))
	head[0], head[1] = byte(len(head)-3), 2
	if v6 {
		head[1] = 24
	}
	return in(pieces, head...)
}

// prism builds the header of Prism's drivers.
func (g *generator) prism() []piece {
	head := slices.Concat(littleEndian32(0x44, 144), append([]byte("wlan0"), make([]byte, 11)...))
	for i := range uint32(10) {
		head = slices.Concat(head, littleEndian32((i+1)<<12|0x44), le16(0), le16(4), le32(0))
	}
	return in(g.wifi(), head...)
}

func (g *generator) avs() []piece {
	head := slices.Concat(be32(0x80211001), be32(64), make([]byte, 56))
	return in(g.wifi(), head...)
}

func (g *generator) radiotap() []piece {
	fields, present := []byte{}, uint32(0)
	if g.chance(2) {
		present |= 1
		fields = append(fields, make([]byte, 8)...)
	}
	fcs := false
	if g.chance(2) {
		present |= 2
		fields = append(fields, 0)
		if fcs = g.chance(2); fcs {
			fields[len(fields)-1] |= 0x10
		}
	}
	words := le32(present)
	if g.chance(4) {
		words = littleEndian32(present|1<<31, 0)
		if present&1 != 0 { // the time stands on a multiple of eight
			words = append(words, 0, 0, 0, 0)
		}
	}
	head := slices.Concat([]byte{0, 0}, le16(4+len(words)+len(fields)), words, fields)
	pieces := g.wifi()
	if fcs {
		pieces = g.fcs(pieces)
	}
	return in(pieces, head...)
}

func (g *generator) ppi() []piece {
	var inner uint32
	var pieces []piece
	fields := []byte{}
	switch g.IntN(4) {
	case 0:
		g.name("Ethernet in it")
		inner, pieces = 1, g.ethernet()
	case 1:
		g.name("raw IP in it")
		inner, pieces = 101, g.raw()
	default:
		inner, pieces = 105, g.wifi()
		common := make([]byte, 20)
		if g.chance(2) {
			common[8] |= 1
			pieces = g.fcs(pieces)
		}
		fields = slices.Concat(le16(2), le16(20), common)
	}
	return in(pieces, slices.Concat([]byte{0, 0}, le16(8+len(fields)), le32(inner), fields)...)
}

// sunATM builds SunATM's header, of LLC and of LAN emulation.
func (g *generator) sunATM() []piece {
	if g.chance(3) {
		g.name("LAN emulation")
		return in(g.ethernet(), 1, 0, 0, 100, 0, 5)
	}
	return in(g.rfc1483(), 2, 0, 0, 100)
}

// docsis builds a MAC header of DOCSIS for a packet.
func (g *generator) docsis() []piece {
	return around(g.fcs(g.ethernet()), func(b []byte) (head, tail []byte) {
		return slices.Concat([]byte{0, 0}, be16(len(b)), be16(0)), nil
	})
}

func (g *generator) pppd() []piece {
	return around(g.ppp(false), func([]byte) (head, tail []byte) { return []byte{byte(g.IntN(2)), 3}, nil })
}

// juniper builds Juniper's header, with extensions or without.
func (g *generator) juniper(inner func(*generator) []piece) []piece {
	if g.chance(4) {
		g.name("without a link header")
		v6, pieces := g.ip()
		family := byte(2)
		if v6 {
			family = 6
		}
		return in(pieces, 'M', 'G', 'C', 0x02, family, 0, 0, 0)
	}
	pieces := inner(g)
	if g.chance(2) {
		return in(pieces, 'M', 'G', 'C', 0x80, 0, 4, 1, 2, 0, 1)
	}
	return in(pieces, 'M', 'G', 'C', 0)
}

// juniperMLPPP builds PPP behind a cookie of a card, or without one.
func (g *generator) juniperMLPPP() []piece {
	switch g.IntN(4) {
	case 0:
		return in(g.raw(), 0x40, 1, 0, 0, 0, 0, 0, 0)
	case 1:
		return in(g.ppp(false), 0x54, 1, 0, 0)
	case 2:
		return in(g.ppp(false), 0, 1)
	}
	t, pieces := g.typedIP()
	if t == 0x86dd {
		return in(pieces, 0, 0x57)
	}
	return in(pieces, 0, 0x21)
}

func (g *generator) juniperGGSN() []piece {
	v6, pieces := g.ip()
	if v6 {
		return in(pieces, 6, 0, 0, 0)
	}
	return in(pieces, 2, 0, 0, 0)
}

func (g *generator) juniperATM1() []piece {
	switch g.IntN(3) {
	case 0:
		return in(g.rfc1483SNAP(), 0, 0, 0, 0)
	case 1:
		return in(g.juniperOSI(), 0, 0, 0, 0)
	}
	return in(g.raw(), 0, 0, 0, 0)
}

func (g *generator) juniperATM2() []piece {
	switch g.IntN(5) {
	case 4:
		return in(g.juniperOSI(), 0, 0, 0, 0, 0, 0, 0, 0)
	case 0:
		g.name("gap")
		return in(g.ethernet(), 0, 0, 0, byte(1+g.IntN(63)), 0, 0, 0, 0)
	case 1:
		return in(g.rfc1483SNAP(), 0, 0, 0, byte(g.IntN(64)), 0, 0, 0, 0)
	case 2:
		t, pieces := g.typedIP()
		protocol := byte(0x21)
		if t == 0x86dd {
			protocol = 0x57
		}
		return in(pieces, 0, 0, 0, 0, 0, 0, 0, 0, 0, protocol)
	}
	return in(g.raw(), 0, 0, 0, 0, 0, 0, 0, 0)
}

// juniperOSI builds IP behind a network layer protocol identifier.
func (g *generator) juniperOSI() []piece {
	g.name("OSI")
	v6, pieces := g.ip()
	if v6 {
		return in(pieces, 3, 0x8e)
	}
	return in(pieces, 3, 0xcc)
}

// juniperST builds a packet behind the headers that it gets in a secure tunnel.
func (g *generator) juniperST() []piece {
	_, pieces := g.ip()
	return around(pieces, func(b []byte) (head, tail []byte) {
		ip := slices.Concat([]byte{0x45, 0}, be16(44+len(b)), []byte{0, 1, 0, 0, 64, 50, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2})
		return slices.Concat(make([]byte, 12), be16(0x0800), ip, be32(1), be32(1), make([]byte, 16)), nil
	})
}

// rfc1483SNAP builds LLC of the kinds that a card tells from IP.
func (g *generator) rfc1483SNAP() []piece {
	if g.chance(4) {
		return in(g.nlpid(), 0xfe, 0xfe, 3)
	}
	return g.snap()
}

// ax25 builds an AX.25 header, with repeaters or without.
func (g *generator) ax25() []piece {
	head := []byte{}
	addresses := 2 + g.IntN(4)
	for i := range addresses {
		head = append(head, 0x8c, 0x9c, 0x86, 0x40, 0x40, 0x40, 0x60)
		if i == addresses-1 {
			head[len(head)-1] |= 1
		}
	}
	return in(g.ipv4(), append(head, pick[byte](g, 3, 0, 2), 0xcc)...)
}

// symantec builds the header of a Symantec firewall of version 2.
func (g *generator) symantec() []piece {
	t, pieces := g.typedIP()
	return in(pieces, slices.Concat(make([]byte, 6), be16(t), make([]byte, 36))...)
}

// erf builds an Endace record of one of several types, with extension headers.
func (g *generator) erf() []piece {
	var kind byte
	var pieces []piece
	switch g.IntN(5) {
	case 0:
		kind, pieces = 1, g.hdlcPPP()
	case 1:
		kind, pieces = 22, g.ipv4()
	case 2:
		kind, pieces = 23, g.ipv6()
	default:
		kind, pieces = 2, in(g.fcs(g.ethernet()), 0, 0)
	}
	more := g.IntN(3)
	return around(pieces, func(b []byte) (head, tail []byte) {
		head = slices.Concat(make([]byte, 8), []byte{kind, 4}, be16(16+8*more+len(b)), be16(0), be16(len(b)))
		if kind == 2 {
			binary.BigEndian.PutUint16(head[14:], uint16(len(b)-2))
		}
		for i := range more {
			if i == 0 {
				head[8] |= 0x80
			} else {
				head[16+8*(i-1)] |= 0x80
			}
			head = append(head, 3, 0, 0, 0, 0, 0, 0, 1)
		}
		return head, nil
	})
}

func (g *generator) ipnet() []piece {
	v6, pieces := g.ip()
	family := byte(2)
	if v6 {
		family = 26
	}
	return around(pieces, func(b []byte) (head, tail []byte) {
		return slices.Concat([]byte{1, family, 0, 0}, be32(uint32(len(b))), make([]byte, 16)), nil
	})
}

// nflog builds messages of Linux' log of packets: its header and the packet.
func (g *generator) nflog() []piece {
	family := byte(2)
	t, pieces := g.typedIP()
	if t == 0x86dd {
		family = 10
	}
	return around(pieces, func(b []byte) (head, tail []byte) {
		head = slices.Concat([]byte{family, 0, 0, 0}, le16(8), le16(1), be16(t), []byte{0, 0}, le16(4+len(b)), le16(9))
		return head, make([]byte, (4-len(b)&3)&3)
	})
}

func (g *generator) upperPDU() []piece {
	var name string
	var pieces []piece
	switch g.IntN(3) {
	case 0:
		name, pieces = "ip", g.ipv4()
	case 1:
		name, pieces = "ipv6", g.ipv6()
	default:
		name, pieces = "eth_withoutfcs", g.ethernet()
	}
	return in(pieces, slices.Concat(be16(12), be16(len(name)), []byte(name), be16(0), be16(0))...)
}

func (g *generator) pktap() []piece {
	var inner uint32
	var pieces []piece
	switch g.IntN(3) {
	case 0:
		inner, pieces = 0, g.null()
	case 1:
		inner, pieces = 101, g.raw()
	default:
		inner, pieces = 1, g.ethernet()
	}
	return in(pieces, append(littleEndian32(108, 1, inner), make([]byte, 96)...)...)
}
