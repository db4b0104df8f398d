package decode

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The twin reads the same headers as Decode, slowly: one field after the other
// from the front of a reader that stops the reading when nothing is left. Every
// header is a step that returns the next one, or the packet's class.

// reader is what is left of the frame, and how much of it was on the wire.
type reader struct {
	b []byte
	n int
}

// need stops the reading if fewer than size bytes are left.
func (r *reader) need(size int) {
	if r.n < size {
		panic(Malformed)
	}
	if len(r.b) < size {
		panic(Truncated)
	}
}

func (r *reader) bytes(size int) []byte {
	r.need(size)
	b := r.b[:size]
	r.b, r.n = r.b[size:], r.n-size
	return b
}

func (r *reader) u8() int  { return int(r.bytes(1)[0]) }
func (r *reader) u16() int { return int(binary.BigEndian.Uint16(r.bytes(2))) }
func (r *reader) u32() int { return int(binary.BigEndian.Uint32(r.bytes(4))) }

// le returns a little-endian number.
func (r *reader) le(size int) int {
	v := 0
	for i, x := range r.bytes(size) {
		v |= int(x) << (8 * i)
	}
	return v
}

// at is the byte at an offset, or -1.
func (r *reader) at(offset int) int {
	if offset < len(r.b) {
		return int(r.b[offset])
	}
	return -1
}

// u16at is the number at an offset, or -1.
func (r *reader) u16at(offset int) int {
	if offset+1 < len(r.b) {
		return int(binary.BigEndian.Uint16(r.b[offset:]))
	}
	return -1
}

// end takes off what lies beyond size.
func (r *reader) end(size int) {
	r.n = min(r.n, size)
	r.b = r.b[:min(len(r.b), r.n)]
}

type twin struct {
	reader
	p       seen
	asked   asked
	outer   *seen // of the last header with a flow of its own that was looked through
	tunnels int   // in UDP

	datagram int // bytes of the fragment that is read

	tags, labels, extensions, headers, frames int
}

// seen is a packet with its encapsulation in words.
type seen struct {
	Packet
	around string
	unread bool // the twin does not read the link type: see TestRareLinkTypes
}

// note adds a part of the encapsulation, if it is asked for.
func (t *twin) note(part string, value any) {
	if slices.Contains(t.asked.around, part) {
		t.p.around += fmt.Sprintln(part, value)
	}
}

// enter notes the ends of a tunnel, if there is an IP header already.
func (t *twin) enter() {
	if t.headers > 1 {
		if t.p.FirstFragment {
			t.p.InFragments++
		}
		ends := [][2]uint64{{t.p.Src.Hi, t.p.Src.Lo}, {t.p.Dst.Hi, t.p.Dst.Lo}}
		slices.SortFunc(ends, func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) })
		t.note("tunnel", ends)
	}
}

// inFragment tells if the end of what is read stands in another fragment.
func (t *twin) inFragment() bool { return t.p.fragmented || t.p.InFragments > 0 }

type step func(*twin) step

// is ends the reading.
func is(c Class) step { panic(c) }

func (t *twin) limit(count *int, most int) {
	if *count++; *count > most {
		panic(Malformed)
	}
}

func (t *twin) nothingMore() step {
	if t.headers > 0 {
		return is(OtherProtocol)
	}
	return is(NotIP)
}

// asked is what flows are wanted of.
type asked struct {
	protocols []int // nil for all that can be had
	tunnels   []string
	around    []string
}

func (a *asked) protocol(number int) bool {
	if a.protocols == nil {
		return !slices.Contains([]int{0, 43, 44, 60}, number)
	}
	return slices.Contains(a.protocols, number)
}

var askedByDefault = asked{protocols: []int{6, 17}}

// twinOf reads a frame.
func twinOf(a asked, linkType uint32, frame []byte, wireLen uint32) (p seen) {
	t := &twin{reader: reader{frame, max(len(frame), int(wireLen))}, asked: a}
	defer func() {
		p = t.p
		p.Class = recover().(Class) // or it was no end, but a mistake
		nothing := p.Class == OtherProtocol || p.Class == NotIP || p.Class == Malformed && t.tunnels > 0 ||
			p.Class == Counted && !a.protocol(int(p.Proto))
		switch {
		case nothing && t.outer != nil:
			p = *t.outer
			p.Class = Counted
		case nothing && (p.Class != NotIP || t.tunnels > 0):
			p.Class = OtherProtocol
		}
		if p.Class != Counted {
			p.FirstFragment = false
		}
	}()
	for next := twinLink(int(linkType)); ; {
		next = next(t)
	}
}

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

// noTunnelHere ends the reading of a tunnel's header with a UDP packet.
type noTunnelHere struct{}

// twinTunnel reads the header of a tunnel in UDP: inside there is the step that
// it returns, if it is one.
func twinTunnel(header step) step {
	return func(t *twin) (inside step) {
		udp := t.p
		func() {
			defer func() {
				switch why := recover(); why {
				case nil:
				case Malformed, noTunnelHere{}: // a header that is longer than what was sent is none
					inside = func(t *twin) step {
						t.p = udp
						return is(Counted)
					}
				default:
					panic(why)
				}
			}()
			inside = header(t)
			t.tunnels++
			if t.asked.protocol(17) {
				t.outer = &udp
			}
			t.p.SrcPort, t.p.DstPort = 0, 0
		}()
		return inside
	}
}

