package ioutil

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// snoop writes a file header of snoop.
func (b *builder) snoop(version, network uint32) *builder {
	return b.bytes(snoopMagic).u32(version, network)
}

// snooped writes a record of snoop, with so many bytes of padding.
func (b *builder) snooped(secs, usecs, origLen uint32, data string, padding int) *builder {
	return b.u32(origLen, uint32(len(data)), uint32(24+len(data)+padding), 7, secs, usecs).
		bytes(data + strings.Repeat("\x00", padding))
}

// erf writes a record of ERF: more is what stands between its header and the frame.
// The first bit of kind says that extension headers are among it.
func (b *builder) erf(kind byte, secs, fraction uint32, wire int, more, data string, padding int) *builder {
	b.Write(binary.LittleEndian.AppendUint64(nil, uint64(secs)<<32|uint64(fraction)))
	size := 16 + len(more) + len(data) + padding
	b.Write([]byte{kind, 4})
	return b.u16(uint16(size), 0, uint16(wire)).bytes(more + data + strings.Repeat("\x00", padding))
}

const (
	erfSecs     = 1_700_000_000
	erfExtended = "\x03\x01\x02\x03\x04\x05\x06\x07"
)

// sampleSnoop and sampleERF have padding, cut frames and long ones.
func sampleSnoop() []byte {
	b := bigEndian().snoop(2, 4)
	for i, n := range []int{60, 61, 0, 3, 200} {
		b.snooped(erfSecs+uint32(i), uint32(i)*1000, uint32(n+i%2*9), strings.Repeat("x", n), -n&3)
	}
	return b.Bytes()
}

func sampleERF() []byte {
	b := bigEndian()
	frame := strings.Repeat("x", 60)
	b.erf(2, erfSecs, 1<<31, 64, "\x00\x00", frame, 2)
	b.erf(0x80|2, erfSecs+1, 0, 60, erfExtended+"\x00\x00", frame, 2)
	b.erf(erfPad, erfSecs, 0, 0, "", "", 24)
	b.erf(22, erfSecs+2, 0, 60, "", frame, 4)
	b.erf(erfMeta, 0, 0, 24, "", frame[:24], 0)
	return b.erf(1, erfSecs+3, 0, 60, "", frame, 0).Bytes()
}

func framedSamples() map[string][]byte {
	return map[string][]byte{"snoop": sampleSnoop(), "ERF": sampleERF()}
}

