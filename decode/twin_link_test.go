package decode

import (
	"encoding/binary"
	"slices"
)

func twinLink(linkType int) step {
	known := map[int]step{
		0: twinNull, 1: twinEthernet, 9: twinHDLC, 12: twinRaw, 14: twinRaw, 50: twinHDLC, 101: twinRaw,
		104: twinCisco, 105: twinWifi(false), 108: twinLoop, 113: twinCooked, 127: twinRadiotap,
		192: twinPPI, 228: twinIPv4, 229: twinIPv6, 276: twinCooked2,
	}
	if next := known[linkType]; next != nil {
		return next
	}
	return func(t *twin) step {
		t.p.unread = rareLinkType(uint32(linkType))
		return is(NotIP)
	}
}

func twinEthernet(t *twin) step {
	t.need(14)
	if t.u16at(12) <= 1500 && t.u16at(0) == 0x0100 && t.u16at(2) == 0x0c00 && t.u16at(4) < 16 {
		return twinISL
	}
	t.bytes(12)
	kind := t.u16()
	if kind <= 1500 {
		return twinLength(kind)
	}
	return twinEtherType(kind)
}

func twinBridged(t *twin) step {
	t.limit(&t.frames, maxFrames)
	return twinEthernet
}

func twinLength(length int) step {
	return func(t *twin) step {
		t.end(length)
		return twinLLC
	}
}

func twinEtherType(kind int) step {
	return func(t *twin) step {
		if kind != 0x8100 && kind != 0x88a8 && kind != 0x9100 {
			t.tags = 0
		}
		switch kind {
		case 0x0800:
			return twinIPv4
		case 0x86dd:
			return twinIPv6
		case 0x8100, 0x9100, 0x88a8:
			t.need(4)
			if id := t.u16() % 4096; id > 0 {
				t.note("vlan", id)
			}
			inner := t.u16()
			if inner <= 1500 && kind != 0x88a8 {
				return twinLength(inner)
			}
			t.limit(&t.tags, maxTags+1)
			if t.tags > maxTags {
				return is(Malformed)
			}
			return twinEtherType(inner)
		case 0x8847, 0x8848:
			return twinMPLS
		case 0x8864:
			return twinPPPoE
		case 0x6558:
			return twinBridged
		case 0x8870:
			return twinLLC
		}
		if next := twinRareEtherType(kind); next != nil {
			return next
		}
		return t.nothingMore()
	}
}

func twinLLC(t *twin) step {
	t.need(3)
	addresses, control := t.u16(), t.u8()
	if control&3 != 3 {
		t.u8()
	}
	information := control%2 == 0 || control == 3
	if addresses>>8 == 6 && information {
		return twinIPv4
	}
	if isTwinOSI(addresses) && information {
		return twinOSI
	}
	if addresses != 0xaaaa {
		return t.nothingMore()
	}
	t.need(5)
	organisation, protocol := t.le(3), t.u16()
	if organisation == 0xc28000 && (protocol == 1 || protocol == 7) {
		t.u16()
		if protocol == 1 && t.n >= 4 && !t.inFragment() {
			t.end(t.n - 4)
		}
		return twinBridged
	}
	if (organisation == 0 || organisation == 0xf80000) && information && protocol > 1500 {
		return twinEtherType(protocol)
	}
	return t.nothingMore()
}

func twinMPLS(t *twin) step {
	entry := 0
	for t.labels = 0; ; {
		t.limit(&t.labels, maxLabels)
		above := entry >> 12
		entry = t.u32()
		if entry>>12 > 15 && (t.labels == 1 || above != 7) {
			t.note("mpls", entry>>12)
		}
		if entry&0x100 == 0 {
			continue
		}
		if entry>>12 == 14 {
			return t.nothingMore()
		}
		if entry>>12 == 13 {
			return twinChannel
		}
		t.need(1)
		switch t.at(0) >> 4 {
		case 4:
			return twinIPv4
		case 6:
			return twinIPv6
		case 1:
			return twinChannel
		case 0:
			t.need(18)
			known := []int{0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8864, 0x6558, 0x8870, 0x2452}
			is := func(kind int) bool { return slices.Contains(known, kind) || twinRareEtherType(kind) != nil }
			if is(t.u16at(12)) {
				return twinBridged
			}
			length, addresses := t.u16at(12), t.u16at(14)
			llc := (length <= t.n-14 || t.inFragment()) && length <= 1500 && t.at(16) == 3 &&
				slices.Contains([]int{0xaaaa, 0x0606, 0xfefe}, addresses)
			if is(t.u16at(16)) || t.u16at(0) == 0 && !llc {
				t.u32()
			}
			return twinBridged
		}
		return t.nothingMore()
	}
}

