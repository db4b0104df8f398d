//go:build linux || darwin

package intake

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowfast/flowfast/ioutil"
)

// TestFileShrinksUnderTheDecoder cuts a mapped file between the reading of records
// and the decoding of their bytes.
func TestFileShrinksUnderTheDecoder(t *testing.T) {
	const size = 8192
	whole, err := os.ReadFile("../../testdata/dns.pcap")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dns.pcap")
	if err := os.WriteFile(path, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	in := opened(t, path)
	p := in.NewPiece(1)
	n, err := in.capture.ReadBefore(1<<62, p.many())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	p.decode(in.file(), p.records[:n])
	if p.batch.Len() == 0 || p.batch.Len() >= n || p.records[p.batch.Len()].Offset < size-128 {
		t.Errorf("%d packets of %d records decoded", p.batch.Len(), n)
	}
	var format *ioutil.FormatError
	if _, err = in.capture.ReadBefore(1<<62, p.many()); !errors.As(err, &format) || format.File != path {
		t.Errorf("error %v, want that the file shrank", err)
	}
}

// opened returns an intake of capture files.
func opened(t testing.TB, files ...string) *Intake {
	t.Helper()
	in, err := New(Options{Readers: 1})
	if err == nil {
		err = in.Open(files...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return in
}
