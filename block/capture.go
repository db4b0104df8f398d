package block

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/flowfast/flowfast/flowtable"
)

// A Capture is what a block says of the capture that its packets are of: as much of
// the packets of other buckets as it takes to put captures in order, and to follow the
// clock of all of them. Times are nanoseconds since the Unix epoch.
type Capture struct {
	// Name is that of the capture. Part of Parts tells parts of one capture apart, from
	// 1 on; both are 1 if it was read as a whole.
	Name  string `json:"name"`
	Part  int    `json:"part"`
	Parts int    `json:"parts"`
	// Begin and End are where a part begins and ended in the file, in bytes, and Through is the
	// last part that it has read: blocks of those behind it up to there are passed over.
	Begin   int64 `json:"begin,omitempty"`
	End     int64 `json:"end,omitempty"`
	Through int   `json:"through,omitempty"`
	// FirstMins are the earliest times of stretches of seamPackets in the first window of a
	// part's packets, LastMaxs the latest ones of those that reach into the last window.
	FirstMins []int64 `json:"first_mins,omitempty"`
	LastMaxs  []int64 `json:"last_maxs,omitempty"`
	// Packets is the number of packets of all classes, OfNone how many of them are of
	// no flow.
	Packets uint64 `json:"packets"`
	OfNone  uint64 `json:"of_none,omitempty"`
	// First is the time of the first packet; Last is the latest, Least the earliest
	// time of any. All are 0 if there are no packets.
	First int64 `json:"first"`
	Last  int64 `json:"last"`
	Least int64 `json:"least"`
	// LatestOfFlow is the latest time of a packet of a flow, the least of all times
	// without one.
	LatestOfFlow int64 `json:"latest_of_flow"`
	// Late is the most by which a packet was stamped before the latest one in front of
	// it, in nanoseconds: 0 in a capture that is in the order of time.
	Late uint64 `json:"late"`
	// Hidden says that some late packet of a flow has packets of flows in front of it
	// that were all stamped before the latest of any packet there.
	// The latest times there are from HiddenFrom to HiddenTo.
	Hidden     bool  `json:"hidden,omitempty"`
	HiddenFrom int64 `json:"hidden_from,omitempty"`
	HiddenTo   int64 `json:"hidden_to,omitempty"`
	// LeastOfWindow is the earliest time among the first [flowtable.Window] packets.
	LeastOfWindow int64 `json:"least_of_window"`
	// Dense is the most packets in a stretch of time of each of the lengths of stretches,
	// where a late packet stands where the latest one in front of it does.
	Dense []uint64 `json:"dense"`
	// Gaps are the longest times without packets, in order, where late packets stand as
	// above; there are mostGaps at most, all longer than leastGap.
	Gaps []Gap `json:"gaps,omitempty"`
	// Stepped says that some packet was stamped before the one that stands a window in
	// front of it: there the clock can step back. StepAt is the position of the first
	// such packet, and LeastBefore the earliest time before it. The block has a trace
	// then: the times of all packets from the position TraceFrom on, where the latest
	// time was TraceKey, as signed varints, each less the one before, in a zstd frame.
	Stepped     bool   `json:"stepped,omitempty"`
	StepAt      uint64 `json:"step_at,omitempty"`
	LeastBefore int64  `json:"least_before,omitempty"`
	TraceFrom   uint64 `json:"trace_from,omitempty"`
	TraceKey    int64  `json:"trace_key,omitempty"`
	// Damage says why the capture could not be read to its end, "" if it could.
	Damage string `json:"damage,omitempty"`
}

// A Gap is a time in which a capture has no packets: From the last packet before it To
// the first one after it, in nanoseconds since the Unix epoch.
type Gap struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// Packets are in front of the gap, OfFlow is the latest time of one of a flow there.
	Packets uint64 `json:"packets"`
	OfFlow  int64  `json:"of_flow"`
}

const (
	mostGaps = 16
	leastGap = 60_000_000_000 // nanoseconds
)

// upTo returns how many packets of a capture have places before a range of times, and
// the latest time of one of a flow among them. It returns false if that is not known, or
// packets have places in the range.
func (c *Capture) upTo(from, to int64) (packets uint64, ofFlow int64, ok bool) {
	switch {
	case c.Packets == 0 || c.First > to:
		return 0, minTime, true
	case c.Last < from:
		return c.Packets, c.LatestOfFlow, true
	}
	for _, g := range c.Gaps {
		if g.From < from && to < g.To {
			return g.Packets, g.OfFlow, true
		}
	}
	return 0, 0, false
}

