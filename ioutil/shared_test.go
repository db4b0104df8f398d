package ioutil

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flowfast/flowfast/internal/need"
)

// shared are captures of other projects, in a folder beside the repository
// that not everyone has.
func shared(t *testing.T) []string {
	paths, _ := filepath.Glob("../../shared/captures/*")
	if len(paths) == 0 {
		need.Missing(t, "SHARED CAPTURES", "there are none beside the repository")
	}
	return paths
}

// odd are shared captures whose times the peers read differently.
var odd = []string{
	// times beyond an int64 of nanoseconds
	"pcapplusplus-pcapng-example.pcapng.zst",
	// 2322 s in a fraction of a second, which wraps in 32 bits, there without a sign
	"pcapplusplus-clusterfuzz-testcase-minimized-FuzzTarget-4829420752470016",
}

// TestSharedCaptures reads real captures in every way there is, and compares
// them with the peers where those come to the end.
func TestSharedCaptures(t *testing.T) {
	compared := 0
	for _, path := range shared(t) {
		name := filepath.Base(path)
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Open(path)
		if ok, _ := IsCapture(path); ok != (err == nil) {
			t.Errorf("%s: IsCapture = %v, Open gives %v", name, ok, err)
		}
		if err != nil {
			if !strings.Contains(err.Error(), "not a capture") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		format := c.format
		ours, wantErr := readAll(t, c, 64)
		c.Close()
		data := raw
		if c.wrap != "" {
			z, free, err := unwrapper(raw).unwrap(bytes.NewReader(raw), readLen, new(atomic.Int32))
			if err != nil {
				t.Fatal(err)
			}
			if data, err = io.ReadAll(z); err != nil {
				t.Fatal(err)
			}
			free()
		}
		ways := map[string][]byte{"plain": data}
		if len(data) < 100_000 { // compressing takes long
			ways = compressed(t, data)
		}
		for way, z := range ways {
			got, err := readStream(t, bytes.NewReader(z))
			sameKept(t, name+", "+way, got, ours, nil)
			if (err == nil) != (wantErr == nil) || err != nil && strings.TrimPrefix(err.Error(), "capture") != strings.TrimPrefix(wantErr.Error(), path) {
				t.Errorf("%s, %s: error %v, want %v", name, way, err, wantErr)
			}
		}
		timeless := noneTimeless
		if format == "pcapng" {
			timeless = simpleAt(data)
		}
		for _, peer := range peers {
			theirs, err := peer.read(format, bytes.NewReader(data))
			if err != nil || wantErr != nil || slices.Contains(odd, name) && len(theirs) == len(ours) {
				continue
			}
			compared++
			sameKept(t, name+", "+peer.name, theirs, alike(ours, timeless), nil)
		}
	}
	if compared < 150 {
		t.Errorf("only %d comparisons with peers", compared)
	}
}
