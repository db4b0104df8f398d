//go:build linux || darwin

package flowfast

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/ioutil"
)

// shrinking opens a run over a copy of a capture, and returns what cuts the
// file to 8,192 bytes.
func shrinking(t *testing.T, workers int) (run *Run, path string, cut func()) {
	whole, err := os.ReadFile("testdata/dns.pcap")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "dns.pcap")
	if err := os.WriteFile(path, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	if run, err = Open(Options{Workers: workers}, path); err != nil {
		t.Fatal(err)
	}
	return run, path, func() {
		if err := os.Truncate(path, 8192); err != nil {
			t.Fatal(err)
		}
	}
}

// wantShrunk wants the error that the file shrank, at the first record that is
// not there.
func wantShrunk(t *testing.T, err error, path string) {
	t.Helper()
	var format *ioutil.FormatError
	if !errors.As(err, &format) || format.File != path || format.Offset < 8192-16 || format.Offset > 8192+65535 ||
		!strings.Contains(err.Error(), "the file shrank to 8192 bytes") {
		t.Errorf("error %v, want that the file shrank, at the first record that is not there", err)
	}
}

// TestFileShrinks cuts a mapped file before its spans are read.
func TestFileShrinks(t *testing.T) {
	for workers := 1; workers <= 2; workers++ {
		run, path, cut := shrinking(t, workers)
		run.intake.SpanLength = 3000
		cut()
		var rows bytes.Buffer
		wantShrunk(t, run.Write(context.Background(), &rows, export.CSV{}), path)
		s := run.Summary()
		if s.Packets == 0 || s.Flows == 0 || uint64(bytes.Count(rows.Bytes(), []byte("\n"))) != 1+s.Flows {
			t.Errorf("%d packets, %d flows, %d lines: what was read before the fault is lost", s.Packets, s.Flows,
				bytes.Count(rows.Bytes(), []byte("\n")))
		}
	}
}
