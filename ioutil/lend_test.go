package ioutil

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
)

// A lentPiece is what one call of Cut gave.
type lentPiece struct {
	span Span
	recs [40]Record
	odd  int
}

func (p *lentPiece) read() (all []kept) {
	keep := func(recs []Record) {
		for _, r := range recs {
			all = append(all, kept{r.Time, string(r.Data), r.Offset, r.OrigLen, r.LinkType, r.Fine, r.FCS})
		}
	}
	keep(p.recs[:p.odd])
	var recs [7]Record
	for n := p.span.Read(recs[:]); n > 0; n = p.span.Read(recs[:]) {
		keep(recs[:n])
	}
	p.span.Release()
	return all
}

// readCut cuts a stream into spans of a length, and reads each when late more have
// been cut. It returns false if the stream can't be cut.
func readCut(t testing.TB, r io.Reader, length, late int) (all []kept, odds []string, err error, ok bool) {
	t.Helper()
	c, err := NewCapture(r, "capture")
	if err != nil {
		return nil, nil, err, true
	}
	defer c.Close()
	if !c.Lend(late + 1) {
		return nil, nil, nil, false
	}
	pieces := make([]lentPiece, late+1)
	for i := 0; ; i++ {
		if i >= late {
			all = append(all, pieces[(i-late)%len(pieces)].read()...)
		}
		p := &pieces[i%len(pieces)]
		if p.odd, err = c.Cut(&p.span, p.recs[:], length); err == nil {
			continue
		}
		if p.odd > 0 || p.span.Read(make([]Record, 1)) > 0 {
			t.Fatalf("packets beside the error %v", err)
		}
		for j := max(0, i-late+1); j < i; j++ {
			all = append(all, pieces[j%len(pieces)].read()...)
		}
		p.span.Release()
		if err == io.EOF {
			err = nil
		}
		return all, append(c.Warnings(), fmt.Sprint(c.LinkTypes())), err, true
	}
}

// wantCut cuts a capture in several ways and wants what reading it in order gives.
func wantCut(t testing.TB, name string, data []byte, lengths ...int) {
	t.Helper()
	c, err := NewCapture(bytes.NewReader(data), "capture")
	var want []kept
	var odds []string
	if err == nil {
		want, err = readAll(t, c, 64)
		odds = append(c.Warnings(), fmt.Sprint(c.LinkTypes()))
		c.Close()
	}
	for how, r := range map[string]func(io.Reader) io.Reader{
		"whole":          func(r io.Reader) io.Reader { return r },
		"byte by byte":   iotest.OneByteReader,
		"in small parts": func(r io.Reader) io.Reader { return &parts{r, rand.New(rand.NewPCG(3, uint64(len(data))))} },
		"data with EOF":  iotest.DataErrReader,
	} {
		if how == "byte by byte" && len(data) > 4<<10 {
			continue
		}
		for _, length := range lengths {
			for _, late := range []int{0, 4} {
				got, gotOdds, gotErr, ok := readCut(t, r(bytes.NewReader(data)), length, late)
				if !ok {
					continue // ERF, or it has ended
				}
				if !slices.Equal(got, want) || text(gotErr) != text(err) || !slices.Equal(gotOdds, odds) {
					t.Fatalf("%s, %s, cut into %d bytes, read %d late: %d packets, %v, %q; want %d, %v, %q",
						name, how, length, late, len(got), gotErr, gotOdds, len(want), err, odds)
				}
			}
		}
	}
}

// A parts reader gives few bytes at a time.
type parts struct {
	r      io.Reader
	random *rand.Rand
}

func (p *parts) Read(b []byte) (int, error) {
	return p.r.Read(b[:min(len(b), 1+p.random.IntN(3000))])
}

// TestLend cuts captures of all kinds, whole and damaged.
func TestLend(t *testing.T) {
	for i, data := range slices.Concat(smallCaptures(), framedCaptures()) {
		wantCut(t, fmt.Sprint("capture ", i), data, 1, 100, 1<<20)
	}
}

// TestLendLong cuts captures with records around the lengths of chunks, headroom and
// what is kept of a record.
func TestLendLong(t *testing.T) {
	for name, data := range longRecords() {
		wantCut(t, name, data, 128<<10)
		wantCut(t, name, data[:len(data)-5], 128<<10)
	}
	b, ng := littleEndian().pcap(0xa1b2c3d4, 0, 1), littleEndian().section().iface(1, 0, "")
	random := rand.New(rand.NewPCG(11, 12))
	for i := range uint32(6000) {
		n := random.IntN(1500)
		if i%500 == 499 {
			n = random.IntN(200_000)
		}
		data := strings.Repeat(string(rune('a'+i%26)), n)
		b.record(1_700_000_000+i, 0, uint32(n), data)
		if ng.enhanced(0, uint64(i), uint32(n), data); i%1000 < 100 {
			ng.simple(uint32(n), data)
		}
		if i%700 == 0 { // another section, whose interface has another clock
			ng.section().iface(1, uint32(70+i), ng.option(9, string(rune(3+i%5)))).iface(101, 0, "")
		}
	}
	wantCut(t, "pcap", b.Bytes(), 128<<10, 5000)
	wantCut(t, "pcapng", ng.Bytes(), 128<<10, 5000)
	again := slices.Concat(b.Bytes(), littleEndian().pcap(0xa1b23c4d, 0, 101).record(1, 5, 3, "abc").Bytes(), b.Bytes()[:b.Len()-7])
	wantCut(t, "concatenated", again, 128<<10)
	wantCut(t, "zeros behind", slices.Concat(b.Bytes(), make([]byte, 100_000)), 128<<10)
	wantCut(t, "zeros between", slices.Concat(b.Bytes(), make([]byte, 16*5000), b.Bytes()[24:]), 128<<10)
	wantCut(t, "damaged", slices.Concat(b.Bytes(), bytes.Repeat([]byte{0xee}, 100_000)), 128<<10)
}

func TestLendShared(t *testing.T) {
	for _, path := range shared(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) < 1<<20 || !testing.Short() {
			wantCut(t, path, data, 700, 128<<10)
		}
	}
}

// TestLendStays has readers of spans at work while the stream goes on, for the race
// detector.
func TestLendStays(t *testing.T) {
	ng := littleEndian()
	want := 0
	for i := range uint32(300) {
		ng.section()
		for j := range uint32(5) {
			ng.iface(uint16(1+j), 0, ng.option(9, string(rune(3+(i+j)%5))))
			for range 200 {
				ng.enhanced(j, 5, 60, strings.Repeat("x", 60))
				want++
			}
		}
	}
	c, err := NewCapture(bytes.NewReader(ng.Bytes()), "capture")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if !c.Lend(3) {
		t.Fatal("can't be cut")
	}
	var mu sync.Mutex
	var readers sync.WaitGroup
	got, room := 0, make(chan bool, 3)
	for err == nil {
		room <- true
		p := &lentPiece{}
		if p.odd, err = c.Cut(&p.span, p.recs[:], 5000); err != nil {
			break
		}
		readers.Go(func() {
			n := len(p.read())
			mu.Lock()
			got += n
			mu.Unlock()
			<-room
		})
	}
	readers.Wait()
	if err != io.EOF || got != want {
		t.Errorf("%d packets, %v; want %d", got, err, want)
	}
}
