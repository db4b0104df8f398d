package intake

import (
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
)

// SpanLength is how much of a mapped capture is a piece: enough that what a
// piece costs besides its packets does not count, little enough that its
// packets stay in the cache of the core that decodes them.
const SpanLength = 128 << 10

// manyReaders is from how many on pieces are twice as long: each of as many tables then
// has few packets of a piece, and fetches as much besides them.
const manyReaders = 8

// Options say which packets are taken in and what is read of them.
type Options struct {
	// Readers is the number of goroutines that decode pieces. One has decoded a piece
	// before it takes the next.
	Readers int
	// Flush is how long a flow that is due may wait while a stream is silent; 0
	// stands for any time.
	Flush time.Duration
	// Resolution cuts times down to whole multiples of it; 0 leaves them.
	Resolution time.Duration
	// Choice says which packets count.
	Choice Choice
	// Protocols and Tunnels are those of a [decode.Decoder].
	Protocols decode.Protocols
	Tunnels   decode.Tunnels
	// OverlapMemory is what captures that overlap may take while they are open, in bytes;
	// 0 stands for 1 GiB.
	OverlapMemory int
	// Flows say what makes packets flows.
	Flows flowtable.Options
	// Admitted, if it is not nil, is called with each batch when it is admitted.
	Admitted func(*flowtable.Batch)
}

// decoder returns a decoder for what is asked for, nil for the default.
func (o *Options) decoder() *decode.Decoder {
	if o.Protocols.Default() && o.Tunnels == 0 && o.Flows.Keys.Encapsulation == 0 {
		return nil
	}
	return &decode.Decoder{Protocols: o.Protocols, Tunnels: o.Tunnels, Encapsulation: o.Flows.Keys.Encapsulation, Portless: o.Flows.Keys.Portless}
}

// An Intake takes packets from captures, piece by piece, as far as their keys. What
// it does in order, to take a piece and to admit one, is for one goroutine at a time
// each; Interrupt and Progress are for any.
type Intake struct {
	// SpanLength is how much of a capture is a piece, in bytes, and Now the wall
	// clock; tests have others.
	SpanLength int
	Now        func() time.Time
	// OverlapFiles is how many descriptors captures that overlap may have; 0 stands for
	// as many as are free when they begin to, but 16.
	OverlapFiles int

	options Options
	gate    *flowtable.Gate
	chosen  *chooser // nil if all packets count
	cutter  cutter

	// What is read, by who admits.
	files     []joined      // captures still to be opened, in order
	overlap   cursors       // those that are merged
	spooling  *spooling     // of some of them; nil for none
	room      load          // what they may hold, when that is known
	order     int           // of the one being read among the arguments
	arguments []string      // files that are joined
	orders    []int         // of the captures of the packets of a piece, if they were merged
	stepsBack string        // the joined file in which time first steps back
	told      int64         // bytes of it that the progress has already
	capture   input         // the one being read
	name      string        // its name
	opened    map[input]int // the captures that are open, by their places in the report
	strange   linkTypes
	packets   Packets      // in place of captures, nil for none
	part      *ioutil.Part // the capture, if a part of it is read
	ahead     bool         // see Before
	heard     time.Time    // when the latest packets came, if they are flushed

	unread   unreads
	report   Report
	errs     []error
	progress progress
}

// New returns an intake that has nothing to read yet.
func New(o Options) (*Intake, error) {
	switch end := o.Flows.Rules.TCPEnd; {
	case o.Flush < 0:
		return nil, fmt.Errorf("flush after %v: must not be negative", o.Flush)
	case o.Resolution < 0:
		return nil, fmt.Errorf("resolution %v: must not be negative", o.Resolution)
	case end != 0 && !o.Protocols.Has(decode.TCP):
		return nil, fmt.Errorf("end of TCP flows by %v: TCP is not among the protocols that have flows", end)
	}
	gate, err := flowtable.NewGate(o.Flows)
	if err != nil {
		return nil, err
	}
	chosen, err := newChooser(o.Choice)
	if err != nil {
		return nil, err
	}
	length := SpanLength
	if o.Readers >= manyReaders {
		length *= 2
	}
	return &Intake{SpanLength: length, Now: time.Now, options: o, gate: gate, chosen: chosen, opened: map[input]int{}}, nil
}

