package stacks

import (
	"encoding/binary"
	"slices"
)

// mac returns an address of a maker that Wireshark knows, with a first half byte
// that looks like no version of IP.
func (g *generator) mac() []byte {
	return append(pick(g, []byte{0, 0x1b, 0x21}, []byte{0, 0x50, 0x56}, []byte{8, 0, 0x27}, []byte{0, 0, 0x0c}), g.bytes(3)...)
}

// ethernet builds a frame of IEEE 802.3 without its checksum: with an EtherType or
// with a length, padded to 60 bytes in most cases.
func (g *generator) ethernet() []piece {
	addresses := slices.Concat(g.mac(), g.mac())
	if g.chance(10) {
		g.name("802.3")
		pieces := g.llc()
		return g.padded(around(pieces, func(b []byte) (head, tail []byte) {
			return slices.Concat(addresses, be16(len(b))), nil
		}))
	}
	if g.chance(30) && g.spend() {
		g.name("FabricPath")
		return in(g.ethernet(), slices.Concat(addresses, be16(0x8903), be16(g.IntN(1024)<<6|32))...)
	}
	if g.chance(40) && g.spend() {
		return g.isl()
	}
	g.name("Ethernet")
	t, pieces := g.typed()
	pieces = in(pieces, slices.Concat(addresses, be16(t))...)
	if !g.exact && g.chance(30) {
		g.name("PRP trailer")
		return around(pieces, func(b []byte) (head, tail []byte) {
			return nil, slices.Concat(be16(g.IntN(65536)), be16(0xa000|(len(b)-14+6)&0xfff), be16(0x88fb))
		})
	}
	return g.padded(pieces)
}

// isl builds an Inter-Switch Link header of Cisco's around an Ethernet frame.
func (g *generator) isl() []piece {
	g.name("ISL")
	source := g.mac()
	return around(g.fcs(g.ethernet()), func(b []byte) (head, tail []byte) {
		return slices.Concat([]byte{1, 0, 0x0c, 0, 0, 0}, source, be16(len(b)+12), []byte{0xaa, 0xaa, 3}, source[:3],
			be16(g.IntN(1024)<<1), be16(0), be16(0)), nil
	})
}

func (g *generator) padded(pieces []piece) []piece {
	if g.exact || g.chance(3) {
		return pieces
	}
	return around(pieces, func(b []byte) (head, tail []byte) { return nil, make([]byte, max(0, 60-len(b))) })
}

// typed builds what follows an EtherType, and returns that.
func (g *generator) typed() (t int, pieces []piece) {
	if !g.spend() {
		return g.typedIP()
	}
	switch g.IntN(21) {
	case 0, 1, 2, 3:
		g.name("802.1Q")
		return pick(g, 0x8100, 0x88a8, 0x9100), g.tag(g.IntN(65536))
	case 4, 5:
		g.name("MPLS behind an EtherType")
		return pick(g, 0x8847, 0x8848), g.mpls()
	case 6:
		g.name("PPPoE")
		return 0x8864, g.pppoe()
	case 7:
		g.name("802.1ah")
		return 0x88e7, in(g.ethernetTyped(), be32(uint32(g.IntN(1<<24)))...)
	case 8:
		g.name("VN-tag")
		t, pieces = g.typed()
		return 0x8926, in(pieces, slices.Concat(be16(g.IntN(1<<14)), be16(g.IntN(1<<12)), be16(t))...)
	case 9:
		g.name("802.1BR")
		t, pieces = g.typed()
		return 0x893f, in(pieces, slices.Concat(be16(g.IntN(1<<16)), be16(g.IntN(1<<14)), be16(0), be16(t))...)
	case 10:
		g.name("Cisco metadata")
		t, pieces = g.typed()
		return 0x8909, in(pieces, slices.Concat([]byte{1, 1}, be16(1), be16(g.IntN(65536)), be16(t))...)
	case 11:
		g.name("HSR")
		t, pieces = g.typed()
		return 0x892f, around(pieces, func(b []byte) (head, tail []byte) {
			return slices.Concat(be16((len(b)+6)&0xfff), be16(g.IntN(65536)), be16(t)), nil
		})
	case 12:
		g.name("802.1CB")
		t, pieces = g.typed()
		return 0xf1c1, in(pieces, slices.Concat(be16(0), be16(g.IntN(65536)), be16(t))...)
	case 13:
		return 0x88e5, g.macsec()
	case 14:
		g.name("TRILL")
		options := g.IntN(2)
		head := slices.Concat(be16(options<<6|g.IntN(64)), be16(g.IntN(0xffc0)+1), be16(g.IntN(0xffc0)+1), make([]byte, options*4))
		return 0x22f3, in(g.ethernet(), head...)
	case 15:
		g.name("NSH")
		return 0x894f, g.nsh()
	case 16:
		g.name("bridged Ethernet")
		return 0x6558, g.ethernet()
	case 17:
		g.name("batman-adv")
		if g.chance(2) {
			return 0x4305, in(g.ethernet(), slices.Concat([]byte{0x40, 15, 50, 0}, g.mac())...)
		}
		return 0x4305, in(g.ethernet(), slices.Concat([]byte{1, 15, 50, 0}, g.bytes(4), g.mac())...)
	case 18:
		g.name("jumbo LLC")
		return 0x8870, g.llc()
	case 19:
		g.name("802.11 behind an EtherType")
		return 0x2452, g.wifi()
	}
	return g.typedIP()
}

