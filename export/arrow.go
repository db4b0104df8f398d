package export

import (
	"encoding/binary"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// batchSize is the size of a record batch, in bytes of packed rows. It is a variable
// for the tests.
var batchSize = 8 << 20

// An arrowWriter is a taker that writes the Arrow IPC format, not compressed.
// It fills the buffers of the format by itself: the library's builders, which
// keep a bit for each value, take twice as long (BenchmarkFormat).
type arrowWriter struct {
	unpacker
	schema *arrow.Schema
	batch  []arrowColumn
	out    interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
	rows int64 // of the batch
	size int   // of the batch
	err  error
}

// An arrowColumn is the values of a column of a batch as they stand in the
// file, and for Text and List where each value begins, and where the last ends.
type arrowColumn struct{ values, ends []byte }

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
	w := &arrowWriter{unpacker: unpacker{columns: t.Columns}, batch: make([]arrowColumn, len(t.Columns))}
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = arrow.Field{
			Name: c.Name, Type: c.arrow(),
			Metadata: arrow.NewMetadata([]string{"unit", "definition"}, []string{c.Unit, c.Definition}),
		}
		w.batch[i].reset()
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
	b := &w.batch[i]
	switch w.columns[i].bits {
	case 8:
		b.values = append(b.values, byte(bits))
	case 16:
		b.values = binary.LittleEndian.AppendUint16(b.values, uint16(bits))
	default:
		b.values = binary.LittleEndian.AppendUint64(b.values, bits)
	}
}

func (w *arrowWriter) text(i int, text []byte) {
	b := &w.batch[i]
	b.values = append(b.values, text...)
	b.end(len(b.values))
}

func (w *arrowWriter) list(i int, numbers []int64) {
	b := &w.batch[i]
	for _, n := range numbers {
		b.values = binary.LittleEndian.AppendUint64(b.values, uint64(n))
	}
	b.end(len(b.values) / 8)
}

// end notes where a text or a list ends. A batch is far from 2 GiB.
func (b *arrowColumn) end(at int) {
	b.ends = binary.LittleEndian.AppendUint32(b.ends, uint32(at))
}

func (b *arrowColumn) reset() {
	b.values, b.ends = b.values[:0], append(b.ends[:0], 0, 0, 0, 0)
}

// endBatch writes the gathered rows.
func (w *arrowWriter) endBatch() error {
	n := int(w.rows)
	columns := make([]arrow.Array, len(w.batch))
	for i, b := range w.batch {
		of := w.schema.Field(i).Type
		values, ends := memory.NewBufferBytes(b.values), memory.NewBufferBytes(b.ends)
		var data *array.Data
		switch w.columns[i].Kind {
		case Text:
			data = array.NewData(of, n, []*memory.Buffer{nil, ends, values}, nil, 0, 0)
		case List:
			numbers := array.NewData(arrow.PrimitiveTypes.Int64, len(b.values)/8, []*memory.Buffer{nil, values}, nil, 0, 0)
			data = array.NewData(of, n, []*memory.Buffer{nil, ends}, []arrow.ArrayData{numbers}, 0, 0)
		default:
			data = array.NewData(of, n, []*memory.Buffer{nil, values}, nil, 0, 0)
		}
		columns[i] = array.MakeFromData(data)
	}
	err := w.out.Write(array.NewRecordBatch(w.schema, columns, w.rows))
	w.rows, w.size = 0, 0
	for i := range w.batch {
		w.batch[i].reset()
	}
	return err
}

// Flush writes the gathered rows as a record batch of their own.
func (w *arrowWriter) Flush() error {
	if w.rows > 0 && w.err == nil {
		w.err = w.endBatch()
	}
	return w.err
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
