package export

import (
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// batchSize is the size of a record batch, in bytes of packed rows. It is a variable
// for the tests.
var batchSize = 8 << 20

// An arrowWriter is a taker that writes the Arrow IPC format, not compressed.
type arrowWriter struct {
	unpacker
	schema   *arrow.Schema
	builders []array.Builder
	out      interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
	rows int64 // of the batch
	size int   // of the batch
	err  error
}

func newArrowFile(to io.Writer, t *Table) (io.WriteCloser, error) {
	w := newArrow(t)
	out, err := ipc.NewFileWriter(to, ipc.WithSchema(w.schema))
	w.out = out
	return w, err
}

func newArrowStream(to io.Writer, t *Table) (io.WriteCloser, error) {
	w := newArrow(t)
	w.out = ipc.NewWriter(to, ipc.WithSchema(w.schema))
	return w, nil
}

func newArrow(t *Table) *arrowWriter {
	w := &arrowWriter{unpacker: unpacker{columns: t.Columns}}
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = arrow.Field{
			Name: c.Name, Type: c.arrow(),
			Metadata: arrow.NewMetadata([]string{"unit", "definition"}, []string{c.Unit, c.Definition}),
		}
		w.builders = append(w.builders, array.NewBuilder(memory.DefaultAllocator, fields[i].Type))
	}
	var names, texts []string
	for _, n := range t.Notes {
		names, texts = append(names, "flowfast."+n.Name), append(texts, n.Text)
	}
	notes := arrow.NewMetadata(names, texts)
	w.schema = arrow.NewSchema(fields, &notes)
	return w
}

// arrow returns the type of the column.
func (c *Column) arrow() arrow.DataType {
	switch c.Kind {
	case Uint:
		switch c.bits {
		case 8:
			return arrow.PrimitiveTypes.Uint8
		case 16:
			return arrow.PrimitiveTypes.Uint16
		}
		return arrow.PrimitiveTypes.Int64
	case Int:
		return arrow.PrimitiveTypes.Int64
	case Time:
		return &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	case Text:
		return arrow.BinaryTypes.String
	case List:
		return arrow.ListOfNonNullable(arrow.PrimitiveTypes.Int64)
	}
	return arrow.PrimitiveTypes.Float64
}

func (w *arrowWriter) Write(b []byte) (int, error) {
	for rest := b; len(rest) > 0 && w.err == nil; {
		var after []byte
		if after, w.err = w.next(rest, w); w.err != nil {
			break
		}
		w.rows++
		w.size += len(rest) - len(after)
		rest = after
		if w.size >= batchSize {
			w.err = w.endBatch()
		}
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}

func (w *arrowWriter) number(i int, bits uint64) {
	switch b := w.builders[i].(type) {
	case *array.Uint8Builder:
		b.Append(uint8(bits))
	case *array.Uint16Builder:
		b.Append(uint16(bits))
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(bits))
	case *array.Float64Builder:
		b.Append(fromBits(bits))
	case *array.Int64Builder:
		b.Append(int64(bits))
	}
}

func (w *arrowWriter) text(i int, text []byte) {
	w.builders[i].(*array.StringBuilder).BinaryBuilder.Append(text)
}

func (w *arrowWriter) list(i int, numbers []int64) {
	b := w.builders[i].(*array.ListBuilder)
	b.Append(true)
	b.ValueBuilder().(*array.Int64Builder).AppendValues(numbers, nil)
}

// endBatch writes the gathered rows.
func (w *arrowWriter) endBatch() error {
	columns := make([]arrow.Array, len(w.builders))
	for i, b := range w.builders {
		columns[i] = b.NewArray()
		b.Reserve(int(w.rows)) // the next batch is much like this one
	}
	batch := array.NewRecordBatch(w.schema, columns, w.rows)
	w.rows, w.size = 0, 0
	return w.out.Write(batch)
}

// Close writes the last batch and the end of the file.
func (w *arrowWriter) Close() error {
	if w.rows > 0 && w.err == nil {
		w.err = w.endBatch()
	}
	if w.err != nil {
		return w.err
	}
	return w.out.Close()
}

func fromBits(bits uint64) float64 { return math.Float64frombits(bits) }
