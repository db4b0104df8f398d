package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
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
		{"parquet", true, filepath.Join("long.pcap", "_part-0.parquet.partial")},
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

// The parts of a dataset get their names all together or not at all, and take
// away what does not go with them.
func TestParts(t *testing.T) {
	dir := t.TempDir()
	first := filepath.Join(dir, "x", firstPart)
	c := command{recursive: true, dataset: true}
	written := func(parts int) *outputs {
		o := &outputs{command: &c, first: first}
		for i := range parts {
			w, err := o.next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(make([]byte, 10+i)); err != nil {
				t.Fatal(err)
			}
		}
		return o
	}
	want := func(when string, names ...string) {
		t.Helper()
		var got []string
		for path := range files(t, filepath.Join(dir, "x")) {
			got = append(got, filepath.Base(path))
		}
		slices.Sort(got)
		if !slices.Equal(got, names) {
			t.Errorf("%s: %q, want %q", when, got, names)
		}
	}
	o := written(3)
	if err := o.commit(false); err != nil || o.removeOld() != nil || o.size() != 33 {
		t.Fatal(err, o.size())
	}
	want("three parts", "part-0.parquet", "part-1.parquet", "part-2.parquet")
	if err := written(2).commit(true); err != nil {
		t.Fatal(err)
	}
	want("and two partial", "_part-0.parquet.partial", "_part-1.parquet.partial", "part-0.parquet", "part-1.parquet", "part-2.parquet")
	o = written(1)
	if err := o.commit(false); err != nil || o.removeOld() != nil {
		t.Fatal(err)
	}
	want("one part", "part-0.parquet")
	written(2).discard()
	want("discarded", "part-0.parquet")
	o = written(3)
	if err := os.Mkdir(filepath.Join(dir, "x", "part-1.parquet"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := o.commit(false); err == nil {
		t.Error("no error with a folder in the place of a part")
	}
	want("failed")
}

// Folders of a dataset have names that are no partitions, are not hidden, and
// can be told apart.
func TestPartNames(t *testing.T) {
	in := []string{"a.pcap", "a=b/c.pcap", "_x/.y/z_", "%3D", "\xff", "é [1]*?.pcap"}
	want := []string{"a.pcap", "a%3Db/c.pcap", "%5Fx/%2Ey/z_", "%253D", "%FF", "é %5B1%5D%2A%3F.pcap"}
	for i, name := range partNames(in) {
		if w := filepath.Join(filepath.FromSlash(want[i]), firstPart); name != w {
			t.Errorf("%q: %q, want %q", in[i], name, w)
		}
	}
}
