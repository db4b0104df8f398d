package export

import (
	"bytes"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// batchSize is the size of a record batch, in bytes of packed rows: few enough that what
// is written of it stays in a cache, and its pages are not many. It is a variable for the
// tests.
var batchSize = 2 << 20

// firstRows are the rows of the first batch of a stream: few, since somebody may be
// waiting for them.
const firstRows = 256

// An arrowWriter writes the Arrow IPC format, not compressed. The columns of a
// batch are the buffers of the format, as they are: the library's builders, which
// keep a bit for each value, take longer.
type arrowWriter struct{ *columnWriter }

func newArrowFile(to io.Writer, t *Table) (io.WriteCloser, error) {
	var empty bytes.Buffer
	w, err := ipc.NewFileWriter(&empty, ipc.WithSchema(arrowSchema(t)))
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, err
	}
	return arrowWriter{newColumnWriter(arrowEncoder(t), newArrowOut(to, empty.Bytes(), true))}, nil
}

func newArrowStream(to io.Writer, t *Table) (io.WriteCloser, error) {
	var empty bytes.Buffer
	if err := ipc.NewWriter(&empty, ipc.WithSchema(arrowSchema(t))).Close(); err != nil {
		return nil, err
	}
	e := arrowEncoder(t)
	e.first = min(firstRows, e.most)
	return arrowWriter{newColumnWriter(e, newArrowOut(to, empty.Bytes(), false))}, nil
}

func arrowEncoder(t *Table) *encoder {
	return newEncoder(t, batchSize, 1<<20, func(e *encoded) error {
		e.record.of(&e.batch)
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

// Flush writes the gathered rows as a record batch of their own.
func (w arrowWriter) Flush() error { return w.endBatch() }
