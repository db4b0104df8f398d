package flowtable

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
)

// An arrival is a packet as a capture brings it.
type arrival struct {
	decode.Packet
	Time     Time
	Position uint64
	Len      uint32
	Fine     bool
}

// A model is the readable version of a table: a map and sorted slices. It
// keeps every packet and follows the specification sentence by sentence.
type model struct {
	timeout int64
	most    int // open flows; 0 for no bound
	rules   Rules
	open    map[string]*modelFlow
	done    []*modelFlow
	clock   int64
}

type modelFlow struct {
	packets []arrival
	finish  int64
	reason  Reason
	base    [2]*uint32
	src     string // endpoint that is the source
	fin     [2]bool
	closed  bool
}

func endpoint(a decode.Addr, v6 bool, port uint16) string {
	return netip.AddrPortFrom(a.IP(v6), port).String()
}

func (f *modelFlow) direction(p *arrival) int {
	if p.OneWay || endpoint(p.Src, p.V6, p.SrcPort) == f.src {
		return 0
	}
	return 1
}

func (f *modelFlow) last() int64 {
	last := int64(f.packets[0].Time)
	for _, p := range f.packets {
		last = max(last, int64(p.Time))
	}
	return last
}

func (m *model) add(p arrival) {
	m.clock = max(m.clock, int64(p.Time))
	ends := []string{endpoint(p.Src, p.V6, p.SrcPort), endpoint(p.Dst, p.V6, p.DstPort)}
	if !p.OneWay {
		slices.Sort(ends)
	}
	k := fmt.Sprint(p.Proto, ends, p.Encapsulation)
	f := m.open[k]
	src := endpoint(p.Src, p.V6, p.SrcPort)
	if m.rules.SYNACKTurns && p.Proto == 6 && p.RawFlags&0x12 == 0x12 {
		src = endpoint(p.Dst, p.V6, p.DstPort)
	}
	if f != nil {
		d := f.direction(&p)
		over := func(span, most int64) bool { return span > most || m.rules.AtTimeout && span == most }
		isSYN := p.Proto == 6 && p.RawFlags&0x12 == 0x02
		switch active := int64(m.rules.ActiveTimeout); {
		case over(int64(p.Time)-f.last(), m.timeout):
			f.finish, f.reason = f.last()+m.timeout, Idle
			m.done = append(m.done, f)
			f = nil
		case active > 0 && over(int64(p.Time)-int64(f.packets[0].Time), active):
			f.finish, f.reason = int64(p.Time), Active
			m.done = append(m.done, f)
			if !m.rules.Turn {
				src = f.src
			}
			f = nil
		case isSYN && f.closed:
			f.finish, f.reason = int64(p.Time), Closed
			m.done = append(m.done, f)
			f = nil
		case m.rules.NoReuse:
		case p.Proto == 6 && p.RawFlags&0x12 == 0x02 && f.base[d] != nil && *f.base[d] != p.Seq:
			f.finish, f.reason = int64(p.Time), Reuse
			m.done = append(m.done, f)
			f = nil
		}
	}
	if f == nil {
		if _, replaced := m.open[k]; !replaced && m.most > 0 && len(m.open) == m.most {
			m.evict()
		}
		f = &modelFlow{src: src}
		m.open[k] = f
	}
	f.packets = append(f.packets, p)
	if p.Proto != 6 {
		return
	}
	d := f.direction(&p)
	if isFIN := p.RawFlags&0x01 != 0; m.rules.TCPEnd&EndFIN != 0 && f.fin[0] && f.fin[1] && p.RawFlags&0x10 != 0 && !isFIN ||
		m.rules.TCPEnd&EndRST != 0 && p.RawFlags&0x04 != 0 {
		f.closed = true
	}
	f.fin[d] = f.fin[d] || p.RawFlags&0x01 != 0
	isSyn, isAck := p.RawFlags&0x02 != 0, p.RawFlags&0x10 != 0
	if isSyn && isAck {
		f.base[d] = ptr(p.Seq, f.base[d] != nil || p.Whole)
	}
	if p.Whole && f.base[d] == nil {
		seq := p.Seq
		if !isSyn {
			seq--
		}
		f.base[d] = &seq
	}
	if p.Whole && isAck && f.base[1-d] == nil {
		seq := p.Ack - 1
		f.base[1-d] = &seq
	}
}

