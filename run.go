package flowfast

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
)

// batch is the number of packets that go from room to room at once.
const batch = 256

// A Run turns captures into flows. It belongs to one goroutine at a time; only
// Progress may be called from others.
type Run struct {
	options Options
	files   []string        // captures still to be opened, in order
	capture *ioutil.Capture // the one being read
	name    string          // its name
	table   *flowtable.Table
	clock   flowtable.Clock
	flow    Flow

	unchecked int // packets since the last look for idle flows
	strange   linkTypes
	summary   Summary
	errs      []error
	started   time.Time

	progress progress

	records [batch]ioutil.Record
	packets [batch]flowtable.Packet
}

func newRun(o Options) (*Run, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	table, err := flowtable.New(flowtable.Options{IdleTimeout: o.IdleTimeout})
	if err != nil {
		return nil, err
	}
	return &Run{options: o, table: table, started: time.Now()}, nil
}

// A Sink takes finished flows. The flow is lent for the call.
type Sink interface {
	Write(*Flow) error
	// Flush is called after the last flow.
	Flush() error
}

// Flows runs to the end and yields the flows. Each is lent until the next one
// is asked for. An error comes last, with a nil flow, after the flows of all
// that could be read: the capture's, or the context's if it was cancelled.
// Captures that merely end in the middle of a record are no error but a
// warning in the summary.
func (r *Run) Flows(ctx context.Context) iter.Seq2[*Flow, error] {
	return func(yield func(*Flow, error) bool) {
		if !r.run(ctx, yield) {
			return
		}
		if err := errors.Join(r.errs...); err != nil {
			yield(nil, err)
		}
	}
}

// Write runs to the end and writes the flows to a sink. An error of the sink
// ends the run.
func (r *Run) Write(ctx context.Context, to Sink) error {
	var failed error
	for flow, err := range r.Flows(ctx) {
		if err == nil {
			err = to.Write(flow)
		}
		if err != nil {
			failed = err
			break
		}
	}
	return errors.Join(failed, to.Flush())
}

// run is the walk: it takes every packet from the captures through the table
// and yields the flows. It returns false if yield did.
func (r *Run) run(ctx context.Context, yield func(*Flow, error) bool) bool {
	defer r.finish()
	for r.next() {
		for {
			n, err := r.capture.Read(r.records[:])
			if err != nil {
				r.endOfCapture(err)
				break
			}
			if !r.walk(r.records[:n], yield) {
				return false
			}
			if err := ctx.Err(); err != nil {
				r.errs = append(r.errs, err)
				r.files = nil
				break
			}
		}
	}
	r.table.End()
	return r.drain(math.MaxInt, yield)
}

// walk takes a batch of records through the rooms.
func (r *Run) walk(records []ioutil.Record, yield func(*Flow, error) bool) bool {
	added := 0
	for i := range records {
		rec, p := &records[i], &r.packets[i]
		p.Decode(rec.LinkType, rec.Data, rec.OrigLen)
		p.Time = flowtable.Time(rec.Time)
		p.Position = r.summary.Packets + uint64(i)
		p.Len = rec.OrigLen
		p.Fine = rec.Fine
		if r.clock.Tick(p.Time) {
			continue
		}
		r.table.Add(r.packets[added:i])
		added = i
		if !r.drain(math.MaxInt, yield) {
			return false
		}
		r.clock.StepBack(p.Time)
		r.clock.Tick(p.Time)
	}
	n := len(records)
	r.table.Add(r.packets[added:n])
	for i := range records {
		r.summary.classes[r.packets[i].Class]++
		if r.packets[i].Class == decode.NotIP {
			r.strange.see(records[i].LinkType)
		}
	}
	r.summary.Packets += uint64(n)
	r.progress.packets.Store(int64(r.summary.Packets))
	r.progress.open.Store(int64(r.table.Open()))

	r.unchecked += n
	looks := r.unchecked / r.options.CheckEvery
	r.unchecked %= r.options.CheckEvery
	most := math.MaxInt
	if r.options.CheckMost > 0 {
		most = looks * r.options.CheckMost
	}
	return looks == 0 || r.drain(most, yield)
}

// drain yields the flows that finished before the horizon, most of them at
// most.
func (r *Run) drain(most int, yield func(*Flow, error) bool) bool {
	for ; most > 0 && r.table.Next(r.clock.Horizon, &r.flow); most-- {
		r.summary.Flows++
		if !yield(&r.flow, nil) {
			return false
		}
	}
	return true
}

// begin makes a capture the one that is read.
func (r *Run) begin(c *ioutil.Capture, name string) error {
	if err := unknown(c.LinkTypes()); err != nil {
		c.Close()
		return fmt.Errorf("%s: %w", name, err)
	}
	r.capture, r.name = c, name
	r.progress.capture.Store(c)
	r.summary.Captures = append(r.summary.Captures, Capture{Name: name, Format: c.Format()})
	return nil
}

// next sees that there is a capture to read, and returns false at the end of
// the last.
func (r *Run) next() bool {
	for r.capture == nil && len(r.files) > 0 {
		name := r.files[0]
		r.files = r.files[1:]
		c, err := ioutil.Open(name)
		if err == nil {
			err = r.begin(c, name)
		}
		if err != nil {
			r.errs = append(r.errs, err)
		}
	}
	return r.capture != nil
}

// endOfCapture takes leave of the capture for a reason: io.EOF if all is well.
func (r *Run) endOfCapture(why error) {
	var cut *ioutil.TruncatedError
	switch {
	case why == io.EOF:
	case errors.As(why, &cut):
		r.warn(why.Error())
	default:
		r.errs = append(r.errs, why)
	}
	switch err := unknown(r.capture.LinkTypes()); {
	case err != nil:
		r.errs = append(r.errs, fmt.Errorf("%s: %w", r.name, err))
	default:
		for _, s := range r.strange.seen {
			r.warn(fmt.Sprintf("%s: %d packets of the unknown link type %d left out", r.name, s.packets, s.number))
		}
	}
	r.strange = linkTypes{}
	if read, total := r.capture.Progress(); total > 0 {
		r.progress.earlier.Add(read)
	}
	r.progress.capture.Store(nil)
	if err := r.capture.Close(); err != nil {
		r.errs = append(r.errs, err)
	}
	r.capture = nil
}
