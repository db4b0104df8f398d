package flowtable

import (
	"cmp"
	"math"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
)

// All stands for no limit of flows.
const All = math.MaxInt

// A Step is a part of a batch after which finished flows leave: Due at most,
// of those that finished before Horizon. A horizon holds from one packet to
// another, whatever the batches.
type Step struct {
	Horizon Time
	Due     int
	Era     uint64 // how often the clock has stepped back, where packets were taken
	before  Time   // the horizon at its packets
	to      int    // number of the packet after it
}

// A Gate admits batches to tables in the order of the capture: it gives later
// fragments the ports of their first, and follows the capture's clock to say when
// finished flows leave. It makes the tables and the batches of a run, so that all
// go by the same options.
type Gate struct {
	// Clock follows the times of all packets.
	Clock Clock
	// StepsBack are where their order is not that of the packets.
	StepsBack StepsBack

	options   Options
	hasher    hasher
	fragments fragments
	packets   uint64
	latest    Time   // of a packet of a flow
	unchecked int    // packets since the last look
	drained   Time   // the horizon before which nothing is left
	era       uint64 // see Step
}

// NewGate returns a gate that has seen no packets. Its error is that of the options.
func NewGate(o Options) (*Gate, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	o.IdleTimeout = cmp.Or(o.IdleTimeout, DefaultIdleTimeout)
	o.Looks.Every = max(o.Looks.Every, 1)
	g := &Gate{options: o, hasher: newHasher(), latest: minTime, drained: minTime}
	g.hasher.Keys = o.Keys
	g.Clock.Disorder = uint64(o.Disorder)
	return g, nil
}

// NewBatch returns an empty batch for a number of tables.
func (g *Gate) NewBatch(tables int) *Batch {
	const usual = 2048 // packets: as many as small ones make a piece of a capture
	b := &Batch{
		hasher: &g.hasher, takes: g.options.Takes, placed: g.options.Origins, features: g.options.Features.Set & (features.Details | features.Link),
		packets: make([]packet, 0, usual), shares: make([][]uint16, tables),
	}
	for i := range b.shares {
		b.shares[i] = make([]uint16, 0, min(usual, 2*usual/tables+32))
	}
	if g.options.Meter != nil {
		b.Frames = g.options.Meter.NewFrames()
	}
	b.plain = b.Frames == nil && b.takes == nil && !b.placed && !b.hasher.OneWay && b.hasher.Sample <= 1 && b.features&^features.Link == 0
	b.Reset()
	return b
}

// Latest returns the capture's clock: the latest time of a packet of a flow.
func (g *Gate) Latest() Time { return g.latest }

// Admit takes in the batch that comes next in the capture.
func (g *Gate) Admit(b *Batch) {
	b.first = g.packets
	g.StepsBack.note(b, g.packets)
	g.packets += uint64(len(b.packets))
	if len(b.fragments)+len(b.around) > 0 {
		g.resolve(b)
	}
	if g.options.Monotone {
		g.straighten(b)
	}
	g.latest = max(g.latest, b.latestOfFlow)
	from, before := 0, g.Clock.Horizon // of the step that comes next
	if !g.Clock.tickAll(len(b.packets), b.earliest, b.latest) {
		for i := range b.packets {
			at := b.packets[i].time
			if !g.Clock.Tick(at) {
				// All that is due leaves before the clock steps back.
				b.steps = append(b.steps, Step{Horizon: g.Clock.Horizon, Due: All, before: before, to: i})
				g.unchecked += i - from
				g.Clock.StepBack(at)
				g.drained = at
				g.Clock.Tick(at)
				from, before = i, at
			}
			if g.Clock.Horizon != before {
				b.steps = append(b.steps, g.look(i+1-from, before, i+1))
				from, before = i+1, g.Clock.Horizon
			}
		}
	}
	b.steps = append(b.steps, g.look(len(b.packets)-from, before, len(b.packets)))
}

// Silence takes in, instead of a next batch, that there was none: b is empty. All
// that is due leaves. The wall clock moves the horizon as a packet of the time now
// would, if the latest packet was stamped within the clock's disorder of the time
// on the wall clock when it was heard.
func (g *Gate) Silence(b *Batch, heard, now Time) {
	s := Step{Due: All, before: g.Clock.Horizon}
	if recent := g.Clock.Recent; g.packets > 0 && heard.since(recent)+recent.since(heard) <= g.Clock.Disorder {
		g.Clock.follow(now)
	}
	s.Horizon = g.Clock.Horizon
	g.drained = s.Horizon
	b.first = g.packets
	b.steps = append(b.steps, s)
}

// straighten makes no time of a batch earlier than that of a packet of a flow
// before it.
func (g *Gate) straighten(b *Batch) {
	latest := g.latest
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
func (g *Gate) look(n int, before Time, to int) Step {
	s := Step{Horizon: g.Clock.Horizon, before: before, to: to}
	g.unchecked += n
	looks := g.unchecked / g.options.Looks.Every
	g.unchecked %= g.options.Looks.Every
	switch {
	case looks == 0:
	case g.options.Looks.Most > 0:
		s.Due = looks * g.options.Looks.Most
	case s.Horizon != g.drained: // else no flow has finished before it since
		s.Due = All
		g.drained = s.Horizon
	}
	return s
}

// resolve turns the fragments of a batch into packets of flows or orphans.
func (g *Gate) resolve(b *Batch) {
	around := b.around
	for i := range b.fragments {
		f := &b.fragments[i]
		p := &b.packets[f.number]
		for ; len(around) > 0 && around[0].number < f.number; around = around[1:] {
			g.wrap(b, &around[0], &around[0].carried)
		}
		if f.packet.Class == decode.Counted {
			g.fragments.remember(&g.hasher, &f.packet, &f.packet, p.time)
			continue
		}
		g.fragments.resolve(&g.hasher, &f.packet, p.time)
		b.Classes[decode.Fragment]--
		b.Classes[f.packet.Class]++
		if f.packet.Class == decode.Counted {
			b.keep(f.number, &f.packet)
			b.endHeader(f.number, &f.packet)
			if p.key.rest&ofFlow != 0 {
				p.key.rest |= later
			}
		}
		for ; len(around) > 0 && around[0].number == f.number; around = around[1:] {
			g.wrap(b, &around[0], &f.packet)
		}
	}
	for i := range around {
		g.wrap(b, &around[i], &around[i].carried)
	}
	for i := range b.shares {
		b.shares[i] = b.shares[i][:0]
	}
	for i := range b.packets {
		if p := &b.packets[i]; p.key.rest&ofFlow != 0 {
			k := p.key.masked()
			_, half := g.hasher.hash(&k, b.encapsulation(i))
			b.share(uint16(i), half)
		}
	}
}

// wrap remembers the first fragment of a tunnel's datagram, whose later ones belong
// to the flow of what it carries.
func (g *Gate) wrap(b *Batch, w *wrapped, carried *decode.Packet) {
	if carried.Class == decode.Counted {
		g.fragments.remember(&g.hasher, &w.first, carried, b.packets[w.number].time)
	}
}

// Steps returns the steps of an admitted batch, of which there is one at least.
func (b *Batch) Steps() []Step { return b.steps }

// Numbers returns the numbers of a share's packets of flows in a step, in order.
func (b *Batch) Numbers(share, step int) []uint16 {
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
