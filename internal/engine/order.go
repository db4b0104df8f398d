package engine

import (
	"math"
	"sync/atomic"

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
	rowSize         = 192  // bytes of rows, for each of the most, after which a bundle ends sooner
	leastBlock      = 2048 // rows
	mostBlock       = 4096
	blockRows       = 256 // for each processor: they find the next block one after the other
	// largeFlow is how many flows of which one with features takes the place.
	largeFlow = 16
	// mostSegments of a table are in a block: when so many have come, the next block is
	// known, and with the rest of its bundles the table can go on.
	mostSegments = bundlesInFlight / 4
)

// A fullness is how much bundles hold.
type fullness struct {
	rows    int // most of them
	size    int // bytes of rows after which a bundle ends sooner
	portion int // rows of one table in a block
}

// fullnessOf returns the fullness of the bundles of so many tables.
func fullnessOf(tables, processors int) fullness {
	rows := min(max(leastRows, rowsInFlight*processors/(tables*bundlesInFlight)), mostRows)
	block := min(max(leastBlock, blockRows*processors), mostBlock)
	return fullness{rows, rows * rowSize, max(1, min(block/tables, rows))}
}

// A bundle is flows on their way from a table.
type bundle struct {
	keys  []rowKey         // one for each flow
	rows  []byte           // their rows
	flows []flowtable.Flow // or the flows, used again and again with what they have of memory
	owner *worker
	step  int64 // number of the step that its flows are of
	last  bool  // none of that come behind
	_     [64]byte
	uses  atomic.Int32 // by blocks; ofOrder as long as the order needs it
}

// ofOrder stands for the uses by the order, which notes only at the end how many blocks
// have had of a bundle.
const ofOrder = 1 << 20

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
	blocks   int32 // that have had rows before from
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

// An order finds out which rows come next. A table that has none of a step only says that
// it has passed that, which most do most of the time: it takes no lock, and nobody looks
// at all tables then. Where rows wait for a table, it finds its number in waitsFor and is
// to have the order asked again.
type order struct {
	portion  int    // flows of each table that make a block
	lanes    []lane // of each table
	queued   int    // rows that have come and are in no block
	rows     uint64 // that are in blocks
	step     int64  // number of the step that was looked at last
	going    int    // tables that have not come to their end
	of       []int  // of each list of a block, the table
	searches []search
	waitsFor atomic.Int64 // number of a table, see wait; nobody if negative
}

const nobody = -1

// A lane is what has come of one table.
type lane struct {
	queue []segment // that is in no block
	reach reach     // up to where the next block may have flows
	_     [64]byte  // the lock guards what is above; what is below changes with each piece

	passed atomic.Int64 // steps of which all rows have come; set by the owner of the table
	_      [56]byte
}

// A reach is where some flows of a table end: with that before number to of a
// segment of its queue. There are none if the segment's number is negative.
type reach struct{ segment, to int }

func newOrder(tables, portion int) *order {
	o := &order{portion: portion, lanes: make([]lane, tables), going: tables}
	for i := range o.lanes {
		o.lanes[i].queue = make([]segment, 0, bundlesInFlight)
	}
	o.waitsFor.Store(nobody)
	return o
}

// add takes in the next bundle of a table, which has rows. It returns whether more may be
// known by that.
func (o *order) add(c *bundle) (news bool) {
	t := c.owner.number
	o.lanes[t].queue = append(o.lanes[t].queue, segment{c, 0, len(c.keys), 0})
	o.queued += len(c.keys)
	if c.last {
		o.lanes[t].passed.Store(c.step + 1)
	}
	waitsFor := o.waitsFor.Load()
	return waitsFor == nobody || waitsFor == int64(t) || c.step < o.step
}

// pass notes that all rows of a table have come up to the end of a step. It returns
// whether rows wait for that. It takes no lock.
func (o *order) pass(table int, step int64) (awaited bool) {
	o.lanes[table].passed.Store(step + 1)
	return o.waitsFor.Load() == int64(table)
}

// ended tells if all rows are in blocks.
func (o *order) ended() bool { return o.going == 0 && o.queued == 0 }

// next makes b the block of the rows that come next. It returns false if they can't be
// known yet, or there are no more. Bundles that nobody needs any more go to unused.
func (o *order) next(b *block, unused func(*bundle)) bool {
	if o.queued == 0 {
		o.wait(nobody)
		return false
	}
	first, known := o.bound()
	if !known {
		return false
	}
	o.wait(nobody)
	*b = block{lists: b.lists[:0], bytes: b.bytes[:0], flows: b.flows[:0], first: o.rows}
	o.cut(b, first, unused)
	o.rows += uint64(b.rows)
	o.queued -= b.rows
	return true
}

