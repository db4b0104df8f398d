package engine

import (
	"errors"
	"io"
	"time"

	"github.com/flowfast/flowfast/flowtable"
)

// writeSize is how much is gathered before it is written: enough that the
// calls to the system cost nothing per row.
const writeSize = 256 << 10

// A Writer is a [RowSink] that gathers rows and writes them.
type Writer struct {
	format Format
	to     io.Writer
	flows  flowWriter // the same, if it takes flows
	rows   []byte     // gathered
	every  time.Duration
	now    func() time.Time
	last   time.Time // of the last flush
	dirty  bool      // something was written since
	err    error     // of what is written to, which is not called again
}

// NewWriter returns a Writer of rows behind a header. If every is not 0, nothing is
// held back for longer, by the clock now, and a method Flush() error of what is
// written to is called then.
func NewWriter(to io.Writer, f Format, header func([]byte) []byte, every time.Duration, now func() time.Time) *Writer {
	flows, ok := to.(flowWriter)
	if ok && !flows.Appends(f) {
		flows = nil
	}
	return &Writer{format: f, to: to, flows: flows, rows: header(make([]byte, 0, writeSize+64<<10)), every: every, now: now}
}

// Format returns the format of the rows.
func (w *Writer) Format() Format { return w.format }

// A flowWriter formats rows itself, of those formats whose rows it appends.
type flowWriter interface {
	WriteFlow(*flowtable.Flow) error
	Appends(rows any) bool
}

// Flow takes a flow.
func (w *Writer) Flow(f *flowtable.Flow) error {
	if w.flows != nil && len(w.rows) == 0 {
		w.dirty = true
		w.err = w.flows.WriteFlow(f)
		return w.err
	}
	w.rows = w.format.AppendRow(w.rows, f)
	return w.writeIfMany()
}

// Numbered tells if the format has a method of this name that does.
func (w *Writer) Numbered() bool {
	n, ok := w.format.(interface{ Numbered() bool })
	return ok && n.Numbered()
}

// Batches returns what is written to, if it takes batches and nothing is to be
// flushed.
func (w *Writer) Batches() BatchWriter {
	if b, ok := w.to.(BatchWriter); ok && w.every == 0 {
		return noted{b, &w.err}
	}
	return nil
}

// A noted is a BatchWriter whose error is kept.
type noted struct {
	BatchWriter
	err *error
}

func (n noted) WriteBatch(b interface{ Encode(rows [][]byte) }) error {
	*n.err = n.BatchWriter.WriteBatch(b)
	return *n.err
}

// End writes what has been gathered, at the end of a run with an error, and returns
// that and its own.
func (w *Writer) End(err error) error {
	if w.err != nil {
		return err
	}
	return errors.Join(err, w.write(w.rows))
}

// Rows takes rows, one or more.
func (w *Writer) Rows(rows []byte) error {
	if len(rows) < writeSize/4 {
		w.rows = append(w.rows, rows...)
		return w.writeIfMany()
	}
	if err := w.write(w.rows); err != nil {
		return err
	}
	return w.write(rows)
}

func (w *Writer) writeIfMany() error {
	if len(w.rows) < writeSize {
		return nil
	}
	return w.write(w.rows)
}

// write writes rows, behind which nothing is gathered.
func (w *Writer) write(rows []byte) error {
	if len(rows) > 0 {
		_, w.err = w.to.Write(rows)
	}
	w.rows, w.dirty = w.rows[:0], true
	return w.err
}

// Flush writes what has been gathered, and has nothing held back behind it, if it is
// time for that.
func (w *Writer) Flush() error {
	if w.every == 0 || len(w.rows) == 0 && !w.dirty {
		return nil
	}
	now := w.now()
	if now.Sub(w.last) < w.every {
		return nil
	}
	w.last = now
	if err := w.write(w.rows); err != nil {
		return err
	}
	w.dirty = false
	if f, ok := w.to.(interface{ Flush() error }); ok {
		w.err = f.Flush()
	}
	return w.err
}
