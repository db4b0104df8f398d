package export

import (
	"encoding/json"
	"io"
	"math"
	"reflect"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// A Parquet file has a row group for every groupSize bytes of packed rows, in
// pages of pageSize bytes and a bit. What is kept of a row group until it is
// written is a page of each column, as it is, and the pages before it,
// compressed.
//
// Encodings are plain: dictionaries, deltas and split bytes make these files
// larger once they are compressed.
var groupSize = 32 << 20 // a variable for the tests

const (
	pageSize = 64 << 10
	// takeRows are the rows that are handed to the columns at once, counted
	// from the beginning of a row group, so that pages end in the same places
	// whatever came with a Write.
	takeRows = 256
)

// A parquetWriter is a taker that writes Parquet.
type parquetWriter struct {
	unpacker
	to      *counter
	next    func() (io.Writer, error)
	most    int64 // bytes of a file after which the next one begins
	options []parquet.WriterOption
	out     *parquet.GenericWriter[any]
	writers []*parquet.ColumnWriter
	values  [][]parquet.Value // by column, of rows not yet handed over
	texts   []byte            // that values refer to
	rows    int               // in values
	group   int               // bytes of packed rows in the row group
	full    bool              // further rows go to the next file
	err     error
}

// A counter counts what is written.
type counter struct {
	io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.n += int64(n)
	return n, err
}

func newParquet(to io.Writer, t *Table) (io.WriteCloser, error) {
	schema := &ordered{Group: parquet.Group{}}
	described := make([]description, len(t.Columns))
	for i, c := range t.Columns {
		schema.fields = append(schema.fields, &field{c.parquet(), c.Name})
		described[i] = description{c.Name, c.Unit, c.Definition}
	}
	columns, err := json.Marshal(described)
	if err != nil {
		return nil, err
	}
	w := &parquetWriter{
		unpacker: unpacker{columns: t.Columns},
		next:     t.Next,
		most:     t.PartSize,
		values:   make([][]parquet.Value, len(t.Columns)),
		options: []parquet.WriterOption{
			parquet.NewSchema("flows", schema),
			parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault, Concurrency: 1}),
			parquet.PageBufferSize(pageSize),
			parquet.KeyValueMetadata("flowfast.definitions", string(columns)),
		},
	}
	for _, n := range t.Notes {
		w.options = append(w.options, parquet.KeyValueMetadata("flowfast."+n.Name, n.Text))
	}
	w.begin(to)
	return w, nil
}

// A description is what the metadata of a Parquet file says of a column.
type description struct {
	Name       string `json:"name"`
	Unit       string `json:"unit"`
	Definition string `json:"definition"`
}

// Ordered is a group whose fields are in order; those of parquet.Group are
// sorted by name.
type ordered struct {
	parquet.Group
	fields []parquet.Field
}

func (o *ordered) Fields() []parquet.Field { return o.fields }

type field struct {
	parquet.Node
	name string
}

func (f *field) Name() string { return f.name }

// Value is for rows that are Go values, which these are not.
func (f *field) Value(base reflect.Value) reflect.Value { return base.FieldByName(f.name) }

// parquet returns the type of the column.
func (c *Column) parquet() parquet.Node {
	switch c.Kind {
	case Uint:
		if c.bits > 0 {
			return parquet.Encoded(parquet.Uint(c.bits), &parquet.Plain)
		}
		return whole()
	case Int:
		return whole()
	case Time:
		return parquet.Encoded(parquet.TimestampAdjusted(parquet.Nanosecond, true), &parquet.Plain)
	case Text:
		return parquet.Encoded(parquet.String(), &parquet.Plain)
	case List:
		return parquet.List(whole())
	}
	return parquet.Encoded(parquet.Leaf(parquet.DoubleType), &parquet.Plain)
}

func whole() parquet.Node {
	return parquet.Encoded(parquet.Leaf(parquet.Int64Type), &parquet.Plain)
}

// begin begins a file.
func (w *parquetWriter) begin(to io.Writer) {
	w.to = &counter{Writer: to}
	if w.out == nil {
		w.out = parquet.NewGenericWriter[any](w.to, w.options...)
		w.writers = w.out.ColumnWriters()
	} else {
		w.out.Reset(w.to)
	}
}

func (w *parquetWriter) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0 && w.err == nil; {
		if w.full {
			w.err = w.nextFile()
		}
		var after []byte
		if w.err == nil {
			after, w.err = w.unpacker.next(rest, w)
		}
		if w.err != nil {
			break
		}
		w.rows++
		w.group += len(rest) - len(after)
		rest = after
		if w.group >= groupSize {
			w.err = w.endGroup()
		} else if w.rows == takeRows {
			w.err = w.handOver()
		}
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}

func (w *parquetWriter) number(i int, bits uint64) {
	v := parquet.Int64Value(int64(bits))
	switch c := w.columns[i]; {
	case c.Kind == Uint && c.bits > 0:
		v = parquet.Int32Value(int32(bits))
	case c.Kind == Float || c.Kind == Quarters || c.Kind == Seconds:
		v = parquet.DoubleValue(math.Float64frombits(bits))
	}
	w.values[i] = append(w.values[i], v)
}

func (w *parquetWriter) text(i int, text []byte) {
	at := len(w.texts)
	w.texts = append(w.texts, text...)
	w.values[i] = append(w.values[i], parquet.ByteArrayValue(w.texts[at:]))
}

// list appends the numbers of a list with their levels: 1 where one is
// repeated, and where one is there.
func (w *parquetWriter) list(i int, numbers []int64) {
	if len(numbers) == 0 {
		w.values[i] = append(w.values[i], parquet.NullValue().Level(0, 0, i))
		return
	}
	repetition := 0
	for _, n := range numbers {
		w.values[i] = append(w.values[i], parquet.Int64Value(n).Level(repetition, 1, i))
		repetition = 1
	}
}

// handOver hands the gathered rows to the columns.
func (w *parquetWriter) handOver() error {
	for i, out := range w.writers {
		if _, err := out.WriteRowValues(w.values[i]); err != nil {
			return err
		}
		w.values[i] = w.values[i][:0]
	}
	w.texts = w.texts[:0]
	w.rows = 0
	return nil
}

// endGroup writes the row group.
func (w *parquetWriter) endGroup() error {
	if err := w.handOver(); err != nil {
		return err
	}
	w.group = 0
	if err := w.out.Flush(); err != nil {
		return err
	}
	w.full = w.next != nil && w.to.n >= w.most
	return nil
}

// nextFile ends the file and begins the next one.
func (w *parquetWriter) nextFile() error {
	w.full = false
	if err := w.out.Close(); err != nil {
		return err
	}
	to, err := w.next()
	if err != nil {
		return err
	}
	w.begin(to)
	return nil
}

// Close writes the last row group and the end of the file.
func (w *parquetWriter) Close() error {
	if w.err == nil {
		w.err = w.handOver()
	}
	if w.err != nil {
		return w.err
	}
	return w.out.Close()
}
