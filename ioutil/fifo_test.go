//go:build linux || darwin

package ioutil

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// fifo makes a FIFO and gives it to write in another goroutine.
func fifo(t *testing.T, write func(f *os.File)) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Error(err)
			return
		}
		write(f)
	}()
	return path
}

func TestFifo(t *testing.T) {
	data := sampleNG()
	want, _ := readFile(t, file(t, data))
	for name, z := range compressed(t, data) {
		path := fifo(t, func(f *os.File) {
			f.Write(z[:9])
			f.Write(z[9:])
			f.Close()
		})
		if got, err := readFile(t, path); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
}

// TestCloseSilentFifo closes a FIFO that is open for writing but silent; it
// hangs if Close does.
func TestCloseSilentFifo(t *testing.T) {
	hold := make(chan struct{})
	path := fifo(t, func(f *os.File) {
		f.Write(samplePcap())
		<-hold
		f.Close()
	})
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(make([]Record, 3)); n != 3 || err != nil {
		t.Errorf("Read = %d, %v, want 3 packets while the writer is silent", n, err)
	}
	if err := c.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	<-c.ring.finished
	close(hold)
}

func TestIsCaptureFifo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if ok, err := IsCapture(path); ok || err != nil { // hangs if it opens it
		t.Errorf("got %v, %v, want false", ok, err)
	}
}
