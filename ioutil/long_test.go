package ioutil

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// longRecords is captures with records and blocks around the lengths at which
// only their front is kept.
func longRecords() map[string][]byte {
	text := func(n int) string { return strings.Repeat("0123456789abcde", n/15+1)[:n] }
	lengths := []int{60, maxData - 1, maxData, maxData + 1, 60, maxData + 5, 3*maxData + 12345, 7, 2 * maxData}
	captures := map[string][]byte{}
	for name, build := range map[string]func() *builder{"little": littleEndian, "big": bigEndian} {
		b := build().pcap(0xa1b2c3d4, 0, 1)
		for i, n := range lengths {
			b.record(uint32(i), 0, uint32(n), text(n))
		}
		captures["pcap, "+name] = slices.Clone(b.Bytes())
		ng := build().section().iface(1, 0, "")
		for i, n := range lengths {
			ng.enhanced(0, uint64(i), uint32(n), text(n))
			ng.block(0xbad, text(n))
			ng.simple(uint32(n), text(n))
		}
		captures["pcapng, "+name] = slices.Clone(ng.Bytes())
	}
	return captures
}

// TestLongRecords reads captures with long records as files in memory and as
// streams, whole and cut, and wants the same packets and errors.
func TestLongRecords(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads gigabytes")
	}
	for name, data := range longRecords() {
		cuts := []int{len(data)}
		for cut := len(data) - 1; cut > 0; cut -= maxData/3 + 7 {
			cuts = append(cuts, cut)
		}
		for _, at := range []int{0, 1, 3, 4, 5, 8} { // within the end of the last block
			cuts = append(cuts, len(data)-at)
		}
		for _, cut := range cuts {
			want, wantErr := readBytes(t, data[:cut])
			for _, wrap := range []func(io.Reader) io.Reader{
				func(r io.Reader) io.Reader { return r },
				func(r io.Reader) io.Reader { return io.MultiReader(io.LimitReader(r, maxData+77), r) },
			} {
				got, err := readStream(t, wrap(bytes.NewReader(data[:cut])))
				if !slices.Equal(got, want) || text(err) != text(wantErr) {
					t.Fatalf("%s, cut at %d of %d: %d packets, %v; want %d, %v", name, cut, len(data), len(got), err, len(want), wantErr)
				}
			}
		}
		whole, err := readBytes(t, data)
		if err != nil || len(whole) < 9 {
			t.Fatalf("%s: %d packets, %v", name, len(whole), err)
		}
		for _, p := range whole {
			if len(p.Data) != min(int(p.OrigLen), maxData) {
				t.Errorf("%s: %d bytes of a packet of %d", name, len(p.Data), p.OrigLen)
			}
		}
	}
}

// TestLongRecordsDamaged changes the length at the end of a long block, and has
// the stream fail within a long record.
func TestLongRecordsDamaged(t *testing.T) {
	b := littleEndian().section().iface(1, 0, "").enhanced(0, 1, 9, "a").enhanced(0, 1, 9, strings.Repeat("x", 2*maxData))
	data := b.Bytes()
	data[len(data)-2] ^= 1
	want, wantErr := readBytes(t, data)
	got, err := readStream(t, bytes.NewReader(data))
	if !slices.Equal(got, want) || wantErr == nil || text(err) != text(wantErr) {
		t.Errorf("%d packets, %v; want %d, %v", len(got), err, len(want), wantErr)
	}

	p := littleEndian().pcap(0xa1b2c3d4, 0, 1).record(1, 0, 9, strings.Repeat("x", 3*maxData)).Bytes()
	broken := errors.New("broken")
	const at = 2*maxData + 99
	_, err = readStream(t, io.MultiReader(bytes.NewReader(p[:at]), iotest.ErrReader(broken)))
	var format *FormatError
	if !errors.As(err, &format) || !errors.Is(err, broken) || format.Offset != at {
		t.Errorf("error %v, want one at offset %d", err, at)
	}
}

