package ioutil

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// samplePcap is a small pcap file, and sampleNG a pcapng file with a bit of
// everything.
func samplePcap() []byte {
	b := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	for i, n := range []int{60, 0, 1, 200, 33} {
		b.record(uint32(i), 5, uint32(n)+10, strings.Repeat("p", n))
	}
	return b.Bytes()
}

func sampleNG() []byte {
	b := littleEndian().section().iface(1, 100, "").enhanced(0, 77, 70, strings.Repeat("a", 61))
	b.simple(200, strings.Repeat("b", 100)).block(5, "skipped.....")
	b.iface(101, 0, b.option(9, "\x09")).enhanced(1, 88, 40, strings.Repeat("c", 40))
	other := bigEndian().section().iface(1, 0, "").enhanced(0, 1<<40, 5, "ddddd")
	return b.bytes(other.String()).Bytes()
}

func samples() map[string][]byte {
	return map[string][]byte{"pcap": samplePcap(), "pcapng": sampleNG()}
}

func TestNoCapture(t *testing.T) {
	const accepted = ": want pcap, pcapng, snoop or ERF, plain or in gzip, zstd, bzip2, xz or lz4"
	tests := []struct{ name, in, err string }{
		{"empty", "", "empty file" + accepted},
		{"text", "frame,time\n1,2\n", `not a capture, begins with text "frame,ti"` + accepted},
		{"binary", "sn0op\x00\x00\x00\x00\x00\x00\x02", "not a capture, begins with bytes 73 6e 30 6f 70 00 00 00" + accepted},
		{"shorter than a magic", "\xd4\xc3", "not a capture, begins with bytes d4 c3" + accepted},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { same(t, []byte(test.in), nil, "offset 0: "+test.err) })
	}
}

// TestNothingCompressed opens what programs make of an empty file. That of xz has no
// block: the index follows the stream header.
func TestNothingCompressed(t *testing.T) {
	nothing := compressed(t, nil)
	nothing["xz without a block"] = []byte("\xfd\x37\x7a\x58\x5a\x00\x00\x04\xe6\xd6\xb4\x46\x00\x00\x00\x00" +
		"\x1c\xdf\x44\x21\x1f\xb6\xf3\x7d\x01\x00\x00\x00\x00\x04\x59\x5a")
	delete(nothing, "plain")
	for container, z := range nothing {
		_, err := Open(file(t, z))
		if bad, ok := errors.AsType[*FormatError](err); !ok || bad.Offset != 0 || !strings.Contains(err.Error(), "nothing in the") {
			t.Errorf("%s: %v, want an error that says that nothing is in it", container, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	dir := t.TempDir()
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), dir+": is a directory") {
		t.Errorf("a directory: %v", err)
	}
}

func TestReaders(t *testing.T) {
	readers := map[string]func(io.Reader) io.Reader{
		"one byte":     iotest.OneByteReader,
		"half":         iotest.HalfReader,
		"data and EOF": iotest.DataErrReader,
	}
	for format, data := range samples() {
		want, err := readFile(t, file(t, data))
		if err != nil || len(want) < 4 {
			t.Fatalf("%s: %d packets, %v", format, len(want), err)
		}
		for name, wrap := range readers {
			if got, err := readStream(t, wrap(bytes.NewReader(data))); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, %s: got %v, %v\nwant %v", format, name, got, err, want)
			}
		}
	}
}

func TestReadErrorInTheMiddle(t *testing.T) {
	broken := errors.New("disk on fire")
	for format, data := range samples() {
		for _, at := range []int{5, 30, len(data) / 2, len(data)} {
			want, _ := readFile(t, file(t, data[:at]))
			got, err := readStream(t, io.MultiReader(bytes.NewReader(data[:at]), iotest.ErrReader(broken)))
			if !slices.Equal(got, want) {
				t.Errorf("%s, error at %d: got %v, want %v", format, at, got, want)
			}
			format, ok := errors.AsType[*FormatError](err)
			if !ok || !errors.Is(err, broken) || format.Offset != int64(at) {
				t.Errorf("%v, error at %d: got %v", format, at, err)
			}
		}
	}
	if _, err := readStream(t, io.MultiReader(bytes.NewReader(samplePcap()), stuck{})); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v, want %v", err, io.ErrNoProgress)
	}
}