// evict finishes the flow that has been idle for longest.
func (m *model) evict() {
	oldest := ""
	for k, f := range m.open {
		if o := m.open[oldest]; o == nil || f.last() < o.last() ||
			f.last() == o.last() && f.packets[0].Position < o.packets[0].Position {
			oldest = k
		}
	}
	f := m.open[oldest]
	f.reason, f.finish = Evicted, m.clock
	if m.clock-f.last() > m.timeout {
		f.reason, f.finish = Idle, f.last()+m.timeout
	}
	m.done = append(m.done, f)
	delete(m.open, oldest)
}

func ptr(v uint32, set bool) *uint32 {
	if !set {
		return nil
	}
	return &v
}

// end returns all flows in the order of the specification.
func (m *model) end() []*modelFlow {
	for _, f := range m.open {
		f.reason, f.finish = End, math.MaxInt64
		if end := f.last() + m.timeout; end < m.clock || m.rules.AtTimeout && end == m.clock {
			f.reason, f.finish = Idle, f.last()+m.timeout
		}
		m.done = append(m.done, f)
	}
	slices.SortFunc(m.done, func(a, b *modelFlow) int {
		return cmp.Or(cmp.Compare(a.finish, b.finish),
			cmp.Compare(a.packets[0].Time, b.packets[0].Time),
			cmp.Compare(a.packets[0].Position, b.packets[0].Position))
	})
	return m.done
}

// describe says all of a flow but its quartiles, which stats tests.
func (f *modelFlow) describe() string {
	p := &f.packets[0]
	var packets, bytes [2]uint64
	var flags [2][8]uint64
	isFine := false
	for i := range f.packets {
		q := &f.packets[i]
		d := f.direction(q)
		packets[d]++
		bytes[d] += uint64(q.Len)
		for bit := range 8 {
			flags[d][bit] += uint64(q.Flags >> bit & 1)
		}
		isFine = isFine || q.Fine
	}
	src, dst := endpoint(p.Src, p.V6, p.SrcPort), endpoint(p.Dst, p.V6, p.DstPort)
	if src != f.src {
		src, dst = dst, src
	}
	return fmt.Sprint(f.reason, p.Position, src, dst, p.Proto,
		int64(p.Time), f.last(), packets, bytes, flags, isFine, p.Encapsulation)
}

func describe(f *Flow) string {
	return fmt.Sprint(f.Reason, f.First, endpoint(f.Src, f.V6, f.SrcPort), endpoint(f.Dst, f.V6, f.DstPort), f.Protocol,
		int64(f.Start), int64(f.Last), [2]uint64{f.Fwd.Packets, f.Bwd.Packets}, [2]uint64{f.Fwd.Bytes, f.Bwd.Bytes},
		[2][8]uint64{f.Fwd.Flags, f.Bwd.Flags}, f.Fine, f.Encapsulation)
}

// A feed takes packets through a table as a run does, in batches.
type feed struct {
	gate  *Gate
	table *Table
	batch *Batch
	size  int // packets of a batch
	rows  []string
	// packets is their sum over the rows.
	packets uint64
}

// newFeed returns a feed whose clock has a window of its own length, and an idle
// timeout of 1,000 ns if none is given.
func newFeed(t *testing.T, window int, first Time, o Options, size int) *feed {
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 1000)
	gate, table := mustNew(t, o)
	gate.Clock = newClock(window, first)
	return &feed{gate: gate, table: table, batch: gate.NewBatch(1), size: size}
}

func (e *feed) drain(s Step) {
	var f Flow
	for e.table.Next(&s, &f) {
		e.rows = append(e.rows, describe(&f))
		e.packets += f.Fwd.Packets + f.Bwd.Packets
	}
}

func (e *feed) add(packets []arrival) {
	for ; len(packets) > 0; packets = packets[min(e.size, len(packets)):] {
		e.batch.Reset()
		for i := range packets[:min(e.size, len(packets))] {
			p := &packets[i]
			e.batch.Add(&p.Packet, p.Time, p.Len, p.Fine)
		}
		e.gate.Admit(e.batch)
		for i, step := range e.batch.Steps() {
			e.table.Add(e.batch, 0, i)
			e.drain(step)
		}
	}
}

func (e *feed) end() {
	e.table.End(e.gate.Latest())
	e.drain(Step{Due: All})
}

