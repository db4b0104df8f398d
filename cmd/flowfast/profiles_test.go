package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/export"
)

// TestSameRowsOfProfiles runs every recorded capture by every profile, with one
// worker and with three, mapped and streamed, and wants the same bytes.
func TestSameRowsOfProfiles(t *testing.T) {
	recorded, err := filepath.Glob("../../testdata/*.pcap*")
	if err != nil || len(recorded) < 30 {
		t.Fatalf("%d captures, %v", len(recorded), err)
	}
	for _, path := range recorded {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(path, ".zst") {
				d, err := zstd.NewReader(nil)
				if err != nil {
					t.Fatal(err)
				}
				defer d.Close()
				if data, err = d.DecodeAll(data, nil); err != nil {
					t.Fatal(err)
				}
			}
			plain := filepath.Join(t.TempDir(), "plain")
			if err := os.WriteFile(plain, data, 0o666); err != nil {
				t.Fatal(err)
			}
			rows := func(args ...string) string {
				var out, errs bytes.Buffer
				s := streams{bytes.NewReader(data), &out, &errs}
				if status := run(append([]string{"-q"}, args...), s); status != 0 {
					t.Fatalf("%v: exit status %d\n%s", args, status, errs.Bytes())
				}
				return out.String()
			}
			for _, p := range export.Profiles() {
				args := []string{"--profile", p.Name, "--splt", "7", "--quantiles", "0.1,0.99", "-t", "2", "--active-timeout", "1"}
				want := rows(append(args, "-j", "1", plain, "-")...)
				if strings.Count(want, "\n") < 2 && !strings.Contains(path, "icmp") && !strings.Contains(path, "snap40") {
					t.Errorf("%s: no rows", p.Name)
				}
				for _, other := range [][]string{{"-j", "3", plain, "-"}, {"-j", "1", "-", "-"}, {"-j", "3", "-", "-"}} {
					if got := rows(append(args, other...)...); got != want {
						t.Errorf("%s: other rows with %v", p.Name, other)
					}
				}
			}
		})
	}
}
