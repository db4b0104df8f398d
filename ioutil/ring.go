package ioutil

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	chunkLen  = 1 << 20
	leanChunk = 64 << 10
	chunks    = 3  // one with the reader, one waiting, one being filled
	maxChunks = 64 // with those that are lent, see Capture.Cut
)

// A chunk is one buffer of a ring: n bytes of the stream behind the headroom.
type chunk struct {
	mem  []byte
	n    int
	uses atomic.Int32 // by the window, and by spans
}

func (c *chunk) data() []byte { return c.mem[headroom : headroom+c.n] }

// A ring reads a stream ahead of its consumer, in a goroutine of its own, into
// chunks that go round: filled ones to the consumer, empty ones back.
type ring struct {
	full     chan *chunk   // in the order of the stream; closed behind the last one
	empty    chan *chunk   // never blocks a sender: it has room for all chunks
	done     chan struct{} // closed by the consumer when it wants no more
	raised   chan struct{} // most was raised
	finished chan struct{} // closed by the goroutine as its last act

	interrupted chan struct{} // closed when nobody wants to wait any more
	once        sync.Once
	patience    time.Duration // how long next waits, 0 for as long as it takes

	most atomic.Int32 // chunks that there may be, at most maxChunks
	size atomic.Int32 // bytes of those that are made from now on
	made int32        // chunks there are; the goroutine's own
	err  error        // why the stream ended, io.EOF if it was whole; set before full is closed
	note string       // what stood behind the end of compressed data; the same
}

// newRing starts to read ahead. open makes the reader, within the goroutine
// since decompressors read when they are made; whole asks for full chunks, else
// a chunk is handed over after each Read that gave any bytes, as it should be
// for a pipe whose writer is slow. Chunks are of size bytes.
func newRing(open func() (io.Reader, func(), error), whole bool, size int32) *ring {
	r := &ring{
		full:     make(chan *chunk, chunks),
		empty:    make(chan *chunk, maxChunks),
		done:     make(chan struct{}),
		finished: make(chan struct{}),
		raised:   make(chan struct{}, 1),

		interrupted: make(chan struct{}),
	}
	r.most.Store(chunks)
	r.size.Store(size)
	go r.run(open, whole)
	return r
}

func (r *ring) run(open func() (io.Reader, func(), error), whole bool) {
	defer close(r.finished)
	defer close(r.full)
	// The decompressors are other people's code and their input is hostile.
	defer func() {
		if p := recover(); p != nil {
			r.err = fmt.Errorf("panic: %v", p)
		}
	}()
	src, free, err := open()
	if err != nil {
		r.err = err
		return
	}
	defer free()
	for {
		c := r.room()
		if c == nil {
			r.err = io.ErrClosedPipe
			return
		}
		n, err := r.read(src, c.mem[headroom:], whole)
		if n > 0 {
			c.n = n
			c.uses.Store(1)
			select {
			case r.full <- c:
			case <-r.done:
			}
		}
		if err != nil {
			if u, ok := src.(*unwrapped); ok {
				r.note = u.note()
			}
			r.err = err
			return
		}
	}
}

// room returns an empty chunk, nil if the consumer wants no more. Chunks are made
// as they are needed: a short stream takes but one.
func (r *ring) room() *chunk {
	var c *chunk
	for c == nil {
		select {
		case c = <-r.empty:
			continue
		default:
		}
		if r.made < r.most.Load() {
			r.made++
			c = &chunk{}
			continue
		}
		select {
		case c = <-r.empty:
		case <-r.raised: // there may be more
		case <-r.done:
			return nil
		}
	}
	if size := headroom + int(r.size.Load()); len(c.mem) != size {
		c.mem = make([]byte, size)
	}
	return c
}

// raise sets the most chunks there are, also for a goroutine that waits for one.
func (r *ring) raise(most int32) {
	r.most.Store(most)
	select {
	case r.raised <- struct{}{}:
	default:
	}
}

// read fills b from src, or gets at least one byte if it need not be whole.
func (r *ring) read(src io.Reader, b []byte, whole bool) (int, error) {
	n, idle := 0, 0
	for n < len(b) {
		select {
		case <-r.done:
			return n, io.ErrClosedPipe
		default:
		}
		got, err := src.Read(b[n:])
		n += got
		if err != nil {
			return n, err
		}
		if got > 0 && !whole {
			break
		}
		if idle++; got > 0 {
			idle = 0
		}
		if idle == 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, nil
}

// errSilent says that a stream gave nothing for as long as the ring's patience.
var errSilent = errors.New("silence")

// next waits for a chunk. Its error tells why there is none.
func (r *ring) next() (*chunk, error) {
	var silence <-chan time.Time
	if r.patience > 0 && len(r.full) == 0 {
		silence = time.After(r.patience)
	}
	select {
	case c, ok := <-r.full:
		if !ok {
			return nil, r.err
		}
		return c, nil
	case <-r.interrupted:
		return nil, ErrInterrupted
	case <-silence:
		return nil, errSilent
	}
}

// interrupt ends the waiting of the consumer.
func (r *ring) interrupt() { r.once.Do(func() { close(r.interrupted) }) }

// giveBack ends a use of a chunk. Behind the last one it may be filled again.
func (r *ring) giveBack(c *chunk) {
	if c != nil && c.uses.Add(-1) == 0 {
		r.empty <- c
	}
}

// midStream turns an end of file that a decompressor met before its stream was
// whole into the error that it is.
func midStream(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
