package intake

import (
	"container/heap"
	"math"
	"slices"

	"github.com/flowfast/flowfast/ioutil"
)

// Captures that are joined and overlap in time are merged as mergecap does it: the
// next packet is that of the capture whose next packet is the earliest, of the
// first one among the arguments where times are equal. Captures are opened when
// their first packet is due, and closed at their end, so as many are open as
// overlap at a time, but no more than there are files and memory for: see spooling.
// A capture is read in spans while no other one overlaps it.

// overlapRecords is how many records of a capture are lent at a time.
const overlapRecords = 64

// A joined file is one of several that are read as one stream.
type joined struct {
	file string
	turn      // of its first packet
	none bool // it has no packets
}

// A turn is when a packet comes among those of captures that overlap.
type turn struct {
	time  int64
	order int // of its capture among the arguments
}

// before reports whether a packet comes before another one.
func (a turn) before(b turn) bool {
	return a.time < b.time || a.time == b.time && a.order < b.order
}

// A cursor is a capture among those that overlap, or a spool of some.
type cursor struct {
	capture *ioutil.Capture // nil for a spool
	spool   *ioutil.Spool   // in place of the capture
	level   int             // how often packets of it have been spooled
	name    string
	order   int // of the capture among the arguments
	records [overlapRecords]ioutil.Record
	orders  []uint32        // of the captures of a spool's records
	lent    []ioutil.Record // those that are still to come, one at least
	strange linkTypes
	told    int64 // bytes of it that the progress has
}

// turn returns that of the packet of a lent record.
func (c *cursor) turn(i int) turn {
	order := c.order
	if c.spool != nil {
		order = int(c.orders[len(c.orders)-len(c.lent)+i])
	}
	return turn{c.lent[i].Time, order}
}

// cursors are a heap: the first one has the packet that comes next.
type cursors []*cursor

func (c cursors) Len() int           { return len(c) }
func (c cursors) Less(i, j int) bool { return c[i].turn(0).before(c[j].turn(0)) }
func (c cursors) Swap(i, j int)      { c[i], c[j] = c[j], c[i] }
func (c *cursors) Push(x any)        { *c = append(*c, x.(*cursor)) }
func (c *cursors) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// run returns how many records of the first capture, the next one among them, come
// before those of the others and before a turn, if there is one.
func (c cursors) run(end turn, ends bool) int {
	for i := 1; i <= 2 && i < len(c); i++ { // one of these is the second
		if p := c[i].turn(0); !ends || p.before(end) {
			end, ends = p, true
		}
	}
	n := 1
	for n < len(c[0].lent) && (!ends || c[0].turn(n).before(end)) {
		n++
	}
	return n
}

// due returns the turn of the first packet of the file that comes next, if there is one.
func (in *Intake) due() (turn, bool) {
	if len(in.files) == 0 || in.files[0].none {
		return turn{}, false
	}
	return in.files[0].turn, true
}

// dueBefore reports whether that comes before another one.
func (in *Intake) dueBefore(p turn) bool {
	due, is := in.due()
	return is && due.before(p)
}

// untilNext returns how many records, of the capture that is read, come before the
// first packet of the file that comes next.
func (in *Intake) untilNext(records []ioutil.Record) int {
	if len(in.files) > 0 {
		for i := range records {
			if in.dueBefore(turn{records[i].Time, in.order}) {
				return i
			}
		}
	}
	return len(records)
}

// reachesNext reports whether a packet of a piece may come behind the first packet
// of the file that comes next.
func (in *Intake) reachesNext(p *Piece) bool {
	latest := int64(p.batch.Latest())
	if cut := p.resolution; latest < math.MaxInt64-cut {
		latest += cut // it may have been so much later before it was cut down
	}
	return p.batch.Len() > 0 && in.dueBefore(turn{latest, in.order})
}

// beginOverlap makes the capture that is read the first of those that overlap;
// records are what it has lent and are still to come.
func (in *Intake) beginOverlap(records []ioutil.Record) {
	in.cutter.withhold()
	c := &cursor{capture: in.file(), name: in.name, order: in.order, strange: in.strange}
	c.lent = slices.Clone(records) // whose place is the piece's
	in.progress.capture.Store(nil)
	in.tell(c)
	in.strange, in.capture = linkTypes{}, nil
	in.overlap = append(in.overlap, c)
}

