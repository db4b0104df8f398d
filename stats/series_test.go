package stats

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// A twin is the readable version of a series: it keeps everything.
type twin struct {
	times     []int64
	sizes     []uint64
	intervals []uint64
	bits      [8]uint64
}

func (w *twin) add(at int64, size uint32, bits uint8) {
	if len(w.times) > 0 {
		last := slices.Max(w.times)
		interval := uint64(0)
		if at > last {
			interval = uint64(at) - uint64(last)
		}
		w.intervals = append(w.intervals, interval)
	}
	w.times = append(w.times, at)
	w.sizes = append(w.sizes, uint64(size))
	for i := range 8 {
		w.bits[i] += uint64(bits >> i & 1)
	}
}

// quartile returns quartile i (0..4) by sorting, as a fraction of 4.
func quartile(v []uint64, i int) float64 {
	s := slices.Sorted(slices.Values(v))
	pos := float64(len(s)-1) * float64(i) / 4
	lo := int(pos)
	hi := min(lo+1, len(s)-1)
	return float64(s[lo]) + (pos-float64(lo))*float64(s[hi]-s[lo])
}

// traffic are kinds of series: what the next interval and size are.
var traffic = map[string]func(r *rand.Rand, i int) (interval int64, size uint32, bits uint8){
	"constant": func(*rand.Rand, int) (int64, uint32, uint8) { return 1000, 60, 2 },
	"linear":   func(_ *rand.Rand, i int) (int64, uint32, uint8) { return int64(i) * 1000, uint32(i), uint8(i) },
	"heavy-tailed": func(r *rand.Rand, _ int) (int64, uint32, uint8) {
		return int64(1000 * math.Exp(6*r.NormFloat64())), uint32(40 + r.ExpFloat64()*500), 16
	},
	"two modes": func(r *rand.Rand, _ int) (int64, uint32, uint8) {
		return []int64{12, 40e6}[r.IntN(2)], []uint32{66, 1514}[r.IntN(2)], 24
	},
	"backwards": func(r *rand.Rand, _ int) (int64, uint32, uint8) { return int64(r.IntN(2000)) - 1000, 60, 255 },
	"bin edges": func(r *rand.Rand, _ int) (int64, uint32, uint8) {
		return 1<<(7+r.IntN(40)) - int64(r.IntN(2)), uint32(1) << r.IntN(32), 1
	},
	"rarely odd": func(r *rand.Rand, _ int) (int64, uint32, uint8) {
		interval, size := r.Int64N(1e6), uint32(r.IntN(2000))
		switch r.IntN(50) {
		case 0:
			interval = maxPairInterval + r.Int64N(2)
		case 1:
			size = maxPairSize + uint32(r.IntN(2))
		}
		return interval, size, 255
	},
	"two bins": func(r *rand.Rand, _ int) (int64, uint32, uint8) {
		return 1<<40 + r.Int64N(1<<35), 100 + uint32(r.IntN(2)), 0
	},
	"every size": func(_ *rand.Rand, i int) (int64, uint32, uint8) { return 5, uint32(i) * 2654435761, 0 },
}

func TestSeriesEqualsTwin(t *testing.T) {
	p := NewPool() // one for all: blocks are used again
	for name, next := range traffic {
		for _, n := range []int{1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 43, 44, 45, 64, 107, 108, 109, 110, 127, 128, 129, 130, 300, 1000, 20000} {
			t.Run(fmt.Sprintf("%s/%d", name, n), func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, uint64(n)))
				var s Series
				var w twin
				at := int64(1_700_000_000_000_000_000)
				for i := range n {
					interval, size, bits := next(r, i)
					at += interval
					p.Add(&s, at, size, bits)
					w.add(at, size, bits)
				}
				compare(t, p, &s, &w)
				p.Free(&s)
			})
		}
	}
	if p.InUse() != 0 {
		t.Errorf("%d bytes in use when all series are freed", p.InUse())
	}
}

func compare(t *testing.T, p *Pool, s *Series, w *twin) {
	t.Helper()
	if s.N != uint64(len(w.sizes)) || p.Bits(s) != w.bits || s.Last != slices.Max(w.times) {
		t.Errorf("n %d, bits %v, last %d; want %d, %v, %d",
			s.N, p.Bits(s), s.Last, len(w.sizes), w.bits, slices.Max(w.times))
	}
	var sizes, intervals Five
	p.Summarize(s, &sizes, &intervals)
	for i := range 5 {
		if got, want := sizes.Float(i), quartile(w.sizes, i); got != want {
			t.Errorf("size %d is %v, want %v", i, got, want)
		}
		if len(w.intervals) == 0 {
			if intervals != (Five{}) {
				t.Errorf("intervals of one observation: %v", intervals)
			}
			continue
		}
		got, want := intervals.Float(i), quartile(w.intervals, i)
		if i > 0 && got < intervals.Float(i-1) {
			t.Errorf("interval %d is %v, below %v", i, got, intervals.Float(i-1))
		}
		bound := 0.0
		if i != 0 && i != 4 && len(w.intervals) > ExactIntervals {
			bound = want / 128
		}
		if math.Abs(got-want) > bound {
			t.Errorf("interval %d is %v, want %v within %v", i, got, want, bound)
		}
	}
}

