package main

import (
	"context"
	"io"
	"sync"
)

// An interruptible reader reads from what may be silent for long, such as a
// pipe, and gives up when its context ends or it is closed. Where the system
// can't end a Read or an opening, the goroutine for it stays behind until that
// returns, with the buffer of its last Read.
type interruptible struct {
	ctx  context.Context
	stop context.CancelFunc
	asks chan []byte
	gets chan got

	mu  sync.Mutex
	src io.Reader // nil before it is opened
}

type got struct {
	n   int
	err error
}

// newInterruptible returns a reader of what open returns. Opening may be slow
// as well: that of a named pipe waits for a writer.
func newInterruptible(ctx context.Context, open func() (io.Reader, error)) *interruptible {
	r := &interruptible{asks: make(chan []byte), gets: make(chan got, 1)}
	r.ctx, r.stop = context.WithCancel(ctx)
	go func() {
		var src io.Reader
		var err error
		for {
			select {
			case b := <-r.asks:
				n := 0
				if src == nil && err == nil {
					src, err = r.keep(open())
				}
				if err == nil {
					n, err = src.Read(b)
				}
				r.gets <- got{n, err}
			case <-r.ctx.Done():
				return
			}
		}
	}()
	return r
}

// keep takes in what was opened, and closes it if nobody wants it any more.
func (r *interruptible) keep(src io.Reader, err error) (io.Reader, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := r.ctx.Err(); err != nil {
		closeSource(src)
		return nil, err
	}
	r.src = src
	return src, nil
}

// Close ends the reading and closes what was opened, but for standard input.
func (r *interruptible) Close() error {
	r.stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	closeSource(r.src)
	r.src = nil
	return nil
}

func closeSource(src io.Reader) {
	if c, ok := src.(io.Closer); ok {
		c.Close()
	}
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
