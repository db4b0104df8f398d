package flowfast

import (
	"io"
	"time"
)

// writeSize is how much is gathered before it is written: enough that the
// calls to the system cost nothing per row.
const writeSize = 256 << 10

// An output writes buffers of rows: at once, or in a goroutine of its own while
// the next buffer is filled. To write the rows of a flood takes the system as
// long as it takes to merge them.
type output struct {
	to    io.Writer
	full  chan buffered // to be written; nil if there is no goroutine
	empty chan []byte   // to be filled
	end   chan struct{} // closed by the goroutine as its last act
	bad   chan struct{} // closed by it when there is an error
	err   error
}

// A buffered is a buffer of rows, and whether nobody is to withhold it.
type buffered struct {
	rows  []byte
	flush bool
}

func newOutput(to io.Writer, apart bool) *output {
	o := &output{to: to}
	if apart {
		const buffers = 3
		o.full, o.empty = make(chan buffered, buffers), make(chan []byte, buffers)
		o.end, o.bad = make(chan struct{}), make(chan struct{})
		for range buffers - 1 {
			o.empty <- o.first()
		}
		go o.run()
	}
	return o
}

// first returns a buffer, for the first rows.
func (o *output) first() []byte { return make([]byte, 0, writeSize+64<<10) }

func (o *output) run() {
	defer close(o.end)
	for b := range o.full {
		if o.err == nil {
			if o.err = o.put(b); o.err != nil {
				close(o.bad)
			}
		}
		o.empty <- b.rows[:0]
	}
}

// put writes a buffer.
func (o *output) put(b buffered) error {
	if _, err := o.to.Write(b.rows); err != nil || !b.flush {
		return err
	}
	if f, ok := o.to.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

// write takes a buffer and returns another one to be filled, and the error of
// this buffer or of one before it.
func (o *output) write(b []byte, flush bool) ([]byte, error) {
	if o.full == nil {
		return b[:0], o.put(buffered{b, flush})
	}
	select {
	case <-o.bad:
		return b[:0], o.err
	default:
	}
	o.full <- buffered{b, flush}
	return <-o.empty, nil
}

// close waits until all is written, and returns the error if that failed.
func (o *output) close() error {
	if o.full == nil {
		return nil
	}
	close(o.full)
	<-o.end
	return o.err
}

// A flushing tells when rows have waited long enough.
type flushing struct {
	every     time.Duration // 0 for never
	now       func() time.Time
	last      time.Time
	unflushed bool // a part was written without being flushed
}

// isDue tells if it is time for another flush, and takes it for done then.
func (f *flushing) isDue() bool {
	if f.every == 0 {
		return false
	}
	now := f.now()
	if now.Sub(f.last) < f.every {
		return false
	}
	f.last, f.unflushed = now, false
	return true
}
