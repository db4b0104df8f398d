package flowfast

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/internal/cryptopan"
	"github.com/flowfast/flowfast/ioutil"
)

// spanLength is how much of a mapped capture is a piece: enough that what a
// piece costs besides its packets does not count, little enough that its
// packets stay in the cache of the core that decodes them.
const spanLength = 128 << 10

// An intake takes packets from the captures, piece by piece, as far as their
// keys. A piece goes through take, decode and admit: take and admit are for one
// goroutine at a time, admit in the order in which the pieces were taken.
type intake struct {
	options    Options
	key        *cryptopan.Key // of addresses; nil leaves them as they are
	chosen     *chooser       // nil if all packets count
	spanLength int
	files      []joined // captures still to be opened, in order
	overlap    cursors  // those that are merged
	order      int      // of the one being read among the arguments
	told       int64    // bytes of it that the progress has already
	capture    input    // the one being read
	name       string   // its name
	keys       *flowtable.Intake
	now        func() time.Time // the wall clock
	heard      time.Time        // when the latest packets came, if they are flushed

	taking  sync.Mutex     // guards spans, stream and passed, which take and admit share
	passed  []byte         // of the capture, to be released
	spans   *ioutil.Spans  // of the capture; nil if it can't be read in spans
	stream  input          // the capture, if take cuts it and has not come to its end
	reading sync.WaitGroup // spans that are being decoded
	cut     bool           // the capture is one that take cuts

	strange  linkTypes
	unread   unreads
	tunnels  tunnelPackets
	summary  Summary
	classes  [decode.NumClasses]uint64
	errs     []error
	progress progress
}

// take gives a piece the next span of the capture, if that is read in spans. It
// may wait for a stream.
func (in *intake) take(p *piece) {
	p.reset()
	in.taking.Lock()
	defer in.taking.Unlock()
	switch {
	case in.stream != nil:
		p.from = in.stream
		if p.odd, p.end = in.stream.Cut(&p.span, p.records[:], in.spanLength); p.end != nil {
			in.stream = nil
		}
		in.reading.Add(1)
	case in.spans != nil && in.spans.Next(&p.span, in.spanLength):
		p.of = in.spans
		in.reading.Add(1)
		p.passed, in.passed = in.passed, nil
	}
}

// decode reads the packets of a piece's span. It may run for several pieces at
// once.
func (in *intake) decode(p *piece) {
	switch {
	case p.from != nil:
		for i := range p.records[:p.odd] {
			p.add(&p.records[i])
		}
		p.decodeSpan()
		p.span.Release()
		in.reading.Done()
	case p.of != nil:
		ioutil.Release(p.passed)
		p.decodeSpan()
		in.reading.Done()
	}
}

// admit completes the piece that comes next: with its span, if that begins
// where the capture has come to, and with what must be read in order. It
// returns false at the end of the last capture.
func (in *intake) admit(p *piece) bool {
	early := false // the piece was taken before the capture was cut
	if len(in.overlap) > 0 {
		p.reset()
		in.merge(p)
	} else if in.cut {
		if early = p.from != in.capture; early {
			p.reset()
		} else if p.end != nil {
			in.strange.merge(&p.strange)
			in.endOfCapture(p.end)
		}
	} else if p.of == nil || p.of != in.spans {
		p.reset()
		if in.next() {
			in.read(p, p.records[:], in.capture.Offset()+int64(in.spanLength))
		}
	} else {
		if in.reachesNext(p) || !in.capture.Join(&p.span) {
			p.reset()
		}
		for in.read(p, p.records[:spanRecords], p.span.End()) {
		}
		if in.capture != nil {
			in.pass(in.capture.Passed())
		}
	}
	in.strange.merge(&p.strange)
	in.unread.merge(&p.unread)
	if in.options.Flush > 0 && !early && in.silent(p) {
		return true
	}
	in.keys.Admit(p.Batch)
	for class, n := range p.Classes {
		in.classes[class] += n
		in.progress.classes[class].Store(in.classes[class])
	}
	in.summary.Packets += uint64(p.Len())
	in.progress.packets.Store(int64(in.summary.Packets))
	return p.Len() > 0 || in.capture != nil || len(in.overlap) > 0 || len(in.files) > 0
}

// silent follows the wall clock, and tells the tables if a piece of a stream has
// no packets.
func (in *intake) silent(p *piece) bool {
	now := in.now()
	if p.Len() > 0 || in.capture == nil {
		in.heard = now
		return false
	}
	in.keys.Silence(p.Batch, flowtable.Time(in.heard.UnixNano()), flowtable.Time(now.UnixNano()))
	return true
}

