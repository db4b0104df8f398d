package flowtable

import (
	"math"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
)

// All stands for no limit of flows.
const All = math.MaxInt

// Looks say when a table is asked for finished flows: after every so many
// packets for so many flows at most; 0 stands for 1 and for all.
type Looks struct{ Every, Most int }

// A Step is a part of a batch after which finished flows leave: Due at most,
// those that finished before the horizon. A horizon holds from one packet to
// another, whatever the batches.
type Step struct {
	Horizon Time
	Due     int
	before  Time // the horizon at its packets
	to      int  // number of the packet after it
}

// An Intake takes in batches for tables in the order of the capture: it gives
// later fragments the ports of their first, and follows the capture's clock to
// say when finished flows leave.
type Intake struct {
	// Clock follows the times of all packets.
	Clock Clock
	// StepsBack are where their order is not that of the packets.
	StepsBack StepsBack
	// Monotone makes a packet that is stamped before the latest one of a flow have
	// that one's time.
	Monotone bool
	// Features are the groups of features that batches made from here on keep
	// details for.
	Features features.Set
	// Takes reports whether a packet of a flow counts, for batches made from here
	// on; nil takes all. Several goroutines call it.
	Takes func(*decode.Packet) bool

	looks     Looks
	hasher    hasher
	fragments fragments
	packets   uint64
	latest    Time // of a packet of a flow
	unchecked int  // packets since the last look
	drained   Time // the horizon before which nothing is left
}

// Keep says which packets are of one flow, before batches are made.
func (in *Intake) Keep(k Keys) { in.hasher.Keys = k }

// NewIntake returns an intake that has seen no packets.
func NewIntake(l Looks) *Intake {
	l.Every = max(l.Every, 1)
	return &Intake{looks: l, hasher: newHasher(), latest: minTime, drained: minTime}
}

// NewBatch returns an empty batch for a number of tables.
func (in *Intake) NewBatch(tables int) *Batch {
	const usual = 2048 // packets: as many as small ones make a piece of a capture
	b := &Batch{hasher: &in.hasher, takes: in.Takes, features: in.Features, packets: make([]packet, 0, usual), shares: make([][]uint16, tables)}
	for i := range b.shares {
		b.shares[i] = make([]uint16, 0, usual)
	}
	b.plain = b.takes == nil && !b.hasher.OneWay && b.hasher.Sample <= 1 && b.hasher.Encapsulation == 0
	b.Reset()
	return b
}

// Latest returns the capture's clock: the latest time of a packet of a flow.
func (in *Intake) Latest() Time { return in.latest }

// Admit takes in the batch that comes next in the capture.
func (in *Intake) Admit(b *Batch) {
	b.first = in.packets
	in.StepsBack.note(b, in.packets)
	in.packets += uint64(len(b.packets))
	if len(b.fragments)+len(b.around) > 0 {
		in.resolve(b)
	}
	if in.Monotone {
		in.straighten(b)
	}
	in.latest = max(in.latest, b.latestOfFlow)
	from, before := 0, in.Clock.Horizon // of the step that comes next
	if !in.Clock.tickAll(len(b.packets), b.earliest, b.latest) {
		for i := range b.packets {
			at := b.packets[i].time
			if !in.Clock.Tick(at) {
				// All that is due leaves before the clock steps back.
				b.steps = append(b.steps, Step{in.Clock.Horizon, All, before, i})
				in.unchecked += i - from
				in.Clock.StepBack(at)
				in.drained = at
				in.Clock.Tick(at)
				from, before = i, at
			}
			if in.Clock.Horizon != before {
				b.steps = append(b.steps, in.look(i+1-from, before, i+1))
				from, before = i+1, in.Clock.Horizon
			}
		}
	}
	b.steps = append(b.steps, in.look(len(b.packets)-from, before, len(b.packets)))
}

