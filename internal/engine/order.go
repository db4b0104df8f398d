package engine

import (
	"sync/atomic"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// Each table gives out its flows in order, as bundles. The rows of all tables are
// put together in blocks: the caller's goroutine only finds up to which key every
// table has come, and has the rows up to there merged by whichever worker is free.
// It looks at a key for each bundle, and at no row. Tables give out rows, or flows
// where there are none, or where rows say their number: a block knows that of its
// first, and the worker that merges it formats them.

// A bundle is flows on their way from a table.
type bundle struct {
	flows []flowtable.Flow // the flows, if there are no rows
	more  []features.Flow  // their features, if there are any
	keys  []rowKey         // one for each flow
	rows  []byte           // their rows
	owner *worker
	last  bool         // the last bundle of its step
	end   bool         // of the last step
	uses  atomic.Int32 // by the order and by blocks
}

// add adds a flow, with what it lends.
func (c *bundle) add(f *flowtable.Flow) {
	c.flows = append(c.flows, *f)
	if f.Features == nil {
		return
	}
	if c.more == nil {
		c.more = make([]features.Flow, bundleFlows)
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
func (c *bundle) full() bool {
	return len(c.keys) == bundleRows || len(c.rows) >= bundleSize || c.more != nil && len(c.flows) == len(c.more)
}

// startOf returns where the row of a number begins, or behind the last where it
// would.
func (c *bundle) startOf(row int) int {
	if row == 0 {
		return 0
	}
	return c.keys[row-1].end
}

// A rowKey is the place of a row in the order of rows, and where it ends. The parts
// of the place are compared one after the other: when the flow finished, when it
// started, and the position of its first packet.
type rowKey struct {
	parts [3]uint64
	end   int
}

func newRowKey(finish, start flowtable.Time, first uint64, end int) rowKey {
	const lowest = 1 << 63 // the earliest time is 0
	return rowKey{[3]uint64{uint64(finish) ^ lowest, uint64(start) ^ lowest, first}, end}
}

func (a *rowKey) before(b *rowKey) bool {
	if a.parts[0] != b.parts[0] {
		return a.parts[0] < b.parts[0]
	}
	if a.parts[1] != b.parts[1] {
		return a.parts[1] < b.parts[1]
	}
	return a.parts[2] < b.parts[2]
}

// A segment is rows of a bundle that stand one behind the other.
type segment struct {
	*bundle
	from, to int
}

// A block is rows of all tables that come one after the other.
type block struct {
	lists  []segment // of each table that has any
	first  uint64    // number of the first row among all
	rows   int
	size   int               // bytes of the rows, if tables have formatted them
	bytes  []byte            // the rows, when it is merged
	flows  []*flowtable.Flow // or the flows
	merged bool
	uses   int // by batches; the caller's goroutine counts them
}

// An order finds out which rows come next.
type order struct {
	queues [][]segment // of each table: what has come and is in no block
	rows   uint64      // that are in blocks
	ended  bool        // the last step is through
}

func newOrder(tables int) *order {
	o := &order{queues: make([][]segment, tables)}
	for i := range o.queues {
		o.queues[i] = make([]segment, 0, bundlesInFlight)
	}
	return o
}

// add takes in the next bundle of a table.
func (o *order) add(c *bundle) {
	t := c.owner.number
	o.queues[t] = append(o.queues[t], segment{c, 0, len(c.keys)})
}

// next makes b the block of the rows that come next, of a bundle of each table at
// most. It returns false if they can't be known yet, or there are no more. Bundles
// that the order needs no more go to unused.
func (o *order) next(b *block, unused func(*bundle)) bool {
	*b = block{lists: b.lists[:0], bytes: b.bytes[:0], flows: b.flows[:0], first: o.rows}
	for !o.ended {
		bound, known := o.bound()
		if !known {
			return false
		}
		o.cut(b, bound, unused)
		if bound == nil {
			o.endStep(unused)
		}
		if b.rows > 0 {
			o.rows += uint64(b.rows)
			return true
		}
	}
	return false
}

// bound returns the key up to which all rows of the step have come, nil if no more
// are to come; known is false while that of a table has not.
func (o *order) bound() (bound *rowKey, known bool) {
	for _, queue := range o.queues {
		if len(queue) == 0 {
			return nil, false
		}
		if s := &queue[0]; !s.last {
			if key := &s.keys[len(s.keys)-1]; bound == nil || key.before(bound) { // what is not the last has rows
				bound = key
			}
		}
	}
	return bound, true
}

// cut makes b a block of the rows up to and with a bound, or of all of the step.
func (o *order) cut(b *block, bound *rowKey, unused func(*bundle)) {
	for t, queue := range o.queues {
		s := &queue[0]
		to := s.to
		if bound != nil && (s.to == 0 || bound != &s.keys[s.to-1]) {
			to = s.upTo(bound)
		}
		if to > s.from {
			s.uses.Add(1)
			b.lists = append(b.lists, segment{s.bundle, s.from, to})
			b.rows += to - s.from
			b.size += s.startOf(to) - s.startOf(s.from)
			s.from = to
		}
		if s.from == s.to && !s.last {
			o.drop(t, unused)
		}
	}
}

// upTo returns the number of the first row of a segment that comes after a key.
// Flows that a bound of memory finished need not be in order, nor is there one
// among those of several tables: some number is as good as another then.
func (s *segment) upTo(bound *rowKey) int {
	from, to := s.from, s.to
	for from < to {
		middle := int(uint(from+to) >> 1)
		if bound.before(&s.keys[middle]) {
			to = middle
		} else {
			from = middle + 1
		}
	}
	return from
}

// endStep goes on to the next step, of which all tables have given the last bundle.
func (o *order) endStep(unused func(*bundle)) {
	for t, queue := range o.queues {
		o.ended = queue[0].end
		o.drop(t, unused)
	}
}

// drop drops the first segment of a table.
func (o *order) drop(t int, unused func(*bundle)) {
	queue := o.queues[t]
	c := queue[0].bundle
	o.queues[t] = queue[:copy(queue, queue[1:])]
	unused(c)
}
