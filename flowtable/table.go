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
	around   *encapsulations // nil if the key has none
	keys     Keys
	touched  uint32 // keeps the loads of touch alive

	reused    timeHeap  // flows finished by port reuse, by the time of the SYN
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
	t := &Table{timeout: uint64(o.IdleTimeout), asked: o.Features, keys: o.Keys, bounds: newBounds(o), latest: minTime, gatherMost: gatherMost}
	t.rules = newRules(o.Rules, t.timeout)
	t.clear()
	return t
}

// clear makes the table one that holds no flows.
func (t *Table) clear() {
	if t.pool != nil {
		t.back += t.pool.Back
	}
	t.index, t.recency = newIndex(), newRecency()
	t.records, t.counts, t.pool = slab.Slab[record]{}, slab.Slab[counts]{}, stats.NewPool()
	t.features = features.NewStore(t.asked)
	t.around = newEncapsulations(t.keys)
	t.bounds.record = recordCost + t.around.cost()
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
func (t *Table) Add(b *Batch, share, step int) {
	numbers := b.Numbers(share, step)
	at := place{batch: b, horizon: b.steps[step].before}
	usual := !t.rules.any && t.features == nil && t.around == nil
	var room [touchAhead]slot
	for len(numbers) > 0 {
		some := numbers[:min(touchAhead, len(numbers))]
		numbers = numbers[len(some):]
		t.look(b.packets, some, &room)
		if t.index.used > fewFlows {
			t.touch(b.packets, some, &room)
		}
		for k, i := range some {
			p, ref := &b.packets[i], room[k%touchAhead].ref
			if usual && ref != 0 && t.goesOn(ref, p) {
				continue
			}
			at.number = int(i)
			t.add(p, at, ref)
		}
	}
	if invariants {
		t.checkSometimes()
	}
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

// look finds the records of packets, 0 where there is none, for many of them at once
// and one step of the way after the other: loads that do not wait for each other let
// the processor wait for memory once, not per packet. The more there is to compute
// between two loads, and the more branches wait for them, the fewer are under way at a
// time. What add does for one packet can make a record that seems to be the next one's
// wrong.
func (t *Table) look(packets []packet, some []uint16, all *[touchAhead]slot) {
	for k, i := range some {
		all[k%touchAhead] = t.index.home(packets[i].hash)
	}
	for k, i := range some {
		e := &all[k%touchAhead]
		if hash := packets[i].hash; e.hash != hash && e.ref != 0 {
			e.ref = t.index.probe(hash)
		}
	}
}

// touch loads what will be needed of the records, as look does it.
func (t *Table) touch(packets []packet, some []uint16, all *[touchAhead]slot) {
	touched := uint32(0)
	var more [touchAhead]uint32 // counts
	var long [touchAhead]uint8  // numbers of those whose series have tables
	var bwd [touchAhead]uint8
	for k, i := range some {
		if ref := all[k%touchAhead].ref; ref != 0 {
			r := t.records.At(ref)
			more[k%touchAhead], bwd[k%touchAhead] = r.more, uint8(r.direction(&packets[i]))
		}
	}
	n := 0
	for k := range some {
		if ref := more[k%touchAhead]; ref != 0 {
			if t.counts.At(ref).series[bwd[k%touchAhead]&1].Counts() {
				long[n%touchAhead] = uint8(k)
				n++
			}
		}
	}
	for _, k := range long[:n] {
		p := &packets[some[k]]
		s := &t.counts.At(more[k%touchAhead]).series[bwd[k%touchAhead]&1]
		touched += t.pool.Touch(s, int64(p.time), p.len)
	}
	t.touched += touched
}

// goesOn is add for the packet that most are, where nothing is asked of flows but
// what a Flow always has: one of an open flow of more than one packet that it does
// not end, and whose sequence numbers say nothing new. It returns false if it has
// done nothing.
func (t *Table) goesOn(ref uint32, p *packet) bool {
	r := t.records.At(ref)
	const settled = open | baseSet | bwdBaseSet
	if r.state&settled != settled || r.more == 0 || p.rawFlags()&syn != 0 || !r.key.is(&p.key) || p.time.since(r.last) > t.timeout {
		return false
	}
	t.latest = max(t.latest, p.time)
	r.last = max(r.last, p.time) // the recency list learns of it when it asks
	if p.key.rest&fineTime != 0 {
		r.state |= fine
	}
	t.pool.Add(&t.counts.At(r.more).series[r.direction(p)], int64(p.time), p.len, p.flags())
	return true
}

// add takes in the packet at a place, whose record may be ref.
func (t *Table) add(p *packet, at place, ref uint32) {
	t.latest = max(t.latest, p.time)
	if ref == 0 || t.records.At(ref).state&open == 0 || !t.records.At(ref).key.is(&p.key) ||
		t.around != nil && t.around.get(ref) != at.encapsulation() {
		var s *slot
		if ref != 0 || t.index.home(p.hash).ref != 0 { // else there is no such flow
			s = t.slot(p, at)
		}
		if s == nil {
			if t.index.used == t.bounds.flows {
				t.makeRoom(at.horizon)
			}
			t.index.insert(p.hash, t.begin(p, at, t.forward(p)))
			return
		}
		ref = s.ref
	}
	r := t.records.At(ref)
	d := r.direction(p)
	if p.time.since(r.last) > t.rules.idle {
		r.state &^= open // it stays in the recency list until the horizon has passed it
		t.slot(p, at).ref = t.begin(p, at, t.forward(p))
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
	t.note(ref, r, p, d)
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

// cut finishes a flow with the packet that begins another one of its key.
func (t *Table) cut(ref uint32, p *packet, at place, why Reason) {
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
	t.slot(p, at).ref = t.begin(p, at, forward)
}

// slot returns the slot of the open flow of a packet, or nil.
func (t *Table) slot(p *packet, at place) *slot {
	return t.find(&p.key, at.encapsulation(), p.hash)
}

// find returns the slot of the open flow with a key, or nil.
func (t *Table) find(k *key, encapsulation uint64, hash uint32) *slot {
	s := t.index.segment(hash)
	mask := len(s.slots) - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		e := &s.slots[i]
		if e.ref == 0 {
			return nil
		}
		if e.hash == hash && t.records.At(e.ref).key.is(k) && t.around.get(e.ref) == encapsulation {
			return e
		}
	}
}

// forward returns which way is forward in a flow that a packet begins: fwdFromB
// or 0.
func (t *Table) forward(p *packet) uint32 {
	fromA := p.key.rest&fromB == 0
	if t.rules.any && t.rules.SYNACKTurns && p.key.proto() == tcpProtocol && p.rawFlags()&(syn|ack) == syn|ack &&
		(p.key.a != p.key.b || p.key.portA() != p.key.portB()) {
		fromA = !fromA
	}
	if fromA {
		return 0
	}
	return fwdFromB
}

// begin makes a record for the flow that a packet begins.
func (t *Table) begin(p *packet, at place, forward uint32) uint32 {
	ref := t.records.Take()
	t.recency.links.Cover(ref)
	r := t.records.At(ref)
	r.key, r.last, r.hash = p.key.masked(), p.time, p.hash
	r.state = inUse | open | forward | uint32(p.flags())<<firstFlags
	r.size, r.more = p.len, 0
	t.recency.links.At(ref).first = at.position()
	t.around.set(ref, at.encapsulation())
	d := r.direction(p)
	if d != 0 {
		r.state |= firstBwd
	}
	t.note(ref, r, p, d)
	if t.features != nil {
		t.features.Begin(ref)
		t.count(ref, p, at, d)
	}
	t.recency.file(ref, p.time)
	return ref
}

// note takes in what a packet in direction d of its flow says, besides counts.
func (t *Table) note(ref uint32, r *record, p *packet, d int) {
	if p.key.rest&fineTime != 0 {
		r.state |= fine
	}
	if r.key.proto() != tcpProtocol {
		r.state |= baseSet | bwdBaseSet
		return
	}
	r.setBases(t.recency.links.At(ref), p, d)
	if t.rules.any {
		r.close(p, d, t.rules.TCPEnd)
	}
}

// count counts the features of a packet in direction d of its flow.
func (t *Table) count(ref uint32, p *packet, at place, d int) {
	f := features.Packet{Time: int64(p.time), Size: p.len, Seq: p.seq, Flags: p.flags()}
	if len(at.batch.details) > 0 {
		more := &at.batch.details[at.number]
		f.Details, f.Link, f.Bytes = &more.headers, &more.link, at.batch.payload[more.from:more.to]
	}
	t.features.Add(ref, &f, d)
}
