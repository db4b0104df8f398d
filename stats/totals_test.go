package stats

import (
	"math/rand/v2"
	"testing"
)

// TestTotalsEqualTwin adds observations to many series of a pool of totals, ends series
// and moves them together, and compares their totals with those of the observations.
func TestTotalsEqualTwin(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 5))
		p := NewTotals()
		series := make([]Series, 30)
		all := make([][]Observation, len(series))
		back := uint64(0)
		check := func(i int) {
			t.Helper()
			var want Series
			var bits [8]uint64
			for k, o := range all[i] {
				want.N++
				want.Sum += uint64(o.Size)
				if k == 0 || o.At > want.Last {
					want.Last = o.At
				}
				for b := range bits {
					bits[b] += uint64(o.Bits >> b & 1)
				}
			}
			s := &series[i]
			if s.N != want.N || s.Sum != want.Sum || s.Last != want.Last || p.Bits(s) != bits {
				t.Fatalf("seed %d: got %d observations, sum %d, last %d, bits %d; want %d, %d, %d, %d",
					seed, s.N, s.Sum, s.Last, p.Bits(s), want.N, want.Sum, want.Last, bits)
			}
		}
		for range 10_000 {
			i := r.IntN(1 + r.IntN(len(series)))
			if r.IntN(500) == 0 {
				check(i)
				p.Free(&series[i])
				all[i] = nil
				continue
			}
			o := Observation{Series: &series[i], At: r.Int64N(1<<40) - 1<<39, Size: r.Uint32(), Bits: uint8(r.Uint32() | r.Uint32())}
			if len(all[i]) > 0 && o.At < series[i].Last {
				back++
			}
			p.AddAll([]Observation{o})
			all[i] = append(all[i], o)
		}
		for i := range series[:20] {
			p.Free(&series[i])
			all[i] = nil
		}
		p.Shrink(func(do func(*Series)) {
			for i := range series {
				if series[i].N > 0 {
					do(&series[i])
				}
			}
		})
		for i := range series {
			check(i)
			p.Free(&series[i])
		}
		if p.Back != back {
			t.Fatalf("seed %d: %d steps back, want %d", seed, p.Back, back)
		}
		if n := p.InUse(); n != 0 {
			t.Fatalf("seed %d: %d bytes in use without series", seed, n)
		}
	}
}