func TestSnoop(t *testing.T) {
	const frame = "0123456789abcdef"
	p := func(time, offset int64) kept { return kept{time, frame, offset, 16, 1, false, 0} }
	with := func(k kept, change func(k *kept)) kept {
		change(&k)
		return k
	}
	file := func() *builder { return bigEndian().snoop(2, 4) }
	for _, test := range []struct {
		name string
		in   *builder
		want []kept
		err  string
	}{
		{"no packet", file(), nil, ""},
		{"two packets", file().snooped(1, 2, 16, frame, 0).snooped(3, 4, 16, frame, 0), []kept{p(1_000_002_000, 16), p(3_000_004_000, 56)}, ""},
		{"padding", file().snooped(1, 2, 16, frame, 4).snooped(3, 4, 16, frame, 1).snooped(5, 6, 16, frame, 40),
			[]kept{p(1_000_002_000, 16), p(3_000_004_000, 60), p(5_000_006_000, 101)}, ""},
		{"snapped", file().snooped(1, 2, 1514, frame, 0), []kept{with(p(1_000_002_000, 16), func(k *kept) { k.OrigLen = 1514 })}, ""},
		{"original length above 2^31-1", file().snooped(1, 2, 1<<31, frame, 0), []kept{with(p(1_000_002_000, 16), func(k *kept) { k.OrigLen = 1<<31 - 1 })}, ""},
		{"IEEE 802.3", bigEndian().snoop(2, 0).snooped(1, 2, 16, frame, 0), []kept{p(1_000_002_000, 16)}, ""},
		{"token ring", bigEndian().snoop(2, 2).snooped(1, 2, 16, frame, 0), []kept{with(p(1_000_002_000, 16), func(k *kept) { k.LinkType = 6 })}, ""},
		{"FDDI", bigEndian().snoop(2, 8).snooped(1, 2, 16, frame, 0), []kept{with(p(1_000_002_000, 16), func(k *kept) { k.LinkType = 10 })}, ""},
		{"ATM, its header not counted", bigEndian().snoop(2, 18).snooped(1, 2, 16, frame, 0),
			[]kept{with(p(1_000_002_000, 16), func(k *kept) { k.LinkType, k.OrigLen = 123, 12 })}, ""},
		{"token bus", bigEndian().snoop(2, 1), nil, "offset 12: snoop datalink type 1, IEEE 802.4 token bus: not read"},
		{"unassigned", bigEndian().snoop(2, 77), nil, "offset 12: snoop datalink type 77: not read"},
		{"version 3", bigEndian().snoop(3, 4), nil, "offset 8: snoop version 3: want 2"},
		{"length below the header", file().snooped(1, 2, 16, frame, 0).u32(16, 0, 23, 0, 1, 2), []kept{p(1_000_002_000, 16)},
			"offset 56: length 23 of a record: its header and captured length 0 take 24"},
		{"length below the frame", file().snooped(1, 2, 16, frame, 0).u32(16, 16, 39, 0, 1, 2).bytes(frame), []kept{p(1_000_002_000, 16)},
			"offset 56: length 39 of a record: its header and captured length 16 take 40"},
		{"captured length beyond anything", file().u32(16, 1<<30, 1<<30, 0, 1, 2).bytes(frame), nil,
			"offset 16: captured length 1073741824 of a record is over 268435456"},
		{"length beyond anything", file().u32(16, 16, 1<<30, 0, 1, 2).bytes(frame), nil, "offset 16: length 1073741824 of a record is over 269484032"},
		{"cut", file().snooped(1, 2, 16, frame, 0).u32(16, 16, 40, 0, 1, 2).bytes(frame[:4]), []kept{p(1_000_002_000, 16)},
			"offset 56: the capture ends in the middle of a record: 28 of 40 bytes are there"},
		{"zeros behind", file().snooped(1, 2, 16, frame, 0).bytes(strings.Repeat("\x00", 100)), []kept{p(1_000_002_000, 16)}, ""},
	} {
		t.Run(test.name, func(t *testing.T) { same(t, test.in.Bytes(), test.want, test.err) })
	}
}

