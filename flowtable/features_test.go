package flowtable

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/stats"
)

// allFeatures are options with every group of features.
var allFeatures = features.Options{
	Set: features.Sizes | features.Intervals | features.Gaps | features.Payload | features.TCP | features.IP | features.Periods |
		features.Bulks | features.First | features.Entropy | features.Link | features.Quantiles | features.Shape,
	First: 5, Quantiles: []float64{0.05, 0.5, 0.95},
}

// A framed is an arrival with the frame that it was decoded from.
type framed struct {
	arrival
	frame []byte
}

// tcpFrame returns a packet of TCP over IPv4 and Ethernet, with a VLAN tag, from
// endpoint src of a flow or from dst.
func tcpFrame(r *rand.Rand, flow uint32, backward bool) framed {
	be := binary.BigEndian
	src, dst := flow, uint32(1<<31)
	if backward {
		src, dst = dst, src
	}
	payload := make([]byte, r.IntN(2)*r.IntN(200))
	for i := range payload {
		payload[i] = byte(r.IntN(16))
	}
	b := append(make([]byte, 12), 0x81, 0, 0, byte(r.Uint32()), 8, 0, 0x45, byte(r.Uint32()))
	b[5] = byte(flow)
	b = be.AppendUint16(b, uint16(40+len(payload)))
	b = append(b, 0, 0, 0, 0, byte(1+r.IntN(255)), 6, 0, 0)
	b = be.AppendUint32(be.AppendUint32(b, src), dst)
	b = be.AppendUint16(be.AppendUint16(b, 80), 80)
	b = be.AppendUint32(be.AppendUint32(b, r.Uint32N(5000)), r.Uint32())
	b = append(b, 5<<4, []byte{0x10, 0x18, 0x11, 0x04, 0x12}[r.IntN(5)])
	b = append(be.AppendUint16(b, uint16(r.Uint32())), 0, 0, 0, 0)
	p := framed{frame: append(b, payload...)}
	p.Len = uint32(len(p.frame))
	p.Decode(1, p.frame, p.Len)
	return p
}

// A featureFeed takes packets through a table, and compares each flow with that
// of a table that sees its packets alone.
type featureFeed struct {
	t     *testing.T
	gate  *Gate
	table *Table
	batch *Batch
	keys  map[key][]framed // packets that are in no row yet
	flow  Flow             // used again and again
	n     uint64           // packets in rows
	seen  int              // rows
	every int              // how many rows there are to each that is compared
	worst int              // bytes taken
}

func newFeatureFeed(t *testing.T, o Options) *featureFeed {
	gate, table := mustNew(t, o)
	return &featureFeed{t: t, gate: gate, table: table, batch: gate.NewBatch(1), keys: map[key][]framed{}}
}

func (e *featureFeed) add(p framed) {
	if p.Class != decode.Counted {
		e.t.Fatalf("a packet is of class %v", p.Class)
	}
	var k key
	k.of(&p.Packet, false)
	e.keys[k] = append(e.keys[k], p)
	e.batch.Add(&p.Packet, p.Time, p.Len, p.Fine)
	e.batch.AddDetails(&p.Packet, 1, p.frame)
	if e.batch.Len() == 500 {
		e.flush()
	}
}

func (e *featureFeed) flush() {
	e.gate.Admit(e.batch)
	for i, step := range e.batch.Steps() {
		e.table.Add(e.batch, 0, i)
		e.drain(step)
	}
	e.batch.Reset()
	e.worst = max(e.worst, e.table.Bytes())
	if t := e.table; t.Bytes() < t.features.Bytes()+t.records.Bytes()+t.pool.Bytes() {
		e.t.Fatalf("%d bytes taken, less than its parts", t.Bytes())
	}
}

func (e *featureFeed) drain(s Step) {
	for e.table.Next(&s, &e.flow) {
		e.check(&e.flow)
	}
	if in, most := e.table.inUse(), e.table.bounds.memory; !e.table.ended && in > most/8*7 {
		e.t.Fatalf("%d bytes in use after a step, bound %d", in, most)
	}
}

func (e *featureFeed) end() {
	e.flush()
	e.table.End(e.gate.Latest())
	e.drain(Step{Due: All})
}

func (e *featureFeed) check(f *Flow) {
	p := decode.Packet{Proto: f.Protocol, V6: f.V6, Src: f.Src, Dst: f.Dst, SrcPort: f.SrcPort, DstPort: f.DstPort}
	var k key
	k.of(&p, false)
	n := int(f.Fwd.Packets + f.Bwd.Packets)
	if len(e.keys[k]) < n {
		e.t.Fatalf("a row of %d packets, of which %d came since the row before", n, len(e.keys[k]))
	}
	e.n += uint64(n)
	packets := e.keys[k][:n]
	e.keys[k] = e.keys[k][n:]
	if e.seen++; e.seen%e.every > 0 { // a table for each takes time
		return
	}
	o := e.table.asked
	o.NoSummaries = false
	alone := newFeatureFeed(e.t, Options{IdleTimeout: math.MaxInt64, Features: o, Rules: Rules{NoReuse: true}})
	for _, p := range packets {
		alone.batch.Add(&p.Packet, p.Time, p.Len, p.Fine)
		alone.batch.AddDetails(&p.Packet, 1, p.frame)
	}
	alone.gate.Admit(alone.batch)
	for i := range alone.batch.Steps() {
		alone.table.Add(alone.batch, 0, i)
	}
	alone.table.End(0)
	var want Flow
	if s := (Step{Due: All}); !alone.table.Next(&s, &want) {
		e.t.Fatal("no row")
	}
	if e.table.totals {
		for _, d := range []*Direction{&want.Fwd, &want.Bwd} {
			d.Sizes, d.IATs = stats.Five{}, stats.Five{}
		}
	}
	if !reflect.DeepEqual(want.Features, f.Features) || want.Fwd != f.Fwd || want.Bwd != f.Bwd {
		e.t.Fatalf("row %d of %d packets: %+v\nwant %+v", e.seen, n, f.Features, want.Features)
	}
}