func TestExtremeTimes(t *testing.T) {
	p := NewPool()
	var s Series
	p.Add(&s, math.MinInt64, 0, 0)
	p.Add(&s, math.MaxInt64, math.MaxUint32, 0)
	var sizes, intervals Five
	p.Summarize(&s, &sizes, &intervals)
	if intervals.Whole[4] != math.MaxUint64 || sizes.Whole[4] != math.MaxUint32 {
		t.Errorf("longest interval %d, largest size %d", intervals.Whole[4], sizes.Whole[4])
	}
}

// TestBitsDoNotOverflow merges so that the number of observations is never one
// after which adding empties the bits of a series.
func TestBitsDoNotOverflow(t *testing.T) {
	p := NewPool()
	var s Series
	var want uint64
	for want < 2000 {
		if s.N%spillEvery == spillEvery-1 {
			var other Series
			p.Add(&other, s.Last, 60, 255)
			p.Add(&other, s.Last, 60, 255)
			p.Merge(&s, p, &other, 0)
			p.Free(&other)
			want += 2
		}
		p.Add(&s, s.Last, 60, 255)
		want++
		for i, n := range p.Bits(&s) {
			if n != want {
				t.Fatalf("bit %d set %d times, want %d", i, n, want)
			}
		}
	}
}

// TestMergeOfAnyPartition cuts a series into parts, merges them in a random
// order, and wants the state of one pass, bit for bit.
func TestMergeOfAnyPartition(t *testing.T) {
	for name, next := range traffic {
		if name == "backwards" {
			continue // a part that begins before the end of the one before has seen other intervals
		}
		r := rand.New(rand.NewPCG(2, 3))
		for round := range 200 {
			n := 2 + r.IntN(1+[]int{4, 16, 20, 40, 110, 300}[round%6])
			p := NewPool()
			var whole Series
			var parts []Series
			var gaps []uint64 // before each part
			at, last := int64(0), int64(0)
			for i := range n {
				interval, size, bits := next(r, i)
				at += interval
				if i == 0 || r.IntN(4) == 0 {
					parts = append(parts, Series{})
					gaps = append(gaps, uint64(at-last))
				}
				p.Add(&whole, at, size, bits)
				p.Add(&parts[len(parts)-1], at, size, bits)
				last = at
			}
			want := p.AppendState(nil, &whole)
			// Merge neighbours, in any order, until one part is left; the later
			// part into the earlier one or the other way round, in this pool or
			// in a new one.
			pools := make([]*Pool, len(parts))
			for i := range pools {
				pools[i] = p
			}
			for len(parts) > 1 {
				i := r.IntN(len(parts) - 1)
				to, from := i, i+1
				if r.IntN(2) == 0 {
					to, from = from, to
				}
				pools[to].Merge(&parts[to], pools[from], &parts[from], gaps[i+1])
				parts[i], pools[i] = parts[to], pools[to]
				parts = slices.Delete(parts, i+1, i+2)
				pools = slices.Delete(pools, i+1, i+2)
				gaps = slices.Delete(gaps, i+1, i+2)
			}
			if got := pools[0].AppendState(nil, &parts[0]); !bytes.Equal(got, want) {
				t.Fatalf("%s, %d observations:\ngot  %v\nwant %v", name, n, got, want)
			}
		}
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	p := NewPool()
	r := rand.New(rand.NewPCG(4, 5))
	asked := []float64{0.05, 0.5, 0.999}
	var quantiles [2][]float64
	round := func() {
		var many [50]Series
		var sizes, intervals Five
		at := int64(0)
		for i := range 5000 {
			at += int64(r.ExpFloat64() * 1e6)
			s := &many[r.IntN(1+r.IntN(len(many)))] // of lengths from 2 to 450, about
			size := uint32(40 + r.IntN(1460))
			if i%40 == 1 {
				size <<= i % 17 // some are too large for a log
			}
			p.Add(s, at, size, uint8(i))
		}
		for i := range many {
			p.Summarize(&many[i], &sizes, &intervals)
			quantiles[0], quantiles[1] = p.AppendQuantiles(quantiles[0][:0], quantiles[1][:0], &many[i], asked)
			p.Free(&many[i])
		}
	}
	for range 10 {
		round()
	}
	if n := testing.AllocsPerRun(20, round); n != 0 {
		t.Errorf("%v allocations for 5000 observations in a pool that has grown", n)
	}
}

func TestSeriesIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Series{}); n != 40 {
		t.Errorf("a series takes %d bytes, want 40", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, n := range []int{1, 5, 17, 100, 10000} {
		b.Run(fmt.Sprintf("observations=%d", n), func(b *testing.B) {
			p := NewPool()
			r := rand.New(rand.NewPCG(6, 7))
			var at, sizes [4096]int64
			for i := range at {
				at[i] = int64(r.ExpFloat64() * 1e6)
				sizes[i] = 40 + int64(r.IntN(1460))
			}
			var s Series
			now := int64(0)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				now += at[i%len(at)]
				p.Add(&s, now, uint32(sizes[i%len(sizes)]), 16)
				if s.N == uint64(n) {
					p.Free(&s)
				}
			}
		})
	}
}
