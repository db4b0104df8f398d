package flowtable

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestCut compares times that are cut down with what big numbers say.
func TestCut(t *testing.T) {
	random := rand.New(rand.NewPCG(11, 12))
	for range 20_000 {
		at, resolution := Time(random.Uint64()>>random.IntN(64)), 1+random.Int64()>>(1+random.IntN(62))
		if random.IntN(2) == 0 {
			at = minTime + Time(random.IntN(3000))
		}
		a, r := big.NewInt(int64(at)), big.NewInt(resolution)
		want := new(big.Int).Sub(a, new(big.Int).Mod(a, r)) // Mod is not below 0
		if at < minTime+Time(resolution) {
			want = a
		}
		if got := at.Cut(resolution); !want.IsInt64() || got != Time(want.Int64()) {
			t.Fatalf("%d cut to %d: got %d, want %d", at, resolution, got, want)
		}
	}
	if got := Time(-7).Cut(0); got != -7 {
		t.Errorf("-7 cut to 0: got %d", got)
	}
}
