package flowtable

import (
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/internal/slab"
	"github.com/flowfast/flowfast/stats"
)

// A Table holds the open flows of a capture, and the finished ones until
// [Table.Next] has taken them. It belongs to one goroutine at a time.
type Table struct {
	timeout  uint64 // nanoseconds
	rules    rules
	bounds   bounds
	index    index
	records  slab.Slab[record]
	counts   slab.Slab[counts]
	alone    counts // of a flow of one packet, where they are asked for
	recency  recency
	pool     *stats.Pool
	features *features.Store // nil if there are none
	asked    features.Options
	totals   bool            // flows have no summaries
	touched  Time            // keeps the loads of touchMore alive
	around   *beside[uint64] // digests of encapsulations; nil if the key has none
	origins  *beside[Origin] // nil if they are not asked for
	asksMore bool            // there are any of these three
	keys     Keys
	placed   bool // origins are asked for

	reused timeHeap // flows finished by port reuse, by the time of the SYN
	// Records stand in the order in which their flows leave at the end of a capture, as
	// those of a flood do, while none has been used again and none began before newest,
	// the start of the last one.
	inOrder bool
	newest  Time

	due       dueFlows  // flows that Next gives out, in order
	early     []dueFlow // flows that a bound finished, which Next gives out
	earlyNext int
	evicted   uint64
	back      uint64 // what StepsBack has besides the pool's
	latest    Time   // of the packets so far; after End the capture's clock
	ended     bool   // the capture has ended

	gatherMost int // see the constant; tests have less
}

// NewTable returns an empty table.
func (g *Gate) NewTable() *Table {
	o := g.options
	t := &Table{timeout: uint64(o.IdleTimeout), asked: o.Features, keys: o.Keys, placed: o.Origins, bounds: newBounds(o), latest: minTime, gatherMost: gatherMost}
	t.rules = newRules(o.Rules, t.timeout)
	t.totals = o.Features.NoSummaries && o.Features.Set&features.Quantiles == 0
	t.clear()
	return t
}

// manyFlows is from how many on their memory is given back to the system when they have
// left: less is soon used again, or given back with that of the process.
const manyFlows = 1 << 15

// clear makes the table one that holds no flows.
func (t *Table) clear() {
	if t.pool != nil {
		t.back += t.pool.Back
	}
	if t.records.Len() > manyFlows {
		t.index.arena.Discard()
		t.recency.links.Discard()
		t.records.Discard()
	}
	t.index, t.recency = newIndex(), newRecency()
	t.records, t.counts, t.pool = slab.Slab[record]{}, slab.Slab[counts]{}, stats.NewPool()
	if t.totals {
		t.pool = stats.NewTotals()
	}
	t.inOrder, t.newest = true, minTime
	t.features = features.NewStore(t.asked)
	t.around, t.origins = newBeside[uint64](t.keys.Encapsulation != 0), newBeside[Origin](t.placed)
	t.asksMore = t.features != nil || t.around != nil || t.origins != nil
	t.bounds.record = recordCost + t.around.cost() + t.origins.cost()
	if t.features != nil {
		t.bounds.record += t.features.Cost()
	}
	for range lanes {
		t.records.Take() // their links are the lanes' ends
	}
}

// Open returns the number of open flows.
func (t *Table) Open() int { return t.index.used }

// Evicted returns the number of flows that a bound has finished.
func (t *Table) Evicted() uint64 { return t.evicted }

// StepsBack returns the number of packets that were stamped earlier than a
// packet before them in the same direction of the same flow.
func (t *Table) StepsBack() uint64 { return t.back + t.pool.Back }

// touchAhead is how many packets have their slots and records touched before
// the first of them is taken in.
const touchAhead = 32

// fewFlows is up to how many open flows a table does not touch what it will need:
// it is in the cache, and only the time to ask for it is lost.
const fewFlows = 256

