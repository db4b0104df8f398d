package flowfast

import (
	"io"
	"time"
)

// writeSize is how much is gathered before it is written: enough that the
// calls to the system cost nothing per row.
const writeSize = 256 << 10

// An output gathers rows and writes them.
type output struct {
	to    io.Writer
	rows  []byte // gathered
	every time.Duration
	now   func() time.Time
	last  time.Time // of the last flush
	dirty bool      // something was written since
	err   error     // of the writer, which is not called again
}

// put takes rows, one or more.
func (o *output) put(rows []byte) error {
	if len(rows) < writeSize/4 {
		o.rows = append(o.rows, rows...)
		return o.writeIfMany()
	}
	if err := o.write(o.rows); err != nil {
		return err
	}
	return o.write(rows)
}

func (o *output) writeIfMany() error {
	if len(o.rows) < writeSize {
		return nil
	}
	return o.write(o.rows)
}

// write writes rows, behind which nothing is gathered.
func (o *output) write(rows []byte) error {
	if len(rows) > 0 {
		_, o.err = o.to.Write(rows)
	}
	o.rows, o.dirty = o.rows[:0], true
	return o.err
}

// flush writes what has been gathered, and has the writer withhold nothing, if it is
// time for that.
func (o *output) flush() error {
	if o.every == 0 || len(o.rows) == 0 && !o.dirty {
		return nil
	}
	now := o.now()
	if now.Sub(o.last) < o.every {
		return nil
	}
	o.last = now
	if err := o.write(o.rows); err != nil {
		return err
	}
	o.dirty = false
	if f, ok := o.to.(interface{ Flush() error }); ok {
		o.err = f.Flush()
	}
	return o.err
}
