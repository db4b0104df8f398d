package ioutil

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A sparse is a file that is written in a few places.
type sparse struct {
	t  *testing.T
	f  *os.File
	at int64
}

// newSparse makes one, or skips the test where the file system would fill it.
func newSparse(t *testing.T) *sparse {
	f, err := os.Create(filepath.Join(t.TempDir(), "capture"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return &sparse{t: t, f: f}
}

// write writes b and leaves a hole of so many bytes behind it.
func (s *sparse) write(b []byte, hole int64) {
	s.t.Helper()
	if _, err := s.f.WriteAt(b, s.at); err != nil {
		s.t.Skipf("no room for a file of %d bytes: %v", s.at, err)
	}
	s.at += int64(len(b)) + hole
	if err := s.f.Truncate(s.at); err != nil {
		s.t.Skipf("no file of %d bytes here: %v", s.at, err)
	}
}

// TestBeyond4GiB reads sparse files whose last records begin beyond 4 GiB, and
// are cut or damaged: offsets are right to the byte.
func TestBeyond4GiB(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads gigabytes")
	}
	const hole = 255 << 20 // of each long record; 17 of them are more than 4 GiB
	long := func(b *builder, format string) []byte {
		if format == "pcap" {
			return b.u32(1, 0, hole, hole).Bytes()
		}
		return b.u32(blockEnhanced, 32+hole, 0, 0, 1, hole, hole).Bytes()
	}
	for _, test := range []struct {
		format, end string
		last        func(b *builder) // what ends the file
		err         any
	}{
		{"pcap", "whole", func(b *builder) {}, nil},
		{"pcap", "cut", func(b *builder) { b.u32(3, 0, 100, 100).bytes("abc") }, &TruncatedError{Have: 19, Want: 116}},
		{"pcap", "damaged", func(b *builder) { b.u32(3, 0, 1<<30, 1<<30).bytes("abcd") }, &FormatError{}},
		{"pcapng", "whole", func(b *builder) {}, nil},
		{"pcapng", "cut", func(b *builder) { b.u32(blockEnhanced, 100, 0) }, &TruncatedError{Have: 12, Want: 100}},
		{"pcapng", "damaged", func(b *builder) { b.u32(blockEnhanced, 12, 16) }, &FormatError{}},
	} {
		t.Run(test.format+", "+test.end, func(t *testing.T) {
			s := newSparse(t)
			if test.format == "pcap" {
				s.write(littleEndian().pcap(0xa1b2c3d4, 1<<30, 1).Bytes(), 0)
			} else {
				s.write(littleEndian().section().iface(1, 0, "").Bytes(), 0)
			}
			var offsets []int64
			for range 17 {
				offsets = append(offsets, s.at)
				s.write(long(littleEndian(), test.format), hole)
				if test.format == "pcapng" {
					s.write(littleEndian().u32(32+hole).Bytes(), 0)
				}
			}
			for _, data := range []string{"abcd", "efghi"} {
				offsets = append(offsets, s.at)
				if test.format == "pcap" {
					s.write(littleEndian().record(2, 0, 5, data).Bytes(), 0)
				} else {
					s.write(littleEndian().enhanced(0, 2, 5, data).Bytes(), 0)
				}
			}
			end := s.at
			if end < 1<<32 {
				t.Fatalf("the last record begins at %d", end)
			}
			b := littleEndian()
			test.last(b)
			s.write(b.Bytes(), 0)

			c, err := Open(s.f.Name())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if c.mem == nil {
				t.Skip("the file can't be mapped here")
			}
			var records [5]Record
			n := 0
			for {
				some, err := c.Read(records[:])
				if err != nil {
					checkLast(t, err, test.err, end)
					break
				}
				for _, r := range records[:some] {
					if n >= len(offsets) || r.Offset != offsets[n] {
						t.Fatalf("packet %d at %d", n, r.Offset)
					}
					n++
				}
			}
			if last := records[(n-1)%5]; n != len(offsets) || string(last.Data) != "efghi" {
				t.Errorf("%d packets, want %d; the last is %q", n, len(offsets), last.Data)
			}
		})
	}
}

func checkLast(t *testing.T, err error, want any, offset int64) {
	t.Helper()
	var cut *TruncatedError
	var format *FormatError
	switch want := want.(type) {
	case *TruncatedError:
		if !errors.As(err, &cut) || cut.Offset != offset || cut.Have != want.Have || cut.Want != want.Want {
			t.Errorf("error %v, want %d of %d bytes at %d", err, want.Have, want.Want, offset)
		}
	case *FormatError:
		if !errors.As(err, &format) || format.Offset != offset {
			t.Errorf("error %v, want one at %d", err, offset)
		}
	default:
		if err.Error() != "EOF" {
			t.Errorf("error %v, want EOF", err)
		}
	}
}

// An again reader gives the same bytes n times.
type again struct {
	b  []byte
	n  int
	at int
}

func (r *again) Read(b []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.b[r.at:])
	if r.at += n; r.at == len(r.b) {
		r.at, r.n = 0, r.n-1
	}
	return n, nil
}

// TestStreamBeyond4GiB cuts streams beyond 4 GiB.
func TestStreamBeyond4GiB(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads gigabytes")
	}
	const each = 1 << 20 // bytes of a record, with its header
	for format, head := range map[string][]byte{
		"pcap":   littleEndian().pcap(0xa1b2c3d4, 1<<30, 1).Bytes(),
		"pcapng": littleEndian().section().iface(1, 0, "").Bytes(),
	} {
		t.Run(format, func(t *testing.T) {
			record := littleEndian().record(1, 0, each, string(make([]byte, each-pcapRecordLen))).Bytes()
			if format == "pcapng" {
				record = littleEndian().enhanced(0, 1, each, string(make([]byte, each-enhancedHeader-4))).Bytes()
			}
			const n = 4097
			c, err := NewCapture(io.MultiReader(bytes.NewReader(head), &again{b: record, n: n}, bytes.NewReader(record[:20])), "capture")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			var records [5]Record
			packets := 0
			last := int64(0)
			for {
				some, err := c.Read(records[:])
				if err != nil {
					checkLast(t, err, &TruncatedError{Have: 20, Want: int64(len(record))}, int64(len(head))+n*each)
					break
				}
				packets += some
				last = records[some-1].Offset
			}
			if want := int64(len(head)) + (n-1)*each; packets != n || last != want {
				t.Errorf("%d packets, the last at %d; want %d, at %d", packets, last, n, want)
			}
		})
	}
}
