package engine

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

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
	piecesPerWorker = 4 // or per processor, if there are fewer
	blocksInFlight  = 4 // to be merged or written, and one for each worker
)

// A piece is one of the intake on its way through the workers.
type piece struct {
	Piece
	packets *flowtable.Batch
	decoded atomic.Bool
	last    bool     // nothing comes after it
	_       [32]byte // no two lie in one line of the cache
}

// A crew is the workers of a run and what they have in common.
type crew struct {
	*Engine
	format  Format // of rows that tables give out; nil where they give out flows
	full    fullness
	late    Format   // of rows that say their number, formatted as blocks; nil for others
	pieces  []*piece // piece number n is in place n modulo their number; nil until one is there
	workers []*worker
	owners  []*worker // of tables

	done chan struct{} // tells the caller's goroutine to look again; has room for one

	// To add to tables, which is done most often, takes no lock. What many read is not
	// to lie in a line of the cache with what each piece changes.
	_        [64]byte
	admitted atomic.Int64 // pieces that are admitted; set with the lock held
	urgent   atomic.Bool  // there is something to merge or to encode; the same
	starved  atomic.Int64 // a worker waits for all tables to take in so many pieces; 0 if none does
	_        [64]byte

	mu sync.Mutex
	// The lock guards what is below.
	idle       []*worker // that wait for it to change; who did last comes last
	taken      int64     // pieces that were given to decode
	taking     bool      // a worker takes the next one
	addedByAll int64     // pieces that all tables have taken in, or fewer
	busy       bool      // a worker admits the next pieces
	ended      bool      // the last piece is admitted
	stopped    bool      // nobody wants more
	order      *order
	waiting    []*block // in order, to be merged or given out
	spare      []*block
	toMerge    []*block
	toEncode   []*batch
}

// A worker decodes pieces, merges blocks and runs one table, if there are as many.
type worker struct {
	*crew
	number  int
	table   flowtable.Cache // nil for none
	added   atomic.Int64    // pieces that the table has taken in
	spare   *piece          // that it has made, nil for none
	free    []*bundle       // to be used again
	bundle  *bundle         // that is filled next, nil for none
	steps   int64           // that the table has passed
	open    int             // as last told to progress
	step    flowtable.Step  // whose flows are sent, and
	flow    flowtable.Flow  // one of them: a cache is lent them, which puts them on the heap
	merger  merger
	back    []*bundle // that it has merged and nobody uses, to be given back
	prepare func(*flowtable.Flow) bool

	news   sync.Cond // that it is to look again, for which it
	waits  bool
	toFill bool // and for nothing but a bundle that it can fill, a block or a batch
}

// newCrew returns the crew of an engine with so many processors, which is idle.
func newCrew(e *Engine, to Sink, processors int) *crew {
	tables := len(e.Tables)
	processors = min(e.Workers, processors)
	c := &crew{
		Engine: e, pieces: make([]*piece, piecesPerWorker*processors), full: fullnessOf(tables, processors),
		done: make(chan struct{}, 1),
	}
	c.order = newOrder(tables, c.full.portion)
	for range blocksInFlight + e.Workers {
		c.spare = append(c.spare, &block{})
	}
	if rows, ok := to.(RowSink); ok && rows.Numbered() {
		c.late = rows.Format()
	} else if ok {
		c.format = rows.Format()
	}
	for i := range e.Workers {
		w := &worker{crew: c, number: i, merger: merger{format: c.late}, news: sync.Cond{L: &c.mu}}
		if i < tables {
			w.table, w.prepare = e.Tables[i], e.Prepare()
			for range bundlesInFlight {
				w.free = append(w.free, &bundle{owner: w})
			}
			c.owners = append(c.owners, w)
		}
		c.workers = append(c.workers, w)
	}
	return c
}

// withCrew is the way of the packets with several workers.
func (e *Engine) withCrew(ctx context.Context, to Sink) error {
	c := newCrew(e, to, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for _, w := range c.workers {
		running.Go(func() { w.work(ctx) })
	}
	err := c.give(to)
	c.mu.Lock()
	c.stopped = true
	for len(c.idle) > 0 {
		c.idle[0].wake()
	}
	c.mu.Unlock()
	running.Wait()
	return err
}

// work does what a worker can do until the capture has ended.
func (w *worker) work(ctx context.Context) {
	for w.doNext(ctx) {
		for !w.urgent.Load() && w.addAdmitted() {
		}
	}
}

// doNext does what comes next, or waits until something else can be done. It returns
// false at the end.
func (w *worker) doNext(ctx context.Context) bool {
	c := w.crew
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.stopped:
		return false
	case len(c.toMerge) > 0:
		w.mergeNext()
	case len(c.toEncode) > 0:
		w.encodeNext()
	case w.table != nil && w.added.Load() < c.admitted.Load(): // others have done what was urgent
		c.mu.Unlock()
		w.addAdmitted()
		c.mu.Lock()
	case !c.busy && c.isAdmissible():
		c.admit(ctx)
	case !c.ended && !c.taking && c.hasRoom():
		w.takeNext()
	default:
		if !c.taking {
			c.starved.Store(c.taken - int64(len(c.pieces)) + 1)
			if c.hasRoom() && !c.ended { // it was found meanwhile
				break
			}
		}
		w.wait(false)
	}
	return true
}

