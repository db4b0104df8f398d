package stacks

import (
	"encoding/binary"
	"hash/crc32"
	"net/netip"
	"slices"
)

// Few addresses and ports, so that flows have several packets.
var (
	addresses4 = []netip.Addr{
		netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.1.0.2"), netip.MustParseAddr("192.168.77.3"),
		netip.MustParseAddr("203.0.113.200"),
	}
	addresses6 = []netip.Addr{
		netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::2"), netip.MustParseAddr("fd00::77"),
		netip.MustParseAddr("fe80::5054:ff:fe00:1"),
	}
	// The first are those of tunnels in UDP and of what is dissected by its port.
	ports = []uint16{4789, 6081, 2152, 53, 443, 49152, 50001, 60999}
)

func (g *generator) ports() (src, dst uint16) {
	return pick(g, ports[4:]...), pick(g, ports...)
}

// ends chooses two different addresses of an IP header.
func (g *generator) ends(of []netip.Addr) (src, dst netip.Addr) {
	i := g.IntN(len(of))
	j := (i + 1 + g.IntN(len(of)-1)) % len(of)
	return of[i], of[j]
}

// ip builds an IP packet of either version.
func (g *generator) ip() (v6 bool, pieces []piece) {
	if g.chance(2) {
		return true, g.ipv6()
	}
	return false, g.ipv4()
}

// fragmented reports whether the datagram that is being built gets fragments.
func (g *generator) fragmented() bool {
	if g.frags == 0 || g.chance(2) {
		return false
	}
	g.frags--
	return true
}

// ipv4 builds an IPv4 packet (RFC 791), with options and in fragments now and then.
func (g *generator) ipv4() []piece {
	src, dst := g.ends(addresses4)
	options, last := g.options(dst)
	name := "IPv4"
	if len(options) > 0 {
		name = "IPv4 with options"
	}
	split := g.fragmented()
	if split {
		name += " in fragments"
	}
	g.name(name)
	g.ips++
	proto, pieces := g.behindIP(false, src, last)
	offload := !split && g.chance(60)
	if offload {
		g.exact = true
		g.name("length 0")
	}
	header := func(b []byte, offset int, more bool, id uint32) []byte {
		h := slices.Concat([]byte{0x45, byte(g.Uint32()), 0, 0}, be16(int(id)), []byte{0, 0, 64, proto, 0, 0},
			src.AsSlice(), dst.AsSlice(), options)
		h[0] += byte(len(options) / 4)
		if !offload {
			binary.BigEndian.PutUint16(h[2:], uint16(len(h)+len(b)))
		}
		word := uint16(offset / 8)
		if more {
			word |= 0x2000
		} else if offset == 0 && g.chance(2) {
			word |= 0x4000 // don't fragment
		}
		binary.BigEndian.PutUint16(h[6:], word)
		binary.BigEndian.PutUint16(h[10:], sum(h))
		return h
	}
	return g.datagrams(pieces, proto, split, header)
}

// datagrams puts a header in front of every piece, split into fragments if it is to
// be and can be.
func (g *generator) datagrams(pieces []piece, proto uint8, split bool, header func(b []byte, offset int, more bool, id uint32) []byte) []piece {
	var all []piece
	for _, p := range pieces {
		g.id++
		id := g.id
		cuts := []int{0}
		tiny := false
		if split {
			first := max(8, (max(p.need, p.deep)+7)&^7)
			if proto == protoTCP && !g.tunnel && g.chance(4) {
				first, tiny = 8, true
			}
			for at := first; at < len(p.b) && len(cuts) < 5; at += 8 * (1 + g.IntN(12)) {
				cuts = append(cuts, at)
			}
			tiny = tiny && len(cuts) > 1
		}
		for i, at := range cuts {
			end, more := len(p.b), i+1 < len(cuts)
			if more {
				end = cuts[i+1]
			}
			h := header(p.b[at:end], at, more, id)
			q := piece{b: slices.Concat(h, p.b[at:end]), need: len(h), deep: len(h), later: p.later || i > 0, tiny: p.tiny || tiny}
			if i == 0 {
				q.need += p.need
				q.deep += p.deep
				if tiny {
					q.need = len(h) + 4 // the ports
				}
			}
			all = append(all, q)
		}
	}
	return all
}