// TestLongDeclaration reads an interface whose options take more than a MiB.
func TestLongDeclaration(t *testing.T) {
	b := littleEndian()
	b.section().iface(1, 0, strings.Repeat(b.option(1, strings.Repeat("x", 60000)), 20)).enhanced(0, 1, 9, "a")
	_, want := readBytes(t, b.Bytes())
	_, err := readStream(t, bytes.NewReader(b.Bytes()))
	if want == nil || text(err) != text(want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

// TestLongSection reads section headers whose options take more than a MiB, whole,
// cut and damaged, and in the middle of a capture: options are of no use here.
func TestLongSection(t *testing.T) {
	for name, build := range map[string]func() *builder{"little": littleEndian, "big": bigEndian} {
		for _, length := range []int{1 << 20, 3<<20 + 4} {
			b := build()
			long := b.body(func(b *builder) {
				b.block(blockSection, b.body(func(b *builder) {
					b.u32(0x1a2b3c4d).u16(1, 0).u32(0xffffffff, 0xffffffff)
					for b.Len() < length {
						b.bytes(b.option(1, strings.Repeat("x", 60000)))
					}
				}))
			})
			b.bytes(long).iface(1, 0, "").enhanced(0, 1, 9, "a").bytes(long).iface(101, 0, "").enhanced(0, 1, 9, "b")
			for _, cut := range []int{0, 1, 40, 100, 200, len(long) - 5, len(long), len(long) + 100, b.Len() - 1000} {
				data := b.Bytes()[:b.Len()-cut]
				want, wantErr := readBytes(t, data)
				got, err := readStream(t, iotest.HalfReader(bytes.NewReader(data)))
				if !slices.Equal(got, want) || text(err) != text(wantErr) || cut == 0 && (len(want) != 2 || want[1].LinkType != 101) {
					t.Errorf("%s, cut by %d: %d packets, %v; want %d, %v", name, cut, len(got), err, len(want), wantErr)
				}
			}
			damaged := slices.Clone(b.Bytes())
			damaged[len(long)-2] ^= 1
			_, wantErr := readBytes(t, damaged)
			_, err := readStream(t, bytes.NewReader(damaged))
			if text(err) != text(wantErr) || !strings.Contains(text(err), "offset 0: length") {
				t.Errorf("%s, lengths that differ: %v, want %v", name, err, wantErr)
			}
		}
	}
}

// TestLongSectionTakesLittleMemory streams a section header of the greatest length
// that is believed.
func TestLongSectionTakesLittleMemory(t *testing.T) {
	head := littleEndian().u32(blockSection, maxBlock, 0x1a2b3c4d).u16(1, 0).Bytes()
	tail := littleEndian().u32(maxBlock).iface(1, 0, "").enhanced(0, 1, 9, "a").Bytes()
	c, err := NewCapture(io.MultiReader(bytes.NewReader(head), io.LimitReader(zeros{}, maxBlock-20), bytes.NewReader(tail)), "capture")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var recs [2]Record
	n, err := c.Read(recs[:])
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; n != 1 || err != nil || got > 16<<20 {
		t.Errorf("%d packets, %v, %d bytes allocated", n, err, got)
	}
}

// TestLongRecordTakesLittleMemory streams records of the greatest length that
// is believed.
func TestLongRecordTakesLittleMemory(t *testing.T) {
	const most = 16 << 20
	b := littleEndian().pcap(0xa1b2c3d4, 0, 1)
	header := b.u32(1, 0, maxCapLen, maxCapLen).Bytes()
	c, err := NewCapture(io.MultiReader(bytes.NewReader(header), io.LimitReader(zeros{}, maxCapLen)), "capture")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var recs [2]Record
	n, err := c.Read(recs[:])
	runtime.ReadMemStats(&after)
	if n != 1 || err != nil || len(recs[0].Data) != maxData || recs[0].OrigLen != maxCapLen {
		t.Fatalf("%d packets, %v; %d bytes of %d", n, err, len(recs[0].Data), recs[0].OrigLen)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d bytes allocated, want at most %d", got, most)
	}
	if n, err := c.Read(recs[:]); n != 0 || err != io.EOF {
		t.Errorf("then %d packets, %v", n, err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