// someKeys are endpoints that share addresses and ports with each other.
func someKeys(r *rand.Rand, n int) []decode.Packet {
	keys := make([]decode.Packet, n)
	for i := range keys {
		k := decode.Packet{
			Src: decode.Addr{Lo: r.Uint64N(4)}, Dst: decode.Addr{Lo: r.Uint64N(4)},
			SrcPort: uint16(r.UintN(uint(n))), DstPort: uint16(r.UintN(2)),
			Proto: []uint8{6, 17, 50}[r.IntN(3)], V6: r.IntN(3) == 0,
		}
		k.OneWay = k.Proto == 50
		if k.V6 {
			k.Src.Hi, k.Dst.Hi = r.Uint64N(2), r.Uint64N(2)
		}
		keys[i] = k
	}
	return keys
}

func somePackets(r *rand.Rand, n, keys int, step int64) []arrival {
	flows := someKeys(r, keys)
	packets := make([]arrival, n)
	at := int64(1_000_000)
	for i := range packets {
		at += r.Int64N(step)
		if r.IntN(100) == 0 {
			at += step * r.Int64N(400)
		}
		p := arrival{Packet: flows[r.IntN(keys)], Time: Time(at), Len: r.Uint32N(1500), Fine: r.IntN(50) == 0}
		if r.IntN(2) == 0 {
			p.Src, p.Dst = p.Dst, p.Src
			p.SrcPort, p.DstPort = p.DstPort, p.SrcPort
		}
		if p.Proto == 6 {
			p.Flags = []uint8{0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0xff}[r.IntN(7)]
			if p.RawFlags = p.Flags; r.IntN(8) == 0 {
				p.Flags = 0 // a data offset below 5 hides them
			}
			p.Seq, p.Ack = r.Uint32N(4), r.Uint32N(4)
			p.Whole = r.IntN(5) > 0
		}
		packets[i] = p
	}
	return packets
}

// displace moves packets by less than window places.
func displace(r *rand.Rand, packets []arrival, window int) {
	for i := 0; i < len(packets); i += window {
		block := packets[i:min(i+window, len(packets))]
		r.Shuffle(len(block), func(a, b int) { block[a], block[b] = block[b], block[a] })
	}
}

func TestTableEqualsModel(t *testing.T) {
	const window = 32
	for _, test := range []struct {
		name     string
		packets  int
		keys     int
		step     int64
		displace int
		future   bool // some packets are stamped years ahead
		mask     uint32
		wrapped  bool // in one of several encapsulations, which are of the key
	}{
		{"few keys", 2000, 10, 20, 1, false, ^uint32(0), false},
		{"many keys", 8000, 3000, 20, 1, false, ^uint32(0), false},
		{"growth", 60000, 40000, 1, 1, false, ^uint32(0), false},
		{"all idle", 3000, 200, 2000, 1, false, ^uint32(0), false},
		{"one bucket", 2000, 500, 20, 1, false, 0, false},
		{"one bucket of each segment", 20000, 6000, 1, 1, false, 0xff << 24, false},
		{"one segment", 20000, 6000, 1, 1, false, 0xff, false},
		{"out of order", 4000, 100, 20, window, false, ^uint32(0), false},
		{"slightly out of order", 4000, 100, 20, 5, false, ^uint32(0), false},
		{"packets from the future", 4000, 100, 20, window / 2, true, ^uint32(0), false},
		{"encapsulations", 4000, 50, 20, 5, false, ^uint32(0), true},
		{"encapsulations, one bucket", 2000, 200, 20, 1, false, 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			for seed := range uint64(6) {
				r := rand.New(rand.NewPCG(seed, 9))
				packets := somePackets(r, test.packets, test.keys, test.step)
				if test.future {
					for i := range packets {
						if r.IntN(20) == 0 {
							packets[i].Time += Time(r.Int64N(1e15))
						}
					}
				}
				var o Options
				if test.wrapped {
					o.Keys.Encapsulation = decode.VLANTags
					for i := range packets {
						packets[i].Encapsulation = r.Uint64N(3)
					}
				}
				displace(r, packets, test.displace)
				m := model{timeout: 1000, open: map[string]*modelFlow{}, clock: math.MinInt64}
				o.Looks = Looks{1 + r.IntN(3), []int{1, 3, 0}[r.IntN(3)]}
				e := newFeed(t, window, packets[0].Time, o, []int{1, 5, 200}[r.IntN(3)])
				e.gate.hasher.mask = test.mask
				table := e.table
				table.gatherMost = []int{1, 7, gatherMost}[r.IntN(3)]
				for i := range packets {
					packets[i].Position = uint64(i)
					m.add(packets[i])
				}
				e.add(packets)
				early := len(e.rows)
				e.end()
				want := m.end()
				for i := range min(len(want), len(e.rows)) {
					if w := want[i].describe(); e.rows[i] != w {
						t.Fatalf("seed %d, row %d of %d:\ngot  %s\nwant %s", seed, i, len(want), e.rows[i], w)
					}
				}
				if len(e.rows) != len(want) {
					t.Fatalf("seed %d: %d rows, want %d", seed, len(e.rows), len(want))
				}
				if e.gate.Clock.Back != 0 {
					t.Fatalf("seed %d: %d steps back in a capture displaced by less than a window", seed, e.gate.Clock.Back)
				}
				if early == 0 && test.name != "growth" {
					t.Errorf("seed %d: no flow left the table before the end", seed)
				}
				if table.pool.InUse() != 0 || table.records.InUse() != lanes || table.counts.InUse() != 0 {
					t.Errorf("seed %d: the empty table holds %d bytes of samples, %d records, %d counts",
						seed, table.pool.InUse(), table.records.InUse()-lanes, table.counts.InUse())
				}
			}
		})
	}
}

