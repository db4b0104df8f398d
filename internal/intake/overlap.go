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
// overlap at a time. A capture is read in spans while no other one overlaps it.

// overlapRecords is how many records of a capture are lent at a time.
const overlapRecords = 64

// A joined file is one of several that are read as one stream.
type joined struct {
	file  string
	order int   // among the arguments
	time  int64 // of its first packet
	none  bool  // it has no packets
}

// A cursor is a capture among those that overlap.
type cursor struct {
	capture *ioutil.Capture
	name    string
	order   int
	records [overlapRecords]ioutil.Record
	lent    []ioutil.Record // those that are still to come, one at least
	strange linkTypes
	told    int64 // bytes of it that the progress has
}

// comesBefore reports whether a packet of a time in the capture of an order among
// the arguments comes before another one.
func comesBefore(time int64, order int, otherTime int64, otherOrder int) bool {
	return time < otherTime || time == otherTime && order < otherOrder
}

// cursors are a heap: the first one has the packet that comes next.
type cursors []*cursor

func (c cursors) Len() int { return len(c) }
func (c cursors) Less(i, j int) bool {
	return comesBefore(c[i].lent[0].Time, c[i].order, c[j].lent[0].Time, c[j].order)
}
func (c cursors) Swap(i, j int) { c[i], c[j] = c[j], c[i] }
func (c *cursors) Push(x any)   { *c = append(*c, x.(*cursor)) }
func (c *cursors) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// dueBefore reports whether the first packet of the file that comes next lies
// before a packet of a time in the capture of an order.
func (in *Intake) dueBefore(time int64, order int) bool {
	return len(in.files) > 0 && !in.files[0].none && comesBefore(in.files[0].time, in.files[0].order, time, order)
}

// untilNext returns how many records, of the capture that is read, come before the
// first packet of the file that comes next.
func (in *Intake) untilNext(records []ioutil.Record) int {
	if len(in.files) > 0 {
		for i := range records {
			if in.dueBefore(records[i].Time, in.order) {
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
	return p.batch.Len() > 0 && in.dueBefore(latest, in.order)
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

// merge fills a piece with the packets that come next of captures that overlap.
func (in *Intake) merge(p *Piece) {
	for p.batch.Len() < maxRecords && len(in.overlap) > 0 {
		first := in.overlap[0]
		if in.dueBefore(first.lent[0].Time, first.order) {
			in.openOverlap()
			continue
		}
		n := 1
		for n < len(first.lent) && in.mayGoOn(&first.lent[n], first) {
			n++
		}
		p.decode(first.capture, first.lent[:n])
		first.strange.merge(&p.strange)
		first.lent = first.lent[n:]
		if len(first.lent) == 0 && len(in.overlap) == 1 {
			in.endOverlap(first)
			return
		}
		if len(first.lent) > 0 || in.refill(first) {
			heap.Fix(&in.overlap, 0)
		} else {
			heap.Remove(&in.overlap, 0)
		}
	}
}

// endOverlap makes the last of the captures that overlap the one that is read.
func (in *Intake) endOverlap(c *cursor) {
	in.overlap = in.overlap[:0]
	in.capture, in.name, in.order, in.strange = c.capture, c.name, c.order, c.strange
	in.progress.earlier.Add(-c.told) // the capture tells them
	last := input(c.capture)
	in.progress.capture.Store(&last)
	in.offer()
}

// mayGoOn reports whether a record of the first capture still comes before those of
// the others.
func (in *Intake) mayGoOn(r *ioutil.Record, first *cursor) bool {
	if in.dueBefore(r.Time, first.order) {
		return false
	}
	for i := 1; i <= 2 && i < len(in.overlap); i++ { // one of these is the second
		if other := in.overlap[i]; !comesBefore(r.Time, first.order, other.lent[0].Time, other.order) {
			return false
		}
	}
	return true
}

// openOverlap opens the file that comes next.
func (in *Intake) openOverlap() {
	f := in.files[0]
	in.files = in.files[1:]
	capture, err := ioutil.Open(f.file)
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
	}
}

// refill has a capture lend more, and closes it where there is no more.
func (in *Intake) refill(c *cursor) bool {
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
	for _, c := range in.overlap {
		in.capture, in.name, in.told = c.capture, c.name, c.told
		in.close()
	}
	in.overlap = nil
}
