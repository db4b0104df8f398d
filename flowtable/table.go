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
	backward slab.Slab[stats.Series]
	none     stats.Series // the backward one of a flow that has none
	recency  recency
	pool     *stats.Pool
	features *features.Store // nil if there are none
	asked    features.Options
	around   *encapsulations // nil if the key has none
	keys     Keys
	touched  uint64 // keeps the loads of touch alive

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
	t.index, t.recency = newIndex(), newRecency(&t.records)
	t.records, t.backward, t.pool = slab.Slab[record]{}, slab.Slab[stats.Series]{}, stats.NewPool()
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
	var room [touchAhead]found
	for len(numbers) > 0 {
		some := numbers[:min(touchAhead, len(numbers))]
		numbers = numbers[len(some):]
		all := room[:len(some)]
		t.look(b.packets, some, all)
		if t.index.used > fewFlows {
			t.touch(all)
		}
		for k := range all {
			f := &all[k]
			if usual && f.record != nil && t.goesOn(f.record, f.packet) {
				continue
			}
			at.number = int(some[k])
			t.add(f.packet, at, f.ref)
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

// A found is a packet and the record that seems to be its, nil and 0 if there is
// none: what add does for one packet can make it wrong for the next.
type found struct {
	packet *packet
	slot   *slot
	record *record
	series *stats.Series
	line   *uint32 // of the series' block
	ref    uint32
}

// look finds the records of packets, for many of them at once and one step of the
// way after the other: loads that do not wait for each other let the processor
// wait for memory once, not per packet. The more there is to compute between
// two loads, the fewer of them are under way at a time, so addresses come first.
func (t *Table) look(packets []packet, some []uint16, all []found) {
	touched := uint32(0)
	all = all[:len(some)]
	for k, i := range some {
		f := &all[k]
		f.packet = &packets[i]
		f.slot = t.index.home(f.packet.hash)
		touched += f.slot.ref
	}
	t.touched += uint64(touched)
	for k := range all {
		f := &all[k]
		f.record, f.ref = nil, f.slot.ref
		if f.ref == 0 {
			continue
		}
		if f.slot.hash != f.packet.hash {
			if f.ref = t.index.probe(f.packet.hash); f.ref == 0 {
				continue
			}
		}
		f.record = t.records.At(f.ref)
	}
}

// touch loads the rest of what will be needed, as look does it.
func (t *Table) touch(all []found) {
	touched := uint64(0)
	for k := range all {
		if r := all[k].record; r != nil {
			touched += r.key.rest + uint64(r.last)
		}
	}
	for k := range all {
		f := &all[k]
		r := f.record
		if r == nil {
			continue
		}
		f.series = &r.fwd
		if r.bwd != 0 && r.direction(f.packet) != 0 {
			f.series = t.backward.At(r.bwd)
		}
		touched += f.series.N
	}
	for k := range all {
		if f := &all[k]; f.record != nil {
			f.line = t.pool.Line(f.series)
		}
	}
	for k := range all {
		if f := &all[k]; f.record != nil {
			touched += uint64(*f.line)
		}
	}
	var room [2 * touchAhead]*uint32
	counts := room[:0]
	for k := range all {
		if f := &all[k]; f.record != nil && f.series.Counts() {
			counts = t.pool.AppendCounts(counts, f.series, int64(f.packet.time), f.packet.len)
		}
	}
	for _, c := range counts {
		touched += uint64(*c)
	}
	t.touched += touched
}

// goesOn is add for the packet that most are, where nothing is asked of flows but
// what a Flow always has: one of an open flow that it does not end. It returns
// false if it has done nothing.
func (t *Table) goesOn(r *record, p *packet) bool {
	if r.state&open == 0 || !r.key.is(&p.key) {
		return false
	}
	d := r.direction(p)
	if p.time.since(r.last) > t.rules.idle || r.reuses(p, d) {
		return false
	}
	t.latest = max(t.latest, p.time)
	t.update(r, p, d)
	r.last = max(r.last, p.time) // the recency list learns of it when it asks
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
			t.index.insert(p.hash, t.start(p, at, t.forward(p)))
			return
		}
		ref = s.ref
	}
	r := t.records.At(ref)
	d := r.direction(p)
	if p.time.since(r.last) > t.rules.idle {
		r.state &^= open // it stays in the recency list until the horizon has passed it
		t.slot(p, at).ref = t.start(p, at, t.forward(p))
		return
	}
	why, ends := Reuse, false
	if !t.rules.any {
		ends = r.reuses(p, d)
	} else {
		why, ends = t.ends(r, p, d)
	}
	if ends {
		t.cut(ref, p, at, why)
		return
	}
	t.update(r, p, d)
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
	t.reused.push(timed{p.time, r.first, ref})
	t.slot(p, at).ref = t.start(p, at, forward)
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

// start makes a record for the flow that a packet begins.
func (t *Table) start(p *packet, at place, forward uint32) uint32 {
	ref := t.records.Take()
	r := t.records.At(ref)
	// The counts are those of a new record, or were cleared when it was free.
	r.key, r.start, r.first, r.hash, r.last = p.key.masked(), p.time, at.position(), p.hash, p.time
	r.state = inUse | open | forward
	t.around.set(ref, at.encapsulation())
	d := 0
	if forward != 0 != (p.key.rest&fromB != 0) {
		d = 1
	}
	t.update(r, p, d)
	if t.features != nil {
		t.features.Begin(ref)
		t.count(ref, p, at, d)
	}
	t.recency.file(ref, p.time)
	return ref
}

// update counts a packet in direction d of its flow.
func (t *Table) update(r *record, p *packet, d int) {
	if p.key.rest&fineTime != 0 {
		r.state |= fine
	}
	if r.key.proto() == tcpProtocol {
		r.setBases(p, d)
		if t.rules.any {
			r.close(p, d, t.rules.TCPEnd)
		}
	}
	s := &r.fwd
	if d != 0 {
		if r.bwd == 0 {
			r.bwd = t.backward.Take()
		}
		s = t.backward.At(r.bwd)
	}
	t.pool.Add(s, int64(p.time), p.len, p.flags())
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
