package ioutil

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// same fails the test unless a file and a stream of data give the packets and
// the error wanted; an error by what it says behind the file's name.
func same(t *testing.T, data []byte, want []kept, wantErr string) {
	t.Helper()
	path := file(t, data)
	for _, way := range []string{"file", "stream"} {
		var got []kept
		var err error
		if way == "file" {
			got, err = readFile(t, path)
		} else {
			got, err = readStream(t, bytes.NewReader(data))
		}
		text := ""
		if err != nil {
			text = strings.TrimPrefix(strings.TrimPrefix(err.Error(), path+": "), "capture: ")
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v\nwant %v", way, got, want)
		}
		if text != wantErr {
			t.Errorf("%s: error %q\nwant %q", way, text, wantErr)
		}
	}
}

func TestPcap(t *testing.T) {
	const usec, nsec, modified = 0xa1b2c3d4, 0xa1b23c4d, 0xa1b2cd34
	frame := "0123456789abcdef"
	// more is what the modified header has behind the original length.
	more := func(b *builder) string {
		return b.body(func(b *builder) { b.u32(2).u16(0x800).bytes("\x00\x00") })
	}
	version := func(b *builder, major, minor uint16, linkType uint32) *builder {
		return b.u32(usec).u16(major, minor).u32(0, 0, 65535, linkType)
	}
	at := func(time int64, offset int64) kept {
		return kept{time, frame, offset, 16, 1, false, 0}
	}
	fine := func(time int64, offset int64) kept {
		k := at(time, offset)
		k.Fine = true
		return k
	}
	long := func(k kept, origLen uint32) kept {
		k.OrigLen = origLen
		return k
	}
	tests := []struct {
		name string
		in   *builder
		want []kept
		err  string
	}{
		{"microseconds, little-endian", littleEndian().pcap(usec, 65535, 1).record(1, 2, 16, frame), []kept{at(1_000_002_000, 24)}, ""},
		{"microseconds, big-endian", bigEndian().pcap(usec, 65535, 1).record(1, 2, 16, frame), []kept{at(1_000_002_000, 24)}, ""},
		{"nanoseconds, little-endian", littleEndian().pcap(nsec, 65535, 1).record(1, 2, 16, frame), []kept{fine(1_000_000_002, 24)}, ""},
		{"nanoseconds, big-endian", bigEndian().pcap(nsec, 65535, 1).record(1, 2, 16, frame), []kept{fine(1_000_000_002, 24)}, ""},
		{"header only", littleEndian().pcap(usec, 65535, 1), nil, ""},
		{"modified, as of October 1999",
			littleEndian().pcap(modified, 65535, 1).u32(1, 2, 16, 16).bytes(more(littleEndian())+frame).u32(2, 3, 16, 16).bytes(more(littleEndian()) + frame),
			[]kept{at(1_000_002_000, 24), at(2_000_003_000, 64)}, ""},
		{"modified, as of October 1999, big-endian",
			bigEndian().pcap(modified, 65535, 1).u32(1, 2, 16, 16).bytes(more(bigEndian()) + frame), []kept{at(1_000_002_000, 24)}, ""},
		{"modified, as of September 1999",
			littleEndian().pcap(modified, 65535, 1).u32(1, 2, 16, 16).bytes(more(littleEndian())+"\x00\x00\x00\x00"+frame).u32(2, 3, 16, 16).bytes(more(littleEndian()) + "\x00\x00\x00\x00" + frame),
			[]kept{at(1_000_002_000, 24), at(2_000_003_000, 68)}, ""},
		{"Ixia software, microseconds behind a longer header",
			littleEndian().pcap(0x1c0001ab, 65535, 1).u32(32).record(1, 2, 16, frame), []kept{at(1_000_002_000, 28)}, ""},
		{"Ixia hardware, nanoseconds behind a longer header",
			littleEndian().pcap(0x1c0001ac, 65535, 1).u32(32).record(1, 2, 16, frame), []kept{fine(1_000_000_002, 28)}, ""},
		{"AIX, nanoseconds and interface type 6 for Ethernet",
			version(littleEndian(), 2, 2, 6).record(1, 2, 16, frame), []kept{fine(1_000_000_002, 24)}, ""},
		{"version 2.2 has the original length first",
			version(littleEndian(), 2, 2, 1).u32(1, 2, 99, 16).bytes(frame), []kept{long(at(1_000_002_000, 24), 99)}, ""},
		{"version 2.3 may have it first",
			version(littleEndian(), 2, 3, 1).u32(1, 2, 99, 16).bytes(frame).u32(1, 2, 16, 99).bytes(frame),
			[]kept{long(at(1_000_002_000, 24), 99), long(at(1_000_002_000, 56), 99)}, ""},
		{"version 543 has it first", version(littleEndian(), 543, 0, 1).u32(1, 2, 99, 16).bytes(frame), []kept{long(at(1_000_002_000, 24), 99)}, ""},
		{"version 1 is refused", version(littleEndian(), 1, 4, 1).record(1, 2, 16, frame), nil, "offset 4: pcap version 1.4: want 2.0 or later"},
		{"captured length above the snap length", littleEndian().pcap(usec, 4, 1).record(1, 2, 16, frame), []kept{at(1_000_002_000, 24)}, ""},
		{"captured length above the original", littleEndian().pcap(usec, 65535, 1).record(1, 2, 3, frame), []kept{long(at(1_000_002_000, 24), 3)}, ""},
		{"snapped", littleEndian().pcap(usec, 16, 1).record(1, 2, 1514, frame), []kept{long(at(1_000_002_000, 24), 1514)}, ""},
		{"no bytes captured", littleEndian().pcap(usec, 16, 1).record(1, 2, 1514, "").record(1, 3, 16, frame),
			[]kept{{1_000_002_000, "", 24, 1514, 1, false, 0}, at(1_000_003_000, 40)}, ""},
		{"zeros to the end are no record", littleEndian().pcap(usec, 16, 1).record(0, 0, 0, ""), nil, ""},
		{"original length above 2^31-1", littleEndian().pcap(usec, 65535, 1).record(1, 2, 0xffffffff, frame), []kept{long(at(1_000_002_000, 24), 1<<31-1)}, ""},
		{"seconds are unsigned", littleEndian().pcap(usec, 65535, 1).record(0xffffffff, 2, 16, frame), []kept{at(4294967295_000_002_000, 24)}, ""},
		{"a fraction of 2 s counts for that", littleEndian().pcap(usec, 65535, 1).record(1, 2_000_000, 16, frame), []kept{at(3_000_000_000, 24)}, ""},
		{"a fraction above 2.147 s wraps", littleEndian().pcap(usec, 65535, 1).record(1, 8_915_240, 16, frame), []kept{at(1_325_305_408, 24)}, ""},
		{"a captured length of 256 MiB is looked for", littleEndian().pcap(usec, maxCapLen, 1).u32(1, 2, 256<<20, 16), nil,
			"offset 24: the capture ends in the middle of a record: 16 of 268435472 bytes are there"},
		{"one above 256 MiB is absurd", littleEndian().pcap(usec, 65535, 1).record(1, 2, 16, frame).u32(1, 2, 256<<20+1, 16), []kept{at(1_000_002_000, 24)},
			"offset 56: captured length 268435457 of a record is over 268435456"},
		{"cut in the file header", &builder{Buffer: *bytes.NewBuffer(littleEndian().pcap(usec, 0, 1).Bytes()[:10])}, nil,
			"offset 0: the capture ends in the middle of a record: 10 of 24 bytes are there"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { same(t, test.in.Bytes(), test.want, test.err) })
	}
}

