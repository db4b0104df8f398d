package flowfast

import (
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync/atomic"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
)

// blockSize is the most packets that go from room to room at once.
const blockSize = 1024

// A block is packets on their way to the tables.
type block struct {
	packets [blockSize]flowtable.Packet
	// shares are the numbers of the packets that go to each table.
	shares [][]uint16
	// horizon is the one after the block; flows that finished before it leave.
	horizon flowtable.Time
	// due is how many of them leave at most.
	due int
	// end is set with the last block, which has no packets; clock is the
	// capture's then.
	end   bool
	clock flowtable.Time

	users atomic.Int32 // tables that have not done with it
}

// An intake takes packets from the captures as far as their keys.
type intake struct {
	options Options
	files   []string        // captures still to be opened, in order
	capture *ioutil.Capture // the one being read
	name    string          // its name
	clock   flowtable.Clock
	keys    *flowtable.Intake

	records   [blockSize]ioutil.Record
	from, to  int  // records that are still to be taken
	unchecked int  // packets since the last look for idle flows
	drained   bool // all that was due before the last block's horizon has left
	strange   linkTypes

	summary  Summary
	classes  [decode.NumClasses]uint64
	errs     []error
	progress progress
}

// fill takes the next packets into b. It returns false at the end of the last
// capture.
func (in *intake) fill(b *block) bool {
	if in.from == in.to && !in.read() {
		b.end, b.horizon, b.clock = true, in.clock.Horizon, in.keys.Clock()
		return false
	}
	for i := range b.shares {
		b.shares[i] = b.shares[i][:0]
	}
	n := in.decode(b)
	in.keys.Add(b.packets[:n], b.shares)
	for i := range b.packets[:n] {
		in.classes[b.packets[i].Class]++
	}
	in.summary.Packets += uint64(n)
	in.progress.packets.Store(int64(in.summary.Packets))
	in.look(b, n)
	return true
}

// decode reads the headers of the records that are there into b, up to one that
// makes the clock step back, and returns how many.
func (in *intake) decode(b *block) (n int) {
	// A mapped file that another program cuts faults where its bytes are read.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			if in.capture.Fault(p, in.records[in.from].Offset) == nil {
				panic(p)
			}
			in.to = in.from // the next Read gives the error
		}
	}()
	for in.from < in.to {
		rec, p := &in.records[in.from], &b.packets[n]
		p.Decode(rec.LinkType, rec.Data, rec.OrigLen)
		p.Time = flowtable.Time(rec.Time)
		if !in.clock.Tick(p.Time) {
			if n > 0 || !in.drained {
				break // all that is due leaves before the clock steps back
			}
			in.clock.StepBack(p.Time)
			continue
		}
		if p.Class == decode.NotIP {
			in.strange.see(rec.LinkType)
		}
		p.Position = in.summary.Packets + uint64(n)
		p.Len = rec.OrigLen
		p.Fine = rec.Fine
		n++
		in.from++
	}
	return n
}

// look says how many idle flows leave after a block of n packets.
func (in *intake) look(b *block, n int) {
	b.horizon, b.due, in.drained = in.clock.Horizon, all, true
	if in.from < in.to {
		return // the clock is about to step back
	}
	in.unchecked += n
	looks := in.unchecked / in.options.CheckEvery
	in.unchecked %= in.options.CheckEvery
	if looks == 0 {
		b.due, in.drained = 0, false
	} else if in.options.CheckMost > 0 {
		b.due, in.drained = looks*in.options.CheckMost, false
	}
}

// read gets more records, from the next capture if need be.
func (in *intake) read() bool {
	for in.next() {
		n, err := in.capture.Read(in.records[:])
		in.from, in.to = 0, n
		if n > 0 {
			return true
		}
		in.endOfCapture(err)
	}
	return false
}

// begin makes a capture the one that is read.
func (in *intake) begin(c *ioutil.Capture, name string) error {
	if err := unknown(c.LinkTypes()); err != nil {
		c.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	in.capture, in.name = c, name
	in.progress.capture.Store(c)
	in.summary.Captures = append(in.summary.Captures, Capture{Name: name, Format: c.Format()})
	return nil
}

// next sees that there is a capture to read, and returns false at the end of
// the last.
func (in *intake) next() bool {
	for in.capture == nil && len(in.files) > 0 {
		name := in.files[0]
		in.files = in.files[1:]
		c, err := ioutil.Open(name)
		if err == nil {
			err = in.begin(c, name)
		}
		in.fail(err)
	}
	return in.capture != nil
}

// endOfCapture takes leave of the capture for a reason: io.EOF if all is well.
func (in *intake) endOfCapture(why error) {
	var cut *ioutil.TruncatedError
	switch {
	case why == io.EOF:
	case errors.As(why, &cut):
		in.warn("%v", why)
	default:
		in.fail(why)
	}
	if err := unknown(in.capture.LinkTypes()); err != nil {
		in.fail(fmt.Errorf("%s: %w", in.name, err))
	} else {
		for _, s := range in.strange.seen {
			in.warn("%s: %d packets of the unknown link type %d left out", in.name, s.packets, s.number)
		}
	}
	in.strange = linkTypes{}
	in.close()
}

// close closes the capture, if one is open.
func (in *intake) close() {
	if in.capture == nil {
		return
	}
	read, _ := in.capture.Progress()
	in.progress.capture.Store(nil)
	in.progress.earlier.Add(read)
	in.fail(in.capture.Close())
	in.capture = nil
}

// stop makes read find nothing more.
func (in *intake) stop() {
	in.close()
	in.files, in.from, in.to = nil, 0, 0
}

func (in *intake) fail(err error) {
	if err != nil {
		in.errs = append(in.errs, err)
	}
}

func (in *intake) warn(format string, args ...any) {
	in.summary.Warnings = append(in.summary.Warnings, fmt.Sprintf(format, args...))
}
