package ioutil

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestCloseStopsReadingAhead closes captures before their end: the goroutine
// that reads ahead ends, whatever it is doing.
func TestCloseStopsReadingAhead(t *testing.T) {
	b := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	for i := range uint32(5000) {
		b.record(i, 0, 1514, strings.Repeat("x", 1514))
	}
	for name, z := range compressed(t, b.Bytes()) {
		path := file(t, z)
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := open(f, path, false)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]Record, 10)); err != nil {
			t.Fatal(err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("%s: Close: %v", name, err)
		}
		select {
		case <-c.ring.finished:
		default:
			t.Errorf("%s: Close of a file returned while the goroutine runs", name)
		}

		c, err = NewCapture(bytes.NewReader(z), "capture")
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
		<-c.ring.finished // or the test hangs
	}
}

// TestCloseWhileBlocked closes a stream whose writer is silent. Close returns;
// the goroutine ends when the stream does.
func TestCloseWhileBlocked(t *testing.T) {
	r, w := io.Pipe()
	go w.Write(samplePcap())
	c, err := NewCapture(r, "capture")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]Record, 100)); n == 0 || err != nil {
		t.Errorf("Read = %d, %v before the writer closed: want the packets that are there", n, err)
	}
	c.Close()
	w.Close()
	<-c.ring.finished
	if _, err := c.Read(make([]Record, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}

// TestOpenFails starts a goroutine that must not outlive the failed call.
func TestOpenFails(t *testing.T) {
	c := &Capture{name: "x"}
	if err := c.stream(strings.NewReader("no capture, but long enough to be read")); err == nil {
		t.Fatal("no error")
	}
	<-c.ring.finished
}

// TestPanickingSource stands for a decompressor with a fault of its own.
func TestPanickingSource(t *testing.T) {
	data := samplePcap()
	want, _ := readFile(t, file(t, data))
	got, err := readStream(t, io.MultiReader(bytes.NewReader(data), panicking{}))
	if format, ok := errors.AsType[*FormatError](err); !ok || format.Offset != int64(len(data)) {
		t.Errorf("error %v, want a FormatError at %d", err, len(data))
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("index out of range") }
