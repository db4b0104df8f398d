package flowtable

import (
	"runtime"
	"testing"

	"github.com/flowfast/flowfast/decode"
)

// flood adds n flows of one packet each.
func flood(gate *Gate, t *Table, from, n int) {
	b := gate.NewBatch(1)
	p := decode.Packet{Proto: 6, SrcPort: 1024, DstPort: 80, Flags: 2, RawFlags: 2, Whole: true}
	for i := from; i < from+n; {
		b.Reset()
		for range min(256, from+n-i) {
			p.Src.Lo, p.Dst.Lo = uint64(i), 1<<31
			b.Add(&p, Time(i), 60, false)
			i++
		}
		gate.Admit(b)
		for i := range b.Steps() {
			t.Add(b, 0, i)
		}
	}
}

// TestMemoryPerFlow measures what a flow of one packet costs, all in, and that
// at its worst: each time the index has just grown.
func TestMemoryPerFlow(t *testing.T) {
	const flows, most = 1_000_000, 128
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapInuse
	}
	before := heap()
	gate, table := mustNew(t, Options{})
	worst := uint64(0)
	for n := 0; n < flows; {
		flood(gate, table, n, 50_000)
		n += 50_000
		if n >= 200_000 {
			worst = max(worst, (heap()-before)/uint64(n))
		}
	}
	if table.Open() != flows || worst > most {
		t.Errorf("%d open flows take %d bytes each, want at most %d", table.Open(), worst, most)
	}
	t.Logf("%d bytes for each flow of one packet", worst)
	runtime.KeepAlive(table)
}

func mustNew(t testing.TB, o Options) (*Gate, *Table) {
	gate, err := NewGate(o)
	if err != nil {
		t.Fatal(err)
	}
	return gate, gate.NewTable()
}

// TestKnownFlowAllocatesNothing adds packets of known flows, and new flows in
// the place of old ones.
func TestKnownFlowAllocatesNothing(t *testing.T) {
	if invariants {
		t.Skip("the checks of invariants allocate")
	}
	gate, table := mustNew(t, Options{IdleTimeout: 1000})
	n := 0
	var f Flow
	b := gate.NewBatch(1)
	p := decode.Packet{Proto: 17}
	round := func() {
		b.Reset()
		for range 64 {
			p.Src.Lo, p.Dst.Lo = uint64(n/100+n%7), 9
			b.Add(&p, Time(n), uint32(60+n%700), false)
			n++
		}
		gate.Admit(b)
		table.Add(b, 0, 0)
		for s := (Step{Horizon: Time(n - 500), Due: All}); table.Next(&s, &f); {
		}
	}
	for range 1000 {
		round()
	}
	if n := testing.AllocsPerRun(1000, round); n != 0 {
		t.Errorf("%v allocations for 64 packets", n)
	}
}

func BenchmarkTable(b *testing.B) {
	for _, bench := range []struct {
		name string
		keys int
	}{{"hit/flows=1e3", 1e3}, {"hit/flows=1e5", 1e5}, {"hit/flows=1e6", 1e6}} {
		b.Run(bench.name, func(b *testing.B) {
			gate, table := mustNew(b, Options{})
			flood(gate, table, 0, bench.keys)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				flood(gate, table, n%bench.keys, 256)
				n += 7919 * 256
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/packet")
		})
	}
	b.Run("new", func(b *testing.B) {
		gate, table := mustNew(b, Options{})
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			flood(gate, table, n, 256)
			if n += 256; n > 5e6 {
				gate, table = mustNew(b, Options{})
				n = 0
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/256, "ns/packet")
	})
}
