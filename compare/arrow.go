package compare

import (
	"fmt"
	"io"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// An arrowReader reads the Arrow IPC format.
type arrowReader struct {
	file   string
	names  []string
	read   func() (arrow.RecordBatch, error)
	record arrow.RecordBatch
	row    int
}

func newArrowFile(in ipc.ReadAtSeeker, file string) (reader, error) {
	r, err := ipc.NewFileReader(in)
	if err != nil {
		return nil, &Error{File: file, Text: err.Error()}
	}
	n := 0
	return newArrow(r.Schema(), file, func() (arrow.RecordBatch, error) {
		if n == r.NumRecords() {
			return nil, io.EOF
		}
		n++
		return r.RecordBatch(n - 1)
	})
}

func newArrowStream(in io.Reader, file string) (reader, error) {
	r, err := ipc.NewReader(in)
	if err != nil {
		return nil, &Error{File: file, Text: err.Error()}
	}
	return newArrow(r.Schema(), file, r.Read)
}

func newArrow(s *arrow.Schema, file string, read func() (arrow.RecordBatch, error)) (reader, error) {
	r := &arrowReader{file: file, read: read}
	for _, f := range s.Fields() {
		r.names = append(r.names, f.Name)
	}
	return r, unlike(r.names, file)
}

func (r *arrowReader) columns() []string { return r.names }

func (r *arrowReader) next(row [][]byte) error {
	for r.record == nil || int64(r.row) == r.record.NumRows() {
		var err error
		r.row = 0
		if r.record, err = r.read(); err == io.EOF {
			return err
		} else if err != nil {
			return &Error{File: r.file, Text: err.Error()}
		}
	}
	for i, c := range r.record.Columns() {
		row[i] = row[i][:0]
		if c.IsNull(r.row) {
			continue
		}
		switch c := c.(type) {
		case *array.Uint8:
			row[i] = strconv.AppendUint(row[i], uint64(c.Value(r.row)), 10)
		case *array.Uint16:
			row[i] = strconv.AppendUint(row[i], uint64(c.Value(r.row)), 10)
		case *array.Int64:
			row[i] = strconv.AppendInt(row[i], c.Value(r.row), 10)
		case *array.Float64:
			row[i] = appendFloat(row[i], c.Value(r.row))
		case *array.String:
			row[i] = append(row[i], c.Value(r.row)...)
		case *array.Timestamp:
			if unit := c.DataType().(*arrow.TimestampType).Unit; unit != arrow.Nanosecond {
				return r.unknown(i)
			}
			row[i] = appendTime(row[i], int64(c.Value(r.row)))
		case *array.List:
			numbers, ok := c.ListValues().(*array.Int64)
			if !ok {
				return r.unknown(i)
			}
			from, to := c.ValueOffsets(r.row)
			row[i] = appendList(row[i], numbers.Int64Values()[from:to])
		default:
			return r.unknown(i)
		}
	}
	r.row++
	return nil
}

func (r *arrowReader) unknown(column int) error {
	return &Error{File: r.file, Text: fmt.Sprintf("column %q is of the type %v, which flowfast writes none of", r.names[column], r.record.Column(column).DataType())}
}

func appendFloat(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }

// appendTime writes nanoseconds as seconds.
func appendTime(b []byte, ns int64) []byte {
	if ns < 0 {
		b = append(b, '-')
	}
	v := uint64(ns)
	if ns < 0 {
		v = -v
	}
	b = strconv.AppendUint(b, v/1e9, 10)
	return fmt.Appendf(b, ".%09d", v%1e9)
}

// appendList writes whole numbers as the rows of CSV and JSON have them.
func appendList(b []byte, values []int64) []byte {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, v, 10)
	}
	return append(b, ']')
}
