package decode

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
	"strings"
)

func twinIPv4(t *twin) step {
	switch {
	case len(t.b) == 0:
		t.need(20)
	case t.at(0)>>4 == 6:
		return twinIPv6
	case t.at(0)>>4 != 4:
		return is(Malformed)
	}
	t.need(20)
	left := t.n
	size := t.u8() % 16 * 4
	if size < 20 {
		return is(Malformed)
	}
	t.limit(&t.headers, maxHeaders)
	t.enter()
	t.u8()
	total := t.u16()
	if total == 0 {
		total = left
	}
	if total < size {
		return is(Malformed)
	}
	id, flags := t.u16(), t.u16()
	t.u8()
	protocol := t.u8()
	t.u16()
	t.p.V6 = false
	t.p.Src = Addr{0, uint64(t.u32())}
	t.p.Dst = Addr{0, uint64(t.u32())}
	t.p.fragmented = flags&0x3fff != 0
	t.p.FirstFragment = flags&0x3fff == 0x2000
	t.end(total - 20)
	options := &reader{t.bytes(size - 20), size - 20}
	for options.n >= 2 {
		kind := options.u8()
		if kind == 0 {
			break
		}
		if kind == 1 {
			continue
		}
		size := options.u8()
		if size < 2 || size-2 > options.n {
			break
		}
		option := options.bytes(size - 2)
		if kind == 131 || kind == 137 { // pointer, addresses
			if size >= 7 && option[0] >= 4 && option[0]%4 == 0 && int(option[0]) <= size {
				t.p.Dst.Lo = uint64(binary.BigEndian.Uint32(option[size-6:]))
			}
			break
		}
	}
	if t.p.fragmented {
		t.p.FragProto, t.p.FragID = uint8(protocol), uint32(id)
		t.datagram = t.n
		if !t.p.FirstFragment {
			return twinLaterFragment(flags % 0x2000 * 8)
		}
	}
	t.extensions = 0
	return twinProtocol(protocol)
}

func twinIPv6(t *twin) step {
	if len(t.b) > 0 && t.at(0)>>4 != 6 {
		return is(Malformed)
	}
	t.need(40)
	t.limit(&t.headers, maxHeaders)
	t.enter()
	t.u32()
	size, protocol := t.u16(), t.u8()
	t.u8()
	t.p.V6, t.p.FirstFragment = true, false
	t.p.Src = Addr{uint64(t.u32())<<32 | uint64(t.u32()), uint64(t.u32())<<32 | uint64(t.u32())}
	t.p.Dst = Addr{uint64(t.u32())<<32 | uint64(t.u32()), uint64(t.u32())<<32 | uint64(t.u32())}
	if size == 0 && protocol == 0 {
		header := t.reader
		header.need(8)
		header.u8()
		options := &reader{b: header.bytes(7 + 8*header.u8() - 1)}
		options.n = len(options.b)
		for options.n >= 6 {
			kind := options.u8()
			if kind == 0 {
				continue
			}
			length := options.u8()
			if kind == 0xc2 && length == 4 {
				if size = options.u32(); size <= 65535 {
					return is(Malformed)
				}
				break
			}
			options.bytes(min(length, options.n))
		}
	}
	if size > 0 {
		t.end(size)
	}
	t.extensions = 0
	return twinProtocol(protocol)
}

func twinLaterFragment(at int) step {
	return func(t *twin) step {
		t.p.Proto = t.p.FragProto
		t.p.At, t.p.front = uint16(at), uint8(min(len(t.b), 8))
		for i, octet := range t.b[:t.p.front] {
			if shift := 24 - i%4*8; i < 4 {
				t.p.Seq |= uint32(octet) << shift
			} else {
				t.p.Ack |= uint32(octet) << shift
			}
		}
		leads := t.p.FragProto == 115 && slices.Contains(t.asked.tunnels, "l2tpv3") || slices.Contains([]uint8{0, 4, 41, 43, 44, 47, 51, 60, 97, 103, 135, 137, 139, 140, 143}, t.p.FragProto)
		if leads || t.asked.protocol(int(t.p.FragProto)) || t.p.FragProto == 17 && t.asked.tunnels != nil {
			return is(Fragment)
		}
		return is(OtherProtocol)
	}
}

