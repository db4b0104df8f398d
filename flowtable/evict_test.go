package flowtable

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flowfast/flowfast/decode"
)

// TestMaxFlowsEqualsModel wants the rows of the model, whatever the batches and
// the looks, and the same order of rows for all of them.
func TestMaxFlowsEqualsModel(t *testing.T) {
	const window = 32
	for _, test := range []struct {
		name     string
		keys     int
		step     int64
		displace int
	}{
		{"few keys", 30, 20, 1},
		{"many keys", 1000, 5, 1},
		{"idle flows among them", 200, 300, 1},
		{"out of order", 200, 20, window},
		{"all at the same time", 200, 1, 1},
	} {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(test.name, seed), func(t *testing.T) {
				r := rand.New(rand.NewPCG(seed, 1))
				packets := somePackets(r, 2000, test.keys, test.step)
				displace(r, packets, test.displace)
				most := 1 + r.IntN(40)
				m := model{timeout: 1000, most: most, open: map[string]*modelFlow{}, clock: math.MinInt64}
				for i := range packets {
					packets[i].Position = uint64(i)
					m.add(packets[i])
				}
				var want []string
				for _, f := range m.end() {
					want = append(want, f.describe())
				}
				slices.Sort(want)
				var order []string
				for _, looks := range []Looks{{}, {1, 1}, {7, 0}, {50, 2}} {
					e := newFeed(t, window, packets[0].Time, Options{Looks: looks}, 1+r.IntN(100))
					e.table.bounds.flows = most
					e.add(packets)
					if e.table.Open() > most {
						t.Fatalf("%d flows are open, want at most %d", e.table.Open(), most)
					}
					e.end()
					if order == nil {
						order = slices.Clone(e.rows)
					}
					if !slices.Equal(e.rows, order) {
						t.Fatalf("%+v give another order", looks)
					}
					slices.Sort(e.rows)
					for i := range min(len(want), len(e.rows)) {
						if e.rows[i] != want[i] {
							t.Fatalf("at most %d flows, row %d of %d:\ngot  %s\nwant %s", most, i, len(want), e.rows[i], want[i])
						}
					}
					if len(e.rows) != len(want) {
						t.Fatalf("%d rows, want %d", len(e.rows), len(want))
					}
				}
			})
		}
	}
}

// A memoryFeed takes packets through a table with a bound of memory, and
// compares each row with that of an unbounded table that sees its packets alone.
type memoryFeed struct {
	*feed
	t       *testing.T
	keys    map[wrappedKey][]arrival // packets that are in no row yet
	n       uint64
	worst   int // bytes taken
	seen    int // rows
	compare bool
}

func (m *memoryFeed) packet(p arrival) {
	p.Position = m.n
	m.n++
	if m.compare {
		k := keyOf(&p.Packet)
		m.keys[k] = append(m.keys[k], p)
	}
	m.batch.Add(&p.Packet, p.Time, p.Len, p.Fine)
	if m.batch.Len() == m.size {
		m.flush()
	}
}

func (m *memoryFeed) flush() {
	m.gate.Admit(m.batch)
	for i, step := range m.batch.Steps() {
		m.table.Add(m.batch, 0, i)
		m.drain(step)
	}
	m.batch.Reset()
	m.worst = max(m.worst, m.table.Bytes())
}

func (m *memoryFeed) drain(s Step) {
	var f Flow
	for m.table.Next(&s, &f) {
		m.packets += f.Fwd.Packets + f.Bwd.Packets
		if m.compare {
			m.check(&f)
		}
	}
	if in, most := m.table.inUse(), m.table.bounds.memory; !m.table.ended && in > most/8*7 {
		m.t.Fatalf("%d bytes in use after a step, bound %d", in, most)
	}
}

// A wrappedKey is a key with the digest of the encapsulation.
type wrappedKey struct {
	key
	encapsulation uint64
}

func keyOf(p *decode.Packet) wrappedKey {
	k := wrappedKey{encapsulation: p.Encapsulation}
	k.of(p, false)
	return k
}

