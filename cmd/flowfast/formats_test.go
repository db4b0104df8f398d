package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/export"
)

// countRows reads a file to its end and returns its rows, but for the header.
func countRows(t *testing.T, format, path string) int {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	switch format {
	case "parquet":
		f, err := file.NewParquetReader(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		return int(f.NumRows())
	case "arrow":
		f, err := ipc.NewFileReader(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		n := 0
		for i := range f.NumRecords() {
			batch, err := f.RecordBatch(i)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			n += int(batch.NumRows())
		}
		return n
	case "jsonl.zst":
		r, err := zstd.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if b, err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return bytes.Count(b, []byte("\n"))
}

// A run that is stopped leaves a file, of whatever format, that can be read to
// its end, with the rows of what was read.
func TestPartialFormats(t *testing.T) {
	in := t.TempDir()
	long := oneCapture()
	if err := os.WriteFile(filepath.Join(in, "long.pcap"), append(long, bytes.Repeat(long[24:], 40_000)...), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		format  string
		dataset bool
		partial string
	}{
		{"parquet", false, "long_flow.parquet.partial"},
		{"arrow", false, "long_flow.arrow.partial"},
		{"jsonl.zst", false, "long_flow.jsonl.zst.partial"},
		{"parquet", true, filepath.Join(partFolder, "_part-00000-000.parquet.partial")},
	} {
		out := t.TempDir()
		c := command{inputs: []string{in}, output: out, recursive: true, jobs: 1, columns: export.Columns(), memory: 1 << 30, dataset: test.dataset}
		c.format, _ = export.FormatNamed(test.format)
		ctx := &countdown{Context: t.Context()}
		ctx.left.Store(4)
		p, err := c.plan()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.begin(t.Context()); err != nil {
			t.Fatal(err)
		}
		results := c.all(ctx, p, nil, func(*result) {})
		r := results[0]
		if !r.stopped || r.summary.Packets == 0 || r.summary.Packets > 40_000 {
			t.Fatalf("%s: %d packets read, %v", test.format, r.summary.Packets, r.errs)
		}
		if want := filepath.Join(out, test.partial); r.partial != want {
			t.Errorf("%s: partial output %q, want %q", test.format, r.partial, want)
		} else if n := countRows(t, test.format, want); n == 0 || n != int(r.summary.Flows) {
			t.Errorf("%s: %d rows, want %d", test.format, n, r.summary.Flows)
		}
	}
}
