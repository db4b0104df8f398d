// Package engine takes the packets of an intake through flow tables and gives their
// flows to a sink, in the order of rows, the same for any number of workers.
//
// # Terms
//
//	piece    packets that come one after the other; the unit of work of a worker
//	worker   a goroutine that decodes pieces, runs a table, and merges blocks
//	bundle   flows, or their rows, that one table gives out one after the other
//	block    rows of all tables that come one after the other
//	batch    rows, one or more blocks of them, that are encoded as columns
//
// engine.go has the way of the packets with one worker, workers.go that with several,
// order.go and merge.go the order of rows, giver.go and batches.go their way to the
// sink.
package engine

import (
	"context"
	"sync/atomic"

	"github.com/flowfast/flowfast/flowtable"
)

// An Intake is where packets come from.
type Intake interface {
	// NewPiece returns an empty piece for a number of tables. Any goroutine may call
	// it.
	NewPiece(tables int) Piece
	// Stop makes the next piece that is admitted the last one. It is called by the
	// goroutine that admits.
	Stop()
	// Latest is the clock of the packets admitted so far, see [flowtable.Table.End].
	Latest() flowtable.Time
}

// A Piece is packets on their way from an intake. It is used again and again.
type Piece interface {
	// Take gives the piece what comes next. Pieces are taken one after the other; to
	// take one may wait for packets.
	Take()
	// Decode makes packets and keys of what was taken. Any number of pieces can be
	// decoded at once.
	Decode()
	// Admit completes the batch of the piece. Pieces are admitted one after the
	// other, in the order in which they were taken. It returns false if nothing comes
	// after this one.
	Admit() (more bool)
	// Packets are the batch, when it is admitted.
	Packets() *flowtable.Batch
}

// A Sink takes flows in order. It is called on the goroutine of [Engine.Run] alone.
type Sink interface {
	// Flow takes a flow, which is lent until the call returns.
	Flow(*flowtable.Flow) error
	// Flush is told that nothing more is due for now: after rows, and if the engine
	// Flushes, after others too.
	Flush() error
}

// A RowSink is a Sink of rows, which workers can format in its place.
type RowSink interface {
	Sink
	// Format is that of the rows.
	Format() Format
	// Numbered tells if rows say [flowtable.Flow.Number]. They are then formatted
	// when their order is known, not before.
	Numbered() bool
	// Rows takes rows, one or more, which are lent until the call returns.
	Rows([]byte) error
	// Batches is the writer that takes the rows in batches in place of Rows, nil for
	// none.
	Batches() BatchWriter
}

// A Format is a format of rows. Several goroutines call it at once.
type Format interface {
	// AppendRow appends the row of a flow.
	AppendRow(b []byte, f *flowtable.Flow) []byte
}

// An Engine is an intake with the tables of its flows. It runs once.
type Engine struct {
	Intake Intake
	// Tables have shares of the keys each. There are as many as Workers, or one.
	Tables []flowtable.Cache
	// Workers is the number of goroutines; with 1 all is done on the caller's.
	Workers int
	// Bounded tells that tables finish flows early, and are to be asked for them
	// after each step.
	Bounded bool
	// Flushes tells that the sink is to be flushed also after steps that had no rows.
	Flushes bool
	// Prepare is called once for each goroutine that gives flows out. What it returns
	// is called with each flow before that goes to the sink, or is formatted.
	Prepare func() func(*flowtable.Flow) bool

	// What changes all the time is not to lie in a line of the cache with what all read.
	_           [64]byte
	open, flows atomic.Int64
	_           [64]byte
}

// Open returns the number of open flows, and Flows that of the flows given out. Any
// goroutine may call them.
func (e *Engine) Open() int64 { return e.open.Load() }

// Flows returns the number of flows given out.
func (e *Engine) Flows() int64 { return e.flows.Load() }

// Run takes every packet through the tables and gives the flows to a sink. It returns
// the error of the sink, and no other one; when the context ends, the intake is stopped
// and what is open finishes.
func (e *Engine) Run(ctx context.Context, to Sink) error {
	if e.Workers == 1 {
		return e.walk(ctx, to)
	}
	return e.withCrew(ctx, to)
}

// flowsAtOnce is how many flows Engine.Flows can be late by, with one worker.
const flowsAtOnce = 1024

// walk is the way of the packets with one table, on this goroutine.
func (e *Engine) walk(ctx context.Context, to Sink) error {
	var flow flowtable.Flow
	var step flowtable.Step // one for all: what a cache is lent is on the heap
	prepare, table := e.Prepare(), e.Tables[0]
	number := uint64(0)
	finished := func(s flowtable.Step) error {
		defer func() { e.flows.Store(int64(number)) }()
		step = s
		flow.Era = max(flow.Era, s.Era) // that of the last step has none
		for table.Next(&step, &flow) {
			if !prepare(&flow) {
				continue
			}
			if flow.Number = number; number%flowsAtOnce == 0 {
				e.flows.Store(int64(number))
			}
			number++
			if err := to.Flow(&flow); err != nil {
				return err
			}
		}
		return nil
	}
	p := e.Intake.NewPiece(1)
	for more := true; more; {
		if ctx.Err() != nil {
			e.Intake.Stop()
		}
		p.Take()
		p.Decode()
		more = p.Admit()
		for i, step := range p.Packets().Steps() {
			table.Add(p.Packets(), 0, i)
			if err := finished(step); err != nil {
				return err
			}
		}
		e.open.Store(int64(table.Open()))
		if err := to.Flush(); err != nil {
			return err
		}
	}
	table.End(e.Intake.Latest())
	return finished(flowtable.Step{Due: flowtable.All})
}