// NewCache returns what holds the open flows of a share of the packets.
func (in *Intake) NewCache() flowtable.Cache { return in.gate.NewCache() }

// Latest returns the capture's clock: the latest time of a packet of a flow.
func (in *Intake) Latest() flowtable.Time { return in.gate.Latest() }

// Stop makes the next piece that is admitted the last one, and closes what is open.
func (in *Intake) Stop() {
	in.close()
	in.closeOverlap()
	in.files, in.packets = nil, nil
}

// take gives a piece what can be read of the capture on any goroutine.
func (in *Intake) take(p *Piece) {
	p.of, p.from, p.odd, p.end = nil, nil, 0, nil
	in.cutter.take(p, in.SpanLength)
}

// admit completes the piece that comes next: with its span, if that begins
// where the capture has come to, and with what must be read in order. It
// returns false at the end of the last capture.
func (in *Intake) admit(p *Piece) bool {
	if in.packets != nil {
		return in.admitPackets(p)
	}
	early := false // the piece was taken before the capture was cut
	in.orders = in.orders[:0]
	if in.overlaps() {
		p.reset()
		in.merge(p)
	} else if in.cutter.cut {
		if early = p.from != in.file(); early {
			p.reset()
		} else if p.end != nil {
			in.strange.merge(&p.strange)
			in.endOfCapture(p.end)
		}
	} else if p.of == nil || p.of != in.cutter.spans {
		p.reset()
		if in.next() && !in.cutter.cut { // else others cut it from here on
			in.read(p, p.many(), in.pieceEnd())
		}
	} else {
		file := in.file()
		if in.reachesNext(p) || !file.Join(&p.span) {
			p.reset()
		}
		for in.read(p, p.records[:spanRecords], p.span.End()) {
		}
		if in.capture != nil {
			in.cutter.pass(file.Passed())
		}
	}
	in.strange.merge(&p.strange)
	in.unread.merge(&p.unread)
	if in.options.Flush > 0 && !early && in.silent(p) {
		return true
	}
	in.gate.Admit(p.batch)
	if in.gate.StepsBack.Times > 0 && in.stepsBack == "" && len(in.arguments) > 0 {
		in.noteStepBack()
	}
	in.count(p)
	return p.batch.Len() > 0 || in.capture != nil || in.overlaps() || len(in.files) > 0
}

// file returns the capture that is read, nil if that is a source.
func (in *Intake) file() *ioutil.Capture {
	file, _ := in.capture.(*ioutil.Capture)
	return file
}

// pieceEnd returns where a piece that is read in order ends in the capture.
func (in *Intake) pieceEnd() int64 {
	if file := in.file(); file != nil {
		return file.Offset() + int64(in.SpanLength)
	}
	return math.MaxInt64
}

// silent follows the wall clock, and tells the tables if a piece of a stream has
// no packets.
func (in *Intake) silent(p *Piece) bool {
	now := in.Now()
	if p.batch.Len() > 0 || in.capture == nil {
		in.heard = now
		return false
	}
	in.gate.Silence(p.batch, flowtable.Time(in.heard.UnixNano()), flowtable.Time(now.UnixNano()))
	return true
}

// read reads packets in order into a piece, from before an offset in the
// capture. It returns false if there are no more.
func (in *Intake) read(p *Piece, records []ioutil.Record, end int64) bool {
	n, err := in.capture.ReadBefore(end, records)
	in.noteFront()
	if err != nil {
		in.strange.merge(&p.strange)
		in.endOfCapture(err)
	} else if n > 0 {
		before := in.untilNext(records[:n])
		p.decode(in.file(), records[:before])
		if before < n {
			in.strange.merge(&p.strange)
			in.beginOverlap(records[before:n])
			return false
		}
	}
	return n > 0
}

// endOfCapture takes leave of the capture for a reason: io.EOF if all is well.
func (in *Intake) endOfCapture(why error) {
	var cut *ioutil.TruncatedError
	report := &in.report
	for _, text := range in.capture.Warnings() {
		report.warn("%s", text)
	}
	switch {
	case why == io.EOF, errors.Is(why, ioutil.ErrInterrupted):
	case errors.As(why, &cut):
		report.warn("%v", why)
	default:
		in.fail(why)
	}
	in.reportStrange()
	in.close()
}