// options returns the options of an IPv4 header, none in most, and the last
// destination.
func (g *generator) options(dst netip.Addr) ([]byte, netip.Addr) {
	if !g.chance(5) {
		return nil, dst
	}
	switch g.IntN(4) {
	case 0: // router alert (RFC 2113)
		return []byte{148, 4, 0, 0}, dst
	case 1: // record route, unused
		return []byte{1, 7, 11, 4, 0, 0, 0, 0, 0, 0, 0, 0}, dst
	case 2: // time stamps
		return append([]byte{68, 12, 13, 0}, g.bytes(8)...), dst
	}
	// A loose source route, not used up: the last address is where it goes.
	last := pick(g, addresses4...)
	return slices.Concat([]byte{131, 7, 4}, last.AsSlice(), []byte{0}), last
}

// ipv6 builds an IPv6 packet (RFC 8200), with extension headers and in fragments now
// and then.
func (g *generator) ipv6() []piece {
	src, dst := g.ends(addresses6)
	split := g.fragmented()
	atomic := !split && g.chance(12)
	name := "IPv6"
	switch {
	case split:
		name = "IPv6 in fragments"
	case atomic:
		name = "IPv6 with an atomic fragment"
	}
	g.name(name)
	g.ips++
	// Before the fragment header, and behind it.
	var before, behind []uint8
	if g.chance(8) {
		before = append(before, 0)
	}
	if g.chance(10) {
		before = append(before, 60)
	}
	if g.chance(8) {
		before = append(before, 43)
	}
	if g.chance(12) {
		behind = append(behind, 51)
	}
	if g.chance(20) {
		behind = append(behind, pick[uint8](g, 135, 139, 140))
	}
	if g.chance(10) {
		behind = append(behind, 60)
	}
	for _, kind := range slices.Concat(before, behind) {
		g.name(map[uint8]string{0: "hop-by-hop", 60: "destination options", 43: "routing", 51: "AH", 135: "mobility", 139: "HIP", 140: "shim6"}[kind])
	}
	proto, pieces := g.behindIP(true, src, dst)
	for _, kind := range slices.Backward(behind) {
		pieces = in(pieces, g.extension(kind, proto, dst)...)
		proto = kind
	}
	offload := !split && !slices.Contains(before, 0) && g.chance(60)
	if offload {
		g.exact = true
		g.name("length 0")
	}
	inner := proto
	front := []byte{}
	next := proto
	if split || atomic {
		next = 44
	}
	for _, kind := range slices.Backward(before) {
		front = slices.Concat(g.extension(kind, next, dst), front)
		next = kind
	}
	header := func(b []byte, offset int, more bool, id uint32) []byte {
		rest := slices.Clone(front)
		if split || atomic {
			word := offset
			if more {
				word |= 1
			}
			rest = slices.Concat(rest, []byte{inner, 0}, be16(word), be32(id|0x10000000))
		}
		size := len(rest) + len(b)
		if offload {
			size = 0
		}
		return slices.Concat([]byte{0x60, 0, 0, byte(g.IntN(256))}, be16(size), []byte{next, 64}, src.AsSlice(), dst.AsSlice(), rest)
	}
	return g.datagrams(pieces, inner, split, header)
}

