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

// TestFileShrinksUnderTheDecoder cuts a mapped file between the reading of its
// records and the decoding of their bytes.
func TestFileShrinksUnderTheDecoder(t *testing.T) {
	whole, err := os.ReadFile("testdata/dns.pcap")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dns.pcap")
	if err := os.WriteFile(path, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	run, err := Open(Options{Workers: 1}, path)
	if err != nil {
		t.Fatal(err)
	}
	if !run.intake.read() {
		t.Fatal("no records")
	}
	if err := os.Truncate(path, 8192); err != nil {
		t.Fatal(err)
	}
	var rows bytes.Buffer
	err = run.Write(context.Background(), &rows, export.CSV{})
	var format *ioutil.FormatError
	if !errors.As(err, &format) || format.File != path || format.Offset < 8192-16 || format.Offset > 8192+65535 ||
		!strings.Contains(err.Error(), "the file shrank to 8192 bytes") {
		t.Errorf("error %v, want that the file shrank, at the first record that is not there", err)
	}
	s := run.Summary()
	if s.Packets == 0 || s.Flows == 0 || uint64(bytes.Count(rows.Bytes(), []byte("\n"))) != 1+s.Flows {
		t.Errorf("%d packets, %d flows, %d lines: what was read before the fault is lost", s.Packets, s.Flows,
			bytes.Count(rows.Bytes(), []byte("\n")))
	}
}
