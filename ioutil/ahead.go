package ioutil

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"sync/atomic"
)

// Data that is compressed in many parts, each on its own, is decompressed by several
// goroutines where the parts can be told apart without that: the members that bgzip
// writes, which say how long they are, and the frames of zstd, whose blocks do. The
// parts are taken in order, several in a job, and given out in order. What is odd is
// left to the reader that knows no jobs: it gets the bytes of the part again that did
// not come out as it should, and all behind it, so that errors are where they were.

const (
	jobSize = 1 << 20   // bytes that a job decompresses to, at least; its last part may be longer
	maxPart = 32 << 20  // bytes of a part and of what it decompresses to, at most
	maxJobs = 128 << 20 // the same of all jobs
)

// A splitter tells the parts of compressed data apart.
type splitter interface {
	// split appends the next part to raw, and returns it with the most that the part
	// decompresses to. If there is none, or it is odd, that is negative, and what
	// was read of it nevertheless is appended.
	split(raw []byte, r *bufio.Reader) ([]byte, int, error)
	// unpack appends what parts decompress to, for which out has room, and returns
	// how many bytes of them it understood.
	unpack(out, raw []byte) ([]byte, int)
}

// An ahead decompresses what a splitter tells apart.
type ahead struct {
	r       *bufio.Reader
	split   splitter
	helpers *atomic.Int32
	jobs    []*job // under way, in order
	idle    []*job
	size    int    // bytes of the jobs under way and idle
	rest    []byte // what was read behind them
	err     error  // why there are no more
	ended   bool   // there are none
	failed  bool   // a part was not understood
}

// A job is some parts.
type job struct {
	raw, out []byte
	given    int // bytes of out
	size     int
	used     int // bytes of raw that were understood
	done     chan struct{}
}

// Read gives the bytes that come next, 0 behind the last: then rest goes on.
func (a *ahead) Read(b []byte) int {
	for {
		for !a.ended && len(a.jobs) <= int(a.helpers.Load()) && (len(a.jobs) == 0 || a.size < maxJobs-maxPart) {
			a.begin()
		}
		if len(a.jobs) == 0 {
			return 0
		}
		j := a.jobs[0]
		<-j.done
		if n := copy(b, j.out[j.given:]); n > 0 {
			j.given += n
			return n
		}
		if j.used < len(j.raw) {
			a.giveUp()
			return 0
		}
		a.jobs = a.jobs[:copy(a.jobs, a.jobs[1:])]
		if a.size += cap(j.raw) + cap(j.out) - j.size; a.size > maxJobs-maxPart {
			a.size -= cap(j.raw) + cap(j.out)
			continue // it is not kept: there are many large ones
		}
		j.size = cap(j.raw) + cap(j.out)
		a.idle = append(a.idle, j)
	}
}

// begin begins a job.
func (a *ahead) begin() {
	j := &job{}
	if n := len(a.idle); n > 0 {
		j, a.idle = a.idle[n-1], a.idle[:n-1]
		a.size -= j.size
	}
	raw, room := j.raw[:0], 0
	for len(raw) < jobSize && room < jobSize {
		n, more := len(raw), 0
		if raw, more, a.err = a.split.split(raw, a.r); more < 0 {
			a.rest, a.ended = bytes.Clone(raw[n:]), true
			raw = raw[:n]
			break
		}
		room += more
	}
	if j.raw = raw; len(raw) == 0 {
		return
	}
	if cap(j.out) < room {
		j.out = make([]byte, 0, room)
	}
	j.out, j.given, j.used, j.size = j.out[:0:room], 0, 0, len(raw)+room
	j.done = make(chan struct{})
	a.size += j.size
	a.jobs = append(a.jobs, j)
	go func() {
		defer close(j.done)
		// The reader without jobs meets what makes a decompressor panic again.
		defer func() {
			if recover() != nil {
				j.out, j.used = j.out[:0], 0
			}
		}()
		j.out, j.used = a.split.unpack(j.out, j.raw)
	}()
}

// giveUp makes what was not understood, and all behind it, the rest.
func (a *ahead) giveUp() {
	rest := bytes.Clone(a.jobs[0].raw[a.jobs[0].used:])
	for _, j := range a.jobs[1:] {
		<-j.done
		rest = append(rest, j.raw...)
	}
	a.rest, a.jobs, a.ended, a.failed = append(rest, a.rest...), nil, true, true
}

// wait waits for the jobs that are under way.
func (a *ahead) wait() {
	for _, j := range a.jobs {
		<-j.done
	}
}

// behind returns a reader of what is left when Read gives no more.
func (a *ahead) behind() *bufio.Reader {
	if len(a.rest) == 0 && (a.err == nil || a.err == io.EOF) {
		return a.r
	}
	all := []io.Reader{bytes.NewReader(a.rest)}
	if a.err == nil || a.err == io.EOF {
		all = append(all, a.r)
	} else {
		all = append(all, io.LimitReader(a.r, int64(a.r.Buffered())), failing{a.err})
	}
	return bufio.NewReaderSize(io.MultiReader(all...), a.r.Size())
}

// A failing reader has an error.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// more appends the next n bytes of r to b, or what there is of them.
func more(b []byte, r *bufio.Reader, n int) ([]byte, error) {
	at := len(b)
	b = slices.Grow(b, n)
	got, err := io.ReadFull(r, b[at:at+n])
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return b[:at+got], err
}
