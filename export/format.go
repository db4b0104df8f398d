package export

import (
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/flowtable"
)

// A Format is a way to write rows. The zero Format is CSV.
//
// A run formats rows with Rows and writes them to what NewWriter returns, so
// that what is done for each row can be done by several goroutines, and what is
// done in order is little.
type Format struct{ *format }

// Rows are what a run formats rows with.
type Rows interface {
	// AppendHeader appends what comes before the first row.
	AppendHeader(b []byte) []byte
	// AppendRow appends the row of a flow.
	AppendRow(b []byte, f *flowtable.Flow) []byte
}

// A Table says what rows are made of.
type Table struct {
	// Columns are the columns of the rows, in order.
	Columns []*Column
	// Notes are names and values that say how the rows came about. They go into
	// the metadata of Parquet and Arrow files, with the columns' roles,
	// units and definitions; the other formats have no place for them.
	Notes []Note
	// Undefined leaves the columns' definitions out of the metadata of Parquet files,
	// for tables of many files, which have them in a place of their own.
	Undefined bool
	// TimeUnit is the unit of the times in formats that have a type of times, see
	// [Format.TimeUnits]: time.Nanosecond, for which 0 stands too, or
	// time.Microsecond. Times are cut down to it.
	TimeUnit time.Duration
	// Next begins another file for further rows, where the format can take
	// several: each then ends with the row group that brings it to PartSize
	// bytes or above. Without Next all rows go to one.
	Next     func() (io.Writer, error)
	PartSize int64
}

// A Note is a name with its value, as text.
type Note struct{ Name, Text string }

type format struct {
	name      string
	memory    int  // see below
	parts     bool // can take several files
	atEnd     bool // readers need the end of the file first
	timeUnits bool // has a type of times
	rows      func(columns []*Column) Rows
	open      func(to io.Writer, t *Table) (io.WriteCloser, error)
}

// What a format takes besides the buffers of rows, in bytes: what is gathered
// for a row group or a batch, as it comes and encoded, and compressors' windows.
const (
	gzipMemory    = 4 << 20
	zstdMemory    = 8 << 20
	parquetMemory = 80 << 20
	arrowMemory   = 48 << 20
)

var formats = []format{
	{name: "csv", rows: csvRows, open: plain},
	{name: "csv.gz", memory: gzipMemory, rows: csvRows, open: zip},
	{name: "csv.zst", memory: zstdMemory, rows: csvRows, open: zstandard},
	{name: "jsonl", rows: jsonRows, open: plain},
	{name: "jsonl.gz", memory: gzipMemory, rows: jsonRows, open: zip},
	{name: "jsonl.zst", memory: zstdMemory, rows: jsonRows, open: zstandard},
	{name: "parquet", memory: parquetMemory, parts: true, atEnd: true, timeUnits: true, rows: packedRows, open: newParquet},
	{name: "arrow", memory: arrowMemory, atEnd: true, timeUnits: true, rows: packedRows, open: newArrowFile},
	{name: "arrows", memory: arrowMemory, timeUnits: true, rows: packedRows, open: newArrowStream},
}

// FormatNames returns the names of the formats. With a dot before it a name is
// the extension of the format's files.
func FormatNames() []string {
	names := make([]string, len(formats))
	for i := range formats {
		names[i] = formats[i].name
	}
	return names
}

// FormatNamed returns the format of a name.
func FormatNamed(name string) (Format, bool) {
	for i := range formats {
		if formats[i].name == name {
			return Format{&formats[i]}, true
		}
	}
	return Format{}, false
}

// FormatOf returns the format that the extension of a file's name tells, in any
// case of letters: CSV if it tells none, but false if it tells one that there is
// not.
func FormatOf(file string) (f Format, ok bool) {
	file = strings.ToLower(file)
	for i := range formats {
		if strings.HasSuffix(file, "."+formats[i].name) {
			return Format{&formats[i]}, true
		}
	}
	return Format{}, !slices.Contains(foreign, filepath.Ext(file))
}

// NamesFormat tells whether a file's name ends in the extension of a format.
func NamesFormat(file string) bool {
	file = strings.ToLower(file)
	return slices.ContainsFunc(formats, func(f format) bool { return strings.HasSuffix(file, "."+f.name) })
}

// foreign are extensions of files that hold something else than CSV.
var foreign = []string{
	".gz", ".zst", ".bz2", ".xz", ".lz4", ".zip", ".json", ".ndjson", ".feather", ".ipc", ".pq", ".orc", ".avro", ".tsv",
	".xlsx", ".db", ".sqlite",
}

func (f Format) get() *format {
	if f.format == nil {
		return &formats[0]
	}
	return f.format
}

// String returns the name of the format.
func (f Format) String() string { return f.get().name }

// Memory returns how much memory a writer takes at most, in bytes, beyond what
// its longest row does.
func (f Format) Memory() int { return f.get().memory }

// Parts tells whether the format can write several files; see [Table].
func (f Format) Parts() bool { return f.get().parts }

// Streams tells whether rows can be read before the file is whole. The writer has
// a method Flush() error then, or writes rows at once.
func (f Format) Streams() bool { return !f.get().atEnd }

// TimeUnits tells whether the format has a type of times, with a unit; see [Table].
func (f Format) TimeUnits() bool { return f.get().timeUnits }

// Rows returns what the rows of a table are formatted with.
func (f Format) Rows(t Table) Rows { return f.get().rows(t.Columns) }

// NewWriter returns a writer that takes what Rows has appended, in whole rows,
// and writes the file. Nothing is written behind a position that has been
// written before, so the file may be a pipe. It is whole, with the rows that
// were written, when Close has returned without an error. That does not close
// the file.
//
// The bytes of the file do not depend on how many rows came with a Write.
func (f Format) NewWriter(to io.Writer, t Table) (io.WriteCloser, error) {
	return f.get().open(to, &t)
}

func csvRows(columns []*Column) Rows { return NewCSV(columns) }

// A plainWriter writes rows as they are.
type plainWriter struct{ io.Writer }

func (plainWriter) Close() error { return nil }

func plain(to io.Writer, _ *Table) (io.WriteCloser, error) { return plainWriter{to}, nil }

// zip compresses rows with gzip, at the library's usual level.
func zip(to io.Writer, _ *Table) (io.WriteCloser, error) {
	return gzip.NewWriterLevel(to, 5)
}

// zstandard compresses rows with zstd, at its usual level. A window of a MiB
// takes a tenth of the memory of the usual 8 MiB, from readers too.
func zstandard(to io.Writer, _ *Table) (io.WriteCloser, error) {
	return zstd.NewWriter(to, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithWindowSize(1<<20))
}
