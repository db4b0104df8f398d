//go:build linux

package fault

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/bench/workload"
)

// capture returns the path of a generated capture, which is made once.
func capture(t *testing.T, name string, scale float64, seed uint64) string {
	t.Helper()
	path, _, err := workload.File(filepath.Join(work, "captures"), name, scale, seed)
	if err != nil {
		t.Fatal(err)
	}
	chmod(t, path, 0o644)
	return path
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var to bytes.Buffer
	w, err := gzip.NewWriterLevel(&to, gzip.BestSpeed)
	return compressed(t, b, w, &to, err)
}

func zstandard(t *testing.T, b []byte) []byte {
	t.Helper()
	var to bytes.Buffer
	w, err := zstd.NewWriter(&to)
	return compressed(t, b, w, &to, err)
}

func compressed(t *testing.T, b []byte, w io.WriteCloser, to *bytes.Buffer, err error) []byte {
	t.Helper()
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return to.Bytes()
}

// A dozen captures in three folders: plain, compressed, one that is damaged in
// the middle and one that is cut there. It takes one of them alone longer than
// all others.
func dozen(t *testing.T, dir string) {
	t.Helper()
	subfolder(t, dir, "b")
	subfolder(t, dir, "b", "c")
	benign := func(seed uint64) []byte { return read(t, capture(t, "benign", 0.0015, seed)) }
	for i, name := range []string{"a.pcap", "b/a.pcap", "b/b.pcap", "b/c/a.pcap", "b/c/b.pcap"} {
		write(t, filepath.Join(dir, name), benign(uint64(i)))
	}
	for i, name := range []string{"b.pcap.gz", "b/c.pcap.gz"} {
		write(t, filepath.Join(dir, name), gzipped(t, benign(uint64(5+i))))
	}
	for i, name := range []string{"c.pcap.zst", "b/c/c.pcap.zst"} {
		write(t, filepath.Join(dir, name), zstandard(t, benign(uint64(7+i))))
	}
	damaged := gzipped(t, benign(9))
	damaged[len(damaged)/2] ^= 0xff
	write(t, filepath.Join(dir, "damaged.pcap.gz"), damaged)
	cut := benign(10)
	write(t, filepath.Join(dir, "b", "cut.pcap"), cut[:len(cut)/2])
	write(t, filepath.Join(dir, "large.pcap"), read(t, capture(t, "flood20000", 1, 1)))
}
