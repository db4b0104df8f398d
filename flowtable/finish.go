package flowtable

import (
	"cmp"
	"slices"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/stats"
)

// dueFlows are finished flows, out of the index and the recency list, in the
// order in which they leave; those from number ready on can't leave yet, since
// others may come before them.
type dueFlows struct {
	flows []dueFlow
	next  int
	ready int
	late  []dueFlow // that need not be in order among flows, while these are gathered
	// At the end of a capture the flows of records from to upTo are due as
	// well, if they stand in the order in which they leave: all records there, if they
	// are dense, or those that hold a flow.
	from, upTo uint32
	dense      bool
}

type dueFlow struct {
	finish, start Time
	ref           uint32
	reason        Reason
}

// gatherMost is the number of records from the recency list after which gather
// is content with those of them that can leave: the flows of a flood that have
// all finished should not be listed at once.
const gatherMost = 1 << 14

// Next sets f to the next flow that leaves after a step and takes it out of the
// table; it returns false if there is none. It must be called until then after
// each step; a Step that Next has taken flows from has less due.
//
// Flows that finished before the step's horizon leave in the order in which
// they finished, then by start time, then by the position of the first packet.
// A flow that is idle finished at its last packet's time plus the idle timeout;
// one whose ports were reused, at the time of the SYN. Flows that a bound
// finished early leave at once: those of a bound of memory after the others.
//
// After [Table.End] all flows come, whatever the step.
func (t *Table) Next(s *Step, f *Flow) bool {
	if t.ended {
		more := t.leave(t.latest, f)
		if !more && t.records.Len() > lanes {
			t.clear() // here, since many tables do it at once
		}
		return more
	}
	if len(t.early) > 0 && (t.leave(s.before, f) || t.takeEarly(f)) {
		return true
	}
	crowded := t.crowded()
	if (s.Due > 0 || crowded) && t.leave(s.Horizon, f) {
		s.Due = max(s.Due-1, 0)
		return true
	}
	s.Due = 0
	if crowded && t.relieve(f) {
		return true
	}
	t.shrinkIfLarge()
	return false
}

// leave sets f to the next flow that finished before the horizon and takes it
// out of the table; it returns false if there is none.
func (t *Table) leave(horizon Time, f *Flow) bool {
	d := &t.due
	for d.next == d.ready && d.from == d.upTo {
		if !t.gather(horizon) {
			return false
		}
	}
	if d.from < d.upTo {
		t.fill(f, d.from, maxTime, End)
		if d.from++; !d.dense {
			d.from = t.inUseFrom(d.from)
		}
		if d.from == d.upTo {
			t.clear() // at once: not a record after the other
		}
		return true
	}
	d.next++
	t.take(f, d.flows[d.next-1])
	return true
}

// take sets f to a flow and takes it out of the table.
func (t *Table) take(f *Flow, d dueFlow) {
	t.fill(f, d.ref, d.finish, d.reason)
	t.release(d.ref)
}

// End tells the table that the capture has ended, with its clock: the latest
// time of any packet of a flow, see [Gate.Latest]. Flows that have been idle
// for longer than the timeout then have finished by idleness; the others
// finish after them.
func (t *Table) End(clock Time) {
	t.ended, t.latest = true, clock
	if t.rules.AtTimeout && clock < maxTime { // a silence equal to the timeout is over
		t.latest++
	}
}