func twinProtocol(protocol int) step {
	return func(t *twin) step {
		t.limit(&t.extensions, maxExtensions)
		if slices.Contains([]int{4, 41, 47, 51, 97, 135, 137, 139, 140, 143}, protocol) && t.asked.protocol(protocol) {
			outer := t.p
			outer.Proto = uint8(protocol)
			if protocol == 51 {
				outer.SrcPort, outer.DstPort, outer.OneWay = uint16(t.u16at(4)), uint16(t.u16at(6)), true
			}
			t.outer = &outer
		}
		switch protocol {
		case 4:
			return twinIPv4
		case 6:
			return twinTCP
		case 17:
			return twinUDP
		case 41:
			return twinIPv6
		case 47:
			return twinGRE
		case 137:
			return twinMPLS
		case 143:
			return twinBridged
		case 97:
			t.u16()
			return twinBridged
		case 115:
			if next := t.twinSession(); next != nil && slices.Contains(t.asked.tunnels, "l2tpv3") {
				if t.asked.protocol(protocol) {
					outer := t.p
					outer.Proto = uint8(protocol)
					t.outer = &outer
				}
				return next
			}
		case 103:
			if next := t.twinRegister(); next != nil {
				return next
			}
		case 0, 60:
			header := t.reader
			t.need(8)
			next, size := t.u8(), 8+8*t.u8()
			t.bytes(size - 2)
			rest := header
			rest.bytes(2)
			for read := 2; read < size; read = header.n - rest.n {
				if rest.at(0) == 0 {
					rest.bytes(1)
					continue
				}
				rest.need(2)
				rest.u8()
				rest.bytes(rest.u8())
			}
			return twinProtocol(next)
		case 43, 135, 139, 140:
			t.need(8)
			next, size := t.u8(), 8+8*t.u8()
			t.bytes(size - 2)
			return twinProtocol(next)
		case 51:
			t.need(12)
			next, size := t.u8(), 8+4*t.u8()
			t.bytes(size - 2)
			return twinProtocol(next)
		case 44:
			t.need(8)
			next, _, at, id := t.u8(), t.u8(), t.u16(), t.u32()
			if offset, more := at>>3, at&1 != 0; t.p.V6 && (offset > 0 || more) && (t.n > 0 || t.p.InFragments > 0) {
				t.p.fragmented = true
				t.p.FragProto, t.p.FragID = uint8(next), uint32(id)
				t.datagram = t.n
				if offset > 0 {
					return twinLaterFragment(offset * 8)
				}
				t.p.FirstFragment = true
			}
			return twinProtocol(next)
		}
		if !t.asked.protocol(protocol) || protocol == 59 && t.outer != nil {
			return is(OtherProtocol)
		}
		t.p.Proto = uint8(protocol)
		switch protocol {
		case 1, 58:
			t.need(8)
			kind, code, _, identifier := t.u8(), t.u8(), t.u16(), t.u16()
			t.p.SrcPort, t.p.DstPort = uint16(kind), uint16(code)
			pairs := [][2]int{{8, 0}, {10, 9}, {13, 14}, {15, 16}, {17, 18}}
			if protocol == 58 {
				pairs = [][2]int{{128, 129}, {130, 131}, {133, 134}, {135, 136}, {139, 140}, {144, 145}}
			}
			t.p.OneWay = true
			for _, pair := range pairs {
				if i := slices.Index(pair[:], kind); i >= 0 {
					// The greater of the two types has the upper half.
					upper, lower := identifier/256*256, identifier%256*256
					if !slices.Contains([]int{0, 8, 13, 14, 15, 16, 17, 18, 128, 129, 144, 145}, kind) {
						upper, lower = 0, 0
					}
					other := pair[1-i]
					t.p.SrcPort, t.p.DstPort, t.p.OneWay = uint16(kind+lower), uint16(other+upper), false
					if kind > other {
						t.p.SrcPort, t.p.DstPort = uint16(kind+upper), uint16(other+lower)
					}
				}
			}
		case 33, 132:
			t.need(12)
			t.p.SrcPort, t.p.DstPort = uint16(t.u16()), uint16(t.u16())
		case 136:
			t.need(8)
			t.p.SrcPort, t.p.DstPort = uint16(t.u16()), uint16(t.u16())
			if coverage := t.u16(); coverage > 0 && coverage < 8 {
				return is(Malformed)
			}
		case 50:
			t.need(8)
			t.p.SrcPort, t.p.DstPort, t.p.OneWay = uint16(t.u16()), uint16(t.u16()), true
		}
		return is(Counted)
	}
}