// TestERF has the lengths and times that tshark 4.0.17 gives such records;
// the conformance tests ask it.
func TestERF(t *testing.T) {
	frame := strings.Repeat("x", 60)
	p := func(seconds, offset int64) kept {
		return kept{(erfSecs + seconds) * second, frame, offset, 60, 228, true, 0}
	}
	ether := func(seconds, offset int64) kept {
		return kept{(erfSecs + seconds) * second, frame[:56], offset, 60, 1, true, 4}
	}
	with := func(k kept, change func(k *kept)) kept {
		change(&k)
		return k
	}
	// Three records of IPv4, 80 bytes each, tell the format.
	file := func() *builder {
		b := bigEndian()
		for i := range uint32(3) {
			b.erf(22, erfSecs+i, 0, 60, "", frame, 4)
		}
		return b
	}
	front := []kept{p(0, 0), p(1, 80), p(2, 160)}
	for _, test := range []struct {
		name string
		in   *builder
		want []kept // behind those three
		err  string
	}{
		{"IPv6", file().erf(23, erfSecs+3, 0, 60, "", frame, 0), []kept{with(p(3, 240), func(k *kept) { k.LinkType = 229 })}, ""},
		{"HDLC", file().erf(1, erfSecs+3, 0, 60, "", frame, 0), []kept{with(p(3, 240), func(k *kept) { k.LinkType = 50 })}, ""},
		{"one of many channels", file().erf(5, erfSecs+3, 0, 60, "abcd", frame, 0), []kept{with(p(3, 240), func(k *kept) { k.LinkType = 50 })}, ""},
		{"Ethernet", file().erf(2, erfSecs+3, 0, 60, "\x00\x00", frame, 2), []kept{ether(3, 240)}, ""},
		{"Ethernet with a color", file().erf(11, erfSecs+3, 0, 60, "\x00\x00", frame, 2), []kept{ether(3, 240)}, ""},
		{"Ethernet, cut", file().erf(2, erfSecs+3, 0, 99, "\x00\x00", frame, 0), []kept{with(ether(3, 240), func(k *kept) { k.Data, k.OrigLen = frame, 99 })}, ""},
		{"one extension header", file().erf(0x80|22, erfSecs+3, 0, 60, erfExtended, frame, 0), []kept{p(3, 240)}, ""},
		{"two extension headers", file().erf(0x80|2, erfSecs+3, 0, 60, "\x84"+erfExtended[1:]+erfExtended+"\x00\x00", frame, 0), []kept{ether(3, 240)}, ""},
		{"padding records are none", file().erf(erfPad, erfSecs+3, 0, 0, "", frame, 0).erf(22, erfSecs+4, 0, 60, "", frame, 0), []kept{p(4, 316)}, ""},
		{"another type keeps its header", file().erf(21, erfSecs+3, 0, 30, "", frame[:30], 2),
			[]kept{with(p(3, 240), func(k *kept) {
				k.Data, k.OrigLen, k.LinkType = string(file().erf(21, erfSecs+3, 0, 30, "", frame[:30], 2).Bytes()[240:286]), 30, 197
			})}, ""},
		{"half a second and a unit", file().erf(22, erfSecs+3, 1<<31+1, 60, "", frame, 0), []kept{with(p(3, 240), func(k *kept) { k.Time += 500_000_000 })}, ""},
		{"rounded up", file().erf(22, erfSecs+3, 1<<31+3, 60, "", frame, 0), []kept{with(p(3, 240), func(k *kept) { k.Time += 500_000_001 })}, ""},
		{"the last fraction is the next second", file().erf(22, erfSecs+3, 1<<32-1, 60, "", frame, 0), []kept{p(4, 240)}, ""},
		{"length below the header", file().bytes("\x00\x00\x00\x00\x00\xf1\x53\x65\x02\x04\x00\x0f\x00\x00\x00\x00"), nil, "offset 240: length 15 of a record: want 16 at least"},
		{"length below the further header", file().erf(2, erfSecs, 0, 60, "", "", 1), nil, "offset 240: length 17 of a record of type 2: want 18 at least"},
		{"length below the extension headers", file().erf(0x80|22, erfSecs, 0, 60, "\x80abcdefg", "", 7), nil,
			"offset 240: length 31 of a record of type 22: its extension headers take more"},
		{"cut", file().bytes(file().String()[:50]), nil, "offset 240: the capture ends in the middle of a record: 50 of 80 bytes are there"},
		{"zeros behind", file().bytes(strings.Repeat("\x00", 100)), nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			same(t, test.in.Bytes(), slices.Concat(front, test.want), test.err)
		})
	}
}