// gather makes flows due that finished before the horizon, or if there are none
// and the capture has ended, all that are left. It returns false if no flow can
// leave.
func (t *Table) gather(horizon Time) bool {
	d := &t.due
	d.late = append(d.late[:0], d.flows[d.ready:]...)
	d.flows, d.next = d.flows[:0], 0
	earliest := maxTime
	for _, f := range d.late {
		earliest = min(earliest, f.finish)
	}
	until, all := horizon, t.ended // what finished before until, or all, can leave
	for n := 0; ; n++ {
		ref, filed := t.recency.oldest()
		at := t.finish(filed)
		if ref == 0 || at >= horizon {
			break
		}
		if n >= t.gatherMost && earliest < at {
			until, all = at, false // later records of the list finished at that time or later
			break
		}
		t.recency.remove(ref)
		last := t.records.At(ref).last
		if finish := t.finish(last); finish < horizon {
			if due := t.makeDue(ref, finish, Idle); last == filed {
				d.flows = append(d.flows, due)
			} else {
				d.late = append(d.late, due)
			}
			earliest = min(earliest, finish)
		} else {
			t.recency.file(ref, t.recency.links.At(ref), last)
		}
	}
	for len(t.reused) > 0 && (all || t.reused[0].time < until) {
		r := t.reused.pop()
		d.late = append(d.late, t.makeDue(r.ref, r.time, t.records.At(r.ref).cutBy()))
	}
	t.sortDue(d.flows)
	t.sortDue(d.late)
	t.mergeLate()
	d.ready = len(d.flows)
	if !all {
		d.ready, _ = slices.BinarySearchFunc(d.flows, until, func(f dueFlow, until Time) int {
			return cmp.Compare(f.finish, until)
		})
	}
	return d.ready > 0 || all && t.gatherRest()
}

// gatherRest makes the flows due that the end of the capture finished.
func (t *Table) gatherRest() bool {
	if t.records.InUse() == lanes {
		return false
	}
	t.recency.empty()
	d := &t.due
	if t.inOrder {
		d.from, d.upTo = t.inUseFrom(lanes+1), t.records.Len()+1
		d.dense = t.records.InUse()-lanes == int(d.upTo-d.from)
		return true
	}
	d.flows = slices.Grow(d.flows, t.records.InUse()-lanes)
	for ref := uint32(lanes + 1); ref <= t.records.Len(); ref++ {
		if t.records.At(ref).state&inUse != 0 {
			d.flows = append(d.flows, t.makeDue(ref, maxTime, End))
		}
	}
	t.sortDue(d.flows)
	d.ready = len(d.flows)
	return true
}

// inUseFrom returns the first record from ref on that holds a flow, or the one
// after the last.
func (t *Table) inUseFrom(ref uint32) uint32 {
	for ref <= t.records.Len() && t.records.At(ref).state&inUse == 0 {
		ref++
	}
	return ref
}

// finish returns the time at which a flow with this last packet time is over.
func (t *Table) finish(last Time) Time {
	if last > maxTime-Time(t.timeout) {
		return maxTime
	}
	return last + Time(t.timeout)
}

// makeDue takes a flow that is in the recency list no more out of the index,
// which nobody asks after the end, and returns it as one that is due.
func (t *Table) makeDue(ref uint32, finish Time, why Reason) dueFlow {
	r := t.records.At(ref)
	if r.state&open != 0 && !t.ended {
		r.state &^= open
		t.index.remove(r.hash, ref)
	}
	return dueFlow{finish, t.start(r), ref, why}
}

// sortDue orders flows. Those of one packet stand in order already, which the
// check makes cheap.
func (t *Table) sortDue(flows []dueFlow) {
	if len(flows) > 1 && !slices.IsSortedFunc(flows, t.leaveInOrder) {
		slices.SortFunc(flows, t.leaveInOrder)
	}
}

// leaveInOrder compares flows by the order in which they leave.
func (t *Table) leaveInOrder(a, b dueFlow) int {
	if a.finish != b.finish {
		return cmp.Compare(a.finish, b.finish)
	}
	if a.start != b.start {
		return cmp.Compare(a.start, b.start)
	}
	return cmp.Compare(t.recency.first(a.ref), t.recency.first(b.ref))
}

// mergeLate puts the late flows in their places among the others.
func (t *Table) mergeLate() {
	d := &t.due
	flows, late := d.flows, d.late
	d.late = d.late[:0]
	d.flows = append(d.flows, late...)
	for to := len(d.flows); len(late) > 0 && len(flows) > 0; {
		to--
		if a, b := flows[len(flows)-1], late[len(late)-1]; t.leaveInOrder(b, a) < 0 {
			d.flows[to], flows = a, flows[:len(flows)-1]
		} else {
			d.flows[to], late = b, late[:len(late)-1]
		}
	}
	copy(d.flows, late)
}

