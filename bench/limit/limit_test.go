//go:build linux || darwin

package limit

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/flowfast/flowfast/bench/workload"
)

// TestWalks wants every way to find the packets of every workload.
func TestWalks(t *testing.T) {
	const scale = 0.002
	dir := t.TempDir()
	for _, name := range workload.Names() {
		path, _, err := workload.File(dir, name, scale, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range Walks {
			got, err := w.Packets(path)
			if want := workload.Packets(name, scale); got != want || err != nil {
				t.Errorf("%s, %s: %d packets (%v), want %d", name, w.Name, got, err, want)
			}
		}
	}
}

// TestCut cuts a file at every byte of its first packets: the complete ones
// count, and a file without its header is an error.
func TestCut(t *testing.T) {
	path, size, err := workload.File(t.TempDir(), "flood3", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	record := (int(size) - fileHeader) / 3
	for left := int(size); left >= 0; left-- {
		if err := os.Truncate(path, int64(left)); err != nil {
			t.Fatal(err)
		}
		for _, w := range Walks {
			got, err := w.Packets(path)
			if want := max(0, left-fileHeader) / record; got != want || (err != nil) != (left < fileHeader) {
				t.Fatalf("%s, cut to %d bytes: %d packets (%v), want %d", w.Name, left, got, err, want)
			}
		}
	}
}

func TestOtherFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, make([]byte, 100), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, w := range Walks {
		if n, err := w.Packets(path); n != 0 || err != errFormat {
			t.Errorf("%s: %d packets (%v), want %v", w.Name, n, err, errFormat)
		}
		if _, err := w.Packets(path + "/none"); err == nil {
			t.Errorf("%s: no error for a file that isn't there", w.Name)
		}
	}
}