// check compares a row with what its packets alone give.
func (m *memoryFeed) check(f *Flow) {
	p := decode.Packet{Proto: f.Protocol, V6: f.V6, Src: f.Src, Dst: f.Dst, SrcPort: f.SrcPort, DstPort: f.DstPort, Encapsulation: f.Encapsulation}
	k := keyOf(&p)
	n := int(f.Fwd.Packets + f.Bwd.Packets)
	if len(m.keys[k]) < n {
		m.t.Fatalf("a row of %d packets, of which %d came since the row before", n, len(m.keys[k]))
	}
	if m.seen++; m.seen%16 > 0 { // a table for each takes time
		m.keys[k] = m.keys[k][n:]
		return
	}
	alone := newFeed(m.t, 1<<16, 0, Options{}, n)
	alone.table.timeout, alone.table.rules.idle = math.MaxInt64, math.MaxInt64
	for _, p := range m.keys[k][:n] {
		alone.batch.Add(&p.Packet, p.Time, p.Len, p.Fine)
	}
	m.keys[k] = m.keys[k][n:]
	alone.gate.Admit(alone.batch)
	alone.table.Add(alone.batch, 0, 0)
	alone.table.End(0)
	var want Flow
	if s := (Step{Due: All}); !alone.table.Next(&s, &want) {
		m.t.Fatal("no row")
	}
	want.First, want.Reason, want.Finish, want.Encapsulation = f.First, f.Reason, f.Finish, f.Encapsulation
	if want != *f {
		m.t.Fatalf("row %+v\nwant %+v", *f, want)
	}
}

// TestMaxMemory sends traffic whose flows need blocks of one size, then of
// another: what is taken stays near the bound, no packet is lost, and a row
// says what its packets say.
func TestMaxMemory(t *testing.T) {
	// A chunk of each size of blocks is taken beyond the bound.
	const bound, chunks = 6 << 20, 2 << 20
	for _, compare := range []bool{true, false} {
		gate, table := mustNew(t, Options{IdleTimeout: math.MaxInt64, MaxMemory: bound, Keys: Keys{Encapsulation: decode.VLANTags}})
		m := &memoryFeed{feed: &feed{gate: gate, table: table, batch: gate.NewBatch(1), size: 500},
			t: t, keys: map[wrappedKey][]arrival{}, compare: compare}
		r := rand.New(rand.NewPCG(3, 4))
		at := Time(0)
		for round := range 3 {
			for _, each := range []int{1, 3, 12, 40, 90, 300, 2, 1000} { // packets of a flow
				flows := 100_000 / each
				if compare {
					flows /= 5
				}
				group := min(flows, 2*bound/200/each+2) // flows that are open together
				for first := 0; first < flows; first += group {
					for range each {
						for i := range group {
							at += Time(r.IntN(3))
							back := Time(0)
							if round == 2 {
								back = Time(r.IntN(5000)) // most flows are strays
							}
							p := arrival{Time: at - back, Len: 60 + r.Uint32N(1400)}
							p.Proto, p.DstPort = 17, uint16(each)
							p.Src.Lo, p.Dst.Lo = uint64(first+i)/3, uint64(round)
							p.Encapsulation = uint64(first+i) % 3
							if r.IntN(3) == 0 && each > 1 {
								p.Src, p.Dst, p.SrcPort, p.DstPort = p.Dst, p.Src, p.DstPort, p.SrcPort
							}
							m.packet(p)
						}
					}
				}
				t.Logf("%4d packets each: %d evicted, %d KiB in use, %d KiB taken", each, table.Evicted(), table.inUse()>>10, table.Bytes()>>10)
				if !compare {
					table.checkInvariants()
				}
			}
		}
		m.flush()
		table.End(gate.Latest())
		m.feedEnd()
		if m.packets != m.n {
			t.Errorf("%d packets in all rows, want %d", m.packets, m.n)
		}
		if table.Evicted() == 0 {
			t.Error("no flow was evicted")
		}
		if most := bound + chunks; m.worst > most {
			t.Errorf("%d bytes taken, want at most %d", m.worst, most)
		}
		t.Logf("%d bytes taken at most, bound %d", m.worst, bound)
	}
}

