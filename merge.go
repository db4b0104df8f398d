package flowfast

import "github.com/flowfast/flowfast/flowtable"

// A chunk is flows on their way from a table to the merger.
type chunk struct {
	flows []Flow   // the flows, if there are no rows
	keys  []rowKey // one for each flow
	rows  []byte   // their rows
	last  bool     // the last chunk of its step
	end   bool     // of the last step
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

// A merger puts the answers of the workers together.
type merger struct {
	in      *intake
	workers []*worker
	chunks  []*chunk // the one of each worker; nil when its step is through
	emit    func(*Flow, []byte) error
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
	}
	return nil
}

// step emits the flows that are due after a step.
func (m *merger) step() error {
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
