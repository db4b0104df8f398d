package ioutil

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// twin is clock.nanoseconds in the open: floor((ts/units + offset)·1e9), held
// within int64; without an offset, a stamp that is too large is signed.
func twin(resolution byte, offset int64, ts uint64) int64 {
	base := int64(10)
	if resolution&0x80 != 0 {
		base = 2
	}
	units := new(big.Int).Exp(big.NewInt(base), big.NewInt(int64(resolution&0x7f)), nil)
	v := new(big.Int).Mul(big.NewInt(offset), units)
	v.Add(v, new(big.Int).SetUint64(ts))
	v.Mul(v, big.NewInt(1e9))
	v.Div(v, units) // Euclidean: rounds down, as units > 0
	switch {
	case v.IsInt64():
		return v.Int64()
	case v.Sign() < 0:
		return math.MinInt64
	case ts>>63 != 0 && offset == 0:
		v.Mul(big.NewInt(int64(ts)), big.NewInt(1e9))
		v.Quo(v, units)
		if v.IsInt64() {
			return v.Int64()
		}
		return math.MinInt64
	}
	return math.MaxInt64
}

func TestClock(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	stamps := []uint64{0, 1, 999_999_999, 1_000_000_000, 9223372036, 9223372037, 9223372036854775, 9223372036854776,
		9223372036854775807, 1 << 63, math.MaxUint64}
	offsets := []int64{0, 1, -1, 1_600_000_000, -9223372036, -9223372037, -9223372038, 9223372036, 9223372037,
		4611686018, -4611686018, math.MaxInt64, math.MinInt64, math.MinInt64 + 1}
	for resolution := range 256 {
		for range 300 {
			ts, offset := random.Uint64()>>random.IntN(64), int64(random.Uint64())>>random.IntN(64)
			if random.IntN(2) == 0 {
				ts = stamps[random.IntN(len(stamps))]
			}
			if random.IntN(2) == 0 {
				offset = offsets[random.IntN(len(offsets))]
			}
			c := newClock(byte(resolution), offset)
			if got, want := c.nanoseconds(ts), twin(byte(resolution), offset, ts); got != want {
				t.Fatalf("resolution %d, offset %d, stamp %d: got %d, want %d", resolution, offset, ts, got, want)
			}
		}
	}
}

func TestClockFine(t *testing.T) {
	for resolution := range 256 {
		// Fine is what a whole number of microseconds can't tell.
		want := false
		for ts := range uint64(3) {
			want = want || twin(byte(resolution), 0, ts)%1000 != 0
		}
		if resolution&0x7f > 9 {
			want = true // less than nanoseconds, which twin rounds away
		}
		if got := newClock(byte(resolution), 0).fine; got != want {
			t.Errorf("resolution %d: fine = %v, want %v", resolution, got, want)
		}
	}
}