// TestNoERF has files that are not taken for ERF, or only by their name.
func TestNoERF(t *testing.T) {
	frame := strings.Repeat("x", 60)
	records := func(n int) *builder {
		b := bigEndian()
		for range n {
			b.erf(2, erfSecs, 0, 62, "\x00\x00", frame, 2)
		}
		return b
	}
	for _, test := range []struct {
		name      string
		in        *builder
		is, named bool
	}{
		{"one record", records(1), false, true},
		{"two records", records(2), false, true},
		{"two records and the front of one", records(2).bytes(records(1).String()[:70]), false, true},
		{"three records", records(3), true, true},
		{"two records and zeros", records(2).bytes(strings.Repeat("\x00", 100)), false, true},
		{"times years apart", records(2).erf(2, erfSecs*2, 0, 62, "\x00\x00", frame, 2), false, true},
		{"a type that there is not", records(2).erf(40, erfSecs, 0, 62, "\x00\x00", frame, 2), false, true},
		{"more of a frame than was there", records(2).erf(2, erfSecs, 0, 10, "\x00\x00", frame, 2), false, true},
		{"before 1980", bigEndian().erf(2, 9, 0, 62, "\x00\x00", frame, 2), false, false},
		{"zeros", bigEndian().bytes(strings.Repeat("\x00", 1000)), false, false},
		{"text", bigEndian().bytes(strings.Repeat("frame,time\n1,2\n", 1000)), false, false},
		{"ones", bigEndian().bytes(strings.Repeat("\x01", 1000)), false, false},
		{"padding alone", bigEndian().bytes(strings.Repeat(bigEndian().erf(erfPad, erfSecs, 0, 0, "", "", 0).String(), 9)), false, false},
	} {
		for name, want := range map[string]bool{"capture": test.is, "a.erf": test.named, "a.ERF.gz": test.named, "erf": test.is} {
			path := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(path, test.in.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Open(path)
			is, _ := IsCapture(path)
			if (err == nil) != want || is != want {
				t.Errorf("%s, as %s: %v, IsCapture %v", test.name, name, err, is)
			}
			if err == nil {
				if c.Format() != "ERF" {
					t.Errorf("%s, as %s: it is %s", test.name, name, c.Format())
				}
				c.Close()
			}
			c, err = NewCapture(iotest.OneByteReader(bytes.NewReader(test.in.Bytes())), name)
			if (err == nil) != want {
				t.Errorf("%s, as %s, streamed: %v", test.name, name, err)
			}
			if err == nil {
				c.Close()
			}
		}
	}
	random := rand.New(rand.NewPCG(11, 12))
	for range 3000 {
		data := make([]byte, 2000)
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		if s := lookAtERF(data); s.enough("a") {
			t.Fatalf("random bytes are ERF: % x", data)
		}
	}
}

// TestFramedReaders reads snoop and ERF in all ways there are, cut everywhere and
// compressed: the same packets come, and of a cut file those before the cut.
func TestFramedReaders(t *testing.T) {
	for format, data := range framedSamples() {
		all, err := readFile(t, file(t, data))
		if err != nil || len(all) != 5 {
			t.Fatalf("%s: %d packets, %v", format, len(all), err)
		}
		c, err := Open(file(t, data))
		if err != nil || c.Format() != format {
			t.Fatalf("%s: it is %v, %v", format, c.Format(), err)
		}
		c.Close()
		for way, z := range compressed(t, data) {
			if ok, err := IsCapture(file(t, z)); !ok || err != nil {
				t.Errorf("%s in %s: IsCapture = %v, %v", format, way, ok, err)
			}
			got, err := readStream(t, bytes.NewReader(z))
			sameKept(t, format+" in "+way, got, all, err)
		}
		for cut := range len(data) {
			if format == "ERF" && cut < int(all[3].Offset) || format == "snoop" && cut < 8 {
				continue // not yet known for what it is
			}
			var want []kept
			for i, k := range all {
				if end := append(all[1:], kept{Offset: int64(len(data))})[i].Offset; end <= int64(cut) || format == "ERF" && i == 1 {
					want = append(want, k)
				}
			}
			path := file(t, data[:cut])
			for way, read := range map[string]func() ([]kept, error){
				"mapped":      func() ([]kept, error) { return readFile(t, path) },
				"streamed":    func() ([]kept, error) { return readStream(t, bytes.NewReader(data[:cut])) },
				"byte a time": func() ([]kept, error) { return readStream(t, iotest.OneByteReader(bytes.NewReader(data[:cut]))) },
			} {
				got, err := read()
				cutErr, ok := errors.AsType[*TruncatedError](err)
				atEdge := cut == 16 && format == "snoop" || cut == len(data) || slices.ContainsFunc(all, func(k kept) bool { return int(k.Offset) == cut })
				if !slices.Equal(got, want) || (err == nil) != atEdge || err != nil && (!ok || cutErr.Offset+cutErr.Have != int64(cut) || cutErr.Want <= cutErr.Have) {
					t.Fatalf("%s cut at %d, %s: %d packets, %v; want %d", format, cut, way, len(got), err, len(want))
				}
			}
			wantSpansLikeFile(t, fmt.Sprintf("%s cut at %d", format, cut), data[:cut])
		}
	}
}

// someFramed returns a file of n records of snoop or ERF.
func someFramed(r *rand.Rand, n int) []byte {
	b := bigEndian()
	longest := []int{200, 2000}[r.IntN(2)]
	if r.IntN(2) == 0 {
		b.snoop(2, 4)
		for i := range n {
			data := someData(r, longest)
			b.snooped(erfSecs+uint32(i), r.Uint32N(1e6), uint32(len(data)+r.IntN(2)), data, -len(data)&3)
		}
		return b.Bytes()
	}
	for i := range n {
		data := someData(r, longest)
		secs := erfSecs + uint32(i)
		switch kind := r.IntN(20); {
		case i < erfRecords || kind < 12:
			b.erf(2, secs, r.Uint32(), len(data)+r.IntN(2), "\x00\x00", data, -(len(data)+2)&7)
		case kind < 15:
			b.erf(0x80|22, secs, r.Uint32(), len(data), erfExtended, data, -len(data)&7)
		case kind < 17:
			b.erf(erfPad, secs, 0, 0, "", "", 8*r.IntN(9))
		default:
			b.erf(byte(1+r.IntN(27)), secs, r.Uint32(), len(data), "\x00\x00\x00\x00", data, 0)
		}
	}
	return b.Bytes()
}

// TestFramedSpans reads snoop and ERF files in spans, whole and damaged.
func TestFramedSpans(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	fromSpans, packets := 0, 0
	for range 100 {
		data := someFramed(r, 100)
		path := file(t, data)
		want, err := readFile(t, path)
		if err != nil {
			t.Fatal(err)
		}
		streamed, err := readStream(t, bytes.NewReader(data))
		sameKept(t, "streamed", streamed, want, err)
		for _, length := range []int{16, 100, 1000, 1 << 20} {
			got, joined, err := readSpans(t, path, length)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("spans of %d bytes: %d packets and error %v, want %d", length, len(got), err, len(want))
			}
			if length == 1000 {
				fromSpans, packets = fromSpans+joined, packets+len(want)
			}
		}
		for range 5 {
			data[16+r.IntN(len(data)-16)] = byte(r.Uint32())
		}
		if ok, _ := IsCapture(file(t, data)); ok {
			wantSpansLikeFile(t, "damaged", data)
		}
	}
	if fromSpans*4 < packets*3 {
		t.Errorf("only %d of %d packets came from spans", fromSpans, packets)
	}
}

// TestLongSnoop streams a record of which only the front is kept, and a cut one.
func TestLongSnoop(t *testing.T) {
	long := strings.Repeat("0123456789abcde", (3*maxData)/15)
	b := bigEndian().snoop(2, 4).snooped(1, 0, 9, "a", 0).snooped(2, 0, uint32(len(long)), long, 3).snooped(3, 0, 9, "b", 0)
	for _, cut := range []int{0, 1, 27, 100, maxData, 2 * maxData} {
		data := b.Bytes()[:b.Len()-cut]
		want, wantErr := readBytes(t, data)
		got, err := readStream(t, io.MultiReader(bytes.NewReader(data[:77]), bytes.NewReader(data[77:])))
		if !slices.Equal(got, want) || text(err) != text(wantErr) || len(want) < 1 || cut == 0 && len(want) != 3 {
			t.Errorf("cut by %d: %d packets, %v; want %d, %v", cut, len(got), err, len(want), wantErr)
		}
	}
}

func someData(r *rand.Rand, longest int) string {
	data := make([]byte, r.IntN(longest))
	for k := range data {
		data[k] = byte(r.Uint32() >> r.IntN(32))
	}
	return string(data)
}
