package stats

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
)

// FuzzSeries takes bytes for observations, 8 each (interval, size, how far to
// shift both, bits), and wants what the twin says, and the same state from two merged parts.
func FuzzSeries(f *testing.F) {
	f.Add([]byte("01234567"), uint8(0))
	f.Add(bytes.Repeat([]byte{1, 2, 3, 4, 60, 0, 0, 2}, 40), uint8(20))
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
