package flowfast

import (
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// A chunk is flows on their way from a table to the merger.
type chunk struct {
	flows []Flow          // the flows, if there are no rows
	more  []features.Flow // their features, if there are any
	keys  []rowKey        // one for each flow
	rows  []byte          // their rows
	last  bool            // the last chunk of its step
	end   bool            // of the last step
	next  int             // the flow that comes next
}

// add adds a flow, with what it lends.
func (c *chunk) add(f *Flow) {
	c.flows = append(c.flows, *f)
	if f.Features == nil {
		return
	}
	if c.more == nil {
		c.more = make([]features.Flow, chunkFlows)
	}
	to := &c.more[len(c.flows)-1]
	first, quantiles := append(to.First[:0], f.Features.First...), to.Quantiles
	for i, q := range f.Features.Quantiles {
		quantiles[i].Sizes = append(quantiles[i].Sizes[:0], q.Sizes...)
		quantiles[i].Intervals = append(quantiles[i].Intervals[:0], q.Intervals...)
	}
	*to = *f.Features
	to.First, to.Quantiles = first, quantiles
	c.flows[len(c.flows)-1].Features = to
}

// full tells if nothing more should be added.
func (c *chunk) full() bool {
	return len(c.keys) == chunkRows || len(c.rows) >= chunkSize || c.more != nil && len(c.flows) == len(c.more)
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

// A merger puts the answers of the workers together.
type merger struct {
	in      *intake
	workers []*worker
	chunks  []*chunk // the one of each worker; nil when its step is through
	to      sink
}

// run emits the flows of all workers in order.
func (m *merger) run() error {
	for end := false; !end; {
		for i, w := range m.workers {
			m.chunks[i] = <-w.out
			end = m.chunks[i].end
		}
		if err := m.step(); err != nil {
			return err
		}
		if err := m.to.flush(); err != nil {
			return err
		}
	}
	return nil
}

// step emits the flows that are due after a step.
func (m *merger) step() error {
	for {
		var first, second *chunk
		for i := range m.chunks {
			m.refill(i)
			switch c := m.chunks[i]; {
			case c == nil:
			case first == nil || c.head().before(first.head()):
				first, second = c, first
			case second == nil || c.head().before(second.head()):
				second = c
			}
		}
		if first == nil {
			return nil
		}
		if err := m.emitRun(first, second); err != nil {
			return err
		}
	}
}

// refill sees that worker i has a chunk with a flow in it, or nil if its step
// is through.
func (m *merger) refill(i int) {
	for c := m.chunks[i]; c != nil && c.next == len(c.keys); c = m.chunks[i] {
		if m.chunks[i] = nil; !c.last {
			m.chunks[i] = <-m.workers[i].out
		}
		m.workers[i].free <- c // has room for all chunks
	}
}

// head returns the key of the flow that comes next.
func (c *chunk) head() *rowKey { return &c.keys[c.next] }

// emitRun emits the flows of a chunk that come before those of another, if
// there is another, and at least one.
func (m *merger) emitRun(c, other *chunk) error {
	from := c.next
	for c.next++; c.next < len(c.keys) && (other == nil || c.head().before(other.head())); {
		c.next++
	}
	m.in.progress.flows.Add(int64(c.next - from))
	if len(c.flows) == 0 {
		start := 0
		if from > 0 {
			start = c.keys[from-1].end
		}
		return m.to.emit(nil, c.rows[start:c.keys[c.next-1].end])
	}
	for i := range c.flows[from:c.next] {
		if err := m.to.emit(&c.flows[from+i], nil); err != nil {
			return err
		}
	}
	return nil
}
