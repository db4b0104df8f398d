//go:build linux || darwin

package ioutil

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/internal/mutate"
)

// readSpans reads a mapped pcap file as several workers would: all spans first,
// then joined in order, with what they lack read in between. It returns how
// many packets came from spans as well.
func readSpans(t testing.TB, path string, length int) (all []kept, joined int, err error) {
	t.Helper()
	c, err := Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer c.Close()
	return readSpansOf(c, length)
}

func readSpansOf(c *Capture, length int) (all []kept, joined int, err error) {
	spans := c.Spans()
	if spans == nil {
		spans = &Spans{} // no packet
	}
	keep := func(records []Record) (some []kept) {
		for _, r := range records {
			some = append(some, kept{r.Time, string(r.Data), r.Offset, r.OrigLen, r.LinkType, r.Fine, r.FCS})
		}
		return some
	}
	var records [5]Record
	var read []*Span
	var packets [][]kept
	for s := new(Span); spans.Next(s, length); s = new(Span) {
		var some []kept
		for places := len(read)%2 == 0; ; {
			n := 0
			if places {
				n = readPlaces(s, records[:])
			}
			if n == 0 {
				n = s.Read(records[:])
			}
			if n == 0 {
				break
			}
			some = append(some, keep(records[:n])...)
		}
		read, packets = append(read, s), append(packets, some)
	}
	for i, s := range read {
		if c.Join(s) {
			joined += len(packets[i])
			all = append(all, packets[i]...)
		}
		for n := 1; n > 0 && err == nil; {
			n, err = c.ReadBefore(s.End(), records[:])
			all = append(all, keep(records[:n])...)
		}
	}
	for err == nil {
		var n int
		n, err = c.Read(records[:])
		all = append(all, keep(records[:n])...)
	}
	if err == io.EOF {
		err = nil
	}
	return all, joined, err
}

// readPlaces is Read by way of Places.
func readPlaces(s *Span, records []Record) int {
	var places [5]Place
	n := s.Places(places[:len(records)])
	for i := range n {
		if s.Record(&records[i], &places[i]); records[i].Offset != s.Offset(&places[i]) {
			panic("a place and its record begin at different offsets")
		}
	}
	return n
}

// TestPlaces sees that most records of usual files, and none of others, come as places.
func TestPlaces(t *testing.T) {
	for name, begin := range map[string]func() *builder{
		"usual": func() *builder { return littleEndian().pcap(0xa1b23c4d, 65535, 1) },
		"big":   func() *builder { return bigEndian().pcap(0xa1b23c4d, 65535, 1) },
		"ng":    func() *builder { return littleEndian().section().iface(1, 0, "") },
		"bigng": func() *builder { return bigEndian().section().iface(1, 0, "") },
	} {
		b, usual := begin(), !strings.HasPrefix(name, "big")
		for i := range 50 {
			data := strings.Repeat("x", 20*i) // the first one is odd
			if strings.HasSuffix(name, "ng") {
				b.enhanced(0, 1_700_000_000_000_000+uint64(i), uint32(len(data)), data)
			} else {
				b.record(1_700_000_000, uint32(i), uint32(max(70, len(data))), data)
			}
		}
		for _, long := range []bool{false, true} {
			c, err := Open(file(t, b.Bytes()))
			if err != nil {
				t.Fatal(err)
			}
			spans := c.Spans()
			if long {
				spans.seen.length.Store(longRecord)
			}
			var s Span
			var records [5]Record
			found, read := 0, 0
			for spans.Next(&s, 10_000) {
				for {
					n := readPlaces(&s, records[:])
					found += n
					if n == 0 {
						n = s.Read(records[:1])
						read += n
					}
					if n == 0 {
						break
					}
				}
				c.Join(&s)
			}
			if found+read != 50 || (found > 40) != usual || !usual && found > 0 {
				t.Errorf("%s, in chains %t: %d places and %d records, want 50", name, long, found, read)
			}
			c.Close()
		}
	}
}

// someTraffic returns a file of n records, in any format, byte order and unit.
// Some files have long records.
func someTraffic(r *rand.Rand, n int) []byte {
	b := []*builder{littleEndian(), bigEndian()}[r.IntN(2)]
	longest := []int{200, 2000}[r.IntN(2)]
	if r.IntN(2) == 0 {
		return someBlocks(r, b, n, longest)
	}
	b.pcap([]uint32{0xa1b2c3d4, 0xa1b23c4d}[r.IntN(2)], 65535, 1)
	for i := range n {
		data := someData(r, longest)
		b.record(1_700_000_000+uint32(i), r.Uint32N(1e6), uint32(len(data)+r.IntN(2)), data)
	}
	return b.Bytes()
}

// someBlocks returns a pcapng file of n packets, with blocks that are of no use
// between them. Some files declare interfaces and begin sections in the middle,
// or have packets without a time.
func someBlocks(r *rand.Rand, b *builder, n, longest int) []byte {
	b.section().iface(1, 0, "").iface(101, 0, "")
	restless := r.IntN(3) == 0
	for i := range n {
		switch kind := r.IntN(40); {
		case kind < 4:
			b.block(4, someData(r, longest)) // names
		case restless && kind == 4:
			b.iface(113, 0, "")
		case restless && kind == 5:
			b.section().iface(1, 0, "").iface(12, 0, "")
		}
		data := someData(r, longest)
		if restless && r.IntN(20) == 0 {
			b.block(3, string(b.order.AppendUint32(nil, uint32(len(data))))+data)
			continue
		}
		b.enhanced(r.Uint32N(2), 1_700_000_000_000_000+uint64(i), uint32(len(data)), data)
	}
	return b.Bytes()
}