// overlaps reports whether captures are being merged.
func (in *Intake) overlaps() bool { return len(in.overlap) > 0 || in.spooling != nil }

// merge fills a piece with the packets that come next of captures that overlap, or
// goes on with spooling.
func (in *Intake) merge(p *Piece) {
	for p.batch.Len() < maxRecords && in.overlaps() {
		if in.spooling != nil {
			in.spool()
			return
		}
		first := in.overlap[0]
		if in.dueBefore(first.turn(0)) {
			in.openOverlap()
			continue
		}
		n := in.overlap.run(in.due())
		for i := range n {
			in.orders = append(in.orders, first.turn(i).order)
		}
		if first.spool == nil {
			p.decode(first.capture, first.lent[:n])
			first.strange.merge(&p.strange)
		} else {
			p.decode(nil, first.lent[:n])
			p.strange.seen = p.strange.seen[:0] // of which the captures have been told
		}
		if n == len(first.lent) && len(in.overlap) == 1 && first.spool == nil {
			in.endOverlap(first)
			return
		}
		in.advance(&in.overlap, n)
	}
}

// noteStepBack notes the file of the packet, one of the piece that was admitted last, at
// which time first steps back: it is not in the order of time itself.
func (in *Intake) noteStepBack() {
	order := in.order
	if i := in.gate.StepsBack.First - 1 - in.report.Packets; i < uint64(len(in.orders)) {
		order = in.orders[i]
	}
	in.stepsBack = in.arguments[order]
}

// advance takes so many records from the first capture of a heap.
func (in *Intake) advance(h *cursors, n int) {
	first := (*h)[0]
	first.lent = first.lent[n:]
	if len(first.lent) > 0 || in.refill(first) {
		heap.Fix(h, 0)
	} else {
		heap.Remove(h, 0)
	}
}

// endOverlap makes the last of the captures that overlap the one that is read.
func (in *Intake) endOverlap(c *cursor) {
	in.overlap = in.overlap[:0]
	in.capture, in.name, in.order, in.strange = c.capture, c.name, c.order, c.strange
	in.progress.earlier.Add(-c.told) // the capture tells them
	last := input(c.capture)
	in.progress.capture.Store(&last)
	c.capture.Widen()
	in.offer()
}

// openOverlap opens the file that comes next.
func (in *Intake) openOverlap() {
	f := in.files[0]
	in.files = in.files[1:]
	capture, err := ioutil.OpenLean(f.file)
	if err == nil {
		err = in.start(capture, f.file)
	}
	if err != nil {
		in.fail(err)
		return
	}
	in.capture = nil
	c := &cursor{capture: capture, name: f.file, order: f.order}
	if in.refill(c) {
		heap.Push(&in.overlap, c)
		if in.crowded() {
			in.beginSpooling()
		}
	}
}

// refill has a capture lend more, and closes it where there is no more.
func (in *Intake) refill(c *cursor) bool {
	if c.spool != nil {
		return in.refillSpool(c)
	}
	n, err := c.capture.ReadBefore(math.MaxInt64, c.records[:])
	in.tell(c)
	if err == nil && n > 0 {
		c.lent = c.records[:n]
		return true
	}
	in.capture, in.name, in.strange, in.told = c.capture, c.name, c.strange, c.told
	in.endOfCapture(err)
	return false
}

// tell tells the progress how far a capture has been read.
func (in *Intake) tell(c *cursor) {
	read, _ := c.capture.Progress()
	in.progress.earlier.Add(read - c.told)
	c.told = read
}

// closeOverlap closes all captures that overlap.
func (in *Intake) closeOverlap() {
	if s := in.spooling; s != nil {
		in.overlap = append(in.overlap, s.from...)
		in.fail(s.to.Close())
		in.spooling = nil
	}
	for _, c := range in.overlap {
		if c.spool != nil {
			in.fail(c.spool.Close())
			continue
		}
		in.capture, in.name, in.told = c.capture, c.name, c.told
		in.close()
	}
	in.overlap = nil
}