// wait waits for something to be done: that a bundle can be filled, or whatever there is.
// The lock is held before and after.
func (w *worker) wait(toFill bool) {
	w.idle = append(w.idle, w)
	w.toFill, w.waits = toFill, true
	for w.waits {
		w.news.Wait()
	}
}

// wake ends the waiting of an idle worker; the lock is held.
func (w *worker) wake() {
	at := slices.Index(w.idle, w)
	w.idle = slices.Delete(w.idle, at, at+1)
	w.waits = false
	w.news.Signal()
}

// wakeOne wakes an idle worker for a block or a batch, if there is one; the lock is held.
func (c *crew) wakeOne() {
	if n := len(c.idle); n > 0 {
		c.idle[n-1].wake()
	}
}

// wakeFor wakes idle workers, most of them at most, for pieces: not those that are to
// fill a bundle first. The lock is held.
func (c *crew) wakeFor(most int) {
	for i := len(c.idle) - 1; i >= 0 && most > 0; i-- {
		if w := c.idle[i]; !w.toFill {
			w.wake()
			most--
		}
	}
}

// takeNext takes a piece and decodes it. Workers make pieces where they are needed, each
// its own, and not one after the other before they begin. The lock is held before and
// after.
func (w *worker) takeNext() {
	c := w.crew
	at := &c.pieces[c.taken%int64(len(c.pieces))]
	switch {
	case *at != nil:
	case w.spare != nil:
		*at, w.spare = w.spare, nil
	default:
		c.mu.Unlock()
		p := c.Intake.NewPiece(len(c.Tables))
		w.spare = &piece{Piece: p, packets: p.Packets()}
		c.mu.Lock()
		return // things may have changed
	}
	p := *at
	p.decoded.Store(false)
	c.taking = true
	c.mu.Unlock()
	p.Take()
	c.mu.Lock()
	c.taken++
	c.taking = false
	c.wakeFor(1)
	c.mu.Unlock()
	p.Decode()
	p.decoded.Store(true) // this worker looks next if it can be admitted
	c.mu.Lock()
}

// addAdmitted takes what is admitted through the table, and returns false if there
// was nothing.
func (w *worker) addAdmitted() bool {
	n, to := w.added.Load(), w.admitted.Load()
	if w.table == nil || n == to {
		return false
	}
	again := true
	for n < to && again && !w.urgent.Load() {
		if again = w.add(w.piece(n)); !again {
			n = to - 1
		}
		n++
		w.added.Store(n)
		if n == w.starved.Load() {
			w.mu.Lock()
			if w.hasRoom() {
				w.starved.Store(0)
				w.wakeFor(1)
			}
			w.mu.Unlock()
		}
	}
	open := w.table.Open()
	w.Engine.open.Add(int64(open - w.open))
	if w.open = open; !again {
		w.table = nil
	}
	return true
}

// isAdmissible tells if the piece that comes next is decoded; the lock is held.
func (c *crew) isAdmissible() bool {
	n := c.admitted.Load()
	return !c.ended && n < c.taken && c.piece(n).decoded.Load()
}

// hasRoom tells if a piece can be taken, as all tables have taken in what it had
// before; the lock is held.
func (c *crew) hasRoom() bool {
	if c.taken == c.addedByAll+int64(len(c.pieces)) {
		c.addedByAll = c.admitted.Load()
		for _, w := range c.owners {
			c.addedByAll = min(c.addedByAll, w.added.Load())
		}
	}
	return c.taken < c.addedByAll+int64(len(c.pieces))
}

// mergeNext merges a block. The lock is held before and after.
func (w *worker) mergeNext() {
	c := w.crew
	b := c.toMerge[0]
	c.toMerge = c.toMerge[:copy(c.toMerge, c.toMerge[1:])]
	c.noteUrgent()
	c.mu.Unlock()
	w.merger.merge(b)
	if len(b.flows) == 0 { // else they stay in their bundles until they are given out
		w.back = appendUnused(w.back, b)
	}
	c.mu.Lock()
	b.merged = true
	c.putAll(w.back)
	w.back = w.back[:0]
	if c.waiting[0] == b {
		c.tell()
	}
}

