package stats

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
)

// lengths are the least and the most observations of every kind of block.
var lengths = []int{1, 2, 5, 6, 17, 18, 44, 45, 108, 109, 300}

// oddities are observations that do not fit where others do, and the others.
var oddities = []struct {
	name     string
	interval uint64
	size     uint32
}{
	{"nothing odd", 1000, 1514},
	{"largest of a pair", maxPairInterval, maxPairSize},
	{"long interval", maxPairInterval + 1, 60},
	{"large size", 7, maxPairSize + 1},
}

// makeSeries makes a series of n observations that begins at a time. The one
// with number place, from 0, is odd.
func makeSeries(p *Pool, w *twin, n, odd, place int, at int64) (s Series) {
	for i := range n {
		interval, size := uint64(i*i*500), uint32(40+i*37%1400)
		if i > 0 && i == place {
			interval, size = oddities[odd].interval, oddities[odd].size
		}
		if i > 0 {
			at += int64(interval)
		}
		p.Add(&s, at, size, 0xff)
		w.add(at, size, 0xff)
	}
	return s
}

// TestBlocks wants the block that the invariants of a Series name, and nothing
// left when it is free.
func TestBlocks(t *testing.T) {
	for i := range len(oddities) * len(lengths) {
		odd, n := i%len(oddities), lengths[i/len(oddities)]
		o := oddities[odd]
		for _, place := range []int{1, n - 1} {
			p := NewPool()
			var w twin
			s := makeSeries(p, &w, n, odd, place, 0)
			compare(t, p, &s, &w)
			intervalFar, sizeFar := o.interval > maxPairInterval && n > 1, o.size > maxPairSize && n > 1
			want := 0
			got := p.InUse()
			switch {
			case n <= 1:
			case n <= 17 && (intervalFar || sizeFar):
				want = 192
			case n <= 5:
				want = 32
			case n <= 17:
				want = 128
			case n > 108 || sizeFar:
				want = 128
				got -= p.counts.used
			case n <= 44:
				want = 192
			default:
				want = 448
			}
			if got != want || (p.counts.used > 0) != s.isLong() {
				t.Errorf("%s, %d observations: %d bytes in use and %d for counts, want %d",
					o.name, n, got, p.counts.used, want)
			}
			if p.Free(&s); p.InUse() != 0 || s != (Series{}) {
				t.Errorf("%s, %d observations: %d bytes in use, series %v", o.name, n, p.InUse(), s)
			}
		}
	}
}

// TestMergeOfAnyBlocks merges a series in every kind of block into one in every
// kind, and adds to the result.
func TestMergeOfAnyBlocks(t *testing.T) {
	for i := range len(lengths) * len(lengths) * len(oddities) * len(oddities) {
		n1, i := lengths[i%len(lengths)], i/len(lengths)
		n2, i := lengths[i%len(lengths)], i/len(lengths)
		odd1, i := i%len(oddities), i/len(oddities)
		odd2, oddGap := i, (n1+n2+i)%len(oddities)
		name := fmt.Sprintf("%d with %s and %d with %s", n1, oddities[odd1].name, n2, oddities[odd2].name)
		gap := oddities[oddGap].interval

		p, from := NewPool(), NewPool()
		if n1%2 == 0 {
			from = p
		}
		var all twin
		s := makeSeries(p, &all, n1, odd1, n1-1, 5)
		var ignored twin
		other := makeSeries(from, &ignored, n2, odd2, 1, s.Last+int64(gap))
		otherState := from.AppendState(nil, &other)
		makeSeries(NewPool(), &all, n2, odd2, 1, s.Last+int64(gap))

		p.Merge(&s, from, &other, gap)
		if got := from.AppendState(nil, &other); !bytes.Equal(got, otherState) {
			t.Fatalf("%s: the other series has changed", name)
		}
		for range 100 {
			p.Add(&s, s.Last+77, 9000, 0xff)
			all.add(s.Last, 9000, 0xff)
		}
		compare(t, p, &s, &all)
		var one Series
		for k, at := range all.times {
			p.Add(&one, at, uint32(all.sizes[k]), 0xff)
		}
		if got, want := p.AppendState(nil, &s), p.AppendState(nil, &one); !bytes.Equal(got, want) {
			t.Fatalf("%s:\ngot  %v\nwant %v", name, got, want)
		}
		p.Free(&s)
		p.Free(&one)
		from.Free(&other)
		if p.InUse() != 0 || from.InUse() != 0 {
			t.Fatalf("%s: %d and %d bytes in use in the end", name, p.InUse(), from.InUse())
		}
		if t.Failed() {
			t.Fatal(name)
		}
	}
}

// TestTouched adds observations of long series that Touch has seen, many of each in a
// batch, so that what it noted is of other intervals, or of tables that have grown since.
// Each series has half of the intervals of the one before, so that tables grow together
// and one takes the block that the other gives back.
func TestTouched(t *testing.T) {
	for seed := range uint64(12) {
		testTouched(t, rand.New(rand.NewPCG(5, seed)))
	}
}

func testTouched(t *testing.T, r *rand.Rand) {
	p := NewPool()
	var series [3]Series
	var counted [len(series)]map[uint32]uint32
	var at [len(series)]int64
	all := make([]Observation, 32)
	for batch := range 1600 {
		for k := range all {
			i := r.IntN(len(series))
			bin := uint32(batch / 4 >> i)
			if r.IntN(4) > 0 {
				bin = r.Uint32N(bin + 1)
			}
			if r.IntN(3) == 0 {
				bin = 0 // stamped before the others: Touch foresees its interval too
			}
			interval := int64(binMiddle(bin))
			if counted[i] == nil {
				counted[i] = map[uint32]uint32{}
			} else {
				counted[i][bin]++
			}
			at[i] += interval
			all[k] = Observation{Series: &series[i], At: at[i], Size: uint32(60 + k%3)}
			if bin == 0 {
				all[k].At = 0
			}
		}
		p.Touch(all)
		p.AddAll(all)
	}
	for i := range series {
		got := map[uint32]uint32{}
		for _, c := range p.longs.At(series[i].block).intervals.sorted(&p.counts) {
			got[c.value] += c.n
		}
		if !maps.Equal(got, counted[i]) {
			t.Errorf("series %d: counts of intervals by bin:\ngot  %v\nwant %v", i, got, counted[i])
		}
	}
}

// TestTouch wants Touch to load the entries that the next observation is counted in,
// of its interval and of the size whose run it ends.
func TestTouch(t *testing.T) {
	p := NewPool()
	var s Series
	for n := range uint64(1000) {
		o := []Observation{{}, {Series: &s, At: s.Last + 1000, Size: uint32(60 + n/10%3)}}
		want := uint32(0)
		if s.isLong() {
			l := p.longs.At(s.block)
			want = l.intervals.entry(&p.counts, intervalBin(1000)).n
			if o[1].Size != l.runSize {
				want += l.sizes.entry(&p.counts, l.runSize).n
			}
		}
		p.touched = 0
		if p.Touch(o); p.touched != want || n > largeLogLen+1 && want == 0 {
			t.Errorf("at %d observations Touch led to %d, want %d", n, p.touched, want)
		}
		p.AddAll(o[1:])
	}
}
