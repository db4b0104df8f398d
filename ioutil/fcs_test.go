package ioutil

import (
	"bytes"
	"strings"
	"testing"
)

// TestFCS takes frame check sequences off. What is left of each frame is what
// tshark 4.0.17 left of such a one: its TCP payload, where the IP header had
// the total length 0, is the rest of the frame.
func TestFCS(t *testing.T) {
	const length = 98
	frame := strings.Repeat("x", length)
	word := func(word uint32) *builder {
		return littleEndian().pcap(0xa1b2c3d4, 65535, word).record(1, 0, length, frame)
	}
	ng := func(linkType uint16, fcsLen string, options ...string) *builder {
		b := littleEndian().section()
		iface := ""
		if fcsLen != "" {
			iface = b.option(13, fcsLen)
		}
		b.iface(linkType, 0, iface)
		return b.block(blockEnhanced, b.body(func(b *builder) {
			b.u32(0, 0, 1, length, length).bytes(frame + "\x00\x00" + strings.Join(options, ""))
		}))
	}
	le := littleEndian()
	flags := func(v uint32) string { return le.option(2, le.body(func(b *builder) { b.u32(v) })) }
	lengths := func(capLen, origLen uint32) *builder {
		return littleEndian().pcap(0xa1b2c3d4, 65535, 0x24000001).record(1, 0, origLen, frame[:capLen])
	}
	simple := littleEndian().section()
	simple.iface(1, 0, simple.option(13, "\x20")).simple(length, frame)
	for _, test := range []struct {
		name string
		in   *builder
		left int // bytes of the frame
		fcs  uint8
	}{
		{"no length in the pcap header", word(1), 98, 0},
		{"a length that is not meant", word(0x20000001), 98, 0},
		{"meant, and 0", word(0x04000001), 98, 0},
		{"16 bits", word(0x14000001), 96, 2},
		{"32 bits", word(0x24000001), 94, 4},
		{"64 bits", word(0x44000001), 90, 8},
		{"15 units of 16 bits", word(0xf4000001), 68, 30},
		{"beside the reserved bit of those six", word(0x2c000001), 94, 4},
		{"PPP keeps it", word(0x24000032), 98, 0},
		{"802.11 keeps it", word(0x24000069), 98, 0},
		{"raw IP keeps it", word(0x24000065), 98, 0},
		{"cut by the snap length before the end of the payload", lengths(60, 98), 60, 4},
		{"cut within the sequence", lengths(96, 98), 94, 4},
		{"captured length above the original", lengths(98, 97), 94, 4},
		{"original length 0", lengths(98, 0), 94, 0},
		{"a payload that is shorter stays", lengths(17, 17), 17, 0},
		{"a payload that is as long goes", lengths(18, 18), 14, 4},
		{"pcapng, none", ng(1, ""), 98, 0},
		{"0 bits", ng(1, "\x00"), 98, 0},
		{"16 bits of an interface", ng(1, "\x10"), 96, 2},
		{"32 bits of an interface", ng(1, "\x20"), 94, 4},
		{"20 bits are 2 bytes", ng(1, "\x14"), 96, 2},
		{"255 bits are 31 bytes", ng(1, "\xff"), 67, 31},
		{"7 are bytes", ng(1, "\x07"), 91, 7},
		{"8 are bits", ng(1, "\x08"), 97, 1},
		{"a length of two bytes is none", ng(1, "\x20\x00"), 98, 0},
		{"802.11 of an interface keeps it", ng(105, "\x20"), 98, 0},
		{"the flags give 4 bytes", ng(1, "", flags(4<<5)), 94, 4},
		{"the flags' other bits", ng(1, "", flags(0xfffffe1f)), 98, 0},
		{"the flags override the interface", ng(1, "\x20", flags(2<<5|1)), 96, 2},
		{"flags without a length do not", ng(1, "\x20", flags(1)), 94, 4},
		{"the first flags count", ng(1, "\x20", flags(2<<5), flags(6<<5)), 96, 2},
		{"a comment before the flags", ng(1, "\x20", le.option(1, "hello"), flags(2<<5)), 96, 2},
		{"no flags behind the end of options", ng(1, "\x20", le.option(0, ""), flags(2<<5)), 94, 4},
		{"802.11 keeps what the flags count", ng(105, "", flags(4<<5)), 98, 0},
		{"simple packet block", simple, 94, 4},
		{"obsolete packet block", littleEndian().section().iface(1, 0, "").block(blockPacket, le.body(func(b *builder) {
			b.u16(0, 0).u32(0, 1, length, length).bytes(frame + "\x00\x00" + flags(2<<5))
		})), 96, 2},
	} {
		for way, read := range map[string]func() ([]kept, error){
			"mapped":   func() ([]kept, error) { return readFile(t, file(t, test.in.Bytes())) },
			"streamed": func() ([]kept, error) { return readStream(t, bytes.NewReader(test.in.Bytes())) },
			"spans": func() ([]kept, error) {
				all, _, err := readSpans(t, file(t, test.in.Bytes()), 1<<20)
				return all, err
			},
		} {
			got, err := read()
			if err != nil || len(got) != 1 || len(got[0].Data) != test.left || got[0].FCS != test.fcs {
				t.Errorf("%s, %s: %v, %v; want %d bytes and a sequence of %d", test.name, way, got, err, test.left, test.fcs)
			}
		}
	}
}

// TestFCSOfTheNextCapture reads a capture without frame check sequences into
// records that had them.
func TestFCSOfTheNextCapture(t *testing.T) {
	frame := strings.Repeat("x", 60)
	recs := make([]Record, 1)
	for _, test := range []struct {
		in   *builder
		want uint8
	}{
		{littleEndian().pcap(0xa1b2c3d4, 65535, 0x24000001).record(1, 0, 60, frame), 4},
		{littleEndian().pcap(0xa1b2c3d4, 65535, 1).record(1, 0, 60, frame), 0},
		{littleEndian().section().iface(1, 0, littleEndian().option(13, "\x10")).enhanced(0, 1, 60, frame), 2},
		{littleEndian().section().iface(1, 0, "").enhanced(0, 1, 60, frame), 0},
		{littleEndian().pcap(0xa1b2c3d4, 65535, 0x24000001).record(1, 0, 60, frame), 4},
		{littleEndian().section().iface(1, 0, "").simple(60, frame), 0},
	} {
		c, err := NewCapture(bytes.NewReader(test.in.Bytes()), "capture")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(recs); n != 1 || err != nil || recs[0].FCS != test.want || len(recs[0].Data) != 60-int(test.want) {
			t.Errorf("%d packets, %v: a sequence of %d and %d bytes, want %d", n, err, recs[0].FCS, len(recs[0].Data), test.want)
		}
		c.Close()
	}
}
