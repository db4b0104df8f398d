package flowfast

import (
	"context"
	"math"
	"sync"

	"github.com/flowfast/flowfast/flowtable"
)

// With several workers, tables have shares of the keys, so that all packets of a
// flow come to one of them in order. Whatever is to be done next is done by the
// worker that is free:
//
//	encode           any worker, several batches of columns at once
//	merge            any worker, several blocks at once
//	add to a table   the worker that owns it, pieces in order
//	admit            any worker, one piece at a time, in order
//	take             any worker, one piece at a time, in order
//	decode           any worker, several pieces at once
//
// A table answers with the flows that are due, formatted as rows, which go out in
// blocks; see order. All tables get the same steps with a piece, so that the order
// of rows, step by step, is the one that one table would give.

const (
	piecesPerWorker = 4
	chunksInFlight  = 8 // for each table
	chunkRows       = 1024
	chunkFlows      = 64        // rows of a chunk of flows with features, which take 3 KB each
	chunkSize       = 192 << 10 // bytes of rows after which a chunk ends sooner
	blocksInFlight  = 4         // to be merged or written, and one for each eight workers
	// fewRows are merged by the caller's goroutine, which is sooner done than asking
	// a worker for it.
	fewRows = 64
)

// A crew is the workers of a run and what they share.
type crew struct {
	in      *intake
	rows    Rows
	pieces  []*piece // piece number n is in place n modulo their number
	workers []*worker
	owners  []*worker // of tables

	came chan *chunk   // from tables; has room for all of them
	done chan struct{} // a block is merged, or a batch encoded; has room for one

	mu         sync.Mutex
	news       sync.Cond // something below has changed
	taken      int       // pieces that were given to decode
	taking     bool      // a worker takes the next one
	admitted   int       // pieces that are admitted
	addedByAll int       // pieces that all tables have taken in
	busy       bool      // a worker admits the next pieces
	ended      bool      // the last piece is admitted
	stopped    bool      // nobody wants more
	toMerge    []*block
	toEncode   []*batch
}

// A worker decodes pieces, merges blocks and runs one table, if there are as many.
type worker struct {
	*crew
	number int
	table  *flowtable.Table // nil for none
	added  int              // pieces that the table has taken in
	free   []*chunk         // to be used again
	open   int              // as last told to progress
	flow   Flow
	merger merger
	label  func(*Flow)
}

// share is the way of the packets with several workers.
func (in *intake) share(ctx context.Context, tables []*flowtable.Table, rows Rows, to sink) error {
	workers := in.options.Workers
	c := &crew{
		in: in, rows: rows, pieces: make([]*piece, piecesPerWorker*workers),
		came: make(chan *chunk, chunksInFlight*len(tables)), done: make(chan struct{}, 1),
	}
	c.news.L = &c.mu
	for i := range c.pieces {
		c.pieces[i] = in.newPiece(len(tables))
	}
	for i := range workers {
		w := &worker{crew: c, number: i}
		if i < len(tables) {
			w.table, w.label = tables[i], in.options.labeler()
			for range chunksInFlight {
				w.free = append(w.free, &chunk{owner: w})
			}
			c.owners = append(c.owners, w)
		}
		c.workers = append(c.workers, w)
	}
	var running sync.WaitGroup
	for _, w := range c.workers {
		running.Go(func() { w.work(ctx) })
	}
	err := c.give(to)
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.news.Broadcast()
	running.Wait()
	return err
}

