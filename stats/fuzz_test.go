package stats

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
)

// manyObservations returns observations for the targets, as many as every kind
// of block holds, usual and odd ones.
func manyObservations() (all [][]byte) {
	r := rand.New(rand.NewPCG(20, 21))
	for i, n := range []int{6, 18, 45, 109, 110, 200, 400} {
		b := make([]byte, 8*n)
		for k := 0; k < len(b); k += 8 {
			binary.LittleEndian.PutUint32(b[k:], r.Uint32()>>r.IntN(32))
			binary.LittleEndian.PutUint16(b[k+4:], []uint16{60, 1514, uint16(r.Uint32())}[r.IntN(3)])
			if r.IntN(8) == 0 && i%2 == 0 {
				b[k+6] = byte(r.Uint32())
			}
			b[k+7] = byte(r.Uint32())
		}
		all = append(all, b)
	}
	return all
}

// FuzzSeries takes bytes for observations, 8 each (interval, size, how far to
// shift both, bits), and wants what the twin says, and the same state from two merged parts.
func FuzzSeries(f *testing.F) {
	f.Add([]byte("01234567"), uint8(0))
	f.Add(bytes.Repeat([]byte{1, 2, 3, 4, 60, 0, 0, 2}, 40), uint8(20))
	for _, b := range manyObservations() {
		f.Add(b, uint8(100))
	}
	f.Fuzz(func(t *testing.T, b []byte, cut uint8) {
		p := NewPool()
		var whole, left, right Series
		var w twin
		at, gap := int64(0), uint64(0)
		for i := 0; len(b) >= 8 && i < 2000; b, i = b[8:], i+1 {
			interval := uint64(binary.LittleEndian.Uint32(b)) << (b[6] % 20) // floats are exact
			interval = min(interval, uint64(math.MaxInt64-at))
			size := uint32(binary.LittleEndian.Uint16(b[4:])) << (b[6] / 32)
			at += int64(interval)
			p.Add(&whole, at, size, b[7])
			w.add(at, size, b[7])
			if i < int(cut) {
				p.Add(&left, at, size, b[7])
				continue
			}
			if right.N == 0 {
				gap = interval
			}
			p.Add(&right, at, size, b[7])
		}
		if whole.N == 0 {
			return
		}
		compare(t, p, &whole, &w)
		if left.N == 0 || right.N == 0 {
			return
		}
		p.Merge(&left, p, &right, gap)
		if got, want := p.AppendState(nil, &left), p.AppendState(nil, &whole); !bytes.Equal(got, want) {
			t.Fatalf("merged state %v, want %v", got, want)
		}
	})
}

// FuzzMerge cuts observations, given as for FuzzSeries, into parts at random
// places, in two pools; merges neighbours in any order, the earlier into the
// later as well; and wants the state of one pass.
func FuzzMerge(f *testing.F) {
	for _, b := range manyObservations() {
		f.Add(b, uint8(5), uint64(1))
		f.Add(b, uint8(30), uint64(2))
	}
	f.Fuzz(func(t *testing.T, b []byte, parts uint8, seed uint64) {
		type part struct {
			Series
			pool *Pool
			gap  uint64 // before it
		}
		r := rand.New(rand.NewPCG(seed, 1))
		pools := []*Pool{NewPool(), NewPool()}
		var all []part
		var whole Series
		n := min(len(b)/8, 2000)
		at := int64(0)
		for i := range n {
			interval := uint64(binary.LittleEndian.Uint32(b)) << (b[6] % 32)
			interval = min(interval, uint64(math.MaxInt64-at))
			size := uint32(binary.LittleEndian.Uint16(b[4:])) << (b[6] / 32)
			at += int64(interval)
			pools[0].Add(&whole, at, size, b[7])
			if i == 0 || r.IntN(n) <= int(parts) {
				all = append(all, part{pool: pools[r.IntN(2)], gap: interval})
			}
			last := &all[len(all)-1]
			last.pool.Add(&last.Series, at, size, b[7])
			b = b[8:]
		}
		if n == 0 {
			return
		}
		for len(all) > 1 {
			i := r.IntN(len(all) - 1)
			earlier, later := &all[i], &all[i+1]
			into, from := earlier, later
			if r.IntN(2) == 0 {
				into, from = later, earlier
			}
			into.pool.Merge(&into.Series, from.pool, &from.Series, later.gap)
			from.pool.Free(&from.Series)
			into.gap = earlier.gap
			all[i] = *into
			all = append(all[:i+1], all[i+2:]...)
		}
		got, want := all[0].pool.AppendState(nil, &all[0].Series), pools[0].AppendState(nil, &whole)
		if !bytes.Equal(got, want) {
			t.Fatalf("merged state %v, want %v", got, want)
		}
		all[0].pool.Free(&all[0].Series)
		pools[0].Free(&whole)
		if pools[0].InUse() != 0 || pools[1].InUse() != 0 {
			t.Fatalf("%d and %d bytes in use in the end", pools[0].InUse(), pools[1].InUse())
		}
	})
}