// read reads packets in order into a piece, from before an offset in the
// capture. It returns false if there are no more.
func (in *intake) read(p *piece, records []ioutil.Record, end int64) bool {
	n, err := in.capture.ReadBefore(end, records)
	if err != nil {
		in.strange.merge(&p.strange)
		in.endOfCapture(err)
	} else if n > 0 {
		before := in.untilNext(records[:n])
		p.decode(in.capture, records[:before])
		if before < n {
			in.strange.merge(&p.strange)
			in.beginOverlap(records[before:n])
			return false
		}
	}
	return n > 0
}

// begin makes a capture the one that is read.
func (in *intake) begin(c input, name string) error {
	err := in.start(c, name)
	if err == nil {
		in.progress.capture.Store(&c)
		in.offer()
	}
	return err
}

// start makes a capture the one that is looked at, if it can be read.
func (in *intake) start(c input, name string) error {
	if err := unknown(c.LinkTypes()); err != nil {
		c.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	if err, all := in.chosen.refused(c.LinkTypes()); all {
		c.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	in.capture, in.name = c, name
	c.SetPatience(in.options.Flush / 2)
	in.summary.Captures = append(in.summary.Captures, Capture{Name: name, Format: c.Format()})
	return nil
}

// next sees that there is a capture to read, and returns false at the end of
// the last.
func (in *intake) next() bool {
	for in.capture == nil && len(in.files) > 0 {
		f := in.files[0]
		in.files = in.files[1:]
		c, err := ioutil.Open(f.file)
		if err == nil {
			in.order = f.order
			err = in.begin(c, f.file)
		}
		in.fail(err)
	}
	return in.capture != nil
}

// endOfCapture takes leave of the capture for a reason: io.EOF if all is well.
func (in *intake) endOfCapture(why error) {
	for _, text := range in.capture.Warnings() {
		in.warn("%s", text)
	}
	var cut *ioutil.TruncatedError
	switch {
	case why == io.EOF, errors.Is(why, ioutil.ErrInterrupted):
	case errors.As(why, &cut):
		in.warn("%v", why)
	default:
		in.fail(why)
	}
	if err := unknown(in.capture.LinkTypes()); err != nil {
		in.fail(fmt.Errorf("%s: %w", in.name, err))
	} else {
		for _, s := range in.strange.seen {
			in.warn("%s: %d packets of the unknown link type %s left out", in.name, s.packets, linkTypeText(s.number))
		}
	}
	in.strange = linkTypes{}
	if err, _ := in.chosen.refused(in.capture.LinkTypes()); err != nil {
		in.fail(fmt.Errorf("%s: packets left out: %w", in.name, err))
	}
	in.close()
}

// offer lets take find the spans of the capture. A stream behind which another
// capture is to be joined is read in order: they may overlap.
func (in *intake) offer() {
	in.taking.Lock()
	defer in.taking.Unlock()
	in.passed = nil
	if in.spans = in.capture.Spans(); in.spans == nil && in.options.Workers > 1 && len(in.files) == 0 && in.capture.Lend(in.options.Workers) {
		in.stream, in.cut = in.capture, true
	}
}

// withhold has take find no more of the capture.
func (in *intake) withhold() {
	in.taking.Lock()
	defer in.taking.Unlock()
	in.spans, in.stream, in.cut, in.passed = nil, nil, false, nil
}

// pass has what was read released with the next span, which is soon enough.
func (in *intake) pass(b []byte) {
	if b != nil {
		in.taking.Lock()
		if in.passed != nil {
			b = in.passed[:len(in.passed)+len(b)] // which stand one behind the other
		}
		in.passed = b
		in.taking.Unlock()
	}
}

// close closes the capture, if one is open, when nobody reads its bytes.
func (in *intake) close() {
	if in.capture == nil {
		return
	}
	in.withhold()
	in.reading.Wait()
	read, _ := in.capture.Progress()
	in.progress.capture.Store(nil)
	in.progress.earlier.Add(read - in.told)
	in.told = 0
	in.fail(in.capture.Close())
	in.capture = nil
}

// stop makes admit find nothing more.
func (in *intake) stop() {
	in.close()
	in.closeOverlap()
	in.files = nil
}

func (in *intake) fail(err error) {
	if err != nil {
		in.errs = append(in.errs, err)
	}
}

func (in *intake) warn(format string, args ...any) {
	in.summary.Warnings = append(in.summary.Warnings, fmt.Sprintf(format, args...))
}
