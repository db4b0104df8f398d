package legacy

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSummary compares a summary with two passes over its samples.
func TestSummary(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 200; n++ {
		var s summary
		samples := make([]float64, n)
		least, most, sum := math.Inf(1), math.Inf(-1), 0.0
		for i := range samples {
			v := rnd.Int64N(2_000_000) - 1_000_000
			s.add(v)
			samples[i] = float64(v)
			least, most, sum = min(least, samples[i]), max(most, samples[i]), sum+samples[i]
		}
		mean, squares := sum/float64(n), 0.0
		for _, v := range samples {
			squares += (v - mean) * (v - mean)
		}
		variance := 0.0
		if n > 1 {
			variance = squares / float64(n-1)
		}
		if s.n != int64(n) || s.sum != sum || s.min != least || s.max != most {
			t.Errorf("%d samples: got %+v, want the sum %g, from %g to %g", n, s, sum, least, most)
		}
		if !near(s.mean, mean) || !near(s.variance(), variance) || !near(s.deviation(), math.Sqrt(variance)) {
			t.Errorf("%d samples: got mean %g, variance %g, deviation %g; want %g, %g, %g",
				n, s.mean, s.variance(), s.deviation(), mean, variance, math.Sqrt(variance))
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(1, math.Abs(a), math.Abs(b)) }
