package main

import (
	"context"
	"io"
	"sync"
	"sync/atomic"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	pages "github.com/flowfast/flowfast/report"
)

// A series is a job whose captures are read each by a run of its own, and whose
// rows go into one table, in the order of the captures. Captures of less than
// smallCapture are read several at once, each by one worker; a larger one has all
// workers. So batches end where the sizes of captures say, and the bytes of the
// table do not depend on the number of workers.
type series struct {
	command *command
	results []result // of each capture
	writer  io.WriteCloser
	out     *outputs
	options flowfast.Options
	show    *display
	page    *pages.Collector // of the captures that are done
}

// smallCapture is the size in bytes, as it is stored, from which on a capture is
// worth all workers. It is a variable for the tests.
var smallCapture int64 = 4 << 20

// waiting is how many bytes of rows a capture may have ready before its turn.
const waiting = 4 << 20

// series does a job of several captures, and returns a result for each.
func (c *command) series(ctx context.Context, j job, options flowfast.Options, show *display) []result {
	out := outputs{command: c, first: j.output}
	defer out.discard()
	s := &series{command: c, results: j.results(), out: &out, options: options, show: show}
	err := s.begin(ctx)
	if err == nil {
		s.read(ctx)
		err = s.writer.Close()
	}
	if failed := out.err(); failed != nil {
		err = failed
	}
	s.finish(ctx, err)
	return s.results
}

// begin begins the table, or one for each split.
func (s *series) begin(ctx context.Context) error {
	if s.command.splits.folders {
		s.writer = newSplitWriter(ctx, s.out)
		return nil
	}
	next := func() (io.Writer, error) { return s.out.next(ctx) }
	to, err := next()
	if err != nil {
		return err
	}
	table := s.command.shared(next)
	if s.writer, err = s.command.format.NewWriter(to, table); err != nil {
		return err
	}
	_, err = s.writer.Write(s.command.format.Rows(table).AppendHeader(nil))
	return err
}

// read reads the captures, as long as the table can be written.
func (s *series) read(ctx context.Context) {
	for from := 0; from < len(s.results) && ctx.Err() == nil && s.out.err() == nil; {
		to := from
		for to < len(s.results) && s.results[to].job.size < smallCapture {
			to++
		}
		if to > from {
			s.together(ctx, from, to)
		} else {
			s.alone(ctx, from)
			to++
		}
		from = to
	}
	for i := range s.results {
		if r := &s.results[i]; ctx.Err() != nil && len(r.summary.Captures) == 0 && len(r.errs) == 0 {
			r.stopped = true
		}
	}
}

// alone reads a large capture. It has batches of its own.
func (s *series) alone(ctx context.Context, i int) {
	batches, ok := s.writer.(export.BatchWriter)
	if ok && batches.EndBatch() != nil {
		return // Close tells
	}
	s.capture(ctx, i, s.options, s.writer)
	s.count(i)
	if ok {
		_ = batches.EndBatch()
	}
}

// together reads small captures, several at once.
func (s *series) together(ctx context.Context, from, to int) {
	o, page := s.options, s.command.page.memory() // which s.options has left for one
	atOnce := min(o.Workers, to-from, max((o.MaxMemory+page)/(flowfast.MinMemory+page), 1))
	o.Workers, o.MaxMemory = 1, (o.MaxMemory+page)/atOnce-page
	turns := newTurns(s.writer, from)
	next := atomic.Int64{}
	next.Store(int64(from))
	var group sync.WaitGroup
	for range atOnce {
		group.Go(func() {
			for {
				i := int(next.Add(1)) - 1 // in order, so that the one whose turn it is is being read
				if i >= to {
					return
				}
				turn := turn{turns: turns, number: i}
				if ctx.Err() == nil && !turns.failed() {
					s.capture(ctx, i, o, &turn)
				}
				turn.await()
				s.count(i)
				turn.end()
			}
		})
	}
	group.Wait()
}

