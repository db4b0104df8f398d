package flowtable

import (
	"math"
	"runtime"
	"slices"
	"unsafe"

	"github.com/flowfast/flowfast/stats"
)

// A table with bounds finishes flows early, in the order of the recency list,
// where it would outgrow them. A bound of flows holds with every packet. A
// bound of memory is looked at after every step, and two things are told apart:
//
//	in use   what the open flows need, which eviction keeps under 7/8 of the bound
//	taken    what was asked of the system, which only grows: blocks of one size
//	         that are free do not serve for another
//
// When more than the bound is taken, the table moves what is in use together
// and gives the rest back. That takes time in proportion to the flows, but not
// again before another eighth of the bound has been taken.
type bounds struct {
	flows    int // math.MaxInt for none
	memory   int // bytes, math.MaxInt for none
	shrinkAt int // bytes taken when memory is given back
	record   int // bytes that a record takes, with the features of one packet
}

func newBounds(o Options) bounds {
	b := bounds{flows: o.MaxFlows, memory: o.MaxMemory}
	if b.flows == 0 {
		b.flows = math.MaxInt
	}
	if b.memory == 0 {
		b.memory = math.MaxInt
	}
	b.shrinkAt = b.memory
	return b
}

const (
	// recordCost is what a record takes: itself, its link, its share of the
	// index, and its place among the due flows at the end of the capture.
	recordCost = int(unsafe.Sizeof(record{})+unsafe.Sizeof(link{})) + 12 + int(unsafe.Sizeof(dueFlow{}))
	countsCost = int(unsafe.Sizeof(counts{}))
	timedCost  = int(unsafe.Sizeof(timed{}))
)

// inUse returns the bytes that the flows need.
func (t *Table) inUse() int {
	n := t.records.InUse()*t.bounds.record + t.counts.InUse()*countsCost + t.pool.InUse() +
		(len(t.recency.strays)+len(t.reused))*timedCost
	if t.features != nil {
		n += t.features.InUse()
	}
	return n
}

// Bytes returns the memory that the table has taken.
func (t *Table) Bytes() int {
	n := 0
	if t.features != nil {
		n = t.features.Bytes()
	}
	return n + t.around.bytes() + t.origins.bytes() + t.records.Bytes() + t.recency.links.Bytes() + t.counts.Bytes() + t.pool.Bytes() + t.index.arena.Bytes() +
		(cap(t.recency.strays)+cap(t.reused))*timedCost +
		(cap(t.due.flows)+cap(t.due.late)+cap(t.early))*int(unsafe.Sizeof(dueFlow{}))
}

// crowded tells if flows must leave for the bound of memory.
func (t *Table) crowded() bool {
	return t.bounds.memory < math.MaxInt && (t.inUse() > t.bounds.memory/8*7 || t.hasGiant())
}

// hasGiant tells if the sizes of one series take an eighth of the bound of
// memory. To hold so many, it has had more packets than it takes time to find
// it among all flows.
func (t *Table) hasGiant() bool { return t.pool.Largest() > t.bounds.memory/8 }

// relieve sets f to a flow that leaves for the bound of memory, and takes it
// out of the table. It returns false if there are no flows.
func (t *Table) relieve(f *Flow) bool {
	switch {
	case len(t.reused) > 0: // they only wait for their turn in the order of rows
		r := t.reused.pop()
		t.take(f, dueFlow{r.time, t.start(t.records.At(r.ref)), r.ref, t.records.At(r.ref).cutBy()})
		return true
	case t.hasGiant():
		t.finishGiant()
	default:
		t.finishEarly(minTime)
	}
	return t.takeEarly(f)
}

// takeEarly sets f to the first of the flows that a bound finished and takes it
// out of the table; it returns false if there is none.
func (t *Table) takeEarly(f *Flow) bool {
	if len(t.early) == 0 {
		return false
	}
	t.take(f, t.early[t.earlyNext])
	if t.earlyNext++; t.earlyNext == len(t.early) {
		t.early, t.earlyNext = t.early[:0], 0
	}
	return true
}

// makeRoom finishes flows, those first that have been idle for longest, until an
// open one is open no more. Those that finished before the horizon leave in turn.
func (t *Table) makeRoom(horizon Time) {
	for used := t.index.used; t.index.used == used; {
		t.finishEarly(horizon)
	}
}

// finishEarly finishes the flow that has been idle for longest, if there is one.
// If that finished by itself before a horizon, it leaves in its turn.
func (t *Table) finishEarly(before Time) {
	for {
		ref, filed := t.recency.oldest()
		if ref == 0 {
			return
		}
		t.recency.remove(ref)
		last := t.records.At(ref).last
		if last > filed {
			t.recency.file(ref, t.recency.links.At(ref), last)
			continue
		}
		if finish := t.finish(last); finish < before {
			t.due.flows = append(t.due.flows, t.makeDue(ref, finish, Idle))
		} else {
			t.makeEarly(ref)
		}
		return
	}
}

