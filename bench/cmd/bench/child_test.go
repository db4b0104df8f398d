//go:build linux || darwin

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
)

// done does the work of a child in this process.
func done(t *testing.T, args ...string) cost {
	t.Helper()
	var out bytes.Buffer
	if err := child(&out, args); err != nil {
		t.Fatal(err)
	}
	var c cost
	if err := json.Unmarshal(out.Bytes(), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestKinds wants every kind that goes through a capture to see all of it.
func TestKinds(t *testing.T) {
	const packets = 3000
	dir := t.TempDir()
	done(t, "generate", dir, "flood"+strconv.Itoa(packets), "1", "1")
	path, size, err := workload.File(dir, "flood"+strconv.Itoa(packets), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args  string
		flows int
	}{
		{"walk mapped", 0},
		{"walk touched", 0},
		{"walk read", 0},
		{"decode", 0},
		{"trial", packets},
		{"engine 1", packets},
		{"engine 2", packets},
		{"rows 1", packets},
		{"rows 2", packets},
		{"table 2", packets},
	} {
		c := done(t, append(strings.Fields(test.args), path)...)
		if c.Packets != packets || c.Flows != test.flows || c.Wall <= 0 {
			t.Errorf("%s: %d packets, %d flows in %v, want %d and %d", test.args, c.Packets, c.Flows, c.Wall, packets, test.flows)
		}
	}
	for _, format := range []string{"gzip", "zstd"} {
		compressed := filepath.Join(dir, format)
		done(t, "compress", format, path, compressed)
		if c := done(t, "decompress", format, compressed); c.Bytes != size {
			t.Errorf("%s: %d bytes, want %d", format, c.Bytes, size)
		}
	}
	profile := filepath.Join(dir, "profile")
	done(t, "profile", "0.001", profile, path)
	if b, err := os.ReadFile(profile); err != nil || !bytes.HasPrefix(b, []byte("\x1f\x8b")) {
		t.Errorf("the profile is not in gzip (%v)", err)
	}
	for _, bad := range []string{"", "unknown", "decode", "walk crawl x", "compress lzw " + path + " " + dir + "/x", "decompress lzw " + path} {
		if err := child(io.Discard, strings.Fields(bad)); err == nil {
			t.Errorf("child %q: no error", bad)
		}
	}
}

func TestPauses(t *testing.T) {
	var batches []time.Duration
	for i := range time.Duration(2000) {
		batches = append(batches, 2000-i)
	}
	if got, want := pausesOf(batches), (pauses{1001, 1999, 2000}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := pausesOf(nil); got != (pauses{}) {
		t.Errorf("of none: %v", got)
	}
}
