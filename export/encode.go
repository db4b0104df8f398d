package export

import (
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// An Encoder sorts packed rows, those that the Rows of a format of columns
// append, into columns and encodes them, in batches. Any number of goroutines can
// do that at once, each with a batch of its own; what remains to be done in order
// is to write the batches one behind the other, with [EncodedWriter].
//
// A batch ends after the row with which it has as many rows as BatchRows or as
// many bytes of packed rows as BatchBytes. Where batches end is seen in the file,
// so whoever cuts rows into batches in the same way writes the same bytes as a
// writer that is given rows.
type Encoder interface {
	BatchRows() int
	BatchBytes() int
	// Encode makes a batch of rows, in slices of whole ones, in order. What was in
	// into is gone, and its memory is used again. It keeps none of rows. An error
	// is that of WriteEncoded.
	Encode(into *Encoded, rows [][]byte)
}

// An EncodedWriter is what NewWriter returns for a format of columns.
type EncodedWriter interface {
	io.WriteCloser
	// WriteEncoded writes a batch, behind the rows that were written before. The
	// batch can be used again when it has returned.
	WriteEncoded(*Encoded) error
}

// An Encoded is a batch of encoded rows. The zero Encoded is one without rows.
type Encoded struct {
	batch  batch
	record arrow.RecordBatch // for Arrow
	pages  pages             // for Parquet
	err    error
}

// Rows returns how many rows there are.
func (e *Encoded) Rows() int { return e.batch.rows }

// NewEncoder returns an encoder for the packed rows of a table, nil if the format
// is none of columns.
func (f Format) NewEncoder(t Table) Encoder {
	if f.get().encoder == nil {
		return nil
	}
	return f.get().encoder(&t)
}

// An encoder is one whose batches are completed by a function.
type encoder struct {
	packed     *packed
	most, size int // of a batch
	finish     func(*Encoded) error
}

// newEncoder returns an encoder whose batches have as many rows as come to so
// many bytes, but no more than most.
func newEncoder(columns []*Column, size, most int, finish func(*Encoded) error) *encoder {
	return &encoder{newPacked(columns), max(min(size/rowBytes(columns), most), 1), size, finish}
}

// rowBytes returns what the values of a row take in columns, or a bit more: an
// address of IPv6 has 39 bytes at most.
func rowBytes(columns []*Column) int {
	n := 4
	for _, c := range columns {
		switch c.Kind {
		case Text:
			n += 4 + 40
		case List:
			n += 4 + 16*8
		default:
			n += c.width()
		}
	}
	return n
}

func (e *encoder) BatchRows() int  { return e.most }
func (e *encoder) BatchBytes() int { return e.size }

func (e *encoder) Encode(into *Encoded, rows [][]byte) {
	const all = 1 << 62
	into.batch.reset(e.packed)
	into.err = nil
	for _, b := range rows {
		if _, into.err = into.batch.add(b, all, all); into.err != nil {
			return
		}
	}
	if into.batch.rows > 0 {
		into.err = e.finish(into)
	}
}

// A columnWriter cuts rows into batches, and writes those.
type columnWriter struct {
	encoder *encoder
	own     Encoded
	out     interface {
		put(*Encoded) error
		close() error
	}
	err error
}

func (w *columnWriter) Write(b []byte) (int, error) {
	gathered, most, size := &w.own.batch, w.encoder.most, w.encoder.size
	for rest := b; len(rest) > 0 && w.err == nil; {
		var n int
		if n, w.err = gathered.add(rest, most, size); w.err != nil {
			break
		}
		rest = rest[n:]
		if gathered.rows >= most || gathered.size >= size {
			w.err = w.endBatch()
		}
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}

// endBatch writes the rows that were gathered, if there are any.
func (w *columnWriter) endBatch() error {
	if w.own.batch.rows == 0 || w.err != nil {
		return w.err
	}
	if w.err = w.encoder.finish(&w.own); w.err == nil {
		w.err = w.out.put(&w.own)
	}
	w.own.batch.reset(w.encoder.packed)
	return w.err
}

// WriteEncoded writes a batch.
func (w *columnWriter) WriteEncoded(e *Encoded) error {
	if w.endBatch() != nil || e.Rows() == 0 && e.err == nil {
		return w.err
	}
	if w.err = e.err; w.err == nil {
		w.err = w.out.put(e)
	}
	return w.err
}

// Close writes the last batch and the end of the file.
func (w *columnWriter) Close() error {
	if w.endBatch() != nil {
		return w.err
	}
	return w.out.close()
}

// A Batch is rows that some goroutine encodes.
type Batch = interface {
	// Encode makes the batch of rows, in slices of whole packed ones, in order, and
	// keeps none of them. An error is that of WriteBatch.
	Encode(rows [][]byte)
}

// A pending is a batch of a writer.
type pending struct {
	Encoded
	encoder *encoder
}

func (p *pending) Encode(rows [][]byte) { p.encoder.Encode(&p.Encoded, rows) }

// Batches returns what ends a batch; see [Encoder].
func (w *columnWriter) Batches() (rows, bytes int) { return w.encoder.most, w.encoder.size }

// NewBatch returns a batch for WriteBatch, which can be used again and again.
func (w *columnWriter) NewBatch() Batch { return &pending{encoder: w.encoder} }

// WriteBatch is WriteEncoded for a batch of NewBatch.
func (w *columnWriter) WriteBatch(b Batch) error { return w.WriteEncoded(&b.(*pending).Encoded) }
