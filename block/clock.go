package block

import (
	"fmt"
	"math"
	"slices"
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
	parts []*Block
	order int // by name, for packets of the same time
	// Packets of the captures with names before.
	before uint64
	// No packet behind a cut is stamped before the one that stands a window in front of it.
	seamless bool
	steps    []stepBack
	// Floors are the earliest times of packets up to each of the steps, and behind
	// the last of them; floors has one more than steps.
	floors []int64
}

// join makes one capture of its parts, which are in order.
func join(parts []*Block) *joined {
	j := &joined{Capture: parts[0].Capture.clone(), parts: parts, seamless: true}
	before := &parts[0].Capture
	for _, b := range parts[1:] {
		p := &b.Capture
		if p.Packets == 0 {
			continue
		}
		if j.Packets == 0 {
			j.Capture, before = p.clone(), p
			continue
		}
		j.seamless = j.seamless && before.meets(p)
		before = p
		if p.Least < j.Last {
			j.Late = max(j.Late, uint64(j.Last)-uint64(p.Least))
			if j.LatestOfFlow < j.Last {
				j.hide(j.Last, max(j.Last, p.Last))
			}
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

// An archive is all captures that have packets, in order, and of each of them together
// with those in front: the latest place, the latest time of a packet of a flow, and the
// packets.
type archive struct {
	all     []*joined
	last    []int64
	ofFlow  []int64
	packets []uint64
}

func newArchive(all []*joined) *archive {
	a := &archive{all: all}
	last, ofFlow, packets := int64(minTime), int64(minTime), uint64(0)
	for _, j := range all {
		last, ofFlow, packets = max(last, j.Last), max(ofFlow, j.LatestOfFlow), packets+j.Packets
		a.last, a.ofFlow, a.packets = append(a.last, last), append(a.ofFlow, ofFlow), append(a.packets, packets)
	}
	return a
}

// among calls do with the captures that may have packets with places in a range of
// times, and returns how many of those in order have all of theirs in front of it.
func (a *archive) among(from, to int64, do func(*joined)) (before int) {
	i, _ := slices.BinarySearchFunc(a.all, to, func(j *joined, to int64) int {
		if j.First <= to {
			return -1
		}
		return 1
	})
	for ; i > 0 && a.last[i-1] >= from; i-- {
		do(a.all[i-1])
	}
	return i
}

// upTo returns how many packets of all captures but one have places before a range of
// times, and the latest time of one of a flow among them; see [Capture.upTo].
func (a *archive) upTo(but *joined, from, to int64) (packets uint64, ofFlow int64, ok bool) {
	ofFlow, ok = minTime, true
	before := a.among(from, to, func(o *joined) {
		if o != but {
			n, latest, known := o.upTo(from, to)
			packets, ofFlow, ok = packets+n, max(ofFlow, latest), ok && known
		}
	})
	if before > 0 {
		packets, ofFlow = packets+a.packets[before-1], max(ofFlow, a.ofFlow[before-1])
	}
	return packets, ofFlow, ok
}

// follow finds out where the clock steps back in each capture. Straight says that no
// packet has a time before that of a flow's in front of it.
func (a *archive) follow(straight bool) error {
	for _, j := range a.all {
		if j.floors = []int64{j.Least}; j.Late == 0 {
			continue
		}
		if err := a.followOne(j, straight); err != nil {
			return err
		}
	}
	return nil
}

// followOne is follow for a capture.
func (a *archive) followOne(j *joined, straight bool) error {
	near, ofNone := uint64(0), uint64(0)
	a.among(j.Least, j.Last, func(o *joined) {
		near += o.most(j.Late)
		ofNone += o.OfNone
	})
	if straight {
		// A packet of a flow leaves no packet behind it a time before its own: only in
		// a window without any can the horizon lie behind the next one.
		known := true
		if j.Hidden {
			_, _, known = a.upTo(j, j.HiddenFrom, j.HiddenTo)
		}
		if j.Hidden && (ofNone >= window || !known) {
			return fmt.Errorf("%s: packets are stamped by up to %v before others in front of them, while other captures have packets of the same time: "+
				"which time the profile gives them, only flowfast --join tells", j.Name, time.Duration(min(j.Late, math.MaxInt64)))
		}
		return nil
	}
	if near < window {
		return nil
	}
	whole := len(j.parts) == 1
	before, _, alone := a.upTo(j, j.First, j.Last)
	beforeTrace, _, apart := a.upTo(j, j.TraceKey, j.Last)
	switch {
	case j.seamless && alone && !j.Stepped && (before == 0 || j.LeastOfWindow >= j.First):
		return nil
	case whole && apart && j.Stepped && (beforeTrace == 0 || j.TraceFrom > 0 || j.StepAt >= 2*window):
		return j.replay(beforeTrace)
	}
	if !whole {
		return fmt.Errorf("%s: a packet is stamped %v before one in front of it, with %d packets or more of that time: "+
			"where flows end there, parts of the file do not tell: read it as a whole", j.Name, time.Duration(min(j.Late, math.MaxInt64)), window)
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