// wait notes for which table rows wait.
func (o *order) wait(table int) {
	if o.waitsFor.Load() != int64(table) {
		o.waitsFor.Store(int64(table))
	}
}

// bound finds the reaches of all tables in the first step that has rows, and returns the
// table whose reach ends first, up to where all rows of the step have come; -1 if no
// more are to come behind the reaches. It is not known while those of a table have not come: what is in a block
// must not depend on who comes first.
func (o *order) bound() (first int, known bool) {
	o.step = math.MaxInt64
	for t := range o.lanes {
		if queue := o.lanes[t].queue; len(queue) > 0 {
			o.step = min(o.step, queue[0].step)
		}
	}
	first = -1
	var bound *rowKey
	for t := range o.lanes {
		l := &o.lanes[t]
		key, known := l.find(o.step, o.portion)
		if !known {
			o.wait(t)
			if l.passed.Load() <= o.step { // else it came to that before it could see who waits
				return 0, false
			}
			key, _ = l.find(o.step, o.portion)
		}
		if key != nil && (bound == nil || key.before(bound)) {
			bound, first = key, t
		}
	}
	return first, true
}

// find finds the reach of a table in a step, and returns its last key; nil if none of the
// step come behind. It is the first segment's end, and with many tables a portion of as many
// rows, that blocks are neither large nor many, but of no more than mostSegments.
func (l *lane) find(step int64, portion int) (last *rowKey, known bool) {
	passed := l.passed.Load() > step // before it looks at what came until then
	l.reach = reach{-1, 0}
	rows := 0
	for i := range l.queue {
		s := &l.queue[i]
		if s.step > step {
			return nil, true
		}
		if i == 0 {
			rows = s.of(portion)
		}
		n := s.to - s.from
		l.reach = reach{i, s.from + min(n, rows)}
		switch {
		case s.last && n <= rows:
			return nil, true
		case n >= rows, i+1 == mostSegments:
			return &s.keys[l.reach.to-1], true
		}
		rows -= n
	}
	return nil, passed
}

// cut makes b a block of the rows up to the end of the reach of the table that is
// the first, or of all of the step.
func (o *order) cut(b *block, first int, unused func(*bundle)) {
	var bound *rowKey
	if first >= 0 {
		r := o.lanes[first].reach
		bound = &o.lanes[first].queue[r.segment].keys[r.to-1]
	}
	o.searches, o.of = o.searches[:0], o.of[:0]
	for t := range o.lanes {
		l := &o.lanes[t]
		for i, whole := 0, true; i <= l.reach.segment && whole; i++ {
			s := l.queue[i]
			if i == l.reach.segment {
				s.to = l.reach.to
			}
			if bound != nil && t != first && bound.before(&s.keys[s.to-1]) {
				o.searches, whole = append(o.searches, search{s.keys, s.from, s.to - 1, len(b.lists)}), false
			}
			b.lists, o.of = append(b.lists, s), append(o.of, t)
		}
	}
	if bound != nil {
		o.search(bound.parts)
	}
	for i := range o.searches {
		b.lists[o.searches[i].list].to = o.searches[i].from
	}
	n := 0
	for i, s := range b.lists {
		first := &o.lanes[o.of[i]].queue[0]
		if s.from < s.to {
			b.lists[n] = s
			n++
			b.rows += s.to - s.from
			b.size += s.startOf(s.to) - s.startOf(s.from)
			first.from = s.to
			first.blocks++
		}
		if s.to == first.to {
			o.drop(o.of[i], unused)
		}
	}
	b.lists = b.lists[:n]
}

// drop drops the first segment of a table.
func (o *order) drop(t int, unused func(*bundle)) {
	l := &o.lanes[t]
	s := l.queue[0]
	l.queue = l.queue[:copy(l.queue, l.queue[1:])]
	if s.uses.Add(s.blocks-ofOrder) == 0 {
		unused(s.bundle)
	}
}

// A search is for the number of the first row of a list that comes after a key, to
// if none before that does. Flows that a bound of memory finished need not be in
// order, nor is there one among those of several tables: some number is as good as
// another then.
type search struct {
	keys     []rowKey
	from, to int // which are the same in the end
	list     int
}

// search searches all lists at once: other processors have written their keys, whose
// memory is then waited for together.
func (o *order) search(bound [3]uint64) {
	for found := false; !found; {
		found = true
		for i := range o.searches {
			s := &o.searches[i]
			if s.from == s.to {
				continue
			}
			found = false
			middle := int(uint(s.from+s.to) >> 1)
			if k := &s.keys[middle].parts; bound[0] < k[0] || bound[0] == k[0] && (bound[1] < k[1] || bound[1] == k[1] && bound[2] < k[2]) {
				s.to = middle
			} else {
				s.from = middle + 1
			}
		}
	}
}
