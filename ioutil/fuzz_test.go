package ioutil

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/flowfast/flowfast/internal/mutate"
)

// FuzzCapture reads any bytes as a capture, all in memory as a mapped file is,
// as a stream, and as a stream that gives a byte at a time: the same packets and
// the same error come out, the packets lie in the capture one behind the other,
// and cutting the capture takes away only packets that are cut.
func FuzzCapture(f *testing.F) {
	for _, data := range smallCaptures() {
		f.Add(data, uint16(len(data)/2))
	}
	for _, data := range samples() {
		for _, z := range compressed(f, data) {
			f.Add(z, uint16(50))
			for _, damaged := range mutate.Many(rand.New(rand.NewPCG(9, 10)), 3, z, z)[1:] {
				f.Add(damaged, uint16(50))
			}
		}
	}
	for _, data := range framedCaptures() {
		f.Add(data, uint16(len(data)/2))
	}
	f.Add(littleEndian().pcap(0xa1b2cd34, 0, 1).u32(1, 2, 4, 4, 0, 0x800).bytes("abcd").Bytes(), uint16(30))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		want, wantErr := readStream(t, bytes.NewReader(data))
		got, err := readStream(t, iotest.OneByteReader(bytes.NewReader(data)))
		if !slices.Equal(got, want) || text(err) != text(wantErr) {
			t.Errorf("a byte at a time: %v, %v\nwant %v, %v", got, err, want, wantErr)
		}
		wantCut(t, "the capture", data, 100)
		if unwrapper(data) != nil {
			return
		}
		got, err = readBytes(t, data)
		if !slices.Equal(got, want) || text(err) != text(wantErr) {
			t.Errorf("mapped: %v, %v\nwant %v, %v", got, err, want, wantErr)
		}
		end := int64(0)
		for _, k := range want {
			if k.Offset < end || k.Offset+int64(len(k.Data)) > int64(len(data)) {
				t.Errorf("a packet of %d bytes at %d, the one before ends at %d, the capture at %d", len(k.Data), k.Offset, end, len(data))
			}
			end = k.Offset + int64(len(k.Data))
		}
		if int(cut) > len(data) {
			return
		}
		// A modified pcap file is recognised by what comes later, and so is a variant.
		got, _ = readBytes(t, data[:cut])
		if p, ok := pcapOf(append(slices.Clone(data), 0, 0, 0, 0)); ok && (p.modified || p.unit == 1000 && headerOf(data) != headerOf(data[:cut])) {
			return
		}
		if len(got) > len(want) || !slices.Equal(got, want[:len(got)]) {
			t.Errorf("cut at %d: %v, whole: %v", cut, got, want)
		}
	})
}

// smallCaptures returns captures of all kinds, each with damaged copies of it.
func smallCaptures() (all [][]byte) {
	r := rand.New(rand.NewPCG(7, 8))
	kinds := [][]byte{samplePcap(), sampleNG()}
	for len(kinds) < 14 {
		data := randomPcap(r, 5)
		if len(kinds)%2 == 0 {
			data = randomNG(r, 5)
		}
		if len(data) < 8<<10 {
			kinds = append(kinds, data)
		}
	}
	for i, data := range kinds {
		all = append(all, mutate.Many(r, 10, data, kinds[(i+2)%len(kinds)])...)
	}
	return all
}

// framedCaptures returns captures in snoop, in ERF, and with frame check sequences,
// each with damaged copies of it.
func framedCaptures() (all [][]byte) {
	r := rand.New(rand.NewPCG(15, 16))
	fcs := littleEndian().pcap(0xa1b2c3d4, 65535, 0x24000001).record(1, 0, 60, strings.Repeat("x", 60)).record(2, 0, 3, "abc").record(3, 0, 17, strings.Repeat("x", 17))
	ng := littleEndian().section()
	ng.iface(1, 0, ng.option(13, "\x20")).enhanced(0, 1, 60, strings.Repeat("x", 60)).simple(20, strings.Repeat("y", 20))
	ng.block(blockEnhanced, ng.body(func(b *builder) {
		b.u32(0, 0, 5, 20, 30).bytes(strings.Repeat("z", 20) + b.option(1, "hello") + b.option(2, "\x40\x00\x00\x00") + b.option(0, ""))
	}))
	kinds := [][]byte{sampleSnoop(), sampleERF(), fcs.Bytes(), ng.Bytes()}
	for len(kinds) < 10 {
		kinds = append(kinds, someFramed(r, 6))
	}
	for i, data := range kinds {
		all = append(all, mutate.Many(r, 8, data, kinds[(i+1)%len(kinds)])...)
	}
	return all
}

// headerOf returns the length of the record headers that a capture is read with.
func headerOf(data []byte) int {
	c := &Capture{window: window{buf: data}}
	_ = c.start() // what is no capture has none
	return c.pcap.header
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// readBytes reads a capture that is in memory as a whole, as a mapped file is.
func readBytes(t testing.TB, data []byte) ([]kept, error) {
	t.Helper()
	c := &Capture{name: "capture", window: window{buf: data}}
	if err := c.start(); err != nil {
		return nil, err
	}
	return readAll(t, c, 3)
}
