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
	parts []*Block
	order int // by name, for packets of the same time
	steps []stepBack
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
			j.Hidden = true // it may be
		}
		j.Late, j.Hidden = max(j.Late, p.Late), j.Hidden || p.Hidden
		if j.Packets < window {
			j.LeastOfWindow = min(j.LeastOfWindow, p.Least)
		}
		j.Last, j.Least, j.Packets = max(j.Last, p.Last), min(j.Least, p.Least), j.Packets+p.Packets
		j.LatestOfFlow = max(j.LatestOfFlow, p.LatestOfFlow)
		for k, n := range p.Dense {
			j.Dense[k] += n // more than there can be, but for a boundary
		}
		j.Stepped = j.Stepped || p.Stepped
	}
	return j
}

// among tells if packets of a capture have places among those of another one, from a
// place on; earlier says that it is the earlier one in the order of captures.
func (j *joined) among(o *joined, from int64, earlier bool) bool {
	if j.Packets == 0 {
		return false
	}
	if earlier {
		return j.Last >= from
	}
	return j.First <= o.Last
}

// follow finds out where the clock steps back in each capture, all of which are in
// order. Straight says that no packet has a time before that of a flow's in front of
// it.
func follow(all []*joined, straight bool) error {
	before := uint64(0)
	for i, j := range all {
		j.floors = []int64{j.Least}
		if j.Late > 0 {
			alone, apart := true, true // no other has packets among all of its own; or among those of the trace
			for k, o := range all {
				if k != i && o.among(j, j.First, k < i) {
					alone = false
				}
				if k != i && o.among(j, j.TraceKey, k < i) {
					apart = false
				}
			}
			if err := j.follow(all, before, alone, apart, straight); err != nil {
				return err
			}
		}
		before += j.Packets
	}
	return nil
}

// follow finds out where the clock steps back in a capture, before which there are so
// many packets in others.
func (j *joined) follow(all []*joined, before uint64, alone, apart, straight bool) error {
	near := uint64(0)
	for _, o := range all {
		if o.Packets > 0 && o.Last > j.Least && o.First <= j.Last {
			near += o.most(j.Late)
		}
	}
	if straight {
		if j.Hidden && (!alone || near >= window) {
			return fmt.Errorf("%s: packets are stamped by up to %v before others in front of them, while other captures have packets of the same time: "+
				"which time the profile gives them, only flowfast --join tells", j.Name, time.Duration(min(j.Late, math.MaxInt64)))
		}
		return nil
	}
	switch {
	case near < window:
		return nil
	case alone && !j.Stepped && len(j.parts) == 1 && (before == 0 || j.LeastOfWindow >= j.First):
		return nil
	case apart && j.Stepped && len(j.parts) == 1 && (before == 0 || j.TraceFrom > 0 || j.StepAt >= 2*window):
		return j.replay(before)
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