// encodeNext encodes a batch. The lock is held before and after.
func (w *worker) encodeNext() {
	c := w.crew
	b := c.toEncode[0]
	c.toEncode = c.toEncode[:copy(c.toEncode, c.toEncode[1:])]
	c.noteUrgent()
	c.mu.Unlock()
	b.encoded.Encode(b.parts)
	c.mu.Lock()
	b.done = true
	c.tell()
}

// noteUrgent sets urgent; the lock is held.
func (c *crew) noteUrgent() { c.urgent.Store(len(c.toMerge)+len(c.toEncode) > 0) }

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
	for !c.stopped && c.isAdmissible() {
		p := c.piece(c.admitted.Load())
		c.mu.Unlock()
		if ctx.Err() != nil {
			c.Intake.Stop()
		}
		p.last = !p.Admit()
		c.mu.Lock()
		c.ended = p.last
		c.admitted.Add(1)
		c.wakeFor(len(c.idle))
	}
	c.busy = false
}

func (c *crew) piece(n int64) *piece { return c.pieces[n%int64(len(c.pieces))] }

// add takes a piece through the table and sends out what is due. It returns
// false after the last piece, and when told to stop.
func (w *worker) add(p *piece) bool {
	for i, step := range p.packets.Steps() {
		w.table.Add(p.packets, w.number, i)
		if (step.Due > 0 || w.Bounded) && !w.send(step, false) {
			return false
		}
	}
	if p.last {
		w.table.End(w.Intake.Latest())
		w.send(flowtable.Step{Horizon: math.MaxInt64, Due: flowtable.All}, true)
	}
	return !p.last
}

// send sends the flows that are due out, and returns false when told to stop. It takes
// the lock only if there are any, or somebody waits to know.
func (w *worker) send(s flowtable.Step, end bool) bool {
	w.step = s
	w.flow.Era = max(w.flow.Era, s.Era) // that of the last step has none
	if w.bundle == nil && !w.takeBundle() {
		return false
	}
	step := w.steps
	w.steps++
	for last := false; !last; {
		c := w.bundle
		if last = w.fill(c); len(c.keys) > 0 {
			c.step, c.last = step, last
			if !w.give(c) {
				return false
			}
		}
	}
	awaited := w.order.pass(w.number, step)
	if w.Flushes && w.number == 0 {
		w.tell()
	}
	if awaited || end {
		w.mu.Lock()
		if end {
			w.order.going--
		}
		w.cut()
		w.mu.Unlock()
	}
	return true
}

// give gives a bundle to the order, and takes the next one to fill, which it waits for
// if that has more of its step. It returns false when told to stop.
func (w *worker) give(c *bundle) bool {
	c.uses.Store(ofOrder)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.order.add(c) {
		w.cut()
	}
	w.bundle = nil
	if !c.last || len(w.free) > 0 {
		w.bundle = w.room()
		return w.bundle != nil
	}
	return true
}

// takeBundle takes a bundle to fill, and returns false when told to stop.
func (w *worker) takeBundle() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bundle = w.room()
	return w.bundle != nil
}

// fill fills a bundle with flows that are due, and returns whether those are all.
func (w *worker) fill(c *bundle) (all bool) {
	if c.keys = c.keys[:0]; c.keys == nil {
		c.keys = make([]rowKey, 0, w.full.rows)
	}
	if w.format != nil {
		return w.fillRows(c)
	}
	for most := 1; len(c.keys) < most; {
		flow := c.next(most)
		if !w.table.Next(&w.step, flow) {
			return true
		}
		if w.prepare(flow) {
			c.keys = append(c.keys, rowKey{})
			c.keys[len(c.keys)-1].set(flow, &w.step, 0)
			most = c.of(w.full.rows)
		}
	}
	return false
}

// fillRows is fill for rows.
func (w *worker) fillRows(c *bundle) (all bool) {
	if c.rows == nil {
		c.rows = make([]byte, 0, w.full.size+4<<10)
	}
	n, size, keys, rows, step, flow := 0, w.full.size, c.keys[:w.full.rows], c.rows[:0], &w.step, &w.flow
	table, prepare, format := w.table, w.prepare, w.format
	for n < len(keys) && len(rows) < size {
		if all = !table.Next(step, flow); all {
			break
		}
		if prepare(flow) {
			rows = format.AppendRow(rows, flow)
			keys[n].set(flow, step, len(rows))
			n++
		}
	}
	c.keys, c.rows = keys[:n], rows
	return all
}

// room returns a bundle to fill, nil when told to stop. A worker merges blocks first,
// of which one may have what it waits for. The lock is held before and after.
func (w *worker) room() *bundle {
	for !w.stopped {
		switch n := len(w.free); {
		case len(w.toMerge) > 0:
			w.mergeNext()
		case len(w.toEncode) > 0:
			w.encodeNext()
		case n > 0:
			c := w.free[n-1]
			w.free = w.free[:n-1]
			return c
		default:
			w.wait(true)
		}
	}
	return nil
}
