package compare

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// An Error says what is wrong with a table, and where.
type Error struct {
	File string
	Line int // from 1; 0 where there are no lines
	Text string
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Text)
	}
	return e.File + ": " + e.Text
}

// A reader reads rows, whose values are texts: numbers in decimals, times in seconds
// since 1970.
type reader interface {
	// columns returns the names of the columns, all different.
	columns() []string
	// next sets row to the values of the next row, which are lent; io.EOF ends the
	// rows.
	next(row [][]byte) error
}

// A table is a file that is read.
type table struct {
	reader
	name   string
	format string
	close  []func()
}

func (t *table) Close() {
	for i := len(t.close) - 1; i >= 0; i-- {
		t.close[i]()
	}
}

// open opens a table, whose format its first bytes tell.
func open(name string) (*table, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	t := &table{name: name, close: []func(){func() { f.Close() }}}
	if err := t.begin(f); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

const look = 8 // bytes that tell the format

func (t *table) begin(f *os.File) (err error) {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return &Error{File: t.name, Text: "is a directory, not a table"}
	}
	in := bufio.NewReaderSize(f, 256<<10)
	first, err := in.Peek(look)
	if err != nil && err != io.EOF {
		return err
	}
	compression := ""
	switch {
	case bytes.HasPrefix(first, []byte("PAR1")):
		t.format = "parquet"
		t.reader, err = newParquet(f, info.Size(), t.name)
		return err
	case bytes.HasPrefix(first, []byte("ARROW1")):
		t.format = "arrow"
		t.reader, err = newArrowFile(f, t.name)
		return err
	case bytes.HasPrefix(first, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return &Error{File: t.name, Text: err.Error()}
		}
		compression, in = ".gz", bufio.NewReaderSize(z, 256<<10)
	case bytes.HasPrefix(first, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(128<<20))
		if err != nil {
			return &Error{File: t.name, Text: err.Error()}
		}
		t.close = append(t.close, z.Close)
		compression, in = ".zst", bufio.NewReaderSize(z, 256<<10)
	}
	if first, err = in.Peek(look); err != nil && err != io.EOF {
		return &Error{File: t.name, Text: err.Error()}
	}
	switch {
	case len(first) == 0:
		return &Error{File: t.name, Text: "is empty: a table has the names of its columns at least"}
	case bytes.HasPrefix(first, []byte{0xff, 0xff, 0xff, 0xff}):
		t.format = "arrows" + compression
		t.reader, err = newArrowStream(in, t.name)
	case first[0] == '{':
		t.format = "jsonl" + compression
		t.reader, err = newJSONLines(in, t.name)
	default:
		t.format = "csv" + compression
		t.reader, err = newCSV(in, t.name)
	}
	return err
}

// unlike returns an error if two columns have one name.
func unlike(names []string, file string) error {
	seen := map[string]bool{}
	for _, name := range names {
		if seen[name] {
			return &Error{File: file, Text: fmt.Sprintf("two columns are called %q", name)}
		}
		seen[name] = true
	}
	return nil
}
