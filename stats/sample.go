package stats

import (
	"math"
	"math/bits"
)

// A Sample counts values below 2^64 by their extremes and the sums of the values and
// of their squares, which are integers and exact: samples merged in any order are the
// sample of all values. It does not keep the values. The zero Sample is empty.
//
// The sums hold 2^64 values of any size. It is one cache line.
type Sample struct {
	// N is the number of values.
	N uint64
	// Min and Max are their extremes; both 0 if there are none.
	Min, Max uint64

	first  [2]uint64 // sum of the values, the least significant word first
	second [3]uint64 // of their squares
}

// Add adds a value.
func (s *Sample) Add(v uint64) {
	if v < s.Min || s.N == 0 {
		s.Min = v
	}
	s.Max = max(s.Max, v)
	s.N++
	var carry uint64
	s.first[0], carry = bits.Add64(s.first[0], v, 0)
	s.first[1] += carry
	hi, lo := bits.Mul64(v, v)
	s.second[0], carry = bits.Add64(s.second[0], lo, 0)
	s.second[1], carry = bits.Add64(s.second[1], hi, carry)
	s.second[2] += carry
}

// Powers are the sums of the third and fourth powers of the values of a [Sample], as
// exact as its sums are. The zero Powers are those of no values.
type Powers struct {
	third  [4]uint64
	fourth [5]uint64
}

// Add adds a value.
func (p *Powers) Add(v uint64) {
	hi, lo := bits.Mul64(v, v)
	var carry uint64
	// v^3 = lo·v + hi·v·2^64
	c1, c0 := bits.Mul64(lo, v)
	c2, m := bits.Mul64(hi, v)
	c1, carry = bits.Add64(c1, m, 0)
	c2 += carry
	p.third[0], carry = bits.Add64(p.third[0], c0, 0)
	p.third[1], carry = bits.Add64(p.third[1], c1, carry)
	p.third[2], carry = bits.Add64(p.third[2], c2, carry)
	p.third[3] += carry

	// v^4 = (v^3)·v
	f1, f0 := bits.Mul64(c0, v)
	f2, m1 := bits.Mul64(c1, v)
	f3, m2 := bits.Mul64(c2, v)
	f1, carry = bits.Add64(f1, m1, 0)
	f2, carry = bits.Add64(f2, m2, carry)
	f3 += carry
	p.fourth[0], carry = bits.Add64(p.fourth[0], f0, 0)
	p.fourth[1], carry = bits.Add64(p.fourth[1], f1, carry)
	p.fourth[2], carry = bits.Add64(p.fourth[2], f2, carry)
	p.fourth[3], carry = bits.Add64(p.fourth[3], f3, carry)
	p.fourth[4] += carry
}

// Merge adds the values of another sample.
func (s *Sample) Merge(o *Sample) {
	switch {
	case o.N == 0:
		return
	case s.N == 0:
		*s = *o
		return
	}
	s.Min, s.Max = min(s.Min, o.Min), max(s.Max, o.Max)
	s.N += o.N
	addWords(s.first[:], o.first[:])
	addWords(s.second[:], o.second[:])
}

// Merge adds the values of others.
func (p *Powers) Merge(o *Powers) {
	addWords(p.third[:], o.third[:])
	addWords(p.fourth[:], o.fourth[:])
}

// addWords adds o to s, which has as many words.
func addWords(s, o []uint64) {
	carry := uint64(0)
	for i := range s {
		s[i], carry = bits.Add64(s[i], o[i], carry)
	}
}

// Sum returns the sum of the values, rounded if it is above 2^53.
func (s *Sample) Sum() float64 {
	return float64(s.first[1])*(1<<64) + float64(s.first[0])
}

// Mean returns the arithmetic mean, 0 for an empty sample.
func (s *Sample) Mean() float64 {
	if s.N == 0 {
		return 0
	}
	return s.Sum() / float64(s.N)
}

// Moments are the second to fourth central moments of a sample, by the number
// of values: m_k = 1/n Σ (x - mean)^k. They are computed from exact integers and
// rounded once, so that no digits cancel.
type Moments struct {
	N                     uint64
	Second, Third, Fourth float64
}

