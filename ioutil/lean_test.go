//go:build linux

package ioutil

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
)

// longPcap is a capture of some MiB that does not compress to nothing.
func longPcap() []byte {
	b := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	frame := bytes.Repeat([]byte("0123456789abcdef"), 80)
	for i := range uint32(4000) {
		copy(frame[i%1200:], []byte{byte(i), byte(i >> 8), byte(i * 7)})
		b.record(i, 0, uint32(len(frame)), string(frame))
	}
	return b.Bytes()
}

// TestLean wants the packets of Open of lean captures, also of those that are widened.
func TestLean(t *testing.T) {
	data := longPcap()
	all := compressed(t, data)
	all["bzip2"] = must(base64.StdEncoding.DecodeString(bzip2Pcap))
	for name, z := range all {
		path := file(t, z)
		want, err := readFile(t, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, widen := range []int{0, 1, 500, 1 << 30} { // after so many packets
			c, err := OpenLean(path)
			if err != nil {
				t.Fatal(err)
			}
			recs := make([]Record, 64)
			for n := 0; ; {
				if n >= widen {
					c.Widen()
				}
				k, err := c.Read(recs)
				if err != nil {
					if err != io.EOF || n != len(want) {
						t.Errorf("%s: %d packets, want %d; %v", name, n, len(want), err)
					}
					break
				}
				for i, r := range recs[:k] {
					if n+i >= len(want) || string(r.Data) != want[n+i].Data || r.Offset != want[n+i].Offset {
						t.Fatalf("%s: packet %d is another one", name, n+i)
					}
				}
				n += k
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestHolds opens captures and looks at what they take: descriptors, and memory of
// no more than they say and half as much again (much less if the data is short).
func TestHolds(t *testing.T) {
	data := longPcap()
	const captures = 8
	all := compressed(t, data)
	all["zstd with a long window"] = packer{"", func(w io.Writer) io.WriteCloser { return must(zstd.NewWriter(w, zstd.WithWindowSize(8<<20))) }}.bytes(data)
	all["zstd with a short window"] = packer{"", func(w io.Writer) io.WriteCloser { return must(zstd.NewWriter(w, zstd.WithWindowSize(64<<10))) }}.bytes(data)
	all["xz with a long dictionary"] = packer{"", func(w io.Writer) io.WriteCloser { return must(xz.WriterConfig{DictCap: 32 << 20}.NewWriter(w)) }}.bytes(data)
	all["lz4 with short blocks"] = packer{"", func(w io.Writer) io.WriteCloser {
		z := lz4.NewWriter(w)
		must(0, z.Apply(lz4.BlockSizeOption(lz4.Block64Kb)))
		return z
	}}.bytes(data)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		path := file(t, all[name])
		files, heap := openFiles(t), heapInUse()
		wantFiles, wantBytes := 0, 0
		var open []*Capture
		for range captures {
			c, err := OpenLean(path)
			if err != nil {
				t.Fatal(err)
			}
			recs := make([]Record, 64)
			for range 30 { // some hundred KiB
				if _, err := c.Read(recs); err != nil {
					t.Fatal(err)
				}
			}
			f, b := c.Holds()
			wantFiles += f
			wantBytes += b
			open = append(open, c)
		}
		if took := openFiles(t) - files; took != wantFiles {
			t.Errorf("%s: %d descriptors, want %d", name, took, wantFiles)
		}
		const little = 1 << 20 // the captures themselves
		if took := heapInUse() - heap; took > wantBytes+wantBytes/2+little || wantBytes > 8*took+8*little {
			t.Errorf("%s: %d KiB of memory, they say %d", name, took>>10, wantBytes>>10)
		}
		for _, c := range open {
			c.Close()
		}
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func heapInUse() int {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestLeanFileShrinks cuts a mapped file that has no descriptor any more, one whose
// name is another file's by then, and one that has none.
func TestLeanFileShrinks(t *testing.T) {
	data := longPcap()
	for _, test := range []struct {
		name, says string
		cut        func(path string) error
	}{
		{"in its place", "shrank to 409600 bytes", func(path string) error { return os.Truncate(path, 409_600) }},
		{"behind another", "can't be read here", func(path string) error {
			other := filepath.Join(filepath.Dir(path), "other")
			return errors.Join(os.Rename(path, other), os.WriteFile(path, data, 0o600), os.Truncate(other, 409_600))
		}},
		{"elsewhere", "can't be read here", func(path string) error {
			other := filepath.Join(filepath.Dir(path), "other")
			return errors.Join(os.Rename(path, other), os.Truncate(other, 409_600))
		}},
	} {
		path := file(t, data)
		c, err := OpenLean(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := test.cut(path); err != nil {
			t.Fatal(err)
		}
		recs := make([]Record, 64)
		for err == nil {
			_, err = c.Read(recs)
		}
		if !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", test.name, err, test.says)
		}
		c.Close()
	}
}

// TestFreeFiles opens files and wants as many fewer.
func TestFreeFiles(t *testing.T) {
	before := FreeFiles()
	for range 10 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
	}
	if after := FreeFiles(); before < 1<<20 && after != before-10 {
		t.Errorf("%d files are left of %d after 10 were opened", after, before)
	}
}

// TestSpoolMemory wants spools that are read to take no more than is said.
func TestSpoolMemory(t *testing.T) {
	const spools = 8
	heap := heapInUse()
	var all []*Spool
	for range spools {
		s, err := NewSpool()
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		for i := range 4000 {
			if err := s.Write(&Record{Time: int64(i), Data: bytes.Repeat([]byte{byte(i), byte(i >> 4)}, 400)}, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Rewind(); err != nil {
			t.Fatal(err)
		}
		records, tags := make([]Record, 64), make([]uint32, 64)
		for range 30 {
			if _, err := s.Read(records, tags); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, s)
	}
	if took := (heapInUse() - heap) / spools; took > SpoolMemory || took < SpoolMemory/8 {
		t.Errorf("a spool takes %d KiB", took>>10)
	}
	runtime.KeepAlive(all)
}
