package flowtable

import (
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
)

// A Taken is a packet of a flow as an admitted batch has it: what is left of it when
// its headers are read and its fragments resolved. It can be added to a batch of
// another gate, in another process too; see [Batch.AddTaken].
type Taken struct {
	// A and B are the endpoints of the key, A not above B but where it goes one way.
	A, B         decode.Addr
	PortA, PortB uint16
	Proto        uint8
	V6           bool
	// FromB: the packet goes from B to A. The other marks are those of a
	// [decode.Packet]; Fine: its time has a finer resolution than a microsecond;
	// Later: it is a later fragment.
	FromB, Whole, Fine, NoFlags, Later bool
	RawFlags                           uint8
	Hash                               uint32 // of the key, by the gate's seed
	Len                                uint32 // the frame's original length, in bytes
	Seq, Ack                           uint32
	Time                               Time
	Origin                             Origin // for AddTaken alone, if the gate's options ask for it
	Encapsulation                      uint64 // 0 if the key has none
	// What features need, each nil or empty if it was not asked for. They are lent as the
	// batch is.
	Headers *decode.Details
	Link    *decode.Link
	Payload []byte
}

// Part makes batches ones for another process: the hash of keys, and with it the shares
// of batches, is the same in every process with the same seed, and times stay as they
// are, also where they are to be monotone. It must come before batches are made.
// Without it, the hash is drawn at random, so that nobody can aim collisions at tables.
func (g *Gate) Part(seed uint64) {
	g.options.Monotone = false
	g.hasher.seeded = true
	for i := range g.hasher.words {
		// SplitMix64 (Steele, Lea, Flood, Fast Splittable Pseudorandom Number Generators, 2014).
		seed += 0x9e3779b97f4a7c15
		z := (seed ^ seed>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		g.hasher.words[i] = z ^ z>>31
	}
}

// Share calls do with each packet of a share of an admitted batch: its number in the
// batch, and what there is of it, which is lent until do returns.
func (b *Batch) Share(share int, do func(number int, t *Taken)) {
	var t Taken
	for _, i := range b.shares[share] {
		p := &b.packets[i]
		rest := p.key.rest
		t.A, t.B, t.PortA, t.PortB = p.key.a, p.key.b, p.key.portA(), p.key.portB()
		t.Proto, t.V6 = uint8(rest>>1), rest&1 != 0
		t.FromB, t.Whole, t.Fine, t.NoFlags, t.Later = rest&fromB != 0, rest&whole != 0, rest&fineTime != 0, p.flags() == 0, rest&later != 0
		t.RawFlags, t.Hash, t.Len, t.Seq, t.Ack, t.Time = p.rawFlags(), p.hash, p.len, p.seq, p.ack, p.time
		t.Encapsulation = b.encapsulation(int(i))
		if len(b.details) > 0 {
			d := &b.details[i]
			t.Headers, t.Payload = &d.headers, b.payload[d.from:d.to]
		}
		if len(b.links.of) > 0 {
			t.Link = b.links.at(int(i))
		}
		do(int(i), &t)
	}
}

// AddTaken adds a packet of a flow that another gate has admitted, with the same
// keys. If this gate has features, t has what they need.
func (b *Batch) AddTaken(t *Taken) {
	number := b.next()
	p := &b.packets[number]
	p.key = key{t.A, t.B, uint64(t.PortA)<<48 | uint64(t.PortB)<<32 | uint64(t.Proto)<<1 | ofFlow | uint64(t.RawFlags)<<rawFlags}
	p.key.rest |= bit(t.V6, 1) | bit(t.FromB, fromB) | bit(t.Whole, whole) | bit(t.Fine, fineTime) | bit(t.NoFlags, noFlags) | bit(t.Later, later)
	k := p.key.masked()
	hash, half := b.hasher.hash(&k, t.Encapsulation)
	p.hash, p.time, p.len, p.seq, p.ack = hash, t.Time, t.Len, t.Seq, t.Ack
	if b.hasher.Encapsulation != 0 {
		b.noteEncapsulation(uint16(number), &decode.Packet{Encapsulation: t.Encapsulation})
	}
	if b.placed {
		b.origins = append(b.origins, t.Origin)
	}
	if b.features&features.Link != 0 {
		b.links.take(t.Link)
	}
	if b.features&features.Details != 0 {
		d := detail{headers: *t.Headers, from: len(b.payload)}
		b.payload = append(b.payload, t.Payload...)
		d.to = len(b.payload)
		b.details = append(b.details, d)
	}
	b.count(number, t.Time, half)
}

func bit(set bool, mark uint64) uint64 {
	if set {
		return mark
	}
	return 0
}

// AdmitTaken takes in the batch that comes next of packets that other gates have
// admitted. No packet that comes later has a time before the horizon, unless a step
// back comes in front of it: see [Gate.AdmitStepBack].
func (g *Gate) AdmitTaken(b *Batch, horizon Time) {
	g.beginTaken(b)
	g.packets += uint64(len(b.packets))
	g.latest = max(g.latest, b.latestOfFlow)
	if b.Len() > 0 {
		g.Clock.Earliest, g.Clock.Latest = min(g.Clock.Earliest, b.earliest), max(g.Clock.Latest, b.latest)
	}
	before := g.Clock.Horizon
	g.Clock.Horizon = max(before, horizon)
	step := g.look(len(b.packets), before, len(b.packets))
	step.Era = g.era
	b.steps = append(b.steps, step)
}

// beginTaken gives a batch its place.
func (g *Gate) beginTaken(b *Batch) {
	if g.Clock.size == 0 {
		g.Clock = ClockAfter(0)
	}
	b.first = g.packets
}

// AdmitStepBack takes in, with an empty batch, that the clock of the captures steps
// back from a horizon: flows that finished before it leave, and are not continued.
func (g *Gate) AdmitStepBack(b *Batch, horizon, to Time) {
	g.beginTaken(b)
	b.steps = append(b.steps, Step{Horizon: horizon, Due: All, Era: g.era, before: g.Clock.Horizon})
	g.era++
	g.Clock.Horizon, g.drained = to, to
}

// EndAt says what the latest time of a packet of a flow was in all captures, of which
// the batches had a share: see [Gate.Latest].
func (g *Gate) EndAt(latest Time) { g.latest = max(g.latest, latest) }