// Moments returns the central moments of a sample: the third and the fourth only with
// its powers, else they are 0. With S_k the sum of the k-th powers of the values they
// are
//
//	n²·m₂ = n·S₂ - S₁²
//	n³·m₃ = n²·S₃ - 3n·S₁·S₂ + 2·S₁³
//	n⁴·m₄ = n³·S₄ - 4n²·S₁·S₃ + 6n·S₁²·S₂ - 3·S₁⁴
func (s *Sample) Moments(p *Powers) Moments {
	m := Moments{N: s.N}
	if s.N == 0 || s.Min == s.Max {
		return m
	}
	m.Second = s.spread() / float64(s.N) / float64(s.N)
	if p == nil {
		return m
	}
	n, s1, s2 := integerOf(s.N), integerOf(s.first[:]...), integerOf(s.second[:]...)
	s3, s4 := integerOf(p.third[:]...), integerOf(p.fourth[:]...)
	ns1 := n.times(&s1)
	n2, n2s1, s1s1 := n.times(&n), n.times(&ns1), s1.times(&s1)

	sum := n2.times(&s3)
	sum.subtract(3, ns1.times(&s2))
	sum.add(2, s1s1.times(&s1))
	m.Third = sum.float() / float64(s.N) / float64(s.N) / float64(s.N)

	n3, ns1s1 := n2.times(&n), ns1.times(&s1)
	sum = n3.times(&s4)
	sum.subtract(4, n2s1.times(&s3))
	sum.add(6, ns1s1.times(&s2))
	sum.subtract(3, s1s1.times(&s1s1))
	m.Fourth = sum.float() / float64(s.N) / float64(s.N) / float64(s.N) / float64(s.N)
	return m
}

// spread returns n·S₂ - S₁².
func (s *Sample) spread() float64 {
	n, s1, s2 := s.N, &s.first, &s.second
	var a, b [4]uint64 // n·S₂ and S₁²
	var carry, m uint64
	a[1], a[0] = bits.Mul64(n, s2[0])
	a[2], m = bits.Mul64(n, s2[1])
	a[1], carry = bits.Add64(a[1], m, 0)
	a[3], m = bits.Mul64(n, s2[2])
	a[2], carry = bits.Add64(a[2], m, carry)
	a[3] += carry

	b[1], b[0] = bits.Mul64(s1[0], s1[0])
	if s1[1] > 0 {
		b[3], b[2] = bits.Mul64(s1[1], s1[1])
		hi, lo := bits.Mul64(s1[0], s1[1])
		for range 2 {
			b[1], carry = bits.Add64(b[1], lo, 0)
			b[2], carry = bits.Add64(b[2], hi, carry)
			b[3] += carry
		}
	}
	var d integer
	d[0], carry = bits.Sub64(a[0], b[0], 0)
	d[1], carry = bits.Sub64(a[1], b[1], carry)
	d[2], carry = bits.Sub64(a[2], b[2], carry)
	d[3], _ = bits.Sub64(a[3], b[3], carry)
	return d.float()
}

// Variance returns the variance with divisor n - 1, 0 for fewer than two values.
func (m *Moments) Variance() float64 {
	if m.N < 2 {
		return 0
	}
	return m.Second * (float64(m.N) / float64(m.N-1))
}

// Deviation returns the standard deviation with divisor n - 1, 0 for fewer than
// two values.
func (m *Moments) Deviation() float64 { return math.Sqrt(m.Variance()) }

// PopulationDeviation returns the standard deviation with divisor n.
func (m *Moments) PopulationDeviation() float64 { return math.Sqrt(m.Second) }

// Skewness returns m₃ / m₂^1.5, the skewness without bias correction; 0 where
// all values are equal.
func (m *Moments) Skewness() float64 {
	if m.Second == 0 {
		return 0
	}
	return m.Third / (m.Second * math.Sqrt(m.Second))
}

// Kurtosis returns m₄ / m₂² - 3, the excess kurtosis without bias correction; -3
// where all values are equal.
func (m *Moments) Kurtosis() float64 {
	if m.Second == 0 {
		return -3
	}
	return m.Fourth/(m.Second*m.Second) - 3
}