// seamPackets are the packets of a stretch near the end of a part.
const seamPackets = window / 8

// meets tells if no packet of the part behind this one is stamped before the packet that
// stands a window in front of it in this one.
func (c *Capture) meets(next *Capture) bool {
	if c.Packets < window {
		return false
	}
	for k, least := range next.FirstMins {
		from := int(c.Packets) - window + k*seamPackets
		first := int(c.Packets-1)/seamPackets + 1 - len(c.LastMaxs) // the number of the first stretch
		for s := from / seamPackets; s <= (from+seamPackets-1)/seamPackets && s-first < len(c.LastMaxs); s++ {
			if s < first || least < c.LastMaxs[s-first] {
				return false
			}
		}
	}
	return true
}

// clone returns a copy that other parts can be added to.
func (c *Capture) clone() Capture {
	of := *c
	of.Dense, of.Gaps = slices.Clone(c.Dense), slices.Clone(c.Gaps)
	return of
}

// addGap adds a gap behind those that there are.
func (c *Capture) addGap(g Gap) {
	if g.To <= g.From || uint64(g.To)-uint64(g.From) < leastGap {
		return
	}
	if c.Gaps = append(c.Gaps, g); len(c.Gaps) > mostGaps {
		shortest := 0
		for i, o := range c.Gaps {
			if uint64(o.To)-uint64(o.From) < uint64(c.Gaps[shortest].To)-uint64(c.Gaps[shortest].From) {
				shortest = i
			}
		}
		c.Gaps = slices.Delete(c.Gaps, shortest, shortest+1)
	}
}

// stretches are lengths of time in nanoseconds, from a millisecond to 18 minutes.
var stretches = func() (all [11]int64) {
	for k := range all {
		all[k] = 1 << (20 + 2*k)
	}
	return all
}()

// most returns how many packets there are at most in a stretch of a length, where late
// ones stand where the latest in front of them do.
func (c *Capture) most(length uint64) uint64 {
	for k, n := range c.Dense {
		if uint64(stretches[k]) >= length {
			return min(c.Packets, 2*n) // it reaches over two
		}
	}
	return c.Packets
}

const (
	minTime = math.MinInt64
	window  = flowtable.Window
)

// A watch makes a Capture of the packets of a capture.
type watch struct {
	Capture
	bins   [len(stretches)]struct{ of, n uint64 }
	recent []int64 // of the last two windows of packets, by position
	keys   []int64 // the latest time at them
	trace  []byte
	last   int64 // in the trace
	ofFlow int64 // latest time of a packet of a flow so far

	// Of each packet of the last batch, if any is late: by how much, and by how much
	// compared with packets of flows alone.
	late, lateOfFlow []uint64
	anyLate          bool
}

func newWatch(c Capture) *watch {
	c.LatestOfFlow = minTime
	c.Dense = make([]uint64, len(stretches))
	return &watch{Capture: c, ofFlow: minTime}
}

// see takes in the next batch.
func (w *watch) see(b *flowtable.Batch) {
	w.anyLate = false
	for i := range b.Len() {
		at, _, ofAFlow := b.Packet(i)
		w.one(int64(at), ofAFlow, i)
	}
}

// one takes in the packet with a number in its batch.
func (w *watch) one(at int64, ofAFlow bool, number int) {
	if w.Packets == 0 {
		w.First, w.Last, w.Least, w.LeastOfWindow = at, at, at, at
	}
	if late := at < w.Last; late || w.anyLate {
		w.noteLate(at, ofAFlow, number)
	}
	if at > w.Last {
		w.addGap(Gap{w.Last, at, w.Packets, w.LatestOfFlow})
		w.Last = at
	}
	w.step(at)
	if w.Parts > 1 {
		w.noteSeams(at)
	}
	w.Least = min(w.Least, at)
	if w.Packets < window {
		w.LeastOfWindow = min(w.LeastOfWindow, at)
	}
	w.count(0, uint64(w.Last)>>20^1<<43, 1)
	if ofAFlow {
		w.LatestOfFlow = max(w.LatestOfFlow, at)
	} else {
		w.OfNone++
	}
	w.Packets++
}

