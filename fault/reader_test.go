package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	library "github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/ioutil"
)

// A broken reader gives some bytes, at most some at a time, and then does
// whatever is to be tried.
type broken struct {
	b    []byte
	most int
	then func() (int, error)
	with error // comes together with the last byte; nil if nothing does
}

func (r *broken) Read(b []byte) (int, error) {
	if len(r.b) == 0 {
		return r.then()
	}
	n := copy(b[:min(len(b), r.most)], r.b)
	r.b = r.b[n:]
	if len(r.b) == 0 {
		return n, r.with
	}
	return n, nil
}

// A result is what came of a stream.
type result struct {
	rows    []byte
	summary library.Summary
	err     error
}

func take(stream io.Reader, workers int) (in result) {
	run, err := library.NewReader(library.Options{Workers: workers}, stream, "stream")
	if err != nil {
		in.err = err
		return in
	}
	var rows bytes.Buffer
	in.err = run.Write(context.Background(), &rows, export.CSV{})
	in.rows, in.summary = rows.Bytes(), run.Summary()
	return in
}

// want wants an error with the name and an offset, and within it the cause; the
// rows that the packets before it have; and that the classes add up.
func (in result) want(t *testing.T, cause error, before result) {
	t.Helper()
	var format *ioutil.FormatError
	if !errors.As(in.err, &format) || !errors.Is(in.err, cause) || format.File != "stream" ||
		!strings.HasPrefix(in.err.Error(), fmt.Sprintf("stream: offset %d: ", format.Offset)) {
		t.Errorf("error %v, want %v with the name and an offset", in.err, cause)
	}
	if in.summary.Classes.Sum() != in.summary.Packets {
		t.Errorf("%d packets, but the classes %+v", in.summary.Packets, in.summary.Classes)
	}
	if in.summary.Packets != before.summary.Packets || !bytes.Equal(in.rows, before.rows) {
		t.Errorf("%d packets and %d bytes of rows, want %d and %d: those before the error", in.summary.Packets, len(in.rows),
			before.summary.Packets, len(before.rows))
	}
}

var errCable = errors.New("somebody stumbled over the cable")

func unplugged() (int, error) { return 0, errCable }

// step is how far apart the places are at which a stream breaks off: no
// divisor of a length in a capture.
const step = 397

// TestReaderFails has a stream break off with an error at every step of it. The
// rows must be those of the same capture cut there, which is no error.
func TestReaderFails(t *testing.T) {
	plain := dns(t)
	for at := 0; at <= len(plain); at += step {
		before := take(bytes.NewReader(plain[:at]), 1)
		for workers := 1; workers <= 2; workers++ {
			for _, r := range []*broken{
				{b: plain[:at], most: 1 << 20, then: unplugged},
				{b: plain[:at], most: 1000, then: unplugged, with: errCable}, // an error together with data
			} {
				in := take(r, workers)
				in.want(t, errCable, before)
				if format, ok := errors.AsType[*ioutil.FormatError](in.err); ok && format.Offset != int64(at) {
					t.Errorf("offset %d, want %d, where the stream broke off", format.Offset, at)
				}
			}
		}
		if t.Failed() {
			t.Fatalf("at byte %d of %d", at, len(plain))
		}
	}
}

// TestReaderFailsInGzip is the same below a decompressor. What that had given
// out before the error is its own affair: rows must be those of some number of
// packets, which may not fall as the stream gets longer.
func TestReaderFailsInGzip(t *testing.T) {
	plain := dns(t)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for part := plain; len(part) > 0; part = part[min(len(part), 2000):] {
		_, _ = w.Write(part[:min(len(part), 2000)])
		_ = w.Flush() // so that something comes out before the end
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	packed, last := b.Bytes(), uint64(0)
	for at := 0; at < len(packed); at += step {
		cut := take(bytes.NewReader(packed[:at]), 1)
		for workers := 1; workers <= 2; workers++ {
			in := take(&broken{b: packed[:at], most: 500, then: unplugged}, workers)
			in.want(t, errCable, cut)
			if in.summary.Packets < last {
				t.Errorf("%d packets, but %d of a shorter stream", in.summary.Packets, last)
			}
			last = in.summary.Packets
		}
		if t.Failed() {
			t.Fatalf("at byte %d of %d", at, len(packed))
		}
	}
	if all := take(bytes.NewReader(plain), 1); last < all.summary.Packets/2 {
		t.Errorf("%d of %d packets came of all but the last bytes", last, all.summary.Packets)
	}
}

// TestReaderWithoutProgress has a stream that gives neither bytes nor an error.
func TestReaderWithoutProgress(t *testing.T) {
	plain := dns(t)
	for _, at := range []int{24, 5000, len(plain)} {
		nothing := func() (int, error) { return 0, nil }
		in := take(&broken{b: plain[:at], most: 1000, then: nothing}, 2)
		in.want(t, io.ErrNoProgress, take(bytes.NewReader(plain[:at]), 1))
	}
}

// TestReaderPanics has a reader that panics. In the caller's goroutine, where
// the first bytes are read, it is the caller's panic; in the one that reads
// ahead nobody could recover from it: there it is an error.
func TestReaderPanics(t *testing.T) {
	plain := dns(t)
	for _, at := range []int{8, 24, 5000} {
		in := take(&broken{b: plain[:at], most: 1000, then: func() (int, error) { panic("out of order") }}, 2)
		if in.err == nil || !strings.HasPrefix(in.err.Error(), "stream: offset ") || !strings.Contains(in.err.Error(), "out of order") {
			t.Errorf("at byte %d: error %v, want one with the name, an offset and what the panic said", at, in.err)
		}
		if want := take(bytes.NewReader(plain[:at]), 1); in.summary.Packets != want.summary.Packets {
			t.Errorf("at byte %d: %d packets, want the %d before it", at, in.summary.Packets, want.summary.Packets)
		}
	}
	defer func() {
		if p := recover(); p != "out of order" {
			t.Errorf("recovered %v, want what the reader panics with", p)
		}
	}()
	take(&broken{then: func() (int, error) { panic("out of order") }}, 1)
	t.Error("the caller does not learn of it")
}

// dns returns a recorded capture of 116 packets.
func dns(t *testing.T) []byte {
	t.Helper()
	b, err := os.ReadFile("../testdata/dns.pcap")
	if err != nil {
		t.Fatal(err)
	}
	return b
}