// capture reads a capture and writes its rows.
func (s *series) capture(ctx context.Context, i int, options flowfast.Options, to io.Writer) {
	r := &s.results[i]
	err := s.command.measure(ctx, r, options, s.show, func(run *flowfast.Run) error {
		var rows flowfast.Rows = headless{s.command.format.Rows(s.command.withCapture(r.job))}
		if s.command.splits.folders {
			rows = splitRows{rows}
		}
		format, counted, err := s.command.rowsOf(rows, to, r.page)
		if err != nil {
			return err
		}
		return run.Write(ctx, counted, format)
	})
	r.stopped = err != nil && ctx.Err() != nil
	if !r.stopped && s.out.err() == nil {
		r.errs = split(err)
	}
	s.command.digest(ctx, r)
}

// count takes what a page has of a capture, in the order of the captures: so one
// waits for each that is being read, and none for each that was.
func (s *series) count(i int) { s.results[i].mergePage(&s.page) }

// finish gives the table its name, another one if a signal ended it early, and says
// in the results what has become of it.
func (s *series) finish(ctx context.Context, failed error) {
	stopped, some := false, false
	for i := range s.results {
		stopped = stopped || s.results[i].stopped
		some = some || len(s.results[i].summary.Captures) > 0
	}
	if failed != nil && ctx.Err() != nil && !some {
		failed, stopped = nil, true // while it waited for a reader of the output
	}
	partial := ""
	if failed == nil && some {
		if failed = s.out.commit(stopped); failed == nil && stopped {
			partial = s.out.all[0].PartialName()
		}
	}
	for i := range s.results {
		r := &s.results[i]
		r.failed, r.told = failed, failed != nil && i > 0
		r.stopped = stopped
		if len(r.summary.Captures) > 0 {
			r.partial = partial
		}
		if i == 0 {
			r.page = s.page
		}
		if failed == nil && some && i == 0 {
			r.written, r.parts = s.out.size(), s.out.parts()
		}
	}
}

// each returns the jobs that a job consists of: one for each capture of a series,
// else itself.
func (j *job) each() []job {
	if !j.series {
		return []job{*j}
	}
	jobs := make([]job, len(j.captures))
	for i := range j.captures {
		jobs[i] = job{
			inputs: j.inputs[i : i+1], captures: j.captures[i : i+1], output: j.output, size: j.captures[i].info.Size(),
		}
	}
	return jobs
}

// results returns a result for each of these, in which nothing has been done.
func (j *job) results() []result {
	jobs := j.each()
	results := make([]result, len(jobs))
	for i := range jobs {
		results[i].job = jobs[i]
	}
	return results
}

// A headless is rows without what comes before the first of them.
type headless struct{ export.Rows }

func (headless) AppendHeader(b []byte) []byte { return b }

// Turns are those of captures to write their rows to one writer.
type turns struct {
	mu    sync.Mutex
	moved *sync.Cond
	to    io.Writer
	now   int // whose turn it is
	err   error
}

func newTurns(to io.Writer, first int) *turns {
	t := &turns{to: to, now: first}
	t.moved = sync.NewCond(&t.mu)
	return t
}

func (t *turns) failed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err != nil
}

// A turn is where the rows of a capture go. Before its turn it keeps some, and then
// makes the writer of more wait.
type turn struct {
	turns  *turns
	number int
	rows   []byte
}

func (t *turn) Write(b []byte) (int, error) {
	q := t.turns
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.now != t.number && q.err == nil && len(t.rows)+len(b) > waiting {
		q.moved.Wait()
	}
	if q.now != t.number && q.err == nil {
		t.rows = append(t.rows, b...)
		return len(b), nil
	}
	t.write()
	q.write(b)
	return len(b), q.err
}

// write writes what has been kept; turns.mu is held.
func (t *turn) write() {
	t.turns.write(t.rows)
	t.rows = nil
}

func (t *turns) write(b []byte) {
	if t.err == nil && len(b) > 0 {
		_, t.err = t.to.Write(b)
	}
}

// await waits for the turn, and writes what has been kept.
func (t *turn) await() {
	q := t.turns
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.now != t.number {
		q.moved.Wait()
	}
	t.write()
}

// end passes the turn on.
func (t *turn) end() {
	q := t.turns
	q.mu.Lock()
	defer q.mu.Unlock()
	q.now++
	q.moved.Broadcast()
}

// withCapture returns what the rows of a capture are made of.
func (c *command) withCapture(j job) export.Table {
	return export.Table{Columns: append(c.columns[:len(c.columns):len(c.columns)], captureColumn(j))}
}