// ethernetTyped builds a header of Ethernet that has an EtherType, and no padding.
func (g *generator) ethernetTyped() []piece {
	addresses := slices.Concat(g.mac(), g.mac())
	t, pieces := g.typed()
	return in(pieces, slices.Concat(addresses, be16(t))...)
}

func (g *generator) typedIP() (t int, pieces []piece) {
	v6, pieces := g.ip()
	if v6 {
		return 0x86dd, pieces
	}
	return 0x0800, pieces
}

// tag builds a VLAN tag and what stands behind it: an EtherType.
func (g *generator) tag(control int) []piece {
	t, pieces := g.typed()
	return in(pieces, slices.Concat(be16(control), be16(t))...)
}

// macsec builds a header of IEEE 802.1AE with integrity only, with its check value.
func (g *generator) macsec() []piece {
	g.name("MACsec")
	t, pieces := g.typed()
	channel := g.chance(2)
	flags := byte(g.IntN(4))
	if channel {
		flags |= 0x20
	}
	return around(pieces, func(b []byte) (head, tail []byte) {
		short := 0
		if len(b)+2 < 48 {
			short = len(b) + 2
		}
		head = slices.Concat([]byte{flags, byte(short)}, be32(1+uint32(g.IntN(1000))))
		if channel {
			head = slices.Concat(head, g.mac(), be16(1))
		}
		return append(head, be16(t)...), g.bytes(16)
	})
}

// nsh builds a network service header (RFC 8300) with metadata of either type.
func (g *generator) nsh() []piece {
	var next int
	var pieces []piece
	switch g.IntN(4) {
	case 0:
		next, pieces = 3, g.ethernet()
	default:
		v6, p := g.ip()
		if next, pieces = 1, p; v6 {
			next = 2
		}
	}
	context, kind := g.bytes(16), 1
	if g.chance(2) {
		context, kind = nil, 2
		if g.chance(2) {
			context = slices.Concat(be16(0x100), []byte{1, 4}, g.bytes(4))
		}
	}
	head := slices.Concat(be16(63<<6|(2+len(context)/4)), []byte{byte(kind), byte(next)}, be32(g.Uint32()), context)
	return in(pieces, head...)
}

// mpls builds a label stack (RFC 3032) and IP, or a pseudowire of Ethernet (RFC
// 4448), below it.
func (g *generator) mpls() []piece {
	n := 1 + g.IntN(3)
	at := len(g.headers)
	g.name("MPLS")
	var pieces []piece
	switch g.IntN(6) {
	case 0:
		g.headers[at] = "MPLS, pseudowire"
		pieces = g.ethernet()
		for i := range pieces {
			pieces[i].b[0] &= 0x0f
		}
	case 1:
		g.headers[at] = "MPLS, pseudowire with a control word"
		pieces = in(g.ethernet(), slices.Concat(be16(0), be16(g.IntN(65536)))...)
	case 2:
		g.headers[at] = "MPLS, associated channel"
		v6, p := g.ip()
		channel := 0x21
		if v6 {
			channel = 0x57
		}
		pieces = in(p, slices.Concat(be16(0x1000), be16(channel))...)
	default:
		_, pieces = g.ip()
	}
	var labels []byte
	for i := range n {
		entry := uint32(16+g.IntN(1<<20-16))<<12 | uint32(g.IntN(8))<<9 | uint32(1+g.IntN(255))
		if i == n-1 {
			entry |= 1 << 8
		}
		labels = append(labels, be32(entry)...)
	}
	return in(pieces, labels...)
}

// pppoe builds a session's header (RFC 2516) and PPP.
func (g *generator) pppoe() []piece {
	return around(g.ppp(g.chance(20)), func(b []byte) (head, tail []byte) {
		return slices.Concat([]byte{0x11, 0, 0, 7}, be16(len(b))), nil
	})
}

// ppp builds a PPP header (RFC 1661), its protocol in one byte if that is asked for
// and can be.
func (g *generator) ppp(compressed bool) []piece {
	var t int
	var pieces []piece
	switch kind := g.IntN(10); {
	case kind == 0 && g.spend():
		g.name("PPP, MPLS")
		t, pieces = 0x0281, g.mpls()
	case kind == 1 && g.spend():
		g.name("PPP, OSI")
		t, pieces = 0x0023, g.nlpid()
	case kind == 2 && g.spend():
		g.name("PPP, LLC")
		t, pieces = 0x004b, g.llc()
	default:
		g.name("PPP")
		v6, p := g.ip()
		if t, pieces = 0x0021, p; v6 {
			t = 0x0057
		}
	}
	if compressed && t < 256 {
		return in(pieces, byte(t))
	}
	return in(pieces, be16(t)...)
}