// finishGiant finishes a flow whose sizes take an eighth of the bound.
func (t *Table) finishGiant() {
	most := t.bounds.memory / 8
	for ref := uint32(lanes + 1); ref <= t.records.Len(); ref++ {
		r := t.records.At(ref)
		if r.state&inUse == 0 || r.more == 0 {
			continue
		}
		if c := t.counts.At(r.more); t.pool.Table(&c.series[0]) > most || t.pool.Table(&c.series[1]) > most {
			t.recency.remove(ref)
			t.makeEarly(ref)
			return
		}
	}
}

// makeEarly makes a flow that was in the recency list one that leaves at once.
func (t *Table) makeEarly(ref uint32) {
	r := t.records.At(ref)
	d := dueFlow{t.latest, t.start(r), ref, Evicted}
	if r.state&open == 0 || t.latest.since(r.last) > t.timeout {
		d.finish, d.reason = t.finish(r.last), Idle
	} else {
		t.evicted++
	}
	if r.state&open != 0 {
		r.state &^= open
		t.index.remove(r.hash, ref)
	}
	t.early = append(t.early, d)
}

// shrinkIfLarge gives memory back if more is taken than the bound.
func (t *Table) shrinkIfLarge() {
	if t.bounds.memory == math.MaxInt || t.Bytes() <= t.bounds.shrinkAt {
		return
	}
	t.shrink()
	t.bounds.shrinkAt = max(t.bounds.memory, t.Bytes()+t.bounds.memory/8)
}

// shrink moves what is in use together and gives the rest back.
func (t *Table) shrink() {
	t.index = index{} // made again from the records
	t.inOrder = false
	t.recency.sweep()
	records, all := t.records.Shrink(), t.counts.Shrink()
	for ref := uint32(lanes + 1); ref <= t.records.Len(); ref++ {
		if t.records.At(ref).state&inUse == 0 {
			continue
		}
		to := t.records.Move(records, ref)
		if to != ref {
			t.recency.move(ref, to)
			t.around.set(to, t.around.get(ref))
			t.origins.set(to, t.origins.get(ref))
			if t.features != nil {
				t.features.Move(ref, to)
			}
			t.recency.links.At(ref).first = uint64(to) // for follow
		}
		if r := t.records.At(to); r.more != 0 {
			r.more = t.counts.Move(all, r.more)
		}
	}
	t.follow()
	t.records.Cut(records)
	t.counts.Cut(all)
	t.recency.links.Uncover(t.records.Len() + 1)
	t.around.uncover(t.records.Len() + 1)
	t.origins.uncover(t.records.Len() + 1)
	if t.features != nil {
		t.features.Shrink(t.records.Len()+1, t.allRecords)
	}
	t.pool.Shrink(t.allSeries)
	// The next packets take memory again before long: what was given back must
	// be there for them.
	runtime.GC()
	t.index = newIndex()
	for ref := uint32(lanes + 1); ref <= t.records.Len(); ref++ {
		if r := t.records.At(ref); r.state&open != 0 {
			t.index.insert(r.hash, ref)
		}
	}
}

// follow gives the lists of records the new numbers of those that have moved.
func (t *Table) follow() {
	upTo := uint32(t.records.InUse())
	follow := func(ref *uint32) {
		if *ref > upTo {
			*ref = uint32(t.recency.first(*ref))
		}
	}
	for i := range t.recency.strays {
		follow(&t.recency.strays[i].ref)
	}
	for i := range t.reused {
		follow(&t.reused[i].ref)
	}
	for i := range t.due.flows[t.due.next:] {
		follow(&t.due.flows[t.due.next+i].ref)
	}
	t.recency.strays, t.reused = slices.Clone(t.recency.strays), slices.Clone(t.reused)
}

// allRecords calls do with the numbers of the records of all flows, which stand
// one behind the other.
func (t *Table) allRecords(do func(ref uint32)) {
	for ref := uint32(lanes + 1); ref <= t.records.Len(); ref++ {
		do(ref)
	}
}

// allSeries calls do with the series of all flows.
func (t *Table) allSeries(do func(*stats.Series)) {
	t.allRecords(func(ref uint32) {
		r := t.records.At(ref)
		if r.more == 0 {
			return
		}
		c := t.counts.At(r.more)
		for d := range c.series {
			if s := &c.series[d]; s.N > 0 {
				do(s)
			}
		}
	})
}