func twinPPPoE(t *twin) step {
	t.need(8)
	t.u32()
	size := t.u16()
	credit := t.u16at(0) == 0x0106
	t.end(size)
	if credit {
		t.bytes(8)
	}
	return twinPPP
}

func twinPPP(t *twin) step {
	t.need(2)
	protocol := t.u8()
	if protocol%2 == 0 {
		protocol = protocol<<8 | t.u8()
	}
	switch protocol {
	case 0x0021, 0x0800:
		return twinIPv4
	case 0x0057, 0x86dd:
		return twinIPv6
	case 0x0281, 0x0283:
		return twinMPLS
	case 0x0023:
		return twinOSI
	case 0x004b:
		t.limit(&t.frames, maxFrames)
		return twinLLC
	}
	return t.nothingMore()
}

func twinHDLC(t *twin) step {
	t.need(2)
	switch t.at(0) {
	case 0x0f, 0x8f:
		return twinCisco
	case 0xff:
		t.u16()
	}
	return twinPPP
}

func twinCisco(t *twin) step {
	t.need(4)
	t.u16()
	switch t.u16() {
	case 0x0800:
		return twinIPv4
	case 0x86dd:
		return twinIPv6
	case 0x8847, 0x8848:
		return twinMPLS
	case 0x6558:
		return twinBridged
	}
	return t.nothingMore()
}

func twinCooked(t *twin) step {
	t.need(16)
	t.u16()
	device := t.u16()
	t.bytes(10)
	return twinCookedPayload(device, t.u16())
}

func twinCooked2(t *twin) step {
	t.need(20)
	protocol := t.u16()
	t.bytes(6)
	device := t.u16()
	t.bytes(10)
	return twinCookedPayload(device, protocol)
}

func twinCookedPayload(device, protocol int) step {
	if device == 824 {
		return is(NotIP)
	}
	if protocol > 1536 {
		if device == 778 {
			return twinGREPayload(protocol)
		}
		return twinEtherType(protocol)
	}
	if device == 803 {
		return twinRadiotap
	}
	switch protocol {
	case 3:
		return twinBridged
	case 4:
		return twinLLC
	case 7:
		return twinHDLC
	}
	return is(NotIP)
}

func twinNull(t *twin) step {
	t.need(4)
	if t.u16at(0) == 0xff03 {
		return twinHDLC
	}
	b := [4]int{t.u8(), t.u8(), t.u8(), t.u8()}
	big := b[0]<<24 | b[1]<<16 | b[2]<<8 | b[3]
	little := b[3]<<24 | b[2]<<16 | b[1]<<8 | b[0]
	family := big
	switch {
	case b[2] == 0 && b[3] == 0 && b[0] == 0 && b[1] < 6: // 0 family 0 0
		family = b[1]
	case b[2] == 0 && b[3] == 0:
		family = little
	case b[3] == 0 && b[2] < 6:
		family = b[2]
	}
	if family > 1500 {
		kind := family & 0xffff
		if kind <= 1500 {
			return t.nothingMore()
		}
		return twinEtherType(kind)
	}
	return twinFamily(family)
}

func twinLoop(t *twin) step { return twinFamily(t.u32()) }

func twinFamily(family int) step {
	switch family {
	case 2:
		return twinIPv4
	case 24, 28, 30:
		return twinIPv6
	}
	return is(NotIP)
}

func twinRaw(t *twin) step {
	if t.n < 20 && len(t.b) < 10 {
		return is(Malformed)
	}
	if len(t.b) < 10 {
		return is(Truncated)
	}
	for _, skip := range []int{0, 6, 1} {
		if t.u16at(skip) == 0xff03 {
			t.bytes(skip)
			return twinHDLC
		}
	}
	if string(t.b[:10]) == string(make([]byte, 10)) {
		t.bytes(10)
		return twinIPv4
	}
	switch t.at(0) >> 4 {
	case 4:
		return twinIPv4
	case 6:
		return twinIPv6
	}
	return is(NotIP)
}