// TestHoles ends a capture whose flows began in order, and of which some have left and
// no other has taken their place.
func TestHoles(t *testing.T) {
	const window = 4
	keys := [4]decode.Packet{}
	for i := range keys {
		keys[i] = decode.Packet{Proto: decode.UDP, Src: decode.Addr{Lo: 1}, Dst: decode.Addr{Lo: 2}, SrcPort: uint16(i + 1)}
	}
	var packets []arrival
	m := model{timeout: 1000, open: map[string]*modelFlow{}, clock: math.MinInt64}
	for i := range 40 {
		key := i
		if i >= len(keys) {
			key = i % 2 * 2 // number 1 and 3 are silent
		}
		packets = append(packets, arrival{Packet: keys[key], Time: Time(i * 100), Position: uint64(i), Len: 60})
		m.add(packets[i])
	}
	e := newFeed(t, window, 0, Options{}, 5)
	e.add(packets)
	if len(e.rows) != 2 || !e.table.inOrder {
		t.Fatalf("%d flows left before the end, want 2; in order: %t", len(e.rows), e.table.inOrder)
	}
	e.end()
	var want []string
	for _, f := range m.end() {
		want = append(want, f.describe())
	}
	if !slices.Equal(e.rows, want) {
		t.Errorf("got\n%q\nwant\n%q", e.rows, want)
	}
}

// TestTimeStepsBack runs a capture whose clock is set back by more than a
// window: nothing is lost, and rows are in order between the steps.
func TestTimeStepsBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	e := newFeed(t, 16, 0, Options{}, 7)
	n := uint64(0)
	for range 20 {
		start := Time(r.Int64N(100_000_000))
		packets := somePackets(r, 500, 50, 20)
		for i := range packets {
			packets[i].Time += start
			packets[i].Position = n
			n++
		}
		e.add(packets)
	}
	if e.gate.Clock.Back == 0 {
		t.Fatal("no step back")
	}
	if len(e.rows) == 0 {
		t.Error("no flow left the table before the end")
	}
	e.end()
	if e.packets != n {
		t.Errorf("%d packets in all rows, want %d", e.packets, n)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{
		{IdleTimeout: -time.Second}, {MaxFlows: -1}, {MaxMemory: -1}, {Disorder: -1}, {Looks: Looks{Every: -1}}, {Looks: Looks{Most: -1}},
		{Rules: Rules{ActiveTimeout: -1}}, {Features: features.Options{First: -1}}, {Features: features.Options{Quantiles: []float64{1.5}}},
	} {
		if _, err := NewGate(o); err == nil {
			t.Errorf("no error for %+v", o)
		}
	}
	if _, table := mustNew(t, Options{}); table.timeout != 600e9 {
		t.Errorf("timeout %d, want 600 s", table.timeout)
	}
}