// give gives the rows of all tables out.
func (c *crew) give(to sink) error {
	g := giver{crew: c, to: to, order: newOrder(len(c.owners))}
	for range blocksInFlight + len(c.workers)/8 {
		g.spare = append(g.spare, &block{})
	}
	for {
		g.cut()
		if len(g.waiting) == 0 && to.batches == nil {
			if g.order.ended {
				return nil
			}
			if err := to.flush(); err != nil {
				return err
			}
		}
		if b := to.batches; b != nil {
			if g.order.ended && len(g.waiting) == 0 {
				if b.end(c.encode); len(b.waiting) == 0 {
					return nil
				}
			}
			if len(b.waiting) > 0 && c.isSet(&b.waiting[0].done) {
				if err := b.write(g.unused); err != nil {
					return err
				}
				continue
			}
		}
		if len(g.waiting) > 0 && (to.batches == nil || !to.batches.isFull()) && c.isSet(&g.waiting[0].merged) {
			if err := g.emit(); err != nil {
				return err
			}
			continue
		}
		select {
		case chunk := <-c.came:
			g.order.add(chunk)
		case <-c.done:
		}
	}
}

// A giver is the caller's goroutine at work.
type giver struct {
	*crew
	to      sink
	order   *order
	waiting []*block // in order
	spare   []*block
	kept    []*block // used by batches once, to be used again
	merger  merger
}

// cut has blocks of the rows that come next merged.
func (g *giver) cut() {
	for len(g.spare) > 0 && g.order.next(g.spare[len(g.spare)-1], g.drop) {
		b := g.spare[len(g.spare)-1]
		g.spare = g.spare[:len(g.spare)-1]
		g.waiting = append(g.waiting, b)
		if b.rows > fewRows {
			g.mu.Lock()
			g.toMerge = append(g.toMerge, b)
			g.mu.Unlock()
			g.news.Signal()
			continue
		}
		g.merger.merge(b)
		g.mu.Lock()
		g.finish(b)
		g.mu.Unlock()
	}
}

// emit gives the first block that waits out.
func (g *giver) emit() error {
	b := g.waiting[0]
	g.waiting = g.waiting[:copy(g.waiting, g.waiting[1:])]
	g.in.progress.flows.Add(int64(b.rows))
	switch {
	case g.to.batches != nil:
		if g.to.batches.add(b, g.encode) {
			b = &block{} // in its place
			if n := len(g.kept); n > 0 {
				b, g.kept = g.kept[n-1], g.kept[:n-1]
			}
		}
	case len(b.flows) == 0:
		if err := g.to.emit(nil, b.bytes); err != nil {
			return err
		}
	default:
		for _, f := range b.flows {
			if err := g.to.emit(f, nil); err != nil {
				return err
			}
		}
		for _, s := range b.lists {
			g.drop(s.chunk)
		}
	}
	g.spare = append(g.spare, b)
	return nil
}

// unused takes back a block that batches kept.
func (g *giver) unused(b *block) { g.kept = append(g.kept, b) }

// encode has a batch encoded.
func (c *crew) encode(b *batch) {
	c.mu.Lock()
	c.toEncode = append(c.toEncode, b)
	c.mu.Unlock()
	c.news.Signal()
}

// isSet reads what a worker sets with the lock held.
func (c *crew) isSet(done *bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return *done
}

// finish notes that a block is merged; the lock is held. Flows stay in their
// chunks until they are given out.
func (c *crew) finish(b *block) {
	b.merged = true
	if len(b.flows) > 0 {
		return
	}
	for _, s := range b.lists {
		c.put(s.chunk)
	}
}

// drop ends a use of a chunk.
func (c *crew) drop(k *chunk) {
	c.mu.Lock()
	c.put(k)
	c.mu.Unlock()
}

// put is drop with the lock held.
func (c *crew) put(k *chunk) {
	if k.uses.Add(-1) == 0 {
		k.owner.free = append(k.owner.free, k)
		c.news.Broadcast()
	}
}