func TestSpans(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	fromSpans, packets := 0, 0
	for range 200 {
		path := file(t, someTraffic(r, 100))
		want, err := readFile(t, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, length := range []int{16, 100, 1000, 1 << 20} {
			got, joined, err := readSpans(t, path, length)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("spans of %d bytes: %d packets and error %v, want %d: %v", length, len(got), err, len(want), got)
			}
			if length == 1000 {
				fromSpans, packets = fromSpans+joined, packets+len(want)
			}
		}
	}
	if fromSpans*4 < packets*3 {
		t.Errorf("only %d of %d packets came from spans", fromSpans, packets)
	}
}

// TestSpansOfDamage reads captures cut at every byte, and ones with damage.
func TestSpansOfDamage(t *testing.T) {
	for format, whole := range samples() {
		for cut := 25; cut <= len(whole); cut++ {
			wantSpansLikeFile(t, fmt.Sprintf("%s cut at %d", format, cut), whole[:cut])
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 300 {
		b := someTraffic(r, 30)
		for range 1 + r.IntN(5) {
			b[24+r.IntN(len(b)-24)] = byte(r.Uint32())
		}
		wantSpansLikeFile(t, fmt.Sprintf("damage %d", i), b)
	}
	zeros := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	for range 50 {
		zeros.record(0, 0, 0, "").record(1, 0, 4, "abcd")
	}
	wantSpansLikeFile(t, "records of nothing", zeros.Bytes())
	giant := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	giant.record(1, 0, 5000, strings.Repeat("x", 5000)).record(2, 0, 3, "abc").record(2, 0, 1<<31+5, "abc")
	wantSpansLikeFile(t, "a record longer than spans", giant.Bytes())
}

func wantSpansLikeFile(t *testing.T, name string, b []byte) {
	t.Helper()
	path := file(t, b)
	want, wantErr := readFile(t, path)
	for _, length := range []int{50, 333, 1 << 20} {
		if got, _, err := readSpans(t, path, length); !slices.Equal(got, want) || fmt.Sprint(err) != fmt.Sprint(wantErr) {
			t.Fatalf("%s, spans of %d bytes: %d packets and error %v, want %d and %v", name, length, len(got), err, len(want), wantErr)
		}
	}
}

// FuzzSpans reads any bytes as a mapped capture, in spans of any length, and
// wants what reading in order gives.
func FuzzSpans(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		whole := someTraffic(r, 8)
		for _, data := range mutate.Many(r, 3, whole, whole) {
			f.Add(data, uint16(300))
		}
	}
	for _, data := range framedCaptures() {
		f.Add(data, uint16(100))
	}
	f.Fuzz(func(t *testing.T, data []byte, length uint16) {
		if unwrapper(data) != nil || len(data) > 1<<20 {
			return
		}
		want, wantErr := readBytes(t, data)
		c := &Capture{name: "capture", window: window{buf: data, mem: data}}
		if c.start() != nil {
			return
		}
		size := max(int(length), len(data)/100) + 1
		got, _, err := readSpansOf(c, size)
		if !slices.Equal(got, want) || text(err) != text(wantErr) {
			t.Errorf("spans of %d bytes: %v, %v\nwant %v, %v", size, got, err, want, wantErr)
		}
	})
}

// TestSpanFaults cuts a file between the reading of a span and the use of its
// packets.
func TestSpanFaults(t *testing.T) {
	b := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	for i := range uint32(100) {
		b.record(i+1, 0, 1000, strings.Repeat("x", 1000))
	}
	path := file(t, b.Bytes())
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var s Span
	c.Spans().Next(&s, 1<<20)
	var records [100]Record
	if n := s.Read(records[:]); n != 100 {
		t.Fatalf("%d packets", n)
	}
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	used := 0
	func() {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			if !s.Fault(recover(), records[used].Offset) {
				t.Error("not taken for a fault of the span")
			}
		}()
		for ; used < 100; used++ {
			s.sink += records[used].Data[999]
		}
	}()
	if used == 0 || used == 100 || s.Read(records[:]) != 0 || !c.Join(&s) {
		t.Fatalf("%d packets used; the span is not at its end, or not the capture's next", used)
	}
	_, err = c.Read(records[:])
	var format *FormatError
	if at := records[used].Offset; !errors.As(err, &format) || format.Offset < at || format.Offset > at+1016 {
		t.Errorf("error %v, want one in the record at offset %d", err, at)
	}
	if s.Fault("no fault", 24) {
		t.Error("a word is taken for a fault")
	}
}

// TestNoSpans wants none where packets can't be read out of order.
func TestNoSpans(t *testing.T) {
	for name, b := range map[string][]byte{"no packet": sampleNG()[:48], "no more than a header": samplePcap()[:24]} {
		c, err := Open(file(t, b))
		if err != nil {
			t.Fatal(err)
		}
		if s := c.Spans(); s != nil && s.Next(new(Span), 100) {
			t.Errorf("%s: there is a span", name)
		}
		c.Close()
	}
	c, err := NewCapture(strings.NewReader(string(samplePcap())), "stream")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.Spans() != nil {
		t.Error("stream: there are spans")
	}
}