// noteSeams takes in the time of the next packet of a part.
func (w *watch) noteSeams(at int64) {
	const kept = window/seamPackets + 1
	if w.Packets%seamPackets == 0 {
		if w.Packets < window {
			w.FirstMins = append(w.FirstMins, at)
		}
		if len(w.LastMaxs) == kept {
			w.LastMaxs = w.LastMaxs[:copy(w.LastMaxs, w.LastMaxs[1:])]
		}
		w.LastMaxs = append(w.LastMaxs, at)
		return
	}
	if w.Packets < window {
		least := &w.FirstMins[len(w.FirstMins)-1]
		*least = min(*least, at)
	}
	latest := &w.LastMaxs[len(w.LastMaxs)-1]
	*latest = max(*latest, at)
}

// noteLate notes by how much a packet is late, which may be 0.
func (w *watch) noteLate(at int64, ofAFlow bool, number int) {
	if !w.anyLate {
		w.anyLate, w.late, w.lateOfFlow = true, w.late[:0], w.lateOfFlow[:0]
	}
	for len(w.late) <= number {
		w.late, w.lateOfFlow = append(w.late, 0), append(w.lateOfFlow, 0)
	}
	if at >= w.Last {
		return
	}
	w.late[number] = uint64(w.Last) - uint64(at)
	w.Late = max(w.Late, w.late[number])
	if w.LatestOfFlow > at {
		w.lateOfFlow[number] = uint64(w.LatestOfFlow) - uint64(at)
	}
	if ofAFlow && w.LatestOfFlow < w.Last {
		w.hide(w.Last, w.Last)
	}
}

// hide notes that a packet of a flow is late, where the latest time is in a range, and
// packets of flows in front of it may not have that time.
func (c *Capture) hide(from, to int64) {
	if !c.Hidden {
		c.Hidden, c.HiddenFrom, c.HiddenTo = true, from, to
	}
	c.HiddenFrom, c.HiddenTo = min(c.HiddenFrom, from), max(c.HiddenTo, to)
}

// lateness returns what noteLate has noted of a packet.
func (w *watch) lateness(number int) (late, lateOfFlow uint64) {
	if !w.anyLate || number >= len(w.late) {
		return 0, 0
	}
	return w.late[number], w.lateOfFlow[number]
}

// step looks for packets before the one that stands a window in front of them, and
// keeps the trace.
func (w *watch) step(at int64) {
	const kept = 2 * window
	if w.Stepped {
		w.keep(at)
		return
	}
	if w.Packets < kept {
		w.recent, w.keys = append(w.recent, at), append(w.keys, w.Last)
	}
	if w.Packets >= window && w.recent[(w.Packets-window)%kept] > at {
		w.Stepped, w.StepAt, w.LeastBefore = true, w.Packets, w.Least
		if w.Packets >= kept {
			w.TraceFrom = w.Packets - kept
		}
		w.TraceKey = w.keys[w.TraceFrom%kept]
		for i := w.TraceFrom; i < w.Packets; i++ {
			w.keep(w.recent[i%kept])
		}
		w.keep(at)
		w.recent, w.keys = nil, nil
		return
	}
	if w.Packets >= kept {
		w.recent[w.Packets%kept], w.keys[w.Packets%kept] = at, w.Last
	}
}

func (w *watch) keep(at int64) {
	w.trace = binary.AppendVarint(w.trace, at-w.last)
	w.last = at
}

// count counts packets in a stretch of the length with a number, and in longer ones
// when a shorter one has ended.
func (w *watch) count(k int, of, n uint64) {
	b := &w.bins[k]
	if b.of != of {
		w.endStretch(k)
		b.of, b.n = of, 0
	}
	b.n += n
}

func (w *watch) endStretch(k int) {
	b := &w.bins[k]
	if w.Dense[k] = max(w.Dense[k], b.n); b.n > 0 && k+1 < len(w.bins) {
		w.count(k+1, b.of>>2, b.n)
	}
}

// end completes what there is to say.
func (w *watch) end() {
	for k := range w.bins {
		w.endStretch(k)
		w.bins[k].n = 0
	}
}
