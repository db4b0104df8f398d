package ioutil

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestPcapng(t *testing.T) {
	const frame = "0123456789abcdef"
	const ms = 1_000_000
	ng := func() *builder { return littleEndian().section() }
	eth := func() *builder { return ng().iface(1, 0, "") }
	le := littleEndian()
	nano := le.option(9, "\x09")
	obsolete := func(iface, drops uint16, ts uint64, data string) string {
		return le.body(func(b *builder) {
			b.u16(iface, drops).u32(uint32(ts>>32), uint32(ts), uint32(len(data)), 99).bytes(data)
		})
	}
	p := func(time int64, offset int64) kept { return kept{time, frame, offset, 16, 1, false, 0} }
	with := func(k kept, change func(k *kept)) kept {
		change(&k)
		return k
	}
	// swap alters one 32-bit word counted from the end.
	swap := func(b *builder, fromEnd int, v uint32) *builder {
		binary.LittleEndian.PutUint32(b.Bytes()[b.Len()-fromEnd:], v)
		return b
	}
	tests := []struct {
		name string
		in   *builder
		want []kept
		err  string
	}{
		{"section only", ng(), nil, ""},
		{"interface, no packets", eth(), nil, ""},
		{"enhanced, microseconds by default", eth().enhanced(0, 1000, 16, frame), []kept{p(ms, 48)}, ""},
		{"enhanced, big-endian", bigEndian().section().iface(1, 0, "").enhanced(0, 1000, 16, frame), []kept{p(ms, 48)}, ""},
		{"enhanced, timestamp of 64 bits", eth().enhanced(0, 1<<40, 16, frame), []kept{p(1<<40*1000, 48)}, ""},
		{"enhanced, with options", eth().block(blockEnhanced, le.body(func(b *builder) {
			b.u32(0, 0, 1000, 16, 16).bytes(frame).bytes(b.option(2, "\x01\x00\x00\x00")).u32(0)
		})), []kept{p(ms, 48)}, ""},
		{"enhanced, padded", eth().enhanced(0, 1000, 16, "abcde"), []kept{with(p(ms, 48), func(k *kept) { k.Data = "abcde" })}, ""},
		{"enhanced, snapped", eth().enhanced(0, 1000, 1514, frame), []kept{with(p(ms, 48), func(k *kept) { k.OrigLen = 1514 })}, ""},
		{"enhanced, original length above 2^31-1", eth().enhanced(0, 1000, 1<<31, frame), []kept{with(p(ms, 48), func(k *kept) { k.OrigLen = 1<<31 - 1 })}, ""},
		{"interfaces with their own link type and resolution", eth().iface(101, 0, nano).enhanced(1, ms, 16, frame).enhanced(0, 1000, 16, frame),
			[]kept{with(p(ms, 76), func(k *kept) { k.LinkType, k.Fine = 101, true }), p(ms, 124)}, ""},
		{"offset in seconds", ng().iface(1, 0, le.option(14, "\xfe\xff\xff\xff\xff\xff\xff\xff")).enhanced(0, 1000, 16, frame),
			[]kept{p(ms-2_000_000_000, 60)}, ""},
		{"options end with opt_endofopt", ng().iface(1, 0, le.option(0, "")+nano).enhanced(0, 1000, 16, frame), []kept{p(ms, 60)}, ""},
		{"a resolution of two bytes is none", ng().iface(1, 0, le.option(9, "\x09\x00")).enhanced(0, 1000, 16, frame), []kept{p(ms, 56)}, ""},
		{"an interface between packets", eth().enhanced(0, 1000, 16, frame).iface(101, 0, "").enhanced(1, 1000, 16, frame),
			[]kept{p(ms, 48), with(p(ms, 116), func(k *kept) { k.LinkType = 101 })}, ""},
		{"a new section numbers its interfaces from 0", eth().enhanced(0, 1000, 16, frame).section().iface(101, 0, "").enhanced(0, 1000, 16, frame),
			[]kept{p(ms, 48), with(p(ms, 144), func(k *kept) { k.LinkType = 101 })}, ""},
		{"a new section has no interface", eth().enhanced(0, 1000, 16, frame).section().enhanced(0, 1000, 16, frame),
			[]kept{p(ms, 48)}, "offset 124: interface 0 of a packet block, but the section has 0"},
		{"a new section may have the other byte order",
			eth().enhanced(0, 1000, 16, frame).bytes(bigEndian().section().iface(101, 0, "").enhanced(0, 1000, 16, frame).String()),
			[]kept{p(ms, 48), with(p(ms, 144), func(k *kept) { k.LinkType = 101 })}, ""},
		{"section with a length", littleEndian().block(blockSection, le.body(func(b *builder) { b.u32(0x1a2b3c4d).u16(1, 2).u32(20, 0) })).iface(1, 0, "").enhanced(0, 1000, 16, frame),
			[]kept{p(ms, 48)}, ""},
		{"simple, time of the packet before, 0 at first", eth().simple(16, frame).enhanced(0, 1000, 16, frame).simple(16, frame),
			[]kept{p(0, 48), p(ms, 80), p(ms, 128)}, ""},
		{"simple, time of a packet of another section and interface", ng().iface(1, 0, nano).enhanced(0, ms, 16, frame).section().iface(1, 0, "").simple(16, frame),
			[]kept{with(p(ms, 56), func(k *kept) { k.Fine = true }), with(p(ms, 152), func(k *kept) { k.Fine = true })}, ""},
		{"simple, cut to the snap length of interface 0", ng().iface(1, 4, "").iface(101, 2, "").simple(16, frame[:4]),
			[]kept{with(p(0, 68), func(k *kept) { k.Data = frame[:4] })}, ""},
		{"simple, shorter than the snap length", ng().iface(1, 99, "").simple(16, frame), []kept{p(0, 48)}, ""},
		{"simple, more than is in the block", eth().simple(16, frame).simple(17, frame), []kept{p(0, 48)},
			"offset 80: captured length 17 in a simple packet block of 32 bytes"},
		{"simple, no interface", ng().simple(16, frame), nil, "offset 28: a simple packet block, but the section has no interface"},
		{"simple, too short", eth().block(blockSimple, ""), nil, "offset 48: a block of type 0x3 has only 12 bytes"},
		{"obsolete packet block", eth().iface(101, 0, "").block(blockPacket, obsolete(1, 0xffff, 1000, frame)),
			[]kept{with(p(ms, 68), func(k *kept) { k.LinkType, k.OrigLen = 101, 99 })}, ""},
		{"obsolete packet block, big-endian", bigEndian().section().iface(1, 0, "").block(blockPacket,
			bigEndian().body(func(b *builder) { b.u16(0, 7).u32(0, 1000, 16, 16).bytes(frame) })), []kept{p(ms, 48)}, ""},
		{"other blocks are skipped", eth().block(5, "statistics..").block(0x80000001, "").block(0xbad, "custom").enhanced(0, 1000, 16, frame),
			[]kept{p(ms, 104)}, ""},
		{"padding that the length forgot", eth().u32(blockSimple, 29).u32(13).bytes(frame[:13]+"\x00\x00\x00").u32(29).enhanced(0, 1000, 16, frame),
			[]kept{with(p(0, 48), func(k *kept) { k.Data, k.OrigLen = frame[:13], 13 }), p(ms, 80)}, ""},
		{"undeclared interface", eth().iface(1, 0, "").enhanced(3, 1000, 16, frame), nil, "offset 68: interface 3 of a packet block, but the section has 2"},
		{"captured length beyond the block", swap(eth().enhanced(0, 1000, 16, frame).enhanced(0, 1000, 16, frame), 28, 17), []kept{p(ms, 48)},
			"offset 96: captured length 17 in a packet block of 48 bytes"},
		{"captured length beyond anything", swap(eth().enhanced(0, 1000, 16, frame), 28, 0xffffffff), nil,
			"offset 48: captured length 4294967295 in a packet block of 48 bytes"},
		{"enhanced, too short", eth().block(blockEnhanced, "0123456789ab"), nil, "offset 48: a block of type 0x6 has only 24 bytes"},
		{"lengths that differ", swap(eth().enhanced(0, 1000, 16, frame).enhanced(0, 1000, 16, frame), 4, 44), []kept{p(ms, 48)},
			"offset 96: length 48 at the start of a block of type 0x6, but 44 at its end"},
		{"length below 12", eth().enhanced(0, 1000, 16, frame).u32(6, 8, 8), []kept{p(ms, 48)}, "offset 96: length 8 of a block of type 0x6: want 12 to 269484032"},
		{"length beyond anything", eth().enhanced(0, 1000, 16, frame).u32(6, 0xfffffffc, 8), []kept{p(ms, 48)},
			"offset 96: length 4294967292 of a block of type 0x6: want 12 to 269484032"},
		{"zeros behind", eth().enhanced(0, 1000, 16, frame).u32(0, 0, 0), []kept{p(ms, 48)}, ""},
		{"option beyond the block", ng().iface(1, 0, "\x02\x00\x28\x00abcd"), nil, "offset 28: option 2 of an interface has 40 bytes, 4 are left in its block"},
		{"interface, too short", ng().block(blockInterface, "0123"), nil, "offset 28: a block of type 0x1 has only 16 bytes"},
		{"section, too short", littleEndian().block(blockSection, "\x4d\x3c\x2b\x1a"), nil, "offset 0: a block of type 0xa0d0d0a has only 16 bytes"},
		{"section of version 2", littleEndian().block(blockSection, le.body(func(b *builder) { b.u32(0x1a2b3c4d).u16(2, 1).u32(0, 0) })), nil, "offset 0: pcapng version 2.1: want 1"},
		{"no byte order", littleEndian().block(blockSection, "abcdefghijklmnop"), nil,
			"offset 0: byte-order magic 61 62 63 64 of a section header: want 1a 2b 3c 4d or 4d 3c 2b 1a"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { same(t, test.in.Bytes(), test.want, test.err) })
	}
}

