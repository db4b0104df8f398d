package flowfast

import (
	"context"
	"math"
	"sync"

	"github.com/flowfast/flowfast/flowtable"
)

// With several workers, each owns a flow table with a share of the keys, so
// that all packets of a flow come to it in order. Whatever is to be done next
// is done by the worker that is free:
//
//	take and decode  any worker, several pieces at once
//	admit            any worker, one piece at a time, in order
//	add to a table   the worker that owns it, pieces in order
//
// A table answers with the flows that are due, formatted as rows, and the
// caller's goroutine merges the answers. All tables get the same steps with a
// piece, so that merging step by step gives the order that one table would
// give.

const (
	piecesPerWorker = 4
	chunksInFlight  = 8 // for each table
	chunkRows       = 1024
	chunkFlows      = 64        // rows of a chunk of flows with features, which take 3 KB each
	chunkSize       = 192 << 10 // bytes of rows after which a chunk ends sooner
)

// A crew is the workers of a run and what they share.
type crew struct {
	in      *intake
	pieces  []*piece // piece number n is in place n modulo their number
	workers []*worker

	mu       sync.Mutex
	news     sync.Cond // something below has changed
	taken    int       // pieces that were given to decode
	admitted int       // pieces that are admitted
	busy     bool      // a worker admits the next piece
	ended    bool      // the last piece is admitted
	stopped  bool      // nobody wants more
}

// A worker runs one table.
type worker struct {
	in     *intake
	number int
	table  *flowtable.Table
	rows   Rows
	done   int // pieces that the table has taken in
	out    chan *chunk
	free   chan *chunk // chunks to use again
	stop   chan struct{}
	open   int // as last told to progress
	flow   Flow
}

// share is the way of the packets with several tables.
func (in *intake) share(ctx context.Context, tables []*flowtable.Table, rows Rows, emit func(*Flow, []byte) error) error {
	c := &crew{in: in, pieces: make([]*piece, piecesPerWorker*len(tables))}
	c.news.L = &c.mu
	for i := range c.pieces {
		c.pieces[i] = in.newPiece(len(tables))
	}
	stop := make(chan struct{})
	for i, table := range tables {
		w := &worker{
			in: in, number: i, table: table, rows: rows, stop: stop,
			out:  make(chan *chunk, chunksInFlight),
			free: make(chan *chunk, chunksInFlight),
		}
		for range chunksInFlight {
			w.free <- &chunk{}
		}
		c.workers = append(c.workers, w)
	}
	var running sync.WaitGroup
	for _, w := range c.workers {
		running.Go(func() { c.work(ctx, w) })
	}
	err := (&merger{in, c.workers, make([]*chunk, len(tables)), emit}).run()
	close(stop)
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.news.Broadcast()
	running.Wait()
	return err
}

// work does what a worker can do until the capture has ended.
func (c *crew) work(ctx context.Context, w *worker) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.stopped {
		next := c.piece(c.admitted) // to be admitted, if it is taken already
		switch {
		case w.done < c.admitted:
			p := c.piece(w.done)
			c.mu.Unlock()
			again := w.add(c.in, p)
			c.mu.Lock()
			if w.done++; !again {
				return
			}
		case !c.busy && !c.ended && c.admitted < c.taken && next.decoded:
			c.busy = true
			c.mu.Unlock()
			if ctx.Err() != nil {
				c.in.stop()
			}
			next.last = !c.in.admit(next)
			c.mu.Lock()
			c.busy, c.ended = false, next.last
			c.admitted++
		case !c.ended && c.taken < c.done()+len(c.pieces):
			p := c.piece(c.taken)
			p.decoded = false
			c.taken++
			c.in.take(p)
			c.mu.Unlock()
			c.in.decode(p)
			c.mu.Lock()
			p.decoded = true
		default:
			c.news.Wait()
			continue
		}
		c.news.Broadcast()
	}
}

func (c *crew) piece(n int) *piece { return c.pieces[n%len(c.pieces)] }

// done returns how many pieces all tables have taken in.
func (c *crew) done() int {
	n := c.admitted
	for _, w := range c.workers {
		n = min(n, w.done)
	}
	return n
}

// add takes a piece through the table and sends out what is due. It returns
// false after the last piece, and when told to stop.
func (w *worker) add(in *intake, p *piece) bool {
	for i, step := range p.Steps() {
		w.table.Add(p.Batch, w.number, i)
		if (step.Due > 0 || in.options.bounded()) && !w.send(step, false) {
			return false
		}
	}
	in.progress.open.Add(int64(w.table.Open() - w.open))
	w.open = w.table.Open()
	if p.last {
		w.table.End(in.keys.Latest())
		w.send(flowtable.Step{Horizon: math.MaxInt64, Due: flowtable.All}, true)
	}
	return !p.last
}

// send sends the flows that are due out, and returns false when told to stop.
func (w *worker) send(s flowtable.Step, end bool) bool {
	for {
		var c *chunk
		select {
		case c = <-w.free:
		case <-w.stop:
			return false
		}
		*c = chunk{flows: c.flows[:0], more: c.more, keys: c.keys[:0], rows: c.rows[:0], end: end}
		for !c.full() {
			if !w.table.Next(&s, &w.flow) {
				c.last = true
				break
			}
			w.in.tunnels.see(&w.flow)
			w.in.anonymize(&w.flow)
			if w.rows != nil {
				if c.rows == nil {
					c.rows = make([]byte, 0, chunkSize+4<<10)
				}
				c.rows = w.rows.AppendRow(c.rows, &w.flow)
			} else {
				c.add(&w.flow)
			}
			if c.keys == nil {
				c.keys = make([]rowKey, 0, chunkRows)
			}
			// What a bound finished comes after what finished before the horizon.
			finish := min(w.flow.Finish, s.Horizon)
			c.keys = append(c.keys, rowKey{finish, w.flow.Start, w.flow.First, len(c.rows)})
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
