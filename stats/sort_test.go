package stats

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// sortable returns n values with so many distinct ones between lowest and
// highest.
func sortable(r *rand.Rand, n, distinct int, lowest, highest uint16) []uint16 {
	some := make([]uint16, distinct)
	for i := range some {
		some[i] = lowest + uint16(r.IntN(int(highest-lowest)+1))
	}
	v := make([]uint16, n)
	for i := range v {
		v[i] = some[r.IntN(distinct)]
	}
	return v
}

// entriesOf returns values as entries have them, from a bit on, beside others.
func entriesOf(values []uint16, from uint) []uint32 {
	entries := make([]uint32, len(values))
	for i, v := range values {
		entries[i] = uint32(v)<<from | uint32(^v)<<(16-from)
	}
	return entries
}

func TestSelectQuartiles(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 13))
	var w few // what an earlier call left in it does no harm
	for _, n := range []int{1, 2, 3, 40, 107, 108, 255} {
		for _, to := range []uint16{0, 1, 62, 63, 64, 4094, 4095, 4096, 65535} {
			for _, distinct := range []int{1, 2, 200} {
				for round := range 20 {
					lowest := uint16(0)
					if round > 0 {
						lowest = uint16(r.IntN(65536 - int(to)))
					}
					values := sortable(r, n, distinct, lowest, lowest+to)
					from := uint(round % 2 * 16)
					selectQuartiles(&w, entriesOf(values, from), from, slices.Min(values), slices.Max(values))
					slices.Sort(values)
					for i := 1; i <= 3; i++ {
						rank := (n - 1) * i / 4
						next := min(rank+1, n-1)
						if w[rank] != values[rank] || w[next] != values[next] {
							t.Fatalf("%d of %d..%d: %d and %d at %d\nof %v", n, lowest, lowest+to, w[rank], w[next], rank, values)
						}
					}
					if slices.Sort(w[:n]); !slices.Equal(w[:n], values) {
						t.Fatalf("%d of %d..%d:\ngot  %v\nwant %v", n, lowest, lowest+to, w[:n], values)
					}
				}
			}
		}
	}
}

func TestInsertEqualsSort(t *testing.T) {
	r := rand.New(rand.NewPCG(14, 15))
	for n := range 20 {
		for range 100 {
			v := make([]pair, n)
			for i := range v {
				v[i] = pair(r.Uint64N(20))
			}
			want := slices.Sorted(slices.Values(v))
			if insert(v); !slices.Equal(v, want) {
				t.Fatalf("got %v, want %v", v, want)
			}
		}
	}
}

func BenchmarkSelectQuartiles(b *testing.B) {
	r := rand.New(rand.NewPCG(16, 17))
	for _, n := range []int{18, 40, 108} {
		for _, distinct := range []int{2, 200} {
			const sets = 512
			var values [sets][]uint16
			var entries [sets][]uint32
			for i := range values {
				values[i] = sortable(r, n, distinct, 60, 1514)
				entries[i] = entriesOf(values[i], 16)
			}
			name := fmt.Sprintf("n=%d/distinct=%d", n, distinct)
			b.Run(name+"/select", func(b *testing.B) {
				var w few
				for i := 0; b.Loop(); i++ {
					selectQuartiles(&w, entries[i%sets], 16, 60, 1514)
				}
			})
			b.Run(name+"/slices", func(b *testing.B) {
				var v few
				for i := 0; b.Loop(); i++ {
					copy(v[:], values[i%sets])
					slices.Sort(v[:n])
				}
			})
			b.Run(name+"/insert", func(b *testing.B) {
				var v [largeLogLen]uint32
				for i := 0; b.Loop(); i++ {
					for k, x := range values[i%sets] {
						v[k] = uint32(x)
					}
					insert(v[:n])
				}
			})
		}
	}
}