func twinRadiotap(t *twin) step {
	t.need(8)
	size := int(binary.LittleEndian.Uint16(t.b[2:]))
	if size < 8 {
		return is(Malformed)
	}
	header := &reader{t.bytes(size), size}
	header.u32()
	present := header.le(4)
	if present&(1<<26) != 0 {
		return is(NotIP)
	}
	for word := present; word&(1<<31) != 0; {
		if header.n < 4 {
			return twinWifi(false)
		}
		word = header.le(4)
	}
	if present&1 != 0 {
		offset := size - header.n
		skip := min(header.n, (8-offset%8)%8+8)
		header.bytes(skip)
	}
	if present&2 == 0 || header.n == 0 {
		return twinWifi(false)
	}
	flags := header.u8()
	if flags&0x10 != 0 && t.n >= 4 {
		t.end(t.n - 4)
	}
	return twinWifi(flags&0x20 != 0)
}

func twinPPI(t *twin) step {
	t.need(8)
	t.u8()
	aligned := t.u8()&1 != 0
	size, linkType := t.le(2), t.le(4)
	if size < 8 {
		return is(Malformed)
	}
	fields := &reader{t.bytes(size - 8), size - 8}
	t.limit(&t.frames, maxFrames)
	for fields.n >= 4 {
		kind, size := fields.le(2), fields.le(2)
		if fields.n < size {
			return is(Malformed)
		}
		field := fields.bytes(size)
		if kind == 2 && size == 20 && field[8]&1 != 0 && linkType == 105 && t.n >= 4 {
			t.end(t.n - 4)
		}
		for aligned && size%4 != 0 && fields.n > 0 {
			fields.u8()
			size++
		}
	}
	return twinLink(linkType)
}

func twinWifi(padded bool) step {
	return func(t *twin) step {
		if len(t.b) > 0 && t.at(0)&0x0f != 8 {
			return is(NotIP)
		}
		t.need(24)
		start := t.n
		frame, flags := t.u8(), t.u8()
		t.u16()
		a1, a2, a3, sequence := t.bytes(6), t.bytes(6), t.bytes(6), t.le(2)
		if frame&0x40 != 0 || flags&0x44 != 0 {
			return is(NotIP)
		}
		destination, source := a1, a2
		switch flags & 3 {
		case 1:
			destination = a3
		case 2:
			source = a3
		case 3:
			destination, source = a3, t.bytes(6)
		}
		aggregate := false
		if frame&0x80 != 0 {
			aggregate = t.le(2)&0x80 != 0
			if flags&0x80 != 0 {
				t.u32()
			}
		}
		if padded {
			t.bytes((4 - (start-t.n)%4) % 4)
		}
		if flags&2 != 0 && t.at(0) >= 0 && t.at(0) <= 2 {
			mesh := 6 + 6*t.at(0)
			t.need(mesh + 2)
			if t.u16at(mesh) == 0xaaaa {
				t.bytes(mesh)
			}
		}
		if sequence%16 != 0 && t.u16at(0) != 0xaaaa {
			return is(NotIP)
		}
		if aggregate && t.n > 4 {
			t.need(14)
			t.bytes(12)
			return twinLength(t.u16())
		}
		return twinWifiPayload(destination, source, sequence)
	}
}

func twinWifiPayload(destination, source []byte, sequence int) step {
	return func(t *twin) step {
		isAt := func(offset int, address []byte) bool {
			return offset+6 <= len(t.b) && string(t.b[offset:offset+6]) == string(address)
		}
		t.need(2)
		front := t.u16at(0)
		switch {
		case front == 0xaaaa:
		case isAt(6, source) || isAt(0, destination):
			return twinBridged
		case front == 0 && isAt(6, destination) && isAt(12, source):
			t.bytes(6)
			return twinBridged
		case front == 0 || front>>8|front<<8&0xff00 == sequence:
			t.u16()
		case slices.Contains([]int{0x0800, 0x86dd, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8864, 0x6558}, front):
			t.u16()
			return twinEtherType(front)
		}
		return twinLLC
	}
}
