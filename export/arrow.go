package export

import (
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// batchSize is the size of a record batch, in bytes of packed rows. It is a variable
// for the tests.
var batchSize = 8 << 20

// firstRows are the rows of the first batch of a stream: few, since somebody may be
// waiting for them.
const firstRows = 256

// An arrowWriter writes the Arrow IPC format, not compressed. The columns of a
// batch are the buffers of the format, as they are: the library's builders, which
// keep a bit for each value, take longer.
type arrowWriter struct{ *columnWriter }

// An arrowOut is the end of an arrowWriter, which writes record batches.
type arrowOut struct {
	to interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
}

func (o arrowOut) put(e *encoded) error { return o.to.Write(e.record) }
func (o arrowOut) close() error         { return o.to.Close() }

func newArrowFile(to io.Writer, t *Table) (io.WriteCloser, error) {
	out, err := ipc.NewFileWriter(to, ipc.WithSchema(arrowSchema(t)))
	return arrowWriter{newColumnWriter(arrowEncoder(t), arrowOut{out})}, err
}

func newArrowStream(to io.Writer, t *Table) (io.WriteCloser, error) {
	e := arrowEncoder(t)
	e.first = min(firstRows, e.most)
	return arrowWriter{newColumnWriter(e, arrowOut{ipc.NewWriter(to, ipc.WithSchema(arrowSchema(t)))})}, nil
}

func arrowEncoder(t *Table) *encoder {
	schema := arrowSchema(t)
	return newEncoder(t, batchSize, 1<<20, func(e *encoded) error {
		e.record = arrowRecord(schema, &e.batch)
		return nil
	})
}

func arrowSchema(t *Table) *arrow.Schema {
	fields := make([]arrow.Field, len(t.Columns))
	for i, c := range t.Columns {
		fields[i] = arrow.Field{
			Name: c.Name, Type: c.arrow(t.TimeUnit),
			Metadata: arrow.NewMetadata([]string{"role", "unit", "definition"}, []string{c.Role.String(), c.Unit, c.Definition}),
		}
	}
	var names, texts []string
	for _, n := range t.Notes {
		names, texts = append(names, "flowfast."+n.Name), append(texts, n.Text)
	}
	notes := arrow.NewMetadata(names, texts)
	return arrow.NewSchema(fields, &notes)
}

// arrow returns the type of the column, with a unit of times.
func (c *Column) arrow(unit time.Duration) arrow.DataType {
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
		if unit == time.Microsecond {
			return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
		}
		return &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}
	case Text:
		return arrow.BinaryTypes.String
	case List:
		return arrow.ListOfNonNullable(arrow.PrimitiveTypes.Int64)
	}
	return arrow.PrimitiveTypes.Float64
}

// arrowRecord makes a record batch of the rows, which shares their memory.
func arrowRecord(schema *arrow.Schema, b *batch) arrow.RecordBatch {
	columns := make([]arrow.Array, len(b.columns))
	for i, c := range b.columns {
		of := schema.Field(i).Type
		values, ends := memory.NewBufferBytes(c.values), memory.NewBufferBytes(c.ends)
		var data *array.Data
		switch b.packed.columns[i].Kind {
		case Text:
			data = array.NewData(of, b.rows, []*memory.Buffer{nil, ends, values}, nil, 0, 0)
		case List:
			numbers := array.NewData(arrow.PrimitiveTypes.Int64, len(c.values)/8, []*memory.Buffer{nil, values}, nil, 0, 0)
			data = array.NewData(of, b.rows, []*memory.Buffer{nil, ends}, []arrow.ArrayData{numbers}, 0, 0)
		default:
			data = array.NewData(of, b.rows, []*memory.Buffer{nil, values}, nil, 0, 0)
		}
		columns[i] = array.MakeFromData(data)
	}
	return array.NewRecordBatch(schema, columns, int64(b.rows))
}

// Flush writes the gathered rows as a record batch of their own.
func (w arrowWriter) Flush() error { return w.endBatch() }