// has stops the reading of a tunnel's header that contradicts itself.
func has(sign bool) {
	if !sign {
		panic(noTunnelHere{})
	}
}

// network notes the identifier of a network.
func (t *twin) network() {
	t.note("tunnel", "identifier "+strings.TrimLeft(hex.EncodeToString(t.bytes(3)), "0"))
	t.u8()
}

func twinVXLAN(t *twin) step {
	t.need(8)
	has(t.u32()&0x08000000 != 0)
	t.network()
	return twinBridged
}

func twinGeneve(t *twin) step {
	t.need(8)
	options, control, kind := t.u8(), t.u8(), t.u16()
	t.network()
	has(options < 64 && control < 128)
	t.bytes(options * 4)
	return twinEtherType(kind)
}

func twinGTPU(t *twin) step {
	t.need(8)
	flags, message, length := t.u8(), t.u8(), t.u16()
	t.u32()
	has(flags>>4 == 3 && message == 255 && (length <= t.n || t.inFragment()))
	t.end(length)
	if flags&7 != 0 {
		next := t.u32() & 0xff
		for next > 0 && flags&4 != 0 {
			t.need(1)
			size := t.at(0) * 4
			has(size > 0)
			header := t.bytes(size)
			next = int(header[size-1])
		}
	}
	t.need(1)
	versions := map[int]step{4: twinIPv4, 6: twinIPv6}
	has(versions[t.at(0)>>4] != nil)
	return versions[t.at(0)>>4]
}

func twinL2TP(t *twin) step {
	start := t.n
	flags := t.u16()
	has(flags&0x800f == 2)
	if flags&0x4000 != 0 {
		size := t.u16()
		has(size >= 4 && (size <= start || t.inFragment()))
		t.end(size - 4)
	}
	size := 4
	if flags&0x0800 != 0 {
		size += 4
	}
	if flags&0x0200 != 0 {
		t.need(size + 2)
		t.bytes(size)
		size = t.u16()
	}
	has(t.n > size)
	t.bytes(size)
	return twinHDLC
}

func twinL2TPv3(t *twin) step {
	has(t.u16at(0)&0x8000 == 0 && len(t.b) > 4)
	t.u32()
	next := t.twinSession()
	has(next != nil)
	return next
}

// sessionFronts are what the frames of a session begin with, in hexadecimal: Ethernet,
// PPP with and without an address, Cisco HDLC, and nothing.
var sessionFronts = []*regexp.Regexp{
	regexp.MustCompile("^.{24}((8100|88a8)....){0,19}(0800|86dd)"),
	regexp.MustCompile("^ff0300(21|57)"),
	regexp.MustCompile("^00(21|57)"),
	regexp.MustCompile("^[08]f00(0800|86dd)"),
	regexp.MustCompile("^"),
}

// twinSession returns what an L2TPv3 session carries, nil if that is not known.
func (t *twin) twinSession() step {
	if t.u16at(0) <= 0 && t.u16at(2) <= 0 {
		return nil
	}
	for skip := 4; skip <= 16 && skip < len(t.b); skip += 4 {
		for i, pattern := range sessionFronts {
			front := pattern.FindString(hex.EncodeToString(t.b[skip:]))
			if i < 4 && front == "" {
				continue
			}
			at := skip + len(front)/2
			ip, n := t.b[at:], t.n-at
			four := strings.HasSuffix(front, "0800") || strings.HasSuffix(front, "0021") || front == "" && t.at(at)>>4 == 4
			next := []step{twinBridged, twinHDLC, twinHDLC, twinCisco, twinIPv6}[i]
			if front == "" && four {
				next = twinIPv4
			}
			if four && t.rightIPv4(ip, n) || !four && t.rightIPv6(ip, n) {
				t.bytes(skip)
				return next
			}
		}
	}
	return nil
}

func (t *twin) rightIPv4(b []byte, n int) bool {
	if len(b) < 20 || b[0] < 0x45 || b[0] > 0x4f || len(b) < int(b[0]-0x40)*4 {
		return false
	}
	total, sum := int(b[2])<<8|int(b[3]), 0
	for i, x := range b[:int(b[0]-0x40)*4] {
		sum += int(x) << (8 - i%2*8)
	}
	return (total <= n || t.inFragment()) && total >= int(b[0]-0x40)*4 && sum > 0 && sum%0xffff == 0
}

func (t *twin) rightIPv6(b []byte, n int) bool {
	if len(b) < 40 || b[0]>>4 != 6 || !slices.Contains([]byte{0, 6, 17, 43, 44, 58, 60}, b[6]) {
		return false
	}
	whole := 40 + (int(b[4])<<8 | int(b[5]))
	return whole == n || whole > n && t.inFragment()
}