// Add takes in the packets of a share of an admitted batch, up to the end of a
// step; it must be called for each step in order.
//
// It takes many packets one step of the way after the other: loads that do not wait
// for each other let the processor wait for memory once, not per packet. The more
// there is to compute between two loads, and the more branches wait for them, the
// fewer are under way at a time. It is one function since pointers that leave one are
// seen by the garbage collector, which slows it down each time it runs.
//
//go:noinline
func (t *Table) Add(b *Batch, share, step int) {
	numbers := b.Numbers(share, step)
	at := &place{batch: b, horizon: b.steps[step].before}
	f := found{usual: !t.rules.any && t.features == nil && t.around == nil}
	for len(numbers) > 0 {
		some := numbers[:min(touchAhead, len(numbers))]
		numbers = numbers[len(some):]
		index, packets := t.index.slots, b.packets
		for k, i := range some {
			p := &packets[i]
			s := slotsOf(index, p.hash)
			e := &s[p.hash&uint32(len(s)-1)]
			k &= touchAhead - 1
			f.packets[k], f.places[k], f.slots[k] = p, e, *e
		}
		for k := range some {
			k &= touchAhead - 1
			e, hash := f.slots[k], f.packets[k].hash
			if e.hash != hash && e.ref != 0 {
				place := t.index.probe(hash)
				e.ref = place.ref
				f.places[k], f.slots[k] = place, e
			}
			if f.records[k] = nil; e.ref != 0 {
				f.records[k] = t.records.At(e.ref)
			}
		}
		f.moves = t.index.moves
		all := f.adds[:len(some)]
		for k := range all {
			o, r := &all[k], f.records[k&(touchAhead-1)]
			if o.Series = nil; r != nil && r.more != 0 {
				p := f.packets[k&(touchAhead-1)]
				*o = stats.Observation{Series: &t.counts.At(r.more).series[r.direction(p)], At: int64(p.time), Size: p.len, Bits: p.flags()}
			}
		}
		if t.index.used > fewFlows {
			t.pool.Touch(all)
			if !f.usual {
				t.touchMore(&f, all)
			}
		}
		t.addFound(&f, some, at)
	}
	if invariants {
		t.checkSometimes()
	}
}

// Found is what Add finds for some packets: of each its slot and where that is, its
// record, and what it adds to which series, nil if there is none, as far as it seems. What
// add does for one packet can make it wrong for the next.
type found struct {
	usual   bool   // no more is asked of flows than what a Flow always has
	moves   uint64 // of the index, when slots were found
	next    [touchAhead]features.Next
	packets [touchAhead]*packet
	places  [touchAhead]*slot
	slots   [touchAhead]slot
	records [touchAhead]*record
	adds    [touchAhead]stats.Observation
}

// touchMore loads what goesOnBy will look for.
func (t *Table) touchMore(f *found, all []stats.Observation) {
	for k := range all {
		k &= touchAhead - 1
		if f.next[k].Ref = 0; all[k].Series == nil {
			continue
		}
		r, ref := f.records[k], f.slots[k].ref
		f.next[k] = features.Next{Ref: ref, Direction: uint32(r.direction(f.packets[k]))}
		t.touched += t.counts.At(r.more).start + Time(t.around.get(ref))
	}
	if t.features != nil {
		t.features.Touch(f.next[:len(all)])
	}
}

// addFound adds the packets with some numbers, of which the rest is found.
func (t *Table) addFound(f *found, some []uint16, at *place) {
	all := f.adds[:len(some)]
	added, latest := 0, t.latest
	for k := range all {
		p := f.packets[k&(touchAhead-1)]
		latest = max(latest, p.time)
		if r := f.records[k&(touchAhead-1)]; all[k].Series != nil {
			if f.usual && r.goesOn(p, t.timeout) {
				continue
			}
			at.number = int(some[k])
			if !f.usual && t.goesOnBy(r, f.slots[k&(touchAhead-1)].ref, p, at) {
				continue
			}
		}
		if added < k {
			t.pool.AddAll(all[added:k])
		}
		t.latest, added = latest, k+1
		at.number = int(some[k])
		// Where a flow's slot was empty and is so still, no other packet has begun it.
		if e := f.places[k&(touchAhead-1)]; e.ref == 0 && f.moves == t.index.moves && t.index.used < t.bounds.flows {
			t.index.fill(t.index.segment(p.hash), e, slot{p.hash, t.begin(p, at, t.forward(p))})
			continue
		}
		t.add(p, at, f.slots[k&(touchAhead-1)].ref)
	}
	t.latest = latest
	t.pool.AddAll(all[added:])
}