// A stuck reader gives no bytes and no error.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestBatches(t *testing.T) {
	for format, data := range samples() {
		path := file(t, data)
		want, err := readFile(t, path)
		if err != nil {
			t.Fatal(err)
		}
		for batch := 1; batch <= len(want)+1; batch++ {
			c, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := c.Read(nil); n != 0 || err != nil {
				t.Errorf("%s: Read(nil) = %d, %v", format, n, err)
			}
			if got, err := readAll(t, c, batch); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s, batches of %d: got %v, %v, want %v", format, batch, got, err, want)
			}
			if n, err := c.Read(make([]Record, 1)); n != 0 || err != io.EOF {
				t.Errorf("%s: Read after the end = %d, %v, want EOF again", format, n, err)
			}
			c.Close()
		}
	}
}

func TestBytesAreLent(t *testing.T) {
	c, err := Open(file(t, samplePcap()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	recs := make([]Record, 1)
	if _, err := c.Read(recs); err != nil {
		t.Fatal(err)
	}
	if d := recs[0].Data; cap(d) != len(d) {
		t.Errorf("a packet's bytes have capacity %d for length %d: append would write into the window", cap(d), len(d))
	}
	if c.mem != nil && &recs[0].Data[0] != &c.mem[40] {
		t.Error("a packet of a mapped file was copied")
	}
}

func TestClose(t *testing.T) {
	for _, mapped := range []bool{true, false} {
		path := file(t, samplePcap())
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := open(f, path, mapped)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if n, err := c.Read(make([]Record, 1)); n != 0 || !errors.Is(err, fs.ErrClosed) {
			t.Errorf("Read after Close = %d, %v", n, err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		if err := f.Close(); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("the file was left open")
		}
	}
}

func TestProgress(t *testing.T) {
	data := samplePcap()
	path := file(t, data)
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	recs := make([]Record, 1)
	if _, err := c.Read(recs); err != nil {
		t.Fatal(err)
	}
	if c.mem != nil {
		if read, _ := c.Progress(); read != 24+16+60 {
			t.Errorf("after the first packet: %d bytes read, want 100", read)
		}
	}
	readAll(t, c, 8)
	if read, total := c.Progress(); read != int64(len(data)) || total != int64(len(data)) {
		t.Errorf("at the end: %d of %d, want %d", read, total, len(data))
	}
	s, err := NewCapture(bytes.NewReader(data), "capture")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	readAll(t, s, 8)
	if read, total := s.Progress(); read != int64(len(data)) || total != 0 {
		t.Errorf("stream, at the end: %d of %d, want %d of 0", read, total, len(data))
	}
}

func TestIsCapture(t *testing.T) {
	for format, data := range samples() {
		for name, z := range compressed(t, data) {
			path := file(t, z)
			if ok, err := IsCapture(path); !ok || err != nil {
				t.Errorf("%s, %s: %v, %v", format, name, ok, err)
			}
			c, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimSuffix(fmt.Sprintf("%s, %s", format, name), ", plain"); c.Format() != want {
				t.Errorf("Format() = %q, want %q", c.Format(), want)
			}
			c.Close()
		}
	}
	others := map[string]string{"empty": "", "text": "hello, world\n", "a pcapng magic by chance": "\n\r\r\n 012345678901234567", "two bytes": "\xd4\xc3"}
	for name, data := range others {
		for container, z := range compressed(t, []byte(data)) {
			if ok, err := IsCapture(file(t, z)); ok || err != nil {
				t.Errorf("%s, %s: %v, %v, want false", name, container, ok, err)
			}
		}
	}
	if ok, err := IsCapture(file(t, []byte("\x1f\x8b damaged"))); ok || err == nil {
		t.Errorf("damaged gzip: %v, %v, want an error", ok, err)
	}
	if ok, err := IsCapture(t.TempDir()); ok || err != nil {
		t.Errorf("a directory: %v, %v, want false", ok, err)
	}
	if ok, err := IsCapture(os.DevNull); ok || err != nil {
		t.Errorf("a device: %v, %v, want false", ok, err)
	}
}