func (m *memoryFeed) feedEnd() { m.drain(Step{Due: All}) }

// TestGiant sends one flow with more different sizes than the bound has room
// for: it is evicted again and again, and the others stay.
func TestGiant(t *testing.T) {
	const bound = 4 << 20
	gate, table := mustNew(t, Options{IdleTimeout: math.MaxInt64, MaxMemory: bound})
	m := &memoryFeed{feed: &feed{gate: gate, table: table, batch: gate.NewBatch(1), size: 500}, t: t}
	const others, giant = 5000, 400_000
	for i := range others {
		p := arrival{Time: Time(i), Len: 60}
		p.Proto, p.Src.Lo = 17, uint64(i+2)
		m.packet(p)
	}
	for i := range giant {
		p := arrival{Time: others, Len: uint32(i)}
		p.Proto, p.Src.Lo = 17, 1
		m.packet(p)
	}
	m.flush()
	if open := table.Open(); open < others {
		t.Errorf("%d flows are open, want the %d others", open, others)
	}
	if table.Evicted() < 3 {
		t.Errorf("%d flows were evicted", table.Evicted())
	}
	if most := bound + bound/4; m.worst > most {
		t.Errorf("%d bytes taken, want at most %d", m.worst, most)
	}
	table.checkInvariants()
	table.End(gate.Latest())
	m.feedEnd()
	if m.packets != others+giant {
		t.Errorf("%d packets in all rows, want %d", m.packets, others+giant)
	}
}

// TestReusedLeaveForMemory sends SYNs that reuse the same ports again and again
// while the clock stands still: each finishes a flow that would wait for the
// horizon.
func TestReusedLeaveForMemory(t *testing.T) {
	const bound, packets = 2 << 20, 100_000
	gate, table := mustNew(t, Options{MaxMemory: bound})
	m := &memoryFeed{feed: &feed{gate: gate, table: table, batch: gate.NewBatch(1), size: 500}, t: t}
	for i := range packets {
		p := arrival{Time: 5, Len: 60}
		p.Proto, p.Src.Lo, p.Flags, p.RawFlags, p.Seq, p.Whole = 6, 1, syn, syn, uint32(i), true
		m.packet(p)
	}
	m.flush()
	if most := bound + bound/4; m.worst > most {
		t.Errorf("%d bytes taken, want at most %d", m.worst, most)
	}
	table.End(gate.Latest())
	m.feedEnd()
	if m.packets != packets {
		t.Errorf("%d packets in all rows, want %d", m.packets, packets)
	}
}

// TestDueBeforeEvicted has flows that have finished in a table that is past its bound of
// memory: they leave first, in order, and behind them those that the bound finishes.
func TestDueBeforeEvicted(t *testing.T) {
	const due, open = 1000, 20_000
	gate, table := mustNew(t, Options{IdleTimeout: time.Second, MaxMemory: 1 << 20})
	b := gate.NewBatch(1)
	add := func(i int, at time.Duration) {
		p := decode.Packet{Proto: 17}
		p.Src.Lo, p.Dst.Lo = uint64(i), 1<<31
		b.Add(&p, Time(at), 60, false)
	}
	for i := range due { // each begins before those in front of it, and all end at once
		add(i, time.Duration(due-i))
	}
	for i := range due {
		add(i, due)
	}
	for i := range open {
		add(due+i, 10*time.Second+time.Duration(i))
	}
	gate.Admit(b)
	for i := range b.Steps() {
		table.Add(b, 0, i)
	}
	var rows []Flow
	var f Flow
	for s := (Step{Horizon: Time(10 * time.Second), Due: All}); table.Next(&s, &f); {
		rows = append(rows, f)
	}
	if len(rows) <= due {
		t.Fatalf("%d rows", len(rows))
	}
	for i := range rows {
		f := &rows[i]
		switch {
		case i >= due && f.Reason != Evicted:
			t.Fatalf("row %d is one whose flow ended by %v", i, f.Reason)
		case i < due && (f.Reason != Idle || f.Start != Time(i+1)):
			t.Fatalf("row %d is that of a flow that began at %d and ended by %v", i, f.Start, f.Reason)
		}
	}
}
