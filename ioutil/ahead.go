package ioutil

import (
	"bufio"
	"bytes"
	"cmp"
	"io"
	"slices"
	"sync/atomic"
)

// Data that is compressed in many parts, each on its own, is decompressed by several
// goroutines where the parts can be told apart without that: the members that bgzip
// writes, which say how long they are, and the frames of zstd, whose blocks do; or where
// they can be guessed: other members of gzip, and pieces of one. The
// parts are taken in order, several in a job, and given out in order. What is odd is
// left to the reader that knows no jobs: it gets the bytes of the part again that did
// not come out as it should, and all behind it, so that errors are where they were.

const (
	jobSize   = 1 << 20   // bytes that a job decompresses to, at least; its last part may be longer
	guessSize = 256 << 10 // the same of a job whose parts are guessed
	maxPart   = 32 << 20  // bytes of a part and of what it decompresses to, at most
	maxJobs   = 128 << 20 // the same of all jobs
)

// A splitter tells the parts of compressed data apart.
type splitter interface {
	// split appends the next part to raw, and returns it with the most that the part
	// decompresses to. If there is none, or it is odd, that is negative, and what
	// was read of it nevertheless is appended.
	split(raw []byte, r *bufio.Reader) ([]byte, int, error)
	// unpack appends what parts decompress to, for which out has room, and returns
	// how many bytes of them it understood. That is negative, and out as it was, if
	// the room was a guess and did not do.
	unpack(out, raw []byte) ([]byte, int)
}

// An ahead decompresses what a splitter tells apart.
type ahead struct {
	r       *bufio.Reader
	second  *reread // that r reads from, nil if it reads from something else
	split   splitter
	guessed bool  // parts are: there are no more jobs than twice as many as were right
	right   int   // jobs
	taken   int64 // bytes of their parts
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
	mem      []byte // of out
	given    int    // bytes of out
	size     int
	used     int // bytes of raw that were understood
	done     chan struct{}
}

// Read gives the bytes that come next, 0 behind the last: then rest goes on.
func (a *ahead) Read(b []byte) int {
	for {
		for !a.ended && len(a.jobs) <= a.most() && (len(a.jobs) == 0 || a.size < maxJobs-maxPart) {
			a.begin()
		}
		if len(a.jobs) == 0 {
			return 0
		}
		j := a.jobs[0]
		<-j.done
		for j.used < 0 {
			a.enlarge(j)
		}
		if n := copy(b, j.out[j.given:]); n > 0 {
			j.given += n
			return n
		}
		if j.used < len(j.raw) {
			a.giveUp()
			return 0
		}
		a.right++
		a.taken += int64(j.used)
		a.jobs = a.jobs[:copy(a.jobs, a.jobs[1:])]
		if a.size += cap(j.raw) + cap(j.mem) - j.size; a.size > maxJobs-maxPart {
			a.size -= cap(j.raw) + cap(j.mem)
			continue // it is not kept: there are many large ones
		}
		j.size = cap(j.raw) + cap(j.mem)
		a.idle = append(a.idle, j)
	}
}

// most returns how many jobs may be under way behind the one that is given out.
func (a *ahead) most() int {
	if most := int(a.helpers.Load()); !a.guessed || most < 2*a.right {
		return most
	}
	return 2 * a.right
}

// begin begins a job.
func (a *ahead) begin() {
	j := &job{}
	if n := len(a.idle); n > 0 {
		j, a.idle = a.idle[n-1], a.idle[:n-1]
		a.size -= j.size
	}
	raw, room, size := j.raw[:0], 0, jobSize
	if a.guessed {
		size = guessSize
	}
	if a.guessed && a.right == 0 || a.helpers.Load() == 0 {
		size = 1 // one part
	}
	for len(raw) < size && room < size {
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
	if cap(j.mem) < room {
		j.mem = make([]byte, room)
	}
	j.out, j.given, j.used, j.size = j.mem[:0:room], 0, 0, len(raw)+cap(j.mem)
	j.done = make(chan struct{})
	a.size += j.size
	a.jobs = append(a.jobs, j)
	go func() {
		defer close(j.done)
		j.unpack(a.split)
	}()
}

func (j *job) unpack(s splitter) {
	// The reader without jobs meets what makes a decompressor panic again.
	defer func() {
		if recover() != nil {
			j.out, j.used = j.out[:0], 0
		}
	}()
	j.out, j.used = s.unpack(j.out, j.raw)
}

// enlarge gives a job twice the room, if that is not too much.
func (a *ahead) enlarge(j *job) {
	had := cap(j.mem)
	if cap(j.out) >= maxPart {
		j.used = 0
		return
	}
	if room := min(max(2*cap(j.out), jobSize), maxPart); room > had {
		j.mem = make([]byte, room)
	}
	j.out = j.mem[:0]
	a.size += cap(j.mem) - had
	j.size += cap(j.mem) - had
	j.unpack(a.split)
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
	a.r, a.second = goBack(a.r, a.second, a.rest, a.err)
	return a.r
}

// goBack returns a reader of rest, and then of what r, which had an error, has in its buffer
// and reads next. If r reads from second it is r.
func goBack(r *bufio.Reader, second *reread, rest []byte, err error) (*bufio.Reader, *reread) {
	if err == io.EOF {
		err = nil // it comes again
	}
	if len(rest) == 0 && err == nil {
		return r, second
	}
	rest, _ = more(rest, r, r.Buffered()) // which are there
	if second == nil {
		second = &reread{r: r}
		r = bufio.NewReaderSize(second, r.Size())
	} else {
		r.Reset(second)
	}
	second.rest, second.err = append(rest, second.rest...), cmp.Or(second.err, err)
	return r, second
}

// A reread gives what was read from r once more, and then goes on with r.
type reread struct {
	rest []byte
	r    io.Reader
	err  error // that r had
}

func (a *reread) Read(b []byte) (int, error) {
	if n := copy(b, a.rest); n > 0 {
		if a.rest = a.rest[n:]; len(a.rest) == 0 {
			a.rest = nil
		}
		return n, nil
	}
	if a.err != nil {
		return 0, a.err
	}
	return a.r.Read(b)
}

// upTo appends bytes of r to b up to where find finds something, which is n bytes
// long, or some more than so many.
func upTo(b []byte, r *bufio.Reader, most, n int, find func([]byte) int) ([]byte, error) {
	const step = 32 << 10
	for from := len(b); len(b)-from <= most; {
		next, err := r.Peek(n)
		if err != nil {
			b, _ = more(b, r, len(next))
			return b, err
		}
		next, _ = r.Peek(min(max(n, r.Buffered()), step))
		at := find(next)
		if at >= 0 {
			return more(b, r, at)
		}
		if b, err = more(b, r, len(next)-n+1); err != nil {
			return b, err
		}
	}
	return b, nil
}

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
