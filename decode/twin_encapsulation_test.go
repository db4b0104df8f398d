package decode

import (
	"fmt"
	"slices"
)

// The twin's steps for the headers of docs/encapsulations.md.

// identifier notes what tells one tunnel from another.
func (t *twin) identifier(n int) {
	text := ""
	if n != 0 {
		text = fmt.Sprintf("%x", n)
	}
	t.note("tunnel", "identifier "+text)
}

// ends notes the identifiers of both ends of a tunnel.
func (t *twin) ends(a, b int) { t.identifier(min(a, b)<<16 + max(a, b)) }

// twinTag reads a tag of size bytes in front of an EtherType.
func twinTag(size int) step {
	return func(t *twin) step {
		t.limit(&t.frames, maxFrames)
		t.need(size + 2)
		t.bytes(size)
		return twinEtherType(t.u16())
	}
}

func twinRareEtherType(kind int) step {
	steps := map[int]step{
		0x2452: func(t *twin) step {
			t.limit(&t.frames, maxFrames)
			return twinWifi(false)
		},
		0x22f3: func(t *twin) step {
			t.need(6)
			flags, egress, ingress := t.u16(), t.u16(), t.u16()
			t.bytes(flags / 64 % 32 * 4)
			t.ends(egress, ingress)
			return twinBridged
		},
		0x4305: func(t *twin) step {
			t.need(2)
			sizes := map[int]int{0x400f: 10, 0x030e: 10, 0x010f: 14, 0x040e: 14, 0x420f: 18}
			size := sizes[t.u16at(0)]
			if size == 0 {
				return t.nothingMore()
			}
			t.bytes(size)
			return twinBridged
		},
		0x88e5: func(t *twin) step {
			t.need(6)
			flags, size := t.at(0), 6
			if flags&0x8c != 0 {
				return t.nothingMore()
			}
			if flags&0x20 != 0 {
				size += 8
			}
			if t.n >= size+2+16 && !t.inFragment() {
				t.end(t.n - 16)
			}
			return twinTag(size)
		},
		0x88e7: func(t *twin) step {
			if len(t.b) >= 18 {
				t.identifier(t.u16at(0)%256<<16 + t.u16at(2))
			}
			return twinTag(16)
		},
		0x8903: func(t *twin) step {
			t.u16()
			return twinBridged
		},
		0x8909: twinTag(6),
		0x892f: twinTag(4),
		0xf1c1: twinTag(4),
		0x894f: twinNSH,
		0x8926: func(t *twin) step {
			t.limit(&t.frames, maxFrames)
			t.need(6)
			t.ends(t.u16()%0x4000, t.u16()%0x1000)
			kind := t.u16()
			if kind <= 1500 {
				return twinLength(kind)
			}
			return twinEtherType(kind)
		},
		0x893f: func(t *twin) step {
			if len(t.b) >= 8 {
				t.ends(t.u16at(0)%0x1000, t.u16at(2)%0x4000)
			}
			return twinTag(6)
		},
	}
	return steps[kind]
}

func twinNSH(t *twin) step {
	t.limit(&t.frames, maxFrames)
	t.need(8)
	size, kind, next := t.u16()%64*4, t.u8()%16, t.u8()
	t.u32()
	if kind == 1 {
		size = 24
	}
	if size > 8 {
		t.bytes(size - 8)
	}
	steps := []step{nil, twinIPv4, twinIPv6, twinBridged, twinNSH, twinMPLS}
	if next < len(steps) && steps[next] != nil {
		return steps[next]
	}
	return t.nothingMore()
}

// twinISL reads an ISL header up to its end.
func twinISL(t *twin) step {
	t.bytes(12)
	if length := t.u16(); length > 0 {
		t.end(length)
	}
	t.need(12)
	t.bytes(6)
	if vlan := t.u16() / 2; vlan > 0 {
		t.note("vlan", vlan)
	}
	t.u32()
	return twinBridged
}

func twinERSPAN(t *twin) step {
	t.need(8)
	version, session := t.u16()>>12, t.u16()%1024
	t.u32()
	switch version {
	case 1:
	case 2:
		t.need(4)
		t.u16()
		flags := t.u16()
		if flags&0x7c00 != 0 {
			return t.nothingMore()
		}
		if flags&1 != 0 {
			t.bytes(8)
		}
	default:
		return t.nothingMore()
	}
	t.identifier(session)
	return twinBridged
}

// twinRoutes passes over the source routes of GRE.
func twinRoutes(t *twin) {
	for {
		t.need(4)
		family := t.u16()
		t.u8()
		size := t.u8()
		t.bytes(size)
		if family == 0 && size == 0 {
			return
		}
	}
}

func twinChannel(t *twin) step {
	t.need(4)
	t.u16()
	switch t.u16() {
	case 0x0021:
		return twinIPv4
	case 0x0057:
		return twinIPv6
	}
	return t.nothingMore()
}

func twinOSI(t *twin) step {
	t.limit(&t.frames, maxFrames)
	known := map[int]step{0xcc: twinIPv4, 0x8e: twinIPv6, 0xcf: twinHDLC}
	if next := known[t.u8()]; next != nil {
		return next
	}
	return t.nothingMore()
}

// twinRegister returns the step behind a PIM register's header, nil if it is none.
func (t *twin) twinRegister() step {
	if t.at(0) != 0x21 || t.n < 9 {
		return nil
	}
	t.need(9)
	version := t.at(8) >> 4
	known := map[int]step{4: twinIPv4, 6: twinIPv6}
	if known[version] == nil {
		return nil
	}
	if t.asked.protocol(103) {
		outer := t.p
		outer.Proto = 103
		t.outer = &outer
	}
	t.bytes(8)
	return known[version]
}

func isTwinOSI(addresses int) bool {
	return slices.Contains([]int{0x14, 0x20, 0x54, 0xfe}, addresses>>8)
}
