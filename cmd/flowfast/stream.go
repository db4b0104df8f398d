package main

import (
	"context"
	"io"
)

// An interruptible reader reads from what may be silent for long, such as a
// pipe, and gives up when its context ends. The goroutine that reads then stays
// behind, with the buffer of its last Read.
type interruptible struct {
	ctx  context.Context
	asks chan []byte
	gets chan got
}

type got struct {
	n   int
	err error
}

// newInterruptible returns a reader of what open returns. Opening may be slow
// as well: that of a named pipe waits for a writer.
func newInterruptible(ctx context.Context, open func() (io.Reader, error)) *interruptible {
	r := &interruptible{ctx, make(chan []byte), make(chan got, 1)}
	go func() {
		var src io.Reader
		var err error
		for {
			select {
			case b := <-r.asks:
				n := 0
				if src == nil && err == nil {
					src, err = open()
				}
				if err == nil {
					n, err = src.Read(b)
				}
				r.gets <- got{n, err}
			case <-ctx.Done():
				return
			}
		}
	}()
	return r
}

func (r *interruptible) Read(b []byte) (int, error) {
	select {
	case r.asks <- b:
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
	select {
	case g := <-r.gets:
		return g.n, g.err
	case <-r.ctx.Done():
		return 0, r.ctx.Err()
	}
}