// A place is where a packet that is added stands, and the horizon there.
type place struct {
	batch   *Batch
	number  int
	horizon Time
}

// position returns the place's number in the capture.
func (a place) position() uint64 { return a.batch.first + uint64(a.number) }

// encapsulation returns the digest of the packet.
func (a place) encapsulation() uint64 { return a.batch.encapsulation(a.number) }

// goesOn is add, but for counts and the table's clock, for the packet that most are,
// where nothing is asked of flows but what a Flow always has: one of an open flow that
// it does not end, that is not earlier than those before, and whose sequence numbers
// say nothing new. It returns false if it has done nothing.
func (r *record) goesOn(p *packet, timeout uint64) bool {
	const settled = open | baseSet | bwdBaseSet
	if r.state&settled != settled || p.key.rest&(syn<<rawFlags) != 0 || !r.key.is(&p.key) ||
		p.time < r.last || uint64(p.time)-uint64(r.last) > timeout {
		return false
	}
	r.last = p.time // the recency list learns of it when it asks
	if p.key.rest&fineTime != 0 {
		r.state |= fine
	}
	return true
}

// goesOnBy is goesOn where more is asked, of a record with counts: the packet does not
// end the flow by any rule, or say anything of its end, and is within the same
// encapsulation.
func (t *Table) goesOnBy(r *record, ref uint32, p *packet, at *place) bool {
	const ending = uint64(syn|fin|rst) << rawFlags
	if p.key.rest&ending != 0 || r.state&(fwdFIN|bwdFIN) == fwdFIN|bwdFIN ||
		p.time.since(t.counts.At(r.more).start) > t.rules.active ||
		t.around != nil && t.around.get(ref) != at.encapsulation() || !r.goesOn(p, t.rules.idle) {
		return false
	}
	if t.features != nil {
		t.count(ref, p, at, r.direction(p))
	}
	return true
}

// add takes in the packet at a place, whose record may be ref.
func (t *Table) add(p *packet, at *place, ref uint32) {
	if ref == 0 || t.records.At(ref).state&open == 0 || !t.records.At(ref).key.is(&p.key) ||
		t.around != nil && t.around.get(ref) != at.encapsulation() {
		s, e := t.slot(p, at)
		if e.ref == 0 {
			if t.index.used == t.bounds.flows {
				t.makeRoom(at.horizon)
				s, e = t.slot(p, at)
			}
			t.index.fill(s, e, slot{p.hash, t.begin(p, at, t.forward(p))})
			return
		}
		ref = e.ref
	}
	r := t.records.At(ref)
	d := r.direction(p)
	if p.time.since(r.last) > t.rules.idle {
		r.state &^= open // it stays in the recency list until the horizon has passed it
		t.replace(p, at, t.forward(p))
		return
	}
	why, ends := Reuse, false
	if !t.rules.any {
		ends = t.reuses(ref, r, p, d)
	} else {
		why, ends = t.ends(ref, r, p, d)
	}
	if ends {
		t.cut(ref, p, at, why)
		return
	}
	t.note(r, t.recency.links.At(ref), p, d)
	var c *counts
	if r.more == 0 {
		c = t.setCounts(r)
	} else {
		c = t.counts.At(r.more)
	}
	t.pool.Add(&c.series[d], int64(p.time), p.len, p.flags())
	if t.features != nil {
		t.count(ref, p, at, d)
	}
	r.last = max(r.last, p.time) // as in goesOn
}

// replace begins a flow in the place of one of the same key.
func (t *Table) replace(p *packet, at *place, forward uint32) {
	_, e := t.slot(p, at)
	e.ref = t.begin(p, at, forward)
}