// hdlcPPP builds PPP in the framing of HDLC (RFC 1662), which may be compressed away.
func (g *generator) hdlcPPP() []piece {
	if g.chance(4) {
		return g.ppp(g.chance(2))
	}
	return in(g.ppp(g.chance(4)), 0xff, 3)
}

// nlpid builds a network layer protocol identifier (ISO/IEC TR 9577) and IP.
func (g *generator) nlpid() []piece {
	v6, pieces := g.ip()
	if v6 {
		return in(pieces, 0x8e)
	}
	return in(pieces, 0xcc)
}

// llc builds a header of IEEE 802.2, with SNAP in most.
func (g *generator) llc() []piece {
	switch kind := g.IntN(12); {
	case kind == 0:
		g.name("LLC, IP")
		return in(g.ipv4(), 6, 6, 3)
	case kind == 1:
		g.name("LLC, OSI")
		return in(g.nlpid(), 0xfe, 0xfe, 3)
	case kind == 2 && g.spend():
		g.name("SNAP, bridged Ethernet")
		if g.chance(2) {
			return in(g.ethernet(), 0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 7, 0, 0)
		}
		return around(g.ethernet(), func([]byte) (head, tail []byte) {
			return []byte{0xaa, 0xaa, 3, 0, 0x80, 0xc2, 0, 1, 0, 0}, g.bytes(4)
		})
	}
	g.name("SNAP")
	t, pieces := g.typed()
	organisation := pick[byte](g, 0, 0, 0, 0xf8)
	return in(pieces, slices.Concat([]byte{0xaa, 0xaa, 3, 0, 0, organisation}, be16(t))...)
}

// wifi builds a data frame of IEEE 802.11 without its checksum.
func (g *generator) wifi() []piece {
	g.name("802.11")
	head := slices.Concat([]byte{8, 0, 0, 0}, g.mac(), g.mac(), g.mac(), le16(g.IntN(4096)<<4))
	head[1] = byte(g.IntN(4))
	if head[1] == 3 {
		head = append(head, g.mac()...)
	}
	if g.chance(2) {
		g.name("QoS")
		head[0] |= 0x80
		head = append(head, byte(g.IntN(8)), 0)
		if g.chance(4) {
			head[1] |= 0x80
			head = append(head, g.bytes(4)...)
		}
		if g.chance(4) {
			g.name("A-MSDU")
			head[len(head)-2-4*int(head[1]>>7)] |= 0x80
			addresses := slices.Concat(g.mac(), g.mac())
			return in(around(g.snap(), func(b []byte) (front, tail []byte) {
				return slices.Concat(addresses, be16(len(b))), nil
			}), head...)
		}
	}
	return in(g.snap(), head...)
}

// snap builds an LLC header with SNAP and an EtherType.
func (g *generator) snap() []piece {
	t, pieces := g.typed()
	return in(pieces, slices.Concat([]byte{0xaa, 0xaa, 3, 0, 0, 0}, be16(t))...)
}

// ciscoHDLC builds Cisco's own header of HDLC.
func (g *generator) ciscoHDLC() []piece {
	address := pick[byte](g, 0x0f, 0x8f)
	if g.chance(6) && g.spend() {
		g.name("Cisco HDLC, MPLS")
		return in(g.mpls(), address, 0, 0x88, 0x47)
	}
	g.name("Cisco HDLC")
	t, pieces := g.typedIP()
	return in(pieces, slices.Concat([]byte{address, 0}, be16(t))...)
}

// frameRelay builds a header of Frame Relay (RFC 2427), in Cisco's form too.
func (g *generator) frameRelay() []piece {
	address := []byte{0x18, 0x41}
	if g.chance(6) {
		address = []byte{0x18, 0x40, 0x02, 0x01}
	}
	switch g.IntN(4) {
	case 0:
		g.name("Frame Relay, Cisco's")
		t, pieces := g.typedIP()
		return in(pieces, append(address, be16(t)...)...)
	case 1:
		g.name("Frame Relay, SNAP")
		t, pieces := g.typed()
		return in(pieces, slices.Concat(address, []byte{3, 0, 0x80, 0, 0, 0}, be16(t))...)
	case 2:
		if g.spend() {
			g.name("Frame Relay, PPP")
			return in(g.ppp(false), append(address, 3, 0xcf)...)
		}
	}
	g.name("Frame Relay")
	return in(g.nlpid(), append(address, 3)...)
}

// rfc1483 builds what stands in AAL5 (RFC 2684): LLC, in which one pair of addresses
// names ISO protocols.
func (g *generator) rfc1483() []piece {
	if g.chance(4) {
		g.name("ISO")
		return in(g.nlpid(), 0xfe, 0xfe, 3)
	}
	return g.llc()
}

// fcs puts four bytes behind every piece.
func (g *generator) fcs(pieces []piece) []piece {
	return around(pieces, func([]byte) (head, tail []byte) { return nil, g.bytes(4) })
}

func littleEndian32(v ...uint32) (b []byte) {
	for _, n := range v {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return b
}