// work does what a worker can do until the capture has ended.
func (w *worker) work(ctx context.Context) {
	c := w.crew
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.stopped {
		switch {
		case len(c.toMerge) > 0:
			w.mergeNext()
		case len(c.toEncode) > 0:
			w.encodeNext()
		case w.table != nil && w.added < c.admitted:
			from, to := w.added, c.admitted
			c.mu.Unlock()
			again := true
			for n := from; n < to && again; n++ {
				again = w.add(c.in, c.piece(n))
			}
			c.mu.Lock()
			if w.added = to; !again {
				w.table = nil
			}
			if from == c.addedByAll && c.leastAdded() > from {
				c.news.Broadcast()
			}
		case !c.busy && !c.ended && c.admitted < c.taken && c.piece(c.admitted).decoded:
			c.admit(ctx)
		case !c.ended && !c.taking && c.taken < c.addedByAll+len(c.pieces):
			p := c.piece(c.taken)
			p.decoded = false
			c.taking = true
			c.mu.Unlock()
			c.in.take(p) // it may wait for a stream
			c.mu.Lock()
			c.taken++
			c.taking = false
			c.news.Broadcast()
			c.mu.Unlock()
			c.in.decode(p)
			c.mu.Lock()
			p.decoded = true
		default:
			c.news.Wait()
		}
	}
}

// mergeNext merges a block. The lock is held before and after.
func (w *worker) mergeNext() {
	c := w.crew
	b := c.toMerge[0]
	c.toMerge = c.toMerge[:copy(c.toMerge, c.toMerge[1:])]
	c.mu.Unlock()
	w.merger.merge(b)
	c.mu.Lock()
	c.finish(b)
	c.tell()
}

// encodeNext encodes a batch. The lock is held before and after.
func (w *worker) encodeNext() {
	c := w.crew
	b := c.toEncode[0]
	c.toEncode = c.toEncode[:copy(c.toEncode, c.toEncode[1:])]
	c.mu.Unlock()
	b.encoded.Encode(b.parts)
	c.mu.Lock()
	b.done = true
	c.tell()
}

// tell tells the caller's goroutine that something is done.
func (c *crew) tell() {
	select {
	case c.done <- struct{}{}:
	default:
	}
}

// admit admits the pieces that come next and are decoded. The lock is held before
// and after.
func (c *crew) admit(ctx context.Context) {
	c.busy = true
	for !c.ended && !c.stopped && c.admitted < c.taken && c.piece(c.admitted).decoded {
		p := c.piece(c.admitted)
		c.mu.Unlock()
		if ctx.Err() != nil {
			c.in.stop()
		}
		p.last = !c.in.admit(p)
		c.mu.Lock()
		c.ended = p.last
		c.admitted++
		c.news.Broadcast()
	}
	c.busy = false
}

func (c *crew) piece(n int) *piece { return c.pieces[n%len(c.pieces)] }

// leastAdded sets addedByAll to what it should be, and returns it.
func (c *crew) leastAdded() int {
	c.addedByAll = c.admitted
	for _, w := range c.owners {
		c.addedByAll = min(c.addedByAll, w.added)
	}
	return c.addedByAll
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
		c := w.room()
		if c == nil {
			return false
		}
		c.flows, c.keys, c.rows, c.last, c.end = c.flows[:0], c.keys[:0], c.rows[:0], false, end
		c.uses.Store(1)
		for !c.full() {
			if !w.table.Next(&s, &w.flow) {
				c.last = true
				break
			}
			w.in.tunnels.see(&w.flow)
			w.label(&w.flow)
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
			c.keys = append(c.keys, newRowKey(finish, w.flow.Start, w.flow.First, len(c.rows)))
		}
		last := c.last
		w.came <- c // has room for all chunks
		if last {
			return true
		}
	}
}

// room returns a chunk to fill, nil when told to stop. A worker that waits for one
// merges blocks meanwhile, of which one may have what it waits for.
func (w *worker) room() *chunk {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !w.stopped {
		switch n := len(w.free); {
		case n > 0:
			c := w.free[n-1]
			w.free = w.free[:n-1]
			return c
		case len(w.toMerge) > 0:
			w.mergeNext()
		case len(w.toEncode) > 0:
			w.encodeNext()
		default:
			w.news.Wait()
		}
	}
	return nil
}
