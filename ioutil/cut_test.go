package ioutil

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
)

// TestCut cuts captures at every byte: what comes is the whole packets before
// the cut, and a TruncatedError unless the cut lies between records.
func TestCut(t *testing.T) {
	for format, data := range samples() {
		all, err := readFile(t, file(t, data))
		if err != nil {
			t.Fatal(err)
		}
		ends := edges(format, data)
		for cut := 4; cut < len(data); cut++ {
			var want []kept
			last := 0
			for _, end := range ends {
				if end > cut {
					break
				}
				last = end
			}
			for _, k := range all {
				if k.Offset < int64(last) {
					want = append(want, k)
				}
			}
			path := file(t, data[:cut])
			for _, way := range []string{"file", "stream", "bytes"} {
				var got []kept
				var err error
				switch way {
				case "file":
					got, err = readFile(t, path)
				case "stream":
					got, err = readStream(t, bytes.NewReader(data[:cut]))
				case "bytes":
					got, err = readStream(t, iotest.OneByteReader(bytes.NewReader(data[:cut])))
				}
				if !slices.Equal(got, want) {
					t.Fatalf("%s, %s cut at %d: got %v, want %v", format, way, cut, got, want)
				}
				if last == cut {
					if err != nil {
						t.Fatalf("%s, %s cut at %d, between records: %v", format, way, cut, err)
					}
					continue
				}
				e, ok := errors.AsType[*TruncatedError](err)
				if !ok || !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%s, %s cut at %d: %v, want a TruncatedError", format, way, cut, err)
				}
				if e.Offset != int64(last) || e.Have != int64(cut-last) || e.Want <= e.Have {
					t.Fatalf("%s, %s cut at %d: %v, want offset %d and %d bytes there", format, way, cut, e, last, cut-last)
				}
			}
		}
	}
}

// edges returns where the file header and each record or block end, by a walk
// of its own.
func edges(format string, data []byte) []int {
	var ends []int
	if format == "pcap" {
		for at := 24; at < len(data); at += 16 + int(data[at+8]) { // lengths below 256
			ends = append(ends, at)
		}
		return append(ends, len(data))
	}
	for at := 0; at < len(data); { // lengths below 256, in either byte order
		at += int(data[at+4] | data[at+7])
		ends = append(ends, at)
	}
	return ends
}

// TestStraddle reads streams whose records lie across the edges of chunks in
// every way there is: in the headroom, too long for it, longer than a chunk.
func TestStraddle(t *testing.T) {
	sizes := [][]int{
		{1514},
		{headroom - 40, headroom, headroom + 40},
		{chunkLen - 100, 1, 60},
		{chunkLen, 3 * chunkLen, 60, 60, maxSpill + chunkLen, 60},
		{7, 262144, 0, 1514, 65535},
		slices.Concat([]int{maxSpill + chunkLen}, slices.Repeat([]int{1514}, 4000)),
	}
	for _, sizes := range sizes {
		b := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
		var want []int
		for i := 0; b.Len() < 9*chunkLen; i++ {
			n := sizes[i%len(sizes)]
			b.record(uint32(i), 0, uint32(n), string(bytes.Repeat([]byte{byte(i)}, n)))
			want = append(want, min(n, maxData))
		}
		for _, wrap := range []func(io.Reader) io.Reader{
			func(r io.Reader) io.Reader { return r },
			iotest.HalfReader,
			func(r io.Reader) io.Reader { return io.MultiReader(io.LimitReader(r, 12345), r) },
		} {
			c, err := NewCapture(wrap(bytes.NewReader(b.Bytes())), "capture")
			if err != nil {
				t.Fatal(err)
			}
			recs := make([]Record, 100)
			i := 0
			for {
				n, err := c.Read(recs)
				for _, r := range recs[:n] {
					if len(r.Data) != want[i] || int(r.Time/1e9) != i || bytes.Count(r.Data, []byte{byte(i)}) != want[i] {
						t.Fatalf("sizes %v, packet %d: time %d, %d bytes, want %d of %#x", sizes, i, r.Time, len(r.Data), want[i], byte(i))
					}
					i++
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if i != len(want) {
				t.Errorf("sizes %v: %d packets, want %d", sizes, i, len(want))
			}
			if cap(c.spill) > maxSpill && len(c.buf) <= headroom+chunkLen {
				t.Errorf("sizes %v: %d bytes of spill are kept", sizes[:min(len(sizes), 6)], cap(c.spill))
			}
			c.Close()
		}
	}
}