// Silence takes in, instead of a next batch, that there was none: b is empty. All
// that is due leaves. The wall clock moves the horizon as a packet of the time now
// would, if the latest packet was stamped within the clock's disorder of the time
// on the wall clock when it was heard.
func (in *Intake) Silence(b *Batch, heard, now Time) {
	s := Step{Due: All, before: in.Clock.Horizon}
	if recent := in.Clock.Recent; in.packets > 0 && heard.since(recent)+recent.since(heard) <= in.Clock.Disorder {
		in.Clock.follow(now)
	}
	s.Horizon = in.Clock.Horizon
	in.drained = s.Horizon
	b.first = in.packets
	b.steps = append(b.steps, s)
}

// straighten makes no time of a batch earlier than that of a packet of a flow
// before it.
func (in *Intake) straighten(b *Batch) {
	latest := in.latest
	b.earliest = maxTime
	for i := range b.packets {
		p := &b.packets[i]
		p.time = max(p.time, latest)
		if p.key.rest&ofFlow != 0 {
			latest = p.time
		}
		b.earliest = min(b.earliest, p.time)
		b.latest = max(b.latest, p.time)
	}
	b.latestOfFlow = max(b.latestOfFlow, latest)
}

// look returns the step that ends with the next n packets, before number to.
func (in *Intake) look(n int, before Time, to int) Step {
	s := Step{Horizon: in.Clock.Horizon, before: before, to: to}
	in.unchecked += n
	looks := in.unchecked / in.looks.Every
	in.unchecked %= in.looks.Every
	switch {
	case looks == 0:
	case in.looks.Most > 0:
		s.Due = looks * in.looks.Most
	case s.Horizon != in.drained: // else no flow has finished before it since
		s.Due = All
		in.drained = s.Horizon
	}
	return s
}

// resolve turns the fragments of a batch into packets of flows or orphans.
func (in *Intake) resolve(b *Batch) {
	around := b.around
	for i := range b.fragments {
		f := &b.fragments[i]
		p := &b.packets[f.number]
		for ; len(around) > 0 && around[0].number < f.number; around = around[1:] {
			in.wrap(b, &around[0], &around[0].carried)
		}
		if f.packet.Class == decode.Counted {
			in.fragments.remember(&in.hasher, &f.packet, &f.packet, p.time)
			continue
		}
		in.fragments.resolve(&in.hasher, &f.packet, p.time)
		b.Classes[decode.Fragment]--
		b.Classes[f.packet.Class]++
		if f.packet.Class == decode.Counted {
			b.keep(f.number, &f.packet)
			if p.key.rest&ofFlow != 0 {
				p.key.rest |= later
			}
		}
		for ; len(around) > 0 && around[0].number == f.number; around = around[1:] {
			in.wrap(b, &around[0], &f.packet)
		}
	}
	for i := range around {
		in.wrap(b, &around[i], &around[i].carried)
	}
	for i := range b.shares {
		b.shares[i] = b.shares[i][:0]
	}
	for i := range b.packets {
		if p := &b.packets[i]; p.key.rest&ofFlow != 0 {
			k := p.key.masked()
			_, half := in.hasher.hash(&k, b.encapsulation(i))
			b.share(uint16(i), half)
		}
	}
}

// wrap remembers the first fragment of a tunnel's datagram, whose later ones belong
// to the flow of what it carries.
func (in *Intake) wrap(b *Batch, w *wrapped, carried *decode.Packet) {
	if carried.Class == decode.Counted {
		in.fragments.remember(&in.hasher, &w.first, carried, b.packets[w.number].time)
	}
}

// Steps returns the steps of an admitted batch, of which there is one at least.
func (b *Batch) Steps() []Step { return b.steps }

// part returns the numbers of a share's packets in a step.
func (b *Batch) part(share, step int) []uint16 {
	numbers := b.shares[share]
	if len(b.steps) == 1 {
		return numbers
	}
	from, to := 0, b.steps[step].to
	if step > 0 {
		from = b.steps[step-1].to
	}
	low, high := 0, len(numbers)
	for low < len(numbers) && int(numbers[low]) < from {
		low++
	}
	for high > low && int(numbers[high-1]) >= to {
		high--
	}
	return numbers[low:high]
}
