package block

import (
	"fmt"
	"math"
	"time"

	"github.com/flowfast/flowfast/flowtable"
)

// The captures are read as flowfast --join reads them: sorted by first packet, and
// merged by time where they overlap. Since the packet that comes next is always the
// earliest among those at the front of captures, a packet stands where the latest time
// of its capture so far puts it; call that its place. A late packet, which is stamped
// before its place, follows at once on the packet in front of it in its capture.
//
// The clock of --join steps back at a packet that was stamped before the horizon: the
// earliest time in the last window of packets of all captures that is complete, where
// windows are counted from the first packet on. Flows that finished before the horizon
// are not continued then. For a step there must be a window of packets whose places lie
// behind the time of the packet, so that it can be ruled out by counting; a block knows
// what it takes. Where it can't be ruled out, the trace of the capture tells the steps
// if no other capture has packets among its own. Otherwise only a reader of all packets
// can tell.

// A stepBack is a packet at which the clock steps back from a horizon to its time.
type stepBack struct {
	position uint64 // in its capture
	horizon  int64
	to       int64
}

// A joined is a capture among others, with all of its parts.
type joined struct {
	Capture
	parts  []*Block
	number int // in the order of captures
	order  int // by name, for packets of the same time
	steps  []stepBack
	// Floors are the earliest times of packets up to each of the steps, and behind
	// the last of them; floors has one more than steps.
	floors []int64
}

// join makes one capture of its parts, which are in order.
func join(parts []*Block) *joined {
	j := &joined{Capture: parts[0].Capture, parts: parts}
	for _, b := range parts[1:] {
		p := &b.Capture
		if p.Packets == 0 {
			continue
		}
		if j.Packets == 0 {
			j.Capture = *p
			continue
		}
		if p.Least < j.Last {
			j.Late = max(j.Late, uint64(j.Last)-uint64(p.Least))
			j.hide(j.Last, max(j.Last, p.Last))
		}
		if j.Late = max(j.Late, p.Late); p.Hidden {
			j.hide(p.HiddenFrom, max(j.Last, p.HiddenTo))
		}
		if j.Packets < window {
			j.LeastOfWindow = min(j.LeastOfWindow, p.Least)
		}
		j.addGap(Gap{j.Last, p.First, j.Packets, j.LatestOfFlow})
		for _, g := range p.Gaps {
			j.addGap(Gap{max(j.Last, g.From), g.To, j.Packets + g.Packets, max(j.LatestOfFlow, g.OfFlow)})
		}
		j.Last, j.Least, j.Packets = max(j.Last, p.Last), min(j.Least, p.Least), j.Packets+p.Packets
		j.OfNone += p.OfNone
		j.LatestOfFlow = max(j.LatestOfFlow, p.LatestOfFlow)
		for k, n := range p.Dense {
			j.Dense[k] += n // more than there can be, but for a boundary
		}
		j.Stepped = j.Stepped || p.Stepped
	}
	return j
}

// upTo returns how many packets of all captures but that of a number have places before
// a range of times, and the latest time of one of a flow among them; see
// [Capture.upTo].
func upTo(all []*joined, but int, from, to int64) (packets uint64, ofFlow int64, ok bool) {
	ofFlow = minTime
	for k, o := range all {
		if k == but {
			continue
		}
		n, latest, ok := o.upTo(from, to)
		if !ok {
			return 0, 0, false
		}
		packets, ofFlow = packets+n, max(ofFlow, latest)
	}
	return packets, ofFlow, true
}

// follow finds out where the clock steps back in each capture, all of which are in
// order. Straight says that no packet has a time before that of a flow's in front of
// it.
func follow(all []*joined, straight bool) error {
	for i, j := range all {
		j.number, j.floors = i, []int64{j.Least}
		if j.Late > 0 {
			if err := j.follow(all, straight); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow finds out where the clock steps back in a capture.
func (j *joined) follow(all []*joined, straight bool) error {
	near, ofNone := uint64(0), uint64(0)
	for _, o := range all {
		if o.Packets > 0 && o.Last > j.Least && o.First <= j.Last {
			near += o.most(j.Late)
			ofNone += o.OfNone
		}
	}
	if straight {
		// A packet of a flow leaves no packet behind it a time before its own: only in
		// a window without any can the horizon lie behind the next one.
		known := true
		if j.Hidden {
			_, _, known = upTo(all, j.number, j.HiddenFrom, j.HiddenTo)
		}
		if j.Hidden && (ofNone >= window || !known) {
			return fmt.Errorf("%s: packets are stamped by up to %v before others in front of them, while other captures have packets of the same time: "+
				"which time the profile gives them, only flowfast --join tells", j.Name, time.Duration(min(j.Late, math.MaxInt64)))
		}
		return nil
	}
	whole := len(j.parts) == 1
	before, _, alone := upTo(all, j.number, j.First, j.Last)
	beforeTrace, _, apart := upTo(all, j.number, j.TraceKey, j.Last)
	switch {
	case near < window:
		return nil
	case whole && alone && !j.Stepped && (before == 0 || j.LeastOfWindow >= j.First):
		return nil
	case whole && apart && j.Stepped && (beforeTrace == 0 || j.TraceFrom > 0 || j.StepAt >= 2*window):
		return j.replay(beforeTrace)
	}
	return fmt.Errorf("%s: a packet is stamped %v before one in front of it, with %d packets or more of that time in all captures: "+
		"where flows end there, only flowfast --join tells", j.Name, time.Duration(min(j.Late, math.MaxInt64)), window)
}

// replay takes the times of the trace through the clock.
func (j *joined) replay(before uint64) error {
	clock := flowtable.ClockAfter(before + j.TraceFrom)
	at := j.TraceFrom
	j.floors = []int64{j.LeastBefore}
	err := j.parts[0].times(func(t int64) {
		if !clock.Tick(flowtable.Time(t)) {
			// In front of the first place for a step, the clock does not know a whole
			// window yet.
			if at >= j.StepAt {
				j.steps = append(j.steps, stepBack{at, int64(clock.Horizon), t})
				j.floors = append(j.floors, t)
			}
			clock.StepBack(flowtable.Time(t))
			clock.Tick(flowtable.Time(t))
		}
		if at >= j.StepAt {
			last := &j.floors[len(j.floors)-1]
			*last = min(*last, t)
		}
		at++
	})
	return err
}