// fill sets f to what a record says.
func (t *Table) fill(f *Flow, ref uint32, finish Time, why Reason) {
	r := t.records.At(ref)
	f.Src, f.Dst = r.key.a, r.key.b
	f.SrcPort, f.DstPort = r.key.portA(), r.key.portB()
	if r.state&fwdFromB != 0 {
		f.Src, f.Dst = f.Dst, f.Src
		f.SrcPort, f.DstPort = f.DstPort, f.SrcPort
	}
	f.Protocol, f.V6 = r.key.proto(), r.key.v6()
	f.SrcPort, f.DstPort, f.Identifier = decode.Ports(f.Protocol, f.SrcPort, f.DstPort)
	f.Fine = r.state&fine != 0
	f.Reason = why
	f.First, f.Start, f.Last, f.Finish = t.recency.first(ref), r.last, r.last, finish
	if t.asksMore {
		t.fillMore(f, ref)
	}
	if r.more == 0 {
		t.fillAlone(f, r)
		return
	}
	c := t.counts.At(r.more)
	f.Start, f.alone = c.start, 0
	t.summarize(&f.Fwd, &c.series[0])
	t.summarize(&f.Bwd, &c.series[1])
}

// fillAlone sets what f counts to a flow of one packet.
func (t *Table) fillAlone(f *Flow, r *record) {
	alone := isAlone | uint16(r.state>>firstFlags)
	d, other := &f.Fwd, &f.Bwd
	if r.state&firstBwd != 0 {
		alone ^= isAlone | isAloneBwd
		d, other = other, d
	}
	d.Bytes = uint64(r.size)
	if !t.totals {
		d.Sizes.Same(uint64(r.size))
	}
	if f.alone == alone { // f is used again and again
		return
	}
	f.alone = alone
	*other = Direction{}
	d.Packets = 1
	d.IATs = stats.Five{}
	for i := range d.Flags {
		d.Flags[i] = uint64(alone >> i & 1)
	}
}

// fillMore sets what f has if it is asked for.
func (t *Table) fillMore(f *Flow, ref uint32) {
	f.Encapsulation, f.Origin = t.around.get(ref), t.origins.get(ref)
	if t.features != nil {
		t.fillFeatures(f, ref)
	}
}

// fillFeatures sets the features of f to those of a record.
func (t *Table) fillFeatures(f *Flow, ref uint32) {
	if f.Features == nil {
		f.Features = &features.Flow{}
	}
	t.features.Fill(f.Features, ref)
	at := t.asked.Quantiles
	if len(at) == 0 {
		return
	}
	r := t.records.At(ref)
	c := &t.alone
	if r.more != 0 {
		c = t.counts.At(r.more)
	} else {
		*c = counts{}
		t.pool.Add(&c.series[r.firstDirection()], int64(r.last), r.size, 0)
	}
	for d := range c.series {
		q := &f.Features.Quantiles[d]
		q.Sizes, q.Intervals = t.pool.AppendQuantiles(q.Sizes[:0], q.Intervals[:0], &c.series[d], at)
	}
}

// summarize sets a direction to what its series says.
func (t *Table) summarize(d *Direction, s *stats.Series) {
	if s.N == 0 {
		if d.Packets != 0 { // it is used again and again
			*d = Direction{}
		}
		return
	}
	d.Packets, d.Bytes = s.N, s.Sum
	t.pool.PutBits(s, &d.Flags)
	if !t.totals {
		t.pool.Summarize(s, &d.Sizes, &d.IATs)
	}
}

// release gives back the record of a flow.
func (t *Table) release(ref uint32) {
	r := t.records.At(ref)
	if r.more != 0 {
		c := t.counts.At(r.more)
		t.pool.Free(&c.series[0])
		t.pool.Free(&c.series[1])
		t.counts.Put(r.more)
	}
	if t.features != nil {
		t.features.Free(ref)
	}
	r.state = 0
	t.records.Put(ref)
}