func TestPcapngLinkTypes(t *testing.T) {
	b := littleEndian().section().iface(113, 0, "").iface(1, 0, "").iface(113, 0, "").enhanced(0, 1, 0, "").section().iface(0xffff, 0, "")
	c, err := NewCapture(b, "capture")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Read(make([]Record, 1)); err != nil {
		t.Fatal(err)
	}
	if got := c.LinkTypes(); !slices.Equal(got, []uint32{113, 1}) {
		t.Errorf("after the first packet: %v, want [113 1]", got)
	}
	readAll(t, c, 1)
	if got := c.LinkTypes(); !slices.Equal(got, []uint32{113, 1, 0xffff}) {
		t.Errorf("at the end: %v, want [113 1 65535]", got)
	}
}

// TestPcapngManyInterfaces declares as many interfaces as are read, the last one
// with a clock of its own, and then one more.
func TestPcapngManyInterfaces(t *testing.T) {
	b := littleEndian().section()
	for range maxInterfaces - 1 {
		b.iface(1, 0, "")
	}
	b.iface(101, 0, b.option(9, "\x09"))
	declared := b.Len()
	b.enhanced(maxInterfaces-1, 7, 1, "a").enhanced(0, 7, 1, "b")
	want := []kept{{7, "a", int64(declared), 1, 101, true, 0}, {7000, "b", int64(declared) + 36, 1, 1, false, 0}}
	more := slices.Concat(b.Bytes()[:declared], b.Bytes()[28:48])
	for way, read := range map[string]func(data []byte) ([]kept, error){
		"mapped":   func(data []byte) ([]kept, error) { return readFile(t, file(t, data)) },
		"streamed": func(data []byte) ([]kept, error) { return readStream(t, bytes.NewReader(data)) },
		"spans": func(data []byte) ([]kept, error) {
			all, _, err := readSpans(t, file(t, data), 1<<20)
			return all, err
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := read(b.Bytes())
		runtime.ReadMemStats(&after)
		sameKept(t, way, got, want, err)
		if got := after.TotalAlloc - before.TotalAlloc; got > 100<<20 {
			t.Errorf("%s: %d bytes allocated", way, got)
		}
		if _, err := read(more); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("offset %d: over 1048576 interfaces in a section", declared)) {
			t.Errorf("%s, one interface more: %v", way, err)
		}
	}
}

// TestPcapngClocks has interfaces with more clocks than are compared, of the same
// and of other resolutions.
func TestPcapngClocks(t *testing.T) {
	b := littleEndian().section()
	const interfaces = 40
	for i := range interfaces {
		b.iface(1, 0, b.option(9, string([]byte{byte(i%11 + 1)}))+b.option(14, string([]byte{byte(i / 20), 0, 0, 0, 0, 0, 0, 0})))
	}
	for i := range uint32(interfaces) {
		b.enhanced(i, 123_456_789_012, 1, "a")
	}
	got, err := readStream(t, bytes.NewReader(b.Bytes()))
	if err != nil || len(got) != interfaces {
		t.Fatalf("%d packets, %v", len(got), err)
	}
	for i, k := range got {
		want := new(big.Int).Mul(big.NewInt(123_456_789_012), big.NewInt(second))
		want.Quo(want, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(i%11+1)), nil))
		if want.Add(want, big.NewInt(int64(i/20)*second)); want.Int64() != k.Time && want.IsInt64() {
			t.Errorf("interface %d: time %d, want %d", i, k.Time, want)
		}
	}
}