// extension builds an extension header in front of a next one.
func (g *generator) extension(kind, next uint8, dst netip.Addr) []byte {
	switch kind {
	case 0: // router alert and PadN
		return []byte{next, 0, 5, 2, 0, 0, 1, 0}
	case 60:
		if g.chance(2) {
			return []byte{next, 1, 1, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		}
		return []byte{next, 0, 1, 4, 0, 0, 0, 0}
	case 43:
		if g.chance(2) { // segment routing (RFC 8754), at its last segment
			return slices.Concat([]byte{next, 2, 4, 0, 0, 0, 0, 0}, dst.AsSlice())
		}
		return slices.Concat([]byte{next, 2, 0, 0, 0, 0, 0, 0}, dst.AsSlice())
	case 135: // a binding refresh request (RFC 6275, 6.1.2)
		return []byte{next, 0, 0, 0, 0, 0, 0, 0}
	case 139: // as short as can be (RFC 7401, 5.1): I1, without parameters
		return slices.Concat([]byte{next, 4, 1, 0x21, 0, 0, 0, 0}, g.bytes(32))
	case 140: // payload (RFC 5533, 5.2)
		return slices.Concat([]byte{next, 0, 0x80}, g.bytes(5))
	}
	return g.authentication(next)
}

// authentication builds an authentication header (RFC 4302) with a check value of 12
// bytes, or of 16 with padding to a multiple of 8.
func (g *generator) authentication(next uint8) []byte {
	return slices.Concat([]byte{next, 4, 0, 0}, be32(0x1000+uint32(g.IntN(100))), be32(uint32(g.IntN(1000))), g.bytes(12))
}

// behindIP builds what an IP header between two addresses carries.
func (g *generator) behindIP(v6 bool, src, dst netip.Addr) (proto uint8, pieces []piece) {
	if g.ips >= 8 || !g.spend() {
		return g.transport(v6, src, dst)
	}
	switch kind := g.IntN(12); {
	case kind < 2:
		g.name("IP in IP")
		inner6, pieces := g.ip()
		if inner6 {
			return 41, pieces
		}
		return 4, pieces
	case kind < 5:
		return 47, g.gre()
	case kind == 5:
		g.name("EtherIP")
		return 97, in(g.ethernet(), 0x30, 0)
	case kind == 6:
		g.name("MPLS in IP")
		return 137, g.mpls()
	case kind == 7:
		g.name("Ethernet in IP")
		return 143, g.ethernet()
	case kind == 8:
		g.name("PIM register")
		_, pieces = g.ip()
		head := []byte{0x21, 0, 0, 0, 0, 0, 0, 0}
		binary.BigEndian.PutUint16(head[2:], sum(head)) // of the header alone (RFC 7761, 4.9)
		return 103, in(pieces, head...)
	case kind == 9 && !v6:
		g.name("AH")
		proto, pieces = g.behindIP(v6, src, dst)
		return 51, in(pieces, g.authentication(proto)...)
	}
	return g.transport(v6, src, dst)
}

// transport builds what ends the stack.
func (g *generator) transport(v6 bool, src, dst netip.Addr) (uint8, []piece) {
	a, b := g.ports()
	payload := g.bytes(g.IntN(90))
	if g.frags > 0 || g.chance(6) {
		payload = g.bytes(60 + g.IntN(300))
	}
	pseudo := func(proto, size int) []byte {
		return slices.Concat(src.AsSlice(), dst.AsSlice(), be16(0), be16(size), be16(proto))
	}
	g.flow = tuple{src: netip.AddrPortFrom(src, a), dst: netip.AddrPortFrom(dst, b)}
	switch kind := g.IntN(16); {
	case kind < 8:
		g.name("TCP")
		g.counted, g.flow.proto = true, protoTCP
		var options []byte
		if g.chance(2) { // time stamps (RFC 7323)
			options = append([]byte{1, 1, 8, 10}, g.bytes(8)...)
		}
		// No SYN: one with a number of its own would begin another flow.
		flags := pick[byte](g, 0x10, 0x18, 0x11, 0x14, 0x04, 0x30, 0x50, 0x90)
		h := slices.Concat(be16(int(a)), be16(int(b)), g.bytes(8), []byte{byte(5+len(options)/4) << 4, flags}, be16(g.IntN(65536)), be16(0), be16(0), options)
		binary.BigEndian.PutUint16(h[16:], sum(pseudo(protoTCP, len(h)+len(payload)), h, payload))
		return protoTCP, []piece{{b: append(h, payload...), need: 16, deep: 16}}
	case kind < 13:
		if g.ips < 6 && !g.tunnel && g.spend() {
			return protoUDP, g.tunnelInUDP(src, dst, pseudo)
		}
		g.name("UDP")
		g.counted, g.flow.proto = true, protoUDP
		h := slices.Concat(be16(int(a)), be16(int(b)), be16(8+len(payload)), be16(0))
		binary.BigEndian.PutUint16(h[6:], max(1, sum(pseudo(protoUDP, 8+len(payload)), h, payload)))
		return protoUDP, []piece{{b: append(h, payload...), need: 8, deep: 8}}
	case kind < 14:
		g.name("ICMP echo")
		h := append([]byte{8, 0, 0, 0}, g.bytes(4)...)
		if v6 {
			h[0] = 128
			binary.BigEndian.PutUint16(h[2:], sum(pseudo(protoICMPv6, len(h)+len(payload)), h, payload))
			return protoICMPv6, []piece{{b: append(h, payload...)}}
		}
		binary.BigEndian.PutUint16(h[2:], sum(h, payload))
		return protoICMP, []piece{{b: append(h, payload...)}}
	case kind < 15:
		g.name("ICMP error")
		return g.unreachable(v6, dst, pseudo)
	}
	g.name("SCTP")
	h := slices.Concat(be16(int(a)), be16(int(b)), g.bytes(4), be32(0), []byte{0, 3}, be16(16+len(payload)), g.bytes(12), payload)
	for len(h)&3 != 0 {
		h = append(h, 0)
	}
	binary.LittleEndian.PutUint32(h[8:], crc32.Checksum(h, crc32.MakeTable(crc32.Castagnoli)))
	return protoSCTP, []piece{{b: h}}
}

// tunnelInUDP builds a UDP header, that of a tunnel, and what it carries. The flow of
// the packet is UDP's, and that of what is inside is noted.
func (g *generator) tunnelInUDP(src, dst netip.Addr, pseudo func(proto, size int) []byte) []piece {
	flow := g.flow
	flow.proto = protoUDP
	var port uint16
	var pieces []piece
	g.tunnel = true
	switch g.IntN(5) {
	case 0:
		g.name("VXLAN")
		port = 4789
		pieces = in(g.ethernet(), slices.Concat([]byte{8, 0, 0, 0}, be32(uint32(g.IntN(1<<24))<<8))...)
	case 1:
		g.name("Geneve")
		port = 6081
		t, p := 0x6558, []piece(nil)
		if g.chance(2) {
			p = g.ethernet()
		} else {
			t, p = g.typedIP()
		}
		options := make([]byte, 4*g.IntN(3)) // of class 0
		if len(options) > 0 {
			options[3] = byte(len(options)/4 - 1)
		}
		pieces = in(p, slices.Concat([]byte{byte(len(options) / 4), 0}, be16(t), be32(uint32(g.IntN(1<<24))<<8), options)...)
	case 2:
		g.name("GTP-U")
		port = 2152
		_, p := g.ip()
		sequence := g.chance(2)
		pieces = around(p, func(b []byte) (head, tail []byte) {
			if sequence {
				return slices.Concat([]byte{0x32, 255}, be16(len(b)+4), be32(7), []byte{0, 1, 0, 0}), nil
			}
			return slices.Concat([]byte{0x30, 255}, be16(len(b)), be32(7)), nil
		})
	case 3:
		g.name("L2TP")
		port = 1701
		pieces = around(in(g.ppp(false), 0xff, 3), func(b []byte) (head, tail []byte) {
			return slices.Concat([]byte{0x40, 2}, be16(len(b)+8), be16(1), be16(2)), nil
		})
	case 4:
		g.name("Teredo")
		port = 3544
		pieces = g.ipv6()
		if g.chance(2) {
			pieces = in(pieces, 0, 0, 0x9c, 0x40, 0xf5, 0xff, 0x9b, 0x10)
		}
	}
	g.inner, g.innerCounted = g.flow, g.counted
	g.flow = flow
	g.flow.dst = netip.AddrPortFrom(dst, port)
	g.counted = true
	pieces = around(pieces, func(b []byte) (head, tail []byte) {
		h := slices.Concat(be16(int(flow.src.Port())), be16(int(port)), be16(8+len(b)), be16(0))
		binary.BigEndian.PutUint16(h[6:], max(1, sum(pseudo(protoUDP, 8+len(b)), h, b)))
		return h, nil
	})
	for i := range pieces {
		pieces[i].need, pieces[i].later, pieces[i].tiny = 8, false, false
	}
	return pieces
}

// unreachable builds an error that quotes the beginning of a UDP packet, which
// belongs to no flow.
func (g *generator) unreachable(v6 bool, dst netip.Addr, pseudo func(proto, size int) []byte) (uint8, []piece) {
	udp := slices.Concat(be16(50001), be16(53), be16(8+12), be16(0), g.bytes(12))
	if v6 {
		quoted := slices.Concat([]byte{0x60, 0, 0, 0}, be16(len(udp)), []byte{protoUDP, 64}, dst.AsSlice(), addresses6[0].AsSlice(), udp)
		h := slices.Concat([]byte{1, 4, 0, 0, 0, 0, 0, 0}, quoted)
		binary.BigEndian.PutUint16(h[2:], sum(pseudo(protoICMPv6, len(h)), h))
		return protoICMPv6, []piece{{b: h}}
	}
	quoted := slices.Concat([]byte{0x45, 0}, be16(20+len(udp)), []byte{0, 1, 0, 0, 64, protoUDP, 0, 0}, dst.AsSlice(), addresses4[0].AsSlice(), udp)
	binary.BigEndian.PutUint16(quoted[10:], sum(quoted[:20]))
	h := slices.Concat([]byte{3, 3, 0, 0, 0, 0, 0, 0}, quoted)
	binary.BigEndian.PutUint16(h[2:], sum(h))
	return protoICMP, []piece{{b: h}}
}

// gre builds a GRE header (RFC 2784, RFC 2890) and what it carries.
func (g *generator) gre() []piece {
	flags := 0
	for _, bit := range []int{0x8000, 0x2000, 0x1000} {
		if g.chance(3) {
			flags |= bit
		}
	}
	var t int
	var pieces []piece
	at := len(g.headers)
	g.name("GRE")
	switch kind := g.IntN(13); kind {
	case 0, 1, 2:
		t = 0x0800
		if v6, p := g.ip(); v6 {
			t, pieces = 0x86dd, p
		} else {
			pieces = p
		}
	case 3:
		t, pieces = 0x6558, g.ethernet()
	case 4:
		t, pieces = 0x8847, g.mpls()
	case 5:
		g.name("ERSPAN I")
		t, flags, pieces = 0x88be, 0, g.ethernet()
	case 6:
		g.name("ERSPAN II")
		t, flags = 0x88be, 0x1000
		pieces = in(g.ethernet(), slices.Concat(be16(0x1000|g.IntN(4096)), be16(g.IntN(1024)), be32(uint32(g.IntN(1<<20))))...)
	case 7:
		g.name("ERSPAN III")
		t, flags = 0x22eb, 0x1000
		head := slices.Concat(be16(0x2000|g.IntN(4096)), be16(g.IntN(1024)), g.bytes(4), be16(g.IntN(65536)), []byte{0, 0})
		if g.chance(2) { // with a platform's own header
			head[11] |= 1
			head = append(head, 0, 0, 0, 0, 0, 0, 0, 0)
		}
		pieces = in(g.ethernet(), head...)
	case 8:
		g.headers[at] = "GRE of PPTP"
		ps := g.ppp(g.chance(2))
		sequence := be32(uint32(g.IntN(1000)))
		return around(ps, func(b []byte) (head, tail []byte) {
			return slices.Concat([]byte{0x30, 0x01, 0x88, 0x0b}, be16(len(b)), be16(7), sequence), nil
		})
	case 9:
		g.name("NSH")
		t, pieces = 0x894f, g.nsh()
	case 10:
		g.name("WCCP")
		t, flags, pieces = 0x883e, 0, g.ipv4()
		if g.chance(2) { // version 2
			pieces = in(pieces, 0, 0, 0, 0)
		}
	case 11:
		g.name("EoIP")
		return around(g.ethernet(), func(b []byte) (head, tail []byte) {
			return slices.Concat([]byte{0x20, 0x01, 0x64, 0x00}, be16(len(b)), le16(5)), nil
		})
	case 12:
		g.name("Aruba")
		t, flags, pieces = 0x8200+16*g.IntN(24), 0, g.wifi()
	}
	return around(pieces, func(b []byte) (head, tail []byte) {
		head = slices.Concat(be16(flags), be16(t))
		if flags&0x8000 != 0 {
			head = append(head, 0, 0, 0, 0)
		}
		if flags&0x2000 != 0 {
			head = append(head, be32(uint32(g.IntN(1<<24)))...)
		}
		if flags&0x1000 != 0 {
			head = append(head, be32(uint32(g.IntN(1<<24)))...)
		}
		if flags&0x8000 != 0 {
			binary.BigEndian.PutUint16(head[4:], sum(head, b))
		}
		return head, nil
	})
}
