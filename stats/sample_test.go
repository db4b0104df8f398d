package stats

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// momentsTwin computes central moments from the values, with fractions.
func momentsTwin(values []uint64) (mean, second, third, fourth float64) {
	n := new(big.Rat).SetInt64(int64(len(values)))
	sum := new(big.Rat)
	for _, v := range values {
		sum.Add(sum, new(big.Rat).SetUint64(v))
	}
	center := sum.Quo(sum, n)
	var powers [5]*big.Rat
	for k := range powers {
		powers[k] = new(big.Rat)
	}
	for _, v := range values {
		d := new(big.Rat).Sub(new(big.Rat).SetUint64(v), center)
		p := new(big.Rat).SetInt64(1)
		for k := range powers {
			powers[k].Add(powers[k], p)
			p.Mul(p, d)
		}
	}
	at := func(r *big.Rat) float64 { f, _ := r.Float64(); return f }
	return at(center), at(powers[2].Quo(powers[2], n)), at(powers[3].Quo(powers[3], n)), at(powers[4].Quo(powers[4], n))
}

// A powered is a sample with its powers.
type powered struct {
	Sample
	powers Powers
}

func (s *powered) add(v uint64) {
	s.Sample.Add(v)
	s.powers.Add(v)
}

func near(got, want float64) bool {
	return got == want || math.Abs(got-want) <= 1e-15*4*math.Abs(want)
}

// TestSampleEqualsTwin compares the moments of samples, also of merged ones,
// with those computed from the values in fractions.
func TestSampleEqualsTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	draws := map[string]func() uint64{
		"sizes":          func() uint64 { return 60 + r.Uint64N(1455) },
		"intervals":      func() uint64 { return r.Uint64N(1e10) },
		"close together": func() uint64 { return 1<<62 + r.Uint64N(3) },
		"any":            func() uint64 { return r.Uint64() >> r.UintN(64) },
		"the greatest":   func() uint64 { return math.MaxUint64 - r.Uint64N(2)*r.Uint64N(1<<60) },
		"heavy tail":     func() uint64 { return uint64(math.Exp(r.Float64() * 40)) },
	}
	for name, draw := range draws {
		for _, n := range []int{1, 2, 3, 10, 200} {
			for range 20 {
				var values []uint64
				parts := make([]powered, 1+r.IntN(4))
				var whole powered
				for range n {
					v := draw()
					values = append(values, v)
					whole.add(v)
					parts[r.IntN(len(parts))].add(v)
				}
				r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
				var merged powered
				for i := range parts {
					merged.Sample.Merge(&parts[i].Sample)
					merged.powers.Merge(&parts[i].powers)
				}
				if merged != whole {
					t.Fatalf("%s: merged %+v, whole %+v", name, merged, whole)
				}
				m := whole.Moments(&whole.powers)
				if got, want := whole.Moments(nil), (Moments{N: m.N, Second: m.Second}); got != want {
					t.Fatalf("%s: %+v without powers, want %+v", name, got, want)
				}
				mean, second, third, fourth := momentsTwin(values)
				if !near(whole.Mean(), mean) || !near(m.Second, second) || !near(m.Third, third) || !near(m.Fourth, fourth) {
					t.Fatalf("%s, %d values: %v %+v, want %v %v %v %v", name, n, whole.Mean(), m, mean, second, third, fourth)
				}
			}
		}
	}
}

// TestSampleOfNumpy has the numbers of numpy 2 and scipy 1: mean, std, var with
// ddof=1, skew, kurtosis of [60, 60, 154, 354, 60].
func TestSampleOfNumpy(t *testing.T) {
	var s powered
	for _, v := range []uint64{60, 60, 154, 354, 60} {
		s.add(v)
	}
	m := s.Moments(&s.powers)
	for _, v := range []struct {
		name      string
		got, want float64
	}{
		{"mean", s.Mean(), 137.6},
		{"std", m.PopulationDeviation(), 114.16058864599465},
		{"std, ddof=1", m.Deviation(), 127.63541828191735},
		{"skew", m.Skewness(), 1.17438510690645},
		{"kurtosis", m.Kurtosis(), -0.28959363262106441},
	} {
		if math.Abs(v.got-v.want) > 1e-9*math.Abs(v.want) {
			t.Errorf("%s: got %.17g, want %v", v.name, v.got, v.want)
		}
	}
}

// TestSampleDegenerate takes samples without spread.
func TestSampleDegenerate(t *testing.T) {
	var s powered
	if m := s.Moments(&s.powers); s.Mean() != 0 || m.Deviation() != 0 || m.Skewness() != 0 || m.Kurtosis() != -3 {
		t.Errorf("empty: %v %+v", s.Mean(), m)
	}
	for range 5 {
		s.add(math.MaxUint64)
	}
	if m := s.Moments(&s.powers); s.Mean() != math.MaxUint64 || m.Deviation() != 0 || m.Skewness() != 0 || m.Kurtosis() != -3 {
		t.Errorf("constant: %v %+v", s.Mean(), m)
	}
}

func TestSampleAllocations(t *testing.T) {
	var s powered
	v := uint64(1)
	if n := testing.AllocsPerRun(1000, func() {
		v = v*6364136223846793005 + 1442695040888963407
		s.add(v)
		s.Moments(&s.powers)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkSample(b *testing.B) {
	var s Sample
	for b.Loop() {
		s.Add(uint64(b.N) * 12345)
	}
}

func BenchmarkMoments(b *testing.B) {
	var s powered
	for i := range uint64(1000) {
		s.add(i * i * 12345)
	}
	b.Run("second", func(b *testing.B) {
		for b.Loop() {
			s.Moments(nil)
		}
	})
	b.Run("all", func(b *testing.B) {
		for b.Loop() {
			s.Moments(&s.powers)
		}
	})
}
