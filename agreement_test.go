package flowfast_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/reference"
)

// counts are what testdata/NAME.counts.json says of a capture.
type counts struct {
	Capture                  string
	Read, Counted, Truncated uint64
	NotIP                    uint64 `json:"not_ip"`
	OtherProtocol            uint64 `json:"other_protocol"`
	OrphanFragmentOrOther    uint64 `json:"orphan_fragment_or_other"`
	Flows600                 uint64 `json:"flows_t600"`
	Flows1                   uint64 `json:"flows_t1"`
}

// recorded returns the names of the recorded captures and their counts.
func recorded(t testing.TB) map[string]counts {
	files, err := filepath.Glob("testdata/*.counts.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no recorded captures in testdata: %v", err)
	}
	all := map[string]counts{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var c counts
		if err := json.Unmarshal(text, &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[strings.TrimSuffix(filepath.Base(file), ".counts.json")] = c
	}
	return all
}

// expected returns the expected rows of a recorded capture.
func expected(t testing.TB, name string, timeout time.Duration) io.Reader {
	file := fmt.Sprintf("testdata/%s.t%d.csv", name, timeout/time.Second)
	text, err := os.ReadFile(file)
	if err == nil {
		return bytes.NewReader(text)
	}
	return bytes.NewReader(unpacked(t, file+".zst"))
}

// unpacked returns what a file in zstd holds.
func unpacked(t testing.TB, file string) []byte {
	packed, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	b, err := d.DecodeAll(packed, nil)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return b
}

// rows runs a capture file to its end.
func rows(t testing.TB, o flowfast.Options, files ...string) ([]byte, flowfast.Summary) {
	t.Helper()
	run, err := flowfast.Open(o, files...)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run.Write(context.Background(), &out, export.CSV{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), run.Summary()
}

// explained are the recorded captures whose rows differ from the reference's, why,
// and how many packets are counted if that differs too.
var explained = map[string]struct {
	why     string
	counted uint64
}{
	"srv6-first": {why: "behind a routing header with segments left the reference pairs the directions by the last segment, " +
		"the specification by the address in the IPv6 header"},
	"tiny": {why: "the reference leaves first fragments of 8 bytes out, the specification counts them by their ports",
		counted: 79},
}

// TestAgreesWithReference compares the rows of real traffic with those that
// the reference computed from tshark's dissection when it was recorded.
func TestAgreesWithReference(t *testing.T) {
	for name, c := range recorded(t) {
		for _, timeout := range []time.Duration{time.Second, 600 * time.Second} {
			t.Run(fmt.Sprintf("%s/%v", name, timeout), func(t *testing.T) {
				got, s := rows(t, flowfast.Options{IdleTimeout: timeout}, filepath.Join("testdata", c.Capture))
				differences := reference.Compare(expected(t, name, timeout), bytes.NewReader(got))
				if e := explained[name]; e.why != "" {
					if len(differences) == 0 {
						t.Errorf("no difference, but there should be one: %s", e.why)
					}
					differences = nil
					c.Counted = cmp.Or(e.counted, c.Counted)
				}
				for _, d := range differences {
					t.Error(d)
				}
				if s.Packets != c.Read || s.Classes.Counted != c.Counted || s.Classes.Sum() != s.Packets {
					t.Errorf("%d packets, classes %+v; want %+v", s.Packets, s.Classes, c)
				}
			})
		}
	}
}