// cut finishes a flow with the packet that begins another one of its key.
func (t *Table) cut(ref uint32, p *packet, at *place, why Reason) {
	r := t.records.At(ref)
	forward := t.forward(p)
	if why == Active && !t.rules.Turn {
		forward = r.state & fwdFromB
	}
	r.state = r.state&^open | cut
	switch why {
	case Active:
		r.state |= cutActive
	case Closed:
		r.state |= cutClosed
	}
	t.recency.remove(ref)
	t.reused.push(timed{p.time, t.recency.first(ref), ref})
	t.replace(p, at, forward)
}

// slot is find for the flow of a packet.
func (t *Table) slot(p *packet, at *place) (*segment, *slot) {
	encapsulation := uint64(0)
	if t.around != nil {
		encapsulation = at.encapsulation()
	}
	return t.find(&p.key, encapsulation, p.hash)
}

// find returns the slot of the open flow with a key, or the empty one where it would
// be, and the segment that has it.
func (t *Table) find(k *key, encapsulation uint64, hash uint32) (*segment, *slot) {
	s := t.index.segment(hash)
	slots := s.slots
	for i := hash; ; i++ {
		e := &slots[i&uint32(len(slots)-1)]
		if e.ref == 0 || e.hash == hash && t.records.At(e.ref).key.is(k) && t.around.get(e.ref) == encapsulation {
			return s, e
		}
	}
}

// forward returns which way is forward in a flow that a packet begins: fwdFromB
// or 0.
func (t *Table) forward(p *packet) uint32 {
	if !t.rules.SYNACKTurns {
		return uint32(p.key.rest/fromB&1) * fwdFromB
	}
	fromA := p.key.rest&fromB == 0
	if p.key.proto() == tcpProtocol && p.rawFlags()&(syn|ack) == syn|ack &&
		(p.key.a != p.key.b || p.key.portA() != p.key.portB()) {
		fromA = !fromA
	}
	if fromA {
		return 0
	}
	return fwdFromB
}

// begin makes a record for the flow that a packet begins.
func (t *Table) begin(p *packet, at *place, forward uint32) uint32 {
	ref := t.records.Take()
	if ref != t.records.Len() || p.time < t.newest {
		t.inOrder = false
	}
	t.newest = p.time
	t.recency.links.Cover(ref)
	r, l := t.records.At(ref), t.recency.links.At(ref)
	// New memory is written before it is read, see split.
	l.first = at.position()
	r.key.a.Lo, r.key.a.Hi, r.key.b.Lo, r.key.b.Hi, r.key.rest = p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi, p.key.rest&keyMask
	r.last, r.hash = p.time, p.hash
	r.size, r.more = p.len, 0
	r.state = inUse | open | forward | uint32(p.flags())<<firstFlags
	d := r.direction(p)
	if d != 0 {
		r.state |= firstBwd
	}
	t.note(r, l, p, d)
	if t.around != nil {
		t.around.set(ref, at.encapsulation())
	}
	if t.origins != nil {
		t.origins.set(ref, at.batch.origins[at.number])
	}
	if t.features != nil {
		t.features.Begin(ref)
		t.count(ref, p, at, d)
	}
	t.recency.file(ref, l, p.time)
	return ref
}

// note takes in what a packet in direction d of its flow says, besides counts.
func (t *Table) note(r *record, l *link, p *packet, d int) {
	if p.key.rest&fineTime != 0 {
		r.state |= fine
	}
	if r.key.proto() != tcpProtocol {
		r.state |= baseSet | bwdBaseSet
		return
	}
	r.setBases(l, p, d)
	if t.rules.any {
		r.close(p, d, t.rules.TCPEnd)
	}
}

// count counts the features of a packet in direction d of its flow.
func (t *Table) count(ref uint32, p *packet, at *place, d int) {
	if t.features.AddBrief(ref, int64(p.time), p.len, d) {
		return
	}
	f := features.Packet{Time: int64(p.time), Size: p.len, Seq: p.seq, Flags: p.flags()}
	b := at.batch
	if len(b.details) > 0 {
		more := &b.details[at.number]
		f.Details, f.Bytes = &more.headers, b.payload[more.from:more.to]
	}
	if len(b.links.of) > 0 {
		f.Link = b.links.at(at.number)
	}
	t.features.Add(ref, &f, d)
}
