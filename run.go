package flowfast

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/internal/cryptopan"
	"github.com/flowfast/flowfast/internal/engine"
	"github.com/flowfast/flowfast/internal/intake"
)

// A Run turns captures into flows. It belongs to one goroutine at a time; only
// Progress may be called from others.
type Run struct {
	options Options
	key     *cryptopan.Key // of addresses; nil leaves them as they are
	intake  *intake.Intake
	engine  engine.Engine
	tunnels tunnelPackets
	summary Summary
	started time.Time
	ran     bool
}

// newRun returns a run over so many captures, or over packets that were taken.
func newRun(o Options, captures int) (*Run, error) {
	if captures > 0 && o.Origins {
		return nil, errors.New("the option Origins is for packets that were taken from other runs")
	}
	if err := o.settle(); err != nil {
		return nil, err
	}
	key, err := newKey(o.AnonymizeKey)
	if err != nil {
		return nil, err
	}
	in, err := intake.New(o.take(captures))
	if err != nil {
		return nil, err
	}
	return &Run{options: o, key: key, intake: in, started: time.Now()}, nil
}

// Open starts a run over capture files: pcap, pcapng, snoop or ERF, plain or
// compressed. Several files are read as one stream in the order of time, as mergecap
// merges them, so that a flow that crosses rotated files is one flow.
//
// Of several files, one that can't be read does not stop the run; its error
// comes after the flows of the others.
func Open(o Options, files ...string) (*Run, error) {
	if len(files) == 0 {
		return nil, errors.New("no capture files")
	}
	r, err := newRun(o, len(files))
	if err != nil {
		return nil, err
	}
	return begun(r, r.intake.Open(files...))
}

// NewReader starts a run over a capture that is read from a stream, with a name
// for messages.
func NewReader(o Options, stream io.Reader, name string) (*Run, error) {
	r, err := newRun(o, 1)
	if err != nil {
		return nil, err
	}
	return begun(r, r.intake.Read(stream, name))
}

// begun returns a run if it has begun without an error.
func begun(r *Run, err error) (*Run, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Close releases what a run holds that was never run: its capture, and the goroutine
// that reads a stream ahead. A run that is at work ends with its context instead.
func (r *Run) Close() error {
	if r.intake == nil || r.ran {
		return nil
	}
	r.ran = true
	r.intake.Stop()
	return errors.Join(r.intake.Errors()...)
}

// Flows runs to the end and yields the flows. Each is valid until the next one
// is asked for. An error comes last, with a nil flow, after the flows of
// everything that could be read: the capture's, or the context's if it was
// cancelled. A capture that ends in the middle of a record is not an error but
// a warning in the summary.
func (r *Run) Flows(ctx context.Context) iter.Seq2[*Flow, error] {
	return func(yield func(*Flow, error) bool) {
		if err := r.check(nil); err != nil {
			yield(nil, err)
			return
		}
		err := r.run(ctx, yielded(yield))
		if err != nil && err != errStopped {
			yield(nil, err)
		}
	}
}

// Yielded are flows for a loop, as a sink.
type yielded func(*Flow, error) bool

func (y yielded) Flow(f *Flow) error {
	if !y(f, nil) {
		return errStopped
	}
	return nil
}

func (y yielded) Flush() error { return nil }

var errStopped = errors.New("stopped")

// Rows are a format of rows. Its methods may be called by several goroutines
// at once. Rows that contain the number of a flow have a method Numbered() bool
// that returns true; without it [Flow].Number is not set.
type Rows interface {
	// AppendHeader appends what comes before the first row.
	AppendHeader(b []byte) []byte
	// AppendRow appends the row of a flow.
	AppendRow(b []byte, f *Flow) []byte
}

// Write runs to the end and writes a row for each flow. An error of the writer
// ends the run. Other errors are those of Flows; the rows of everything that could
// be read have been written then. If [Options.Flush] is set and the writer has a
// method Flush() error, it is called after rows that must not be held back.
func (r *Run) Write(ctx context.Context, to io.Writer, rows Rows) error {
	if err := r.check(rows); err != nil {
		return err
	}
	w := engine.NewWriter(to, rows, rows.AppendHeader, r.options.Flush/2, r.intake.Now)
	return w.End(r.run(ctx, w))
}

// checkedRows are rows that know what they need of flows.
type checkedRows interface {
	// Check returns an error if flows with these features lack what the rows are
	// made of.
	Check(features.Options) error
}

// check returns an error if there can be no run, or none with these rows.
func (r *Run) check(rows Rows) error {
	if r == nil || r.intake == nil {
		return errors.New("a Run is made by Open, NewReader or NewSource")
	}
	if r.ran {
		return errors.New("this run has come to its end: open another one")
	}
	r.ran = true
	if err := checkMetered(rows, r.options.Meter); err != nil {
		return err
	}
	if c, ok := rows.(checkedRows); ok {
		return c.Check(r.options.Features)
	}
	return nil
}

// run takes every packet from the captures through the tables, and gives the flows
// in order to a sink. It returns the error of the sink, or else those of the captures.
func (r *Run) run(ctx context.Context, to engine.Sink) error {
	defer r.finish()
	defer context.AfterFunc(ctx, r.intake.Interrupt)()
	e := &r.engine
	e.Intake, e.Workers, e.Prepare = pieces{r.intake}, r.options.Workers, r.prepare
	e.Bounded = r.options.MaxFlows > 0 || r.options.MaxMemory > 0 || r.options.Meter != nil
	e.Flushes = r.options.Flush > 0
	e.Tables = make([]flowtable.Cache, r.options.tables())
	for i := range e.Tables {
		e.Tables[i] = r.intake.NewCache()
	}
	if err := e.Run(ctx, to); err != nil {
		return err
	}
	return errors.Join(append(r.intake.Errors(), ctx.Err())...)
}

// Pieces are an intake as an engine knows it.
type pieces struct{ *intake.Intake }

func (p pieces) NewPiece(tables int) engine.Piece { return p.Intake.NewPiece(tables) }
