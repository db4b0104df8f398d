package flowfast

import (
	"context"
	"sync"

	"github.com/flowfast/flowfast/flowtable"
)

// With several workers, one goroutine reads, decodes and hashes, and hands
// blocks of packets to one goroutine for each table. A table owns a share of
// the hashes, so all packets of a flow come to it in order. It answers each
// block with the flows that are due, in order, and the caller's goroutine
// merges the answers. All tables get the same horizon with a block, so that
// merging block by block gives the order that one table would give.

const (
	blocksInFlight = 8
	chunksInFlight = 4 // for each table
	chunkRows      = 256
)

// A chunk is flows on their way from a table to the merger.
type chunk struct {
	flows []Flow   // the flows, if there are no rows
	keys  []rowKey // one for each flow
	rows  []byte   // their rows
	last  bool     // the last chunk of its block
	end   bool     // of the last block
	next  int      // the flow that comes next
}

// A rowKey is the place of a row in the order of rows, and where it ends.
type rowKey struct {
	finish, start flowtable.Time
	first         uint64
	end           int
}

func (a *rowKey) before(b *rowKey) bool {
	if a.finish != b.finish {
		return a.finish < b.finish
	}
	if a.start != b.start {
		return a.start < b.start
	}
	return a.first < b.first
}

// A worker runs one table.
type worker struct {
	number int
	table  *flowtable.Table
	rows   Rows
	in     chan *block
	out    chan *chunk
	free   chan *chunk // chunks to use again
	stop   chan struct{}
	open   int // as last told to progress
	flow   Flow
}

// share is the way of the packets with several tables.
func (in *intake) share(ctx context.Context, tables []*flowtable.Table, rows Rows, emit func(*Flow, []byte) error) error {
	stop := make(chan struct{})
	free := make(chan *block, blocksInFlight)
	for range blocksInFlight {
		free <- &block{shares: make([][]uint16, len(tables))}
	}
	workers := make([]*worker, len(tables))
	var running sync.WaitGroup
	for i, table := range tables {
		w := &worker{
			number: i, table: table, rows: rows, stop: stop,
			in:   make(chan *block, blocksInFlight),
			out:  make(chan *chunk, chunksInFlight),
			free: make(chan *chunk, chunksInFlight),
		}
		for range chunksInFlight {
			w.free <- &chunk{}
		}
		workers[i] = w
		running.Go(func() { w.run(in, free) })
	}
	running.Go(func() { in.feed(ctx, workers, free, stop) })
	err := (&merger{in, workers, make([]*chunk, len(workers)), emit}).run()
	close(stop)
	running.Wait()
	return err
}

// feed reads the captures and hands every block to all workers.
func (in *intake) feed(ctx context.Context, workers []*worker, free chan *block, stop chan struct{}) {
	for more := true; more; {
		if ctx.Err() != nil {
			in.stop()
		}
		var b *block
		select {
		case b = <-free:
		case <-stop:
			return
		}
		more = in.fill(b)
		b.users.Store(int32(len(workers)))
		for _, w := range workers {
			w.in <- b // has room for all blocks
		}
	}
}

// run takes blocks through the table and sends out what is due.
func (w *worker) run(in *intake, free chan *block) {
	for {
		var b *block
		select {
		case b = <-w.in:
		case <-w.stop:
			return
		}
		horizon, due, end := b.horizon, b.due, b.end
		if end {
			w.table.End(b.clock)
			due = all
		} else {
			w.table.Add(b.packets[:], b.shares[w.number])
			in.progress.open.Add(int64(w.table.Open() - w.open))
			w.open = w.table.Open()
		}
		if b.users.Add(-1) == 0 {
			free <- b // has room for all blocks
		}
		if !w.send(horizon, due, end) || end {
			return
		}
	}
}

// send sends the flows that are due out, and returns false when told to stop.
func (w *worker) send(horizon flowtable.Time, due int, end bool) bool {
	for {
		var c *chunk
		select {
		case c = <-w.free:
		case <-w.stop:
			return false
		}
		*c = chunk{flows: c.flows[:0], keys: c.keys[:0], rows: c.rows[:0], end: end}
		for ; len(c.keys) < chunkRows; due-- {
			if due == 0 || !w.table.Next(horizon, &w.flow) {
				c.last = true
				break
			}
			if w.rows != nil {
				c.rows = w.rows.AppendRow(c.rows, &w.flow)
			} else {
				c.flows = append(c.flows, w.flow)
			}
			c.keys = append(c.keys, rowKey{w.flow.Finish, w.flow.Start, w.flow.First, len(c.rows)})
		}
		select {
		case w.out <- c:
		case <-w.stop:
			return false
		}
		if c.last {
			return true
		}
	}
}

// A merger puts the answers of the workers together.
type merger struct {
	in      *intake
	workers []*worker
	chunks  []*chunk // the one of each worker; nil when its block is through
	emit    func(*Flow, []byte) error
}

// run emits the flows of all workers in order.
func (m *merger) run() error {
	for end := false; !end; {
		for i, w := range m.workers {
			m.chunks[i] = <-w.out
			end = m.chunks[i].end
		}
		if err := m.block(); err != nil {
			return err
		}
	}
	return nil
}

// block emits the flows that are due after a block.
func (m *merger) block() error {
	for {
		var first *chunk
		for i := range m.chunks {
			m.refill(i)
			if c := m.chunks[i]; c != nil && (first == nil || c.keys[c.next].before(&first.keys[first.next])) {
				first = c
			}
		}
		if first == nil {
			return nil
		}
		if err := m.emitNext(first); err != nil {
			return err
		}
	}
}

// refill sees that worker i has a chunk with a flow in it, or nil if its block
// is through.
func (m *merger) refill(i int) {
	for c := m.chunks[i]; c != nil && c.next == len(c.keys); c = m.chunks[i] {
		if m.chunks[i] = nil; !c.last {
			m.chunks[i] = <-m.workers[i].out
		}
		m.workers[i].free <- c // has room for all chunks
	}
}

func (m *merger) emitNext(c *chunk) error {
	i := c.next
	c.next++
	m.in.progress.flows.Add(1)
	if len(c.flows) > 0 {
		return m.emit(&c.flows[i], nil)
	}
	start := 0
	if i > 0 {
		start = c.keys[i-1].end
	}
	return m.emit(nil, c.rows[start:c.keys[i].end])
}
