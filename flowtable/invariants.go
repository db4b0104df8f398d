package flowtable

import "fmt"

var checks int

// checkSometimes checks a small table every time, a large one now and then.
func (t *Table) checkSometimes() {
	if checks++; checks%(1+t.records.InUse()/16) == 0 {
		t.checkInvariants()
	}
}

// checkInvariants panics if the table contradicts itself.
func (t *Table) checkInvariants() {
	t.index.checkInvariants()
	listed := t.recency.checkInvariants()

	for _, d := range t.due.flows[t.due.next:] {
		must(!listed[d.ref], "record %d is due and in a lane", d.ref)
		must(t.records.At(d.ref).state&(inUse|open) == inUse, "record %d is due and free or open", d.ref)
		listed[d.ref] = true
	}

	for _, d := range t.early[t.earlyNext:] {
		must(!listed[d.ref], "record %d has finished early and is in a lane", d.ref)
		must(t.records.At(d.ref).state&(inUse|open) == inUse, "record %d has finished early and is free or open", d.ref)
		listed[d.ref] = true
	}

	inIndex, inRecords := 0, 0
	newest, first := minTime, uint64(0) // of the records before
	for ref := uint32(lanes + 1); ref <= t.records.Len(); ref++ {
		r := t.records.At(ref)
		switch {
		case r.state&inUse == 0:
			must(!listed[ref], "record %d is free and in a lane", ref)
			continue
		case r.state&cut == 0:
			must(listed[ref], "record %d is in no lane", ref)
		}
		inRecords++
		if t.inOrder {
			start := t.start(r)
			must(start > newest || start == newest && t.recency.first(ref) >= first, "record %d is out of order", ref)
			newest, first = start, t.recency.first(ref)
		}
		if r.state&open == 0 {
			continue
		}
		inIndex++
		_, slot := t.find(&r.key, t.around.get(ref), r.hash)
		must(slot.ref == ref, "record %d is open and not in the index", ref)
		if r.more != 0 {
			c := t.counts.At(r.more)
			fwd, bwd := &c.series[0], &c.series[1]
			last := c.start
			for _, s := range c.series {
				if s.N > 0 {
					last = max(last, Time(s.Last))
				}
			}
			must(fwd.N+bwd.N > 1, "record %d has counts of %d packets", ref, fwd.N+bwd.N)
			must(r.last == last, "record %d has another time than its last packet's", ref)
		}
		must(t.recency.links.At(ref).filed <= r.last, "record %d is filed under a later time than its last packet's", ref)
	}
	must(inIndex == t.index.used, "%d open records, %d in the index", inIndex, t.index.used)
	must(inRecords == t.records.InUse()-lanes, "%d records in use, %d handed out", inRecords, t.records.InUse()-lanes)
}

func (x *index) checkInvariants() {
	used := 0
	for i, s := range x.directory {
		must(len(x.directory) == 1<<x.depth, "directory of %d entries at depth %d", len(x.directory), x.depth)
		span := 1 << (x.depth - s.depth)
		must(x.directory[i&^(span-1)] == s, "directory entry %d is not where its depth puts it", i)
		must(len(x.slots) == len(x.directory) && &x.slots[i][0] == &s.slots[0] && len(x.slots[i]) == len(s.slots), "entry %d has other slots than its segment", i)
		if i%span != 0 {
			continue
		}
		used += s.used
		mask := len(s.slots) - 1
		n := 0
		for j, e := range s.slots {
			if e.ref == 0 {
				continue
			}
			n++
			must(x.segment(e.hash) == s, "hash %#x is in the wrong segment", e.hash)
			for k := int(e.hash) & mask; k != j; k = (k + 1) & mask {
				must(s.slots[k].ref != 0, "an empty slot before hash %#x", e.hash)
			}
		}
		must(n == s.used, "segment with %d slots used counts %d", n, s.used)
	}
	must(used == x.used, "index with %d slots used counts %d", used, x.used)
}

// checkInvariants returns which records the recency holds.
func (r *recency) checkInvariants() map[uint32]bool {
	listed := map[uint32]bool{}
	for end := uint32(1); end <= lanes; end++ {
		last := minTime
		for ref := r.links.At(end).next; ref != end; ref = r.links.At(ref).next {
			l := r.links.At(ref)
			must(l.filed > last || l.filed == last && r.first(ref) >= r.first(l.prev), "lane %d falls from %d to %d", end, last, l.filed)
			must(r.links.At(l.prev).next == ref && r.links.At(l.next).prev == ref, "record %d is linked one way", ref)
			must(!listed[ref], "record %d is listed twice", ref)
			listed[ref] = true
			last = l.filed
		}
	}
	strays := map[uint32]bool{}
	for i, s := range r.strays {
		must(i == 0 || !s.before(&r.strays[(i-1)/2]), "the heap is out of order at %d", i)
		if r.current(s) {
			strays[s.ref] = true
			listed[s.ref] = true
		}
	}
	must(len(strays) == r.nStray, "%d strays, %d counted", len(strays), r.nStray)
	return listed
}

func must(ok bool, format string, args ...any) {
	if !ok {
		panic(fmt.Sprintf("flowtable: "+format, args...))
	}
}
