package flowfast

import "io"

// writeSize is how much is gathered before it is written: enough that the
// calls to the system cost nothing per row.
const writeSize = 256 << 10

// An output writes buffers of rows: at once, or in a goroutine of its own while
// the next buffer is filled. To write the rows of a flood takes the system as
// long as it takes to merge them.
type output struct {
	to    io.Writer
	full  chan []byte   // to be written; nil if there is no goroutine
	empty chan []byte   // to be filled
	end   chan struct{} // closed by the goroutine as its last act
	bad   chan struct{} // closed by it when there is an error
	err   error
}

func newOutput(to io.Writer, apart bool) *output {
	o := &output{to: to}
	if apart {
		const buffers = 3
		o.full, o.empty = make(chan []byte, buffers), make(chan []byte, buffers)
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
			if _, o.err = o.to.Write(b); o.err != nil {
				close(o.bad)
			}
		}
		o.empty <- b[:0]
	}
}

// write takes a buffer and returns another one to be filled, and the error of
// this buffer or of one before it.
func (o *output) write(b []byte) ([]byte, error) {
	if o.full == nil {
		_, err := o.to.Write(b)
		return b[:0], err
	}
	select {
	case <-o.bad:
		return b[:0], o.err
	default:
	}
	o.full <- b
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
