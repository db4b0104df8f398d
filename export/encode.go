package export

import (
	"encoding/binary"
	"io"
	"slices"
	"time"

	"github.com/flowfast/flowfast/flowtable"
)

// A BatchWriter is what NewWriter returns for a format of columns. Packed rows,
// those that the Rows of the format append, are sorted into columns and encoded in
// batches. Any number of goroutines can do that at once, each with a batch of its
// own; what remains to be done in order is to write the batches one behind the other.
type BatchWriter interface {
	io.WriteCloser
	// WriteFlow does what Write does with the row of a flow that Rows of the format, with
	// the columns of the writer, has appended.
	WriteFlow(*flowtable.Flow) error
	// Appends tells whether these are such rows. Others may have other values in the same
	// columns, such as the name of a capture.
	Appends(rows any) bool
	// Batches returns what ends a batch: the row with which it has so many rows, or
	// so many bytes of packed rows. The next batch ends with next rows, and each one
	// behind it with twice as many as the one before could have, until those are rows.
	// Where batches end is seen in the file, so whoever cuts rows into batches so writes
	// the same bytes as Write does.
	Batches() (next, rows, bytes int)
	// NewBatch returns a batch, which can be used again when WriteBatch has
	// returned.
	NewBatch() Batch
	// WriteBatch writes a batch of NewBatch, behind the rows that were written before.
	WriteBatch(Batch) error
	// EndBatch ends the batch of the rows that Write has taken, if there are any. The
	// next row begins another one.
	EndBatch() error
}

// A Batch is rows that some goroutine encodes.
type Batch = interface {
	// Encode makes the batch of rows, in slices of whole packed ones, in order. What
	// was in it is gone, and its memory is used again. It keeps none of rows. An error
	// is that of WriteBatch.
	Encode(rows [][]byte)
}

// An encoded is a batch of encoded rows. The zero one is without rows.
type encoded struct {
	batch  batch
	record record // for Arrow
	pages  pages  // for Parquet
	err    error
}

// An encoder is one whose batches are completed by a function.
type encoder struct {
	packed     *packed
	first      int // rows of the first batch
	most, size int // of a batch
	unit       time.Duration
	spans      bool // what is between is told of columns, see batch
	complete   func(*encoded) error
}

// finish completes a batch.
func (e *encoder) finish(into *encoded) error {
	if e.unit > time.Nanosecond {
		for i, c := range e.packed.columns {
			if c.Kind == Time {
				cutTimes(into.batch.columns[i].values, int64(e.unit))
				into.batch.columns[i].spanned = false
			}
		}
	}
	return e.complete(into)
}

// cutTimes divides times in nanoseconds by a unit, and takes the whole number below.
func cutTimes(values []byte, unit int64) {
	for at := 0; at < len(values); at += 8 {
		t := int64(binary.LittleEndian.Uint64(values[at:]))
		whole := t / unit
		if t%unit < 0 {
			whole--
		}
		binary.LittleEndian.PutUint64(values[at:], uint64(whole))
	}
}

// newEncoder returns an encoder whose batches have as many rows as come to so
// many bytes, but no more than most.
func newEncoder(t *Table, size, most int, complete func(*encoded) error) *encoder {
	most = max(min(size/rowBytes(t.Columns), most), 1)
	return &encoder{packed: newPacked(t.Columns), first: most, most: most, size: size, unit: t.TimeUnit, complete: complete}
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

func (e *encoder) reset(b *batch) { b.reset(e.packed, e.most, e.spans) }

// encode makes a batch of rows.
func (e *encoder) encode(into *encoded, rows [][]byte) {
	const all = 1 << 62
	e.reset(&into.batch)
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
	own     encoded
	next    int // rows with which the next batch ends
	out     columnOut
	err     error
}

// A columnOut takes batches.
type columnOut interface {
	put(*encoded) error
	close() error
}

func newColumnWriter(e *encoder, out columnOut) *columnWriter {
	w := &columnWriter{encoder: e, next: e.first, out: out}
	e.reset(&w.own.batch)
	return w
}

func (w *columnWriter) Write(b []byte) (int, error) {
	gathered, size := &w.own.batch, w.encoder.size
	for rest := b; len(rest) > 0 && w.err == nil; {
		var n int
		if n, w.err = gathered.add(rest, w.next, size); w.err != nil {
			break
		}
		rest = rest[n:]
		if gathered.rows >= w.next || gathered.size >= size {
			w.err = w.endBatch()
		}
	}
	if w.err != nil {
		return 0, w.err
	}
	return len(b), nil
}

// Appends tells whether rows are those of the writer's columns.
func (w *columnWriter) Appends(rows any) bool {
	p, ok := rows.(*packed)
	return ok && slices.Equal(p.columns, w.encoder.packed.columns)
}

// WriteFlow writes the row of a flow.
func (w *columnWriter) WriteFlow(f *flowtable.Flow) error {
	b := &w.own.batch
	k := &b.block
	if w.err != nil {
		return w.err
	}
	if flags, ok := f.Alone(); ok && b.allDefault {
		k.lone(f, flags) // too short to end a batch of so many rows by its size
	} else {
		b.size += k.flow(b.packed, f)
	}
	if b.rows++; b.rows < w.next && k.n < blockRows && b.size < w.encoder.size {
		return nil
	}
	if b.rows >= w.next || b.size >= w.encoder.size {
		return w.endBatch()
	}
	w.err = b.sort()
	return w.err
}

// endBatch writes the rows that were gathered, if there are any.
func (w *columnWriter) endBatch() error {
	if w.own.batch.rows == 0 || w.err != nil {
		return w.err
	}
	if w.err = w.own.batch.sort(); w.err == nil {
		w.err = w.encoder.finish(&w.own)
	}
	if w.err == nil {
		w.put(&w.own)
	}
	w.encoder.reset(&w.own.batch)
	return w.err
}

func (w *columnWriter) put(e *encoded) {
	w.err = w.out.put(e)
	w.next = min(2*w.next, w.encoder.most)
}

// WriteBatch writes a batch.
func (w *columnWriter) WriteBatch(b Batch) error {
	e := &b.(*pending).encoded
	if w.endBatch() != nil || e.batch.rows == 0 && e.err == nil {
		return w.err
	}
	if w.err = e.err; w.err == nil {
		w.put(e)
	}
	return w.err
}

// EndBatch writes the rows of Write that were gathered as a batch of their own.
func (w *columnWriter) EndBatch() error { return w.endBatch() }

// Close writes the last batch and the end of the file.
func (w *columnWriter) Close() error {
	if w.endBatch() != nil {
		return w.err
	}
	return w.out.close()
}

// A pending is a batch of a writer.
type pending struct {
	encoded
	encoder *encoder
}

func (p *pending) Encode(rows [][]byte) { p.encoder.encode(&p.encoded, rows) }

// Batches returns what ends a batch.
func (w *columnWriter) Batches() (next, rows, bytes int) {
	return w.next, w.encoder.most, w.encoder.size
}

// NewBatch returns a batch for WriteBatch.
func (w *columnWriter) NewBatch() Batch { return &pending{encoder: w.encoder} }
