package flowfast

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// A Run turns captures into flows. It belongs to one goroutine at a time; only
// Progress may be called from others.
type Run struct {
	intake  *intake
	started time.Time
	ran     bool
}

func newRun(o Options) (*Run, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	in := &intake{
		options:    o,
		now:        time.Now,
		spanLength: spanLength,
		keys:       flowtable.NewIntake(flowtable.Looks{Every: o.CheckEvery, Most: o.CheckMost}),
	}
	if o.Flush > 0 {
		in.keys.Clock.Disorder = uint64(o.Disorder)
	}
	in.keys.Features = o.Features.Set & (features.Details | features.Link)
	in.keys.Monotone = o.Monotone
	in.keys.Keep(o.Keys)
	if e := o.Choice.Endpoints; e != nil {
		in.keys.Takes = e.matches
	}
	var err error
	if in.key, err = newKey(o.AnonymizeKey); err != nil {
		return nil, err
	}
	if in.chosen, err = newChooser(o.Choice); err != nil {
		return nil, err
	}
	return &Run{intake: in, started: time.Now()}, nil
}

// Close gives back what a run that is not run to its end holds: its capture, and
// the goroutine that reads a stream ahead. It is not for a run that is at work,
// which ends with its context.
func (r *Run) Close() error {
	if r.intake == nil || r.ran {
		return nil
	}
	r.ran = true
	r.intake.stop()
	return errors.Join(r.intake.errs...)
}

// Flows runs to the end and yields the flows. Each is lent until the next one
// is asked for. An error comes last, with a nil flow, after the flows of all
// that could be read: the capture's, or the context's if it was cancelled.
// A capture that merely ends in the middle of a record is no error but a
// warning in the summary.
func (r *Run) Flows(ctx context.Context) iter.Seq2[*Flow, error] {
	return func(yield func(*Flow, error) bool) {
		if err := r.check(nil); err != nil {
			yield(nil, err)
			return
		}
		stopped := false
		err := r.run(ctx, nil, sink{
			emit: func(f *Flow, _ []byte) error {
				if !yield(f, nil) {
					stopped = true
					return errStopped
				}
				return nil
			},
			flush: func() error { return nil },
		})
		if err != nil && !stopped {
			yield(nil, err)
		}
	}
}

var errStopped = errors.New("stopped")

// Rows are a format of rows. Its methods may be called by several goroutines
// at once.
type Rows interface {
	// AppendHeader appends what comes before the first row.
	AppendHeader(b []byte) []byte
	// AppendRow appends the row of a flow.
	AppendRow(b []byte, f *Flow) []byte
}

// Write runs to the end and writes a row for each flow. An error of the writer
// ends the run. Other errors are those of Flows; the rows of all that could be
// read have been written then. Where [Options.Flush] is set, a method Flush() error
// of the writer is called after rows that nobody is to withhold.
func (r *Run) Write(ctx context.Context, to io.Writer, rows Rows) error {
	if err := r.check(rows); err != nil {
		return err
	}
	o := output{to: to, every: r.intake.options.Flush / 2, now: r.intake.now}
	o.rows = rows.AppendHeader(make([]byte, 0, writeSize+64<<10))
	var encoded *batches
	if r.intake.options.Flush == 0 && r.intake.options.Workers > 1 {
		encoded = newBatches(to, r.intake.options.Workers)
	}
	err := r.run(ctx, rows, sink{
		batches: encoded,
		emit: func(f *Flow, row []byte) error {
			if f != nil {
				o.rows = rows.AppendRow(o.rows, f)
				return o.writeIfMany()
			}
			return o.put(row)
		},
		flush: o.flush,
	})
	if o.err != nil || encoded != nil && encoded.err != nil {
		return err
	}
	return errors.Join(err, o.write(o.rows))
}

// A sink is where flows go.
type sink struct {
	// emit takes a flow, or rows, one or more at a time, where those have been
	// formatted elsewhere.
	emit func(*Flow, []byte) error
	// flush is told when nothing more is due for now.
	flush func() error
	// batches take the rows in place of emit, if there are several workers; nil
	// for none.
	batches *batches
}

// run takes every packet from the captures through the tables, and emits the
// flows in order. It returns the error of the sink, or else those of the captures.
func (r *Run) run(ctx context.Context, rows Rows, to sink) error {
	in := r.intake
	defer r.finish()
	defer context.AfterFunc(ctx, func() {
		if c := in.progress.capture.Load(); c != nil {
			(*c).Interrupt()
		}
	})()
	tables := make([]*flowtable.Table, in.options.tables())
	for i := range tables {
		table, err := flowtable.New(flowtable.Options{
			IdleTimeout: in.options.IdleTimeout,
			MaxFlows:    in.options.MaxFlows,
			MaxMemory:   in.options.tableMemory(),
			Rules:       in.options.Rules,
			Keys:        in.options.Keys,
			Features:    in.options.Features,
		})
		if err != nil {
			return err
		}
		tables[i] = table
	}
	var err error
	if in.options.Workers == 1 {
		err = in.walk(ctx, tables[0], to)
	} else {
		err = in.share(ctx, tables, rows, to)
	}
	for _, table := range tables {
		in.summary.Evicted += table.Evicted()
		in.summary.StepsBack += table.StepsBack()
	}
	if err != nil {
		return err
	}
	in.fail(ctx.Err())
	return errors.Join(in.errs...)
}

// walk is the way of the packets with one table, on this goroutine.
func (in *intake) walk(ctx context.Context, table *flowtable.Table, to sink) error {
	var flow Flow
	finished := func(s flowtable.Step) error {
		for table.Next(&s, &flow) {
			in.progress.flows.Add(1)
			in.tunnels.see(&flow)
			in.anonymize(&flow)
			if err := to.emit(&flow, nil); err != nil {
				return err
			}
		}
		return nil
	}
	p := in.newPiece(1)
	for more := true; more; {
		if ctx.Err() != nil {
			in.stop()
		}
		in.take(p)
		in.decode(p)
		more = in.admit(p)
		for i, step := range p.Steps() {
			table.Add(p.Batch, 0, i)
			if err := finished(step); err != nil {
				return err
			}
		}
		in.progress.open.Store(int64(table.Open()))
		if err := to.flush(); err != nil {
			return err
		}
	}
	table.End(in.keys.Latest())
	return finished(flowtable.Step{Due: flowtable.All})
}