func twinGRE(t *twin) step {
	t.need(4)
	flags, kind := t.u16(), t.u16()
	size, version, key := 0, flags&7, 0
	for i, present := range []bool{
		flags&0xc000 != 0,
		flags&0x2000 != 0,
		flags&0x1000 != 0,
		flags&0x0080 != 0 && flags&7 != 0 && kind == 0x880b,
		kind == 0x883e && t.at(0) >= 0 && t.at(0)>>4 != 4,
	} {
		if present && i == 1 {
			key = size
		}
		if present {
			size += 4
		}
	}
	optional := t.bytes(size)
	if flags&0x2000 != 0 && version == 0 {
		digits := hex.EncodeToString(optional[key : key+4])
		if kind == 0x6558 {
			digits = digits[:6]
		}
		t.note("tunnel", "identifier "+strings.TrimLeft(digits, "0"))
	}
	if flags&0x4000 != 0 {
		twinRoutes(t)
	}
	if kind == 0x88be && flags&0x1000 != 0 {
		return twinERSPAN
	}
	return twinGREPayload(kind)
}

func twinGREPayload(kind int) step {
	return func(t *twin) step {
		switch kind {
		case 0x0800, 0x883e:
			return twinIPv4
		case 0x86dd:
			return twinIPv6
		case 0x6558, 0x6400:
			return twinBridged
		case 0x8847, 0x8848:
			return twinMPLS
		case 0x880b:
			return twinHDLC
		case 0x88be:
			return twinBridged
		case 0x22eb:
			return twinERSPAN
		case 0x894f:
			return twinNSH
		case 0x00fe:
			return twinOSI
		}
		if kind >= 0x8200 && kind <= 0x8370 && kind%16 == 0 {
			return twinWifi(false)
		}
		return t.nothingMore()
	}
}

func twinTCP(t *twin) step {
	left := t.n
	if !t.asked.protocol(6) {
		return is(OtherProtocol)
	}
	if t.p.FirstFragment && t.n < 16 { // tiny: what is there
		t.need(4)
		t.p.At, t.p.HeaderEnd = uint16(t.datagram-t.n+12), uint16(t.datagram-t.n+20)
		t.p.Proto = 6
		whole := len(t.b) >= 8
		t.p.SrcPort, t.p.DstPort = uint16(t.u16()), uint16(t.u16())
		if whole {
			t.p.Seq = uint32(t.u32())
		}
		return is(Counted)
	}
	t.need(16)
	t.p.SrcPort, t.p.DstPort = uint16(t.u16()), uint16(t.u16())
	t.p.Seq, t.p.Ack = uint32(t.u32()), uint32(t.u32())
	size := t.u8() >> 4 * 4
	if t.p.FirstFragment {
		t.p.HeaderEnd = uint16(t.datagram - left)
		if size >= 20 {
			t.p.HeaderEnd += uint16(size)
		}
	}
	t.p.RawFlags = uint8(t.u8())
	if size >= 20 {
		t.p.Flags = t.p.RawFlags
	}
	t.p.Proto = 6
	t.p.Whole = !t.p.fragmented && left >= size
	return is(Counted)
}

func twinUDP(t *twin) step {
	if !t.asked.protocol(17) && (t.n < 8 || len(t.b) < 8 && t.asked.tunnels == nil) {
		return is(OtherProtocol)
	}
	t.need(8)
	src, dst, size := t.u16(), t.u16(), t.u16()
	t.u16()
	if size < 8 && (size > 0 || !t.p.V6) {
		if !t.asked.protocol(17) {
			return is(OtherProtocol)
		}
		return is(Malformed)
	}
	t.p.SrcPort, t.p.DstPort = uint16(src), uint16(dst)
	t.p.Proto = 17
	if size > 0 {
		t.end(size - 8)
	}
	for _, tunnel := range []struct {
		name string
		here bool
		step step
	}{
		{"vxlan", dst == 4789 || dst == 8472, twinVXLAN},
		{"geneve", dst == 6081, twinGeneve},
		{"gtpu", dst == 2152, twinGTPU},
		{"l2tp", (dst == 1701 || src == 1701) && t.u16at(0)&15 != 3, twinL2TP},
		{"l2tpv3", (dst == 1701 || src == 1701) && t.u16at(0)&15 == 3, twinL2TPv3},
		{"teredo", dst == 3544 || src == 3544, twinTeredo},
	} {
		if tunnel.here && slices.Contains(t.asked.tunnels, tunnel.name) {
			return twinTunnel(tunnel.step)
		}
	}
	return is(Counted)
}
