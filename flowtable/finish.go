package flowtable

import (
	"cmp"
	"slices"

	"github.com/flowfast/flowfast/stats"
)

// dueFlows are finished flows in the order in which they leave.
type dueFlows struct {
	flows  []dueFlow
	next   int
	finish Time // of all of them
	// At the end of a capture the flows of records from to upTo are due as
	// well, if they stand in the order in which they leave.
	from, upTo uint32
}

type dueFlow struct {
	start  Time // to sort by
	ref    uint32
	reason Reason
}

// Next sets f to the next flow that finished before the horizon and takes it
// out of the table; it returns false if there is none. Flows come in the order
// in which they finished, then by start time, then by the position of the
// first packet. After [Table.End] all flows come, whatever the horizon.
//
// A flow that is idle finished at its last packet's time plus the idle
// timeout; one whose ports were reused, at the time of the SYN.
func (t *Table) Next(horizon Time, f *Flow) bool {
	if t.ended {
		horizon = t.clock
	}
	for t.due.from < t.due.upTo {
		t.due.from++
		if ref := t.due.from - 1; t.records.At(ref).state&inUse != 0 {
			t.fill(f, dueFlow{ref: ref, reason: End})
			t.release(ref)
			return true
		}
	}
	if t.due.next == len(t.due.flows) && !t.gather(horizon) {
		return false
	}
	if t.due.next == len(t.due.flows) {
		return t.Next(horizon, f) // those from to upTo
	}
	d := t.due.flows[t.due.next]
	t.due.next++
	t.fill(f, d)
	t.release(d.ref)
	return true
}

// End tells the table that the capture has ended, with its clock: the latest
// time of any packet of a flow, see [Intake.Latest]. Flows that have been idle
// for longer than the timeout then have finished by idleness; the others
// finish after them.
func (t *Table) End(clock Time) { t.ended, t.clock = true, clock }

// gather makes the flows with the earliest finish due, if that is before the
// horizon or the capture has ended.
func (t *Table) gather(horizon Time) bool {
	t.due.flows, t.due.next = t.due.flows[:0], 0
	at, ok := t.earliest()
	if !ok {
		return false
	}
	switch {
	case at < horizon:
		for len(t.reused) > 0 && t.reused[0].time == at {
			t.makeDue(t.reused.pop().ref, Reuse)
		}
		for {
			ref, last := t.recency.oldest()
			if ref == 0 || t.finish(last) != at {
				break
			}
			t.recency.remove(ref)
			t.makeDue(ref, Idle)
		}
	case !t.ended:
		return false
	case len(t.reused) > 0:
		for at = t.reused[0].time; len(t.reused) > 0 && t.reused[0].time == at; {
			t.makeDue(t.reused.pop().ref, Reuse)
		}
	case t.inOrder():
		t.due.from, t.due.upTo = lanes+1, t.records.Len()+1
		t.recency = newRecency()
		at = maxTime
	default:
		t.due.flows = slices.Grow(t.due.flows, t.records.InUse()-lanes)
		for ref := uint32(lanes + 1); ref <= t.records.Len(); ref++ {
			if t.records.At(ref).state&inUse != 0 {
				t.makeDue(ref, End)
			}
		}
		t.recency = newRecency()
		at = maxTime
	}
	t.due.finish = at
	t.due.sort(t)
	return true
}

// inOrder tells if all records stand in the order in which their flows leave at
// the end of a capture, as those of a flood do: nothing need be sorted then,
// nor listed.
func (t *Table) inOrder() bool {
	var start Time = minTime
	var first uint64
	for ref := uint32(lanes + 1); ref <= t.records.Len(); ref++ {
		r := t.records.At(ref)
		switch {
		case r.state&inUse == 0:
		case r.start > start, r.start == start && r.first >= first:
			start, first = r.start, r.first
		default:
			return false
		}
	}
	return true
}

// earliest returns when the next flow finishes, if nothing happens to it.
func (t *Table) earliest() (at Time, ok bool) {
	if ref, last := t.recency.oldest(); ref != 0 {
		at, ok = t.finish(last), true
	}
	if len(t.reused) > 0 && (!ok || t.reused[0].time < at) {
		at, ok = t.reused[0].time, true
	}
	return at, ok
}

// finish returns the time at which a flow with this last packet time is over.
func (t *Table) finish(last Time) Time {
	if last > maxTime-Time(t.timeout) {
		return maxTime
	}
	return last + Time(t.timeout)
}

// makeDue takes a flow that is in no lane any more out of the index, which
// nobody asks after the end.
func (t *Table) makeDue(ref uint32, why Reason) {
	r := t.records.At(ref)
	if r.state&open != 0 && !t.ended {
		r.state &^= open
		t.index.remove(r.hash, ref)
	}
	t.due.flows = append(t.due.flows, dueFlow{r.start, ref, why})
}

// sort orders flows with the same finish. Flows that were never mixed with
// older ones stand in order already, which the check makes cheap.
func (d *dueFlows) sort(t *Table) {
	byStart := func(a, b dueFlow) int {
		if c := cmp.Compare(a.start, b.start); c != 0 {
			return c
		}
		return cmp.Compare(t.records.At(a.ref).first, t.records.At(b.ref).first)
	}
	if len(d.flows) > 1 && !slices.IsSortedFunc(d.flows, byStart) {
		slices.SortFunc(d.flows, byStart)
	}
}

// fill sets f to what a record says.
func (t *Table) fill(f *Flow, d dueFlow) {
	r := t.records.At(d.ref)
	f.Src, f.Dst = r.key.a, r.key.b
	f.SrcPort, f.DstPort = r.key.portA(), r.key.portB()
	if r.state&fwdFromB != 0 {
		f.Src, f.Dst = f.Dst, f.Src
		f.SrcPort, f.DstPort = f.DstPort, f.SrcPort
	}
	f.Protocol, f.V6 = r.key.proto(), r.key.v6()
	f.Fine = r.state&fine != 0
	f.Reason = d.reason
	f.Start, f.First, f.Finish = r.start, r.first, t.due.finish
	f.Last = max(r.start, Time(r.fwd.Last))
	t.count(&f.Fwd, &r.fwd)
	if r.bwd == 0 {
		if f.Bwd.Packets != 0 { // f is used again and again
			f.Bwd = Direction{}
		}
		return
	}
	bwd := t.backward.At(r.bwd)
	f.Last = max(f.Last, Time(bwd.Last))
	t.count(&f.Bwd, bwd)
}

// count sets a direction to what its series says.
func (t *Table) count(d *Direction, s *stats.Series) {
	d.Packets, d.Bytes = s.N, s.Sum
	d.Flags = t.pool.Bits(s)
	t.pool.Summarize(s, &d.Sizes, &d.IATs)
}

// release gives back the record of a flow.
func (t *Table) release(ref uint32) {
	r := t.records.At(ref)
	t.pool.Free(&r.fwd)
	if r.bwd != 0 {
		t.pool.Free(t.backward.At(r.bwd))
		t.backward.Put(r.bwd)
		r.bwd = 0
	}
	r.state = 0
	t.records.Put(ref)
}