func TestPcapLinkType(t *testing.T) {
	tests := []struct {
		name    string
		network uint32
		want    uint32
	}{
		{"plain", 113, 113},
		{"with the length of a frame check sequence", 0x24000001, 1},
		{"with the reserved bit beside it", 0x08000001, 1},
		{"with the reserved bits of the type", 0x20202020, 0x202020},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := NewCapture(littleEndian().pcap(0xa1b2c3d4, 0, test.network).record(1, 2, 0, ""), "capture")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if got := c.LinkTypes(); !slices.Equal(got, []uint32{test.want}) {
				t.Errorf("LinkTypes() = %v, want %v", got, test.want)
			}
			if got, err := readAll(t, c, 1); err != nil || len(got) != 1 || got[0].LinkType != test.want {
				t.Errorf("got %v, %v, want link type %d", got, err, test.want)
			}
		})
	}
}

func TestErrorKinds(t *testing.T) {
	cut := littleEndian().pcap(0xa1b2c3d4, 65535, 1).record(1, 2, 4, "abcd").u32(1, 2, 4, 4).bytes("ab")
	_, err := readFile(t, file(t, cut.Bytes()))
	truncated, ok := errors.AsType[*TruncatedError](err)
	if !ok || truncated.Offset != 44 || truncated.Have != 18 || truncated.Want != 20 {
		t.Errorf("cut: %#v, want a TruncatedError of 18 of 20 bytes at 44", err)
	}
	absurd := littleEndian().pcap(0xa1b2c3d4, 65535, 1).u32(1, 2, 1<<31, 4)
	_, err = readFile(t, file(t, absurd.Bytes()))
	if format, ok := errors.AsType[*FormatError](err); !ok || format.Offset != 24 {
		t.Errorf("absurd length: %#v, want a FormatError at 24", err)
	}
}