func twinTeredo(t *twin) step {
	t.need(4)
	if t.u16at(0) == 1 {
		t.u16()
		size := t.u8() + t.u8()
		t.bytes(size + 9)
	}
	t.need(4)
	if t.u16at(0) == 0 {
		t.bytes(8)
	}
	t.need(40)
	has(t.at(0)>>4 == 6 && (t.n >= 40+t.u16at(4) || t.inFragment()))
	return twinIPv6
}

// checkTwin compares Decode with the twin.
func checkTwin(t *testing.T, linkType uint32, frame []byte, wireLen uint32) {
	t.Helper()
	var p Packet
	p.Decode(linkType, frame, wireLen)
	compareTwin(t, p, twinOf(askedByDefault, linkType, frame, wireLen), linkType, frame, wireLen)
}

// choices are what a Decoder may be asked for, as the flags have it, and the
// same for the twin.
var choices = []struct {
	protocols, tunnels, key string
	asked                   asked
}{
	{"all", "all", "all", asked{nil, tunnelNames[:], encapsulationNames[:]}},
	{"all", "none", "none", asked{nil, nil, nil}},
	{"tcp,udp", "all", "none", asked{[]int{6, 17}, tunnelNames[:], nil}},
	{"tcp", "vxlan,gtpu,teredo", "tunnel", asked{[]int{6}, []string{"vxlan", "gtpu", "teredo"}, []string{"tunnel"}}},
	{"udp,icmp,icmpv6,sctp", "geneve,l2tp", "vlan", asked{[]int{17, 1, 58, 132}, []string{"geneve", "l2tp"}, []string{"vlan"}}},
	{"icmp,esp,udplite,dccp,41", "none", "mpls,vlan", asked{[]int{1, 50, 136, 33, 41}, nil, []string{"mpls", "vlan"}}},
	{"tcp,udp,ah,gre,59,135", "all", "all", asked{[]int{6, 17, 51, 47, 59, 135}, tunnelNames[:], encapsulationNames[:]}},
	{"tcp,udp", "none", "all", asked{[]int{6, 17}, nil, encapsulationNames[:]}},
}

// decoderOf returns the decoder of a choice.
func decoderOf(protocols, tunnels string) *Decoder { return decoderWith(protocols, tunnels, "none") }

func decoderWith(protocols, tunnels, key string) *Decoder {
	d := &Decoder{}
	if err := errors.Join(d.Protocols.UnmarshalText([]byte(protocols)), d.Tunnels.UnmarshalText([]byte(tunnels)),
		d.Encapsulation.UnmarshalText([]byte(key))); err != nil {
		panic(err)
	}
	return d
}

// digests are the digests of encapsulations that were met, and the other way
// round.
var digests struct {
	sync.Mutex
	of map[string]uint64
	to map[uint64]string
}

// checkDigest wants the same digest for the same encapsulation, and another for
// any other.
func checkDigest(t *testing.T, around string, digest uint64) {
	t.Helper()
	digests.Lock()
	defer digests.Unlock()
	if digests.of == nil {
		digests.of, digests.to = map[string]uint64{"": 0}, map[uint64]string{0: ""}
	}
	if before, ok := digests.of[around]; ok && before != digest {
		t.Errorf("%q has the digest %x, and before %x", around, digest, before)
	}
	if before, ok := digests.to[digest]; ok && before != around {
		t.Errorf("%q has the digest of %q", around, before)
	}
	digests.of[around], digests.to[digest] = digest, around
}

// checkChoice compares a Decoder with the twin.
func checkChoice(t *testing.T, choice int, linkType uint32, frame []byte, wireLen uint32) {
	t.Helper()
	c := choices[choice]
	var p Packet
	decoderWith(c.protocols, c.tunnels, c.key).Decode(&p, linkType, frame, wireLen)
	compareTwin(t, p, twinOf(c.asked, linkType, frame, wireLen), linkType, frame, wireLen)
	if t.Failed() {
		t.Fatalf("asked for %s, %s, %s", c.protocols, c.tunnels, c.key)
	}
}

func compareTwin(t *testing.T, p Packet, want seen, linkType uint32, frame []byte, wireLen uint32) {
	t.Helper()
	if want.unread {
		return
	}
	if p.Class != want.Class {
		t.Errorf("link type %d, %d of %d bytes: %s, twin: %s\n%s", linkType, len(frame), wireLen, describe(&p), describe(&want.Packet), hex.Dump(frame))
		return
	}
	if p.Class != Counted && p.Class != Fragment {
		return // what else was read on the way says nothing
	}
	checkDigest(t, want.around, p.Encapsulation)
	if said(p) != said(want.Packet) || t.Failed() {
		t.Errorf("link type %d, %d of %d bytes:\n%+v, twin:\n%+v\n%s", linkType, len(frame), wireLen, p, want, hex.Dump(frame))
	}
}

// said returns the packet without what only serves the way to it, or to its
// details.
func said(p Packet) Packet {
	p.headers, p.frames = 0, 0
	p.network, p.transport, p.size, p.Encapsulation = 0, 0, 0, 0
	return p
}
