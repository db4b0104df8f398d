package intake

import (
	"cmp"
	"container/heap"
	"fmt"
	"io"
	"runtime/debug"
	"slices"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/ioutil"
)

// Where more captures overlap than there are descriptors or memory for, some of them
// are merged to their ends into a spool, which takes one descriptor and little
// memory, and is then merged as one of them. Each packet of a spool comes in the
// place that it would have had, as it knows the order of its capture: of a merged
// capture, as of any, the packet that comes next is the first that is left, and what
// steps back in time comes right behind what it follows. Spools are spooled again
// when there are too many: each time a packet is written, the streams that overlap
// become fewer by half of what there is room for, or more.

const (
	// spareFiles are the descriptors that are left to others: outputs, a spool, the
	// first packets of captures.
	spareFiles = 16
	// spooledAtATime is how many packets are spooled between two looks at the context.
	spooledAtATime = 8192
	// overlapMemory is what captures that overlap may take where there is no bound.
	overlapMemory = 1 << 30
)

// A spooling is captures on the way into a spool.
type spooling struct {
	from  cursors
	to    *ioutil.Spool
	level int
	data  []byte // of a packet
}

// A load is what captures hold while they are open.
type load struct{ files, bytes int }

// load returns what a capture holds.
func (c *cursor) load() load {
	if c.spool != nil {
		return load{1, ioutil.SpoolMemory}
	}
	files, bytes := c.capture.Holds()
	return load{files, bytes}
}

// overlapLoad returns what captures that overlap may hold.
func (in *Intake) overlapLoad() load {
	if in.room.files == 0 {
		held := 0
		for _, c := range in.overlap {
			held += c.load().files
		}
		in.room = load{cmp.Or(in.OverlapFiles, max(ioutil.FreeFiles()-spareFiles+held, 2)), cmp.Or(in.options.OverlapMemory, overlapMemory)}
	}
	return in.room
}

// crowded reports whether captures that overlap hold more than they may.
func (in *Intake) crowded() bool {
	room, held := in.overlapLoad(), load{}
	for _, c := range in.overlap {
		l := c.load()
		held.files += l.files
		held.bytes += l.bytes
	}
	return len(in.overlap) > 1 && (held.files > room.files || held.bytes > room.bytes)
}

// beginSpooling takes captures out of those that overlap, those whose packets have
// been spooled least before all, until they hold half of what may be held.
func (in *Intake) beginSpooling() {
	slices.SortStableFunc(in.overlap, func(a, b *cursor) int { return a.level - b.level })
	room, held, n := in.overlapLoad(), load{}, 0
	for i, c := range in.overlap {
		next := i > 0 && c.level > in.overlap[i-1].level
		if next && n > 1 && (held.files > room.files/2 || held.bytes > room.bytes/2) {
			break
		}
		l := c.load()
		held.files += l.files
		held.bytes += l.bytes
		n++
	}
	to, err := ioutil.NewSpool()
	if err != nil {
		in.failSpooling(err)
		return
	}
	from := slices.Clone(in.overlap[:n])
	in.spooling = &spooling{from: from, to: to, level: from[n-1].level + 1}
	in.overlap = slices.Delete(in.overlap, 0, n)
	heap.Init(&in.overlap)
	heap.Init(&in.spooling.from)
}

// spool goes on with spooling, and at the end makes the spool one of those that
// overlap.
func (in *Intake) spool() {
	s := in.spooling
	for packets := 0; packets < spooledAtATime && len(s.from) > 0; {
		n := s.from.run(turn{}, false)
		if err := in.spoolRun(s, n); err != nil {
			in.failSpooling(err)
			return
		}
		packets += n
		in.advance(&s.from, n)
	}
	if len(s.from) > 0 {
		return
	}
	if err := s.to.Rewind(); err != nil {
		in.failSpooling(err)
		return
	}
	c := &cursor{spool: s.to, level: s.level, orders: make([]uint32, overlapRecords)}
	in.spooling = nil
	if in.refill(c) {
		heap.Push(&in.overlap, c)
	}
}

// spoolRun writes so many packets of the first capture to the spool.
func (in *Intake) spoolRun(s *spooling, n int) error {
	first, i := s.from[0], 0
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil && (first.capture == nil || first.capture.Fault(fault, first.lent[i].Offset) == nil) {
			panic(fault) // else the next read gives the error
		}
	}()
	for ; i < n; i++ {
		r := first.lent[i]
		if first.capture != nil {
			s.data = append(s.data[:0], r.Data...) // nothing is written of what faults
			r.Data = s.data
			if !decode.KnownLinkType(r.LinkType) && (in.chosen == nil || in.chosen.takes(&r)) {
				first.strange.see(r.LinkType)
			}
		}
		if err := s.to.Write(&r, uint32(first.turn(i).order)); err != nil {
			return err
		}
	}
	return nil
}

// refillSpool is refill for a spool.
func (in *Intake) refillSpool(c *cursor) bool {
	c.orders = c.orders[:overlapRecords]
	n, err := c.spool.Read(c.records[:], c.orders)
	if err == nil {
		c.lent, c.orders = c.records[:n], c.orders[:n]
		return true
	}
	if err != io.EOF {
		in.fail(fmt.Errorf("joining captures that overlap: temporary file: %w", err))
	}
	in.fail(c.spool.Close())
	return false
}

// failSpooling ends the reading: what the captures still have can't be put in order.
func (in *Intake) failSpooling(err error) {
	in.fail(fmt.Errorf("joining captures that overlap: temporary file: %w", err))
	in.Stop()
}
