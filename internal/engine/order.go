package engine

import (
	"github.com/flowfast/flowfast/flowtable"
)

// Each table gives out its flows in order, as bundles. The rows of all tables are
// put together in blocks: who brings a bundle only finds up to which key every table has
// come, and has the rows up to there merged by whichever worker is free. It looks at a
// key for each table, and at no row. Tables give out rows, or flows where there are none,
// or where rows say their number: a block knows that of its first, and the worker that
// merges it formats them.

const (
	bundlesInFlight = 8    // for each table
	rowsInFlight    = 8192 // for each processor; what is under way is to stay in its cache
	mostRows        = 1024 // of a bundle
	leastRows       = 32
	rowSize         = 192 // bytes of rows, for each of the most, after which a bundle ends sooner
	blockRows       = 2048
	// largeFlow is how many flows of which one with features takes the place.
	largeFlow = 16
	// mostSegments of a table are in a block: when so many have come, the next block is
	// known, and with the rest of its bundles the table can go on.
	mostSegments = bundlesInFlight / 4
)

// A fullness is how much bundles hold.
type fullness struct {
	rows  int // most of them
	size  int // bytes of rows after which a bundle ends sooner
	share int // rows of one table in a block
}

// fullnessOf returns the fullness of the bundles of so many tables.
func fullnessOf(tables, processors int) fullness {
	rows := min(max(leastRows, rowsInFlight*processors/(tables*bundlesInFlight)), mostRows)
	return fullness{rows, rows * rowSize, max(1, min(blockRows/tables, rows))}
}

// A bundle is flows on their way from a table.
type bundle struct {
	keys  []rowKey         // one for each flow
	rows  []byte           // their rows
	flows []flowtable.Flow // or the flows, used again and again with what they have of memory
	owner *worker
	last  bool // the last bundle of its step
	end   bool // of the last step
	uses  int  // by the order and by blocks; the lock of the crew is held
}

// next returns the place of the flow that comes next, of most that there are to be.
func (c *bundle) next(most int) *flowtable.Flow {
	n := len(c.keys)
	if n == len(c.flows) {
		if n == 0 {
			most = 1 // how many more there are depends on what is in it
		}
		flows := make([]flowtable.Flow, most)
		copy(flows, c.flows)
		c.flows = flows
	}
	return &c.flows[n]
}

// of returns the part of a number of flows that are as large as those of the bundle.
func (c *bundle) of(n int) int {
	if len(c.flows) > 0 && c.flows[0].Features != nil {
		return (n + largeFlow - 1) / largeFlow
	}
	return n
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

// set makes it the key of a flow that a step gave out.
func (a *rowKey) set(f *flowtable.Flow, s *flowtable.Step, end int) {
	const lowest = 1 << 63 // the earliest time is 0
	// What a bound finished comes after what finished before the horizon.
	a.parts[0] = uint64(min(f.Finish, s.Horizon)) ^ lowest
	a.parts[1] = uint64(f.Start) ^ lowest
	a.parts[2], a.end = f.First, end
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
	share   int         // flows of each table that make a block
	queues  [][]segment // of each table: what has come and is in no block
	reaches []reach     // of each table, up to where the next block may have flows
	rows    uint64      // that are in blocks
	steps   int         // that are through
	ended   bool        // the last of them is
}

// A reach is where some flows of a table end: with that before number to of a
// segment of its queue.
type reach struct{ segment, to int }

func newOrder(tables, share int) *order {
	o := &order{share: share, queues: make([][]segment, tables), reaches: make([]reach, tables)}
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

// next makes b the block of the rows that come next. It returns false if they can't be
// known yet, or there are no more. Bundles that the order needs no more go to unused.
func (o *order) next(b *block, unused func(*bundle)) bool {
	*b = block{lists: b.lists[:0], bytes: b.bytes[:0], flows: b.flows[:0], first: o.rows}
	for !o.ended {
		first, known := o.bound()
		if !known {
			return false
		}
		o.cut(b, first, unused)
		if first < 0 {
			o.endStep(unused)
		}
		if b.rows > 0 {
			o.rows += uint64(b.rows)
			return true
		}
	}
	return false
}

// bound finds the reaches of all tables and returns the table whose reach ends first,
// up to where all rows of the step have come; -1 if no more are to come behind the
// reaches. It is not known while those of a table have not come: what is in a block
// must not depend on who comes first.
func (o *order) bound() (first int, known bool) {
	first = -1
	var bound *rowKey
	for t, queue := range o.queues {
		key, known := o.reach(&o.reaches[t], queue)
		if !known {
			return 0, false
		}
		if key != nil && (bound == nil || key.before(bound)) {
			bound, first = key, t
		}
	}
	return first, true
}

// reach finds the reach of a table, and returns its last key; nil if none of the step
// come behind. It is the first segment's end, and with many tables a share of as many
// rows, that blocks are neither large nor many, but of no more than mostSegments.
func (o *order) reach(r *reach, queue []segment) (last *rowKey, known bool) {
	rows := 0
	for i := range queue {
		s := &queue[i]
		if i == 0 {
			rows = s.of(o.share)
		}
		n := s.to - s.from
		*r = reach{i, s.from + min(n, rows)}
		switch {
		case s.last && n <= rows:
			return nil, true
		case n >= rows, i+1 == mostSegments:
			return &s.keys[r.to-1], true
		}
		rows -= n
	}
	return nil, false
}

// cut makes b a block of the rows up to the end of the reach of the table that is
// the first, or of all of the step.
func (o *order) cut(b *block, first int, unused func(*bundle)) {
	var bound *rowKey
	if first >= 0 {
		r := o.reaches[first]
		bound = &o.queues[first][r.segment].keys[r.to-1]
	}
	for t := range o.queues {
		r := o.reaches[t]
		for i, whole := 0, true; i <= r.segment && whole; i++ {
			s := &o.queues[t][0]
			to := s.to
			if i == r.segment {
				to = r.to
			}
			if bound != nil && t != first && to > s.from && bound.before(&s.keys[to-1]) {
				to, whole = s.upTo(bound, to-1), false
			}
			if to > s.from {
				s.uses++
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
}

// upTo returns the number of the first row of a segment that comes after a key, to
// if none before that does. Flows that a bound of memory finished need not be in
// order, nor is there one among those of several tables: some number is as good as
// another then.
func (s *segment) upTo(bound *rowKey, to int) int {
	from := s.from
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
	o.steps++
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