// TestFeaturesShrink moves the records of a table together where many of its
// flows have left, and wants the others to go on with what they had.
func TestFeaturesShrink(t *testing.T) {
	for _, set := range []features.Set{allFeatures.Set, features.First, features.Entropy | features.Link, features.Bulks, features.Sizes | features.Intervals | features.Link, features.Spans | features.Periods} {
		r := rand.New(rand.NewPCG(5, uint64(set)))
		o := allFeatures
		o.Set = set
		if set&features.Quantiles == 0 {
			o.Quantiles = nil
		}
		o.NoSummaries = set != features.First
		e := newFeatureFeed(t, Options{IdleTimeout: math.MaxInt64, Features: o, MaxFlows: 4000, Rules: Rules{NoReuse: true}})
		e.every = 40
		at := Time(0)
		for round := range 6 {
			for i := range 6000 {
				flow := r.Uint32N(20000)
				if round%2 == 1 {
					flow = r.Uint32N(300) // of few flows many packets
				}
				p := tcpFrame(r, flow, r.IntN(2) == 0)
				at += Time(r.IntN(1e9))
				p.Time = at
				e.add(p)
				if i%6000 == 5777 {
					e.flush()
					e.table.bounds.flows = 200 // and many leave
					for e.table.index.used > 200 {
						e.table.makeRoom(minTime)
					}
					e.drain(Step{})
					before := e.table.features.Bytes()
					e.table.shrink()
					if after := e.table.features.Bytes(); round%2 == 0 && after > before/5*4 { // a chunk of each kind stays
						t.Errorf("%d bytes of features taken, %d after they were given back", before, after)
					}
					e.table.bounds.flows = 4000
				}
			}
		}
		e.end()
		if e.n != 36000 || e.table.Evicted() == 0 {
			t.Errorf("%d packets in all rows, want %d; %d flows evicted", e.n, 36000, e.table.Evicted())
		}
	}
}

// TestMaxMemoryWithFeatures sends flows of all lengths: with features too what
// is taken stays near the bound, no packet is lost, and a row says what its
// packets say.
func TestMaxMemoryWithFeatures(t *testing.T) {
	// A chunk of each kind of block is taken beyond the bound.
	const bound, chunks = 24 << 20, 8 << 20
	r := rand.New(rand.NewPCG(6, 7))
	e := newFeatureFeed(t, Options{IdleTimeout: math.MaxInt64, MaxMemory: bound, Features: allFeatures, Rules: Rules{NoReuse: true}})
	e.every = 300
	at, flow, sent := Time(0), uint32(0), uint64(0)
	for _, each := range []int{1, 3, 12, 40, 300, 2} { // packets of a flow
		flows := 60_000 / each
		group := min(flows, 12_000/each+2) // flows that are open together
		for first := 0; first < flows; first += group {
			for range each {
				for i := range group {
					at += Time(r.IntN(1e6))
					p := tcpFrame(r, flow+uint32(i), r.IntN(3) == 0)
					p.Time = at
					e.add(p)
					sent++
				}
			}
			flow += uint32(group)
		}
	}
	e.end()
	if e.n != sent {
		t.Errorf("%d packets in all rows, want %d", e.n, sent)
	}
	if e.table.Evicted() == 0 {
		t.Error("no flow was evicted")
	}
	if most := bound + chunks; e.worst > most {
		t.Errorf("%d bytes taken, want at most %d", e.worst, most)
	}
	t.Logf("%d flows evicted, %d bytes taken at most, bound %d; features of a flow take %d",
		e.table.Evicted(), e.worst, bound, e.table.features.Cost())
}

// TestQuantilesAlone has flows whose only features are the table's.
func TestQuantilesAlone(t *testing.T) {
	o := allFeatures
	o.Set, o.First = features.Quantiles, 0
	r := rand.New(rand.NewPCG(9, 9))
	e := newFeatureFeed(t, Options{IdleTimeout: math.MaxInt64, Features: o, Rules: Rules{NoReuse: true}})
	e.every = 5
	for i := range 3000 {
		p := tcpFrame(r, r.Uint32N(400), r.IntN(2) == 0)
		p.Time = Time(i)
		e.add(p)
	}
	e.end()
	if e.n != 3000 {
		t.Errorf("%d packets in all rows, want 3000", e.n)
	}
}
