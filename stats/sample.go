package stats

import (
	"math"
	"math/big"
	"math/bits"
)

// A Sample counts values below 2^64 by their extremes and their sums of powers,
// which are integers and exact: samples merged in any order are the sample of
// all values. It does not keep the values. The zero Sample is empty.
//
// The sums hold 2^64 values of any size.
type Sample struct {
	// N is the number of values.
	N uint64
	// Min and Max are their extremes; both 0 if there are none.
	Min, Max uint64

	first  [2]uint64 // sum of the values, the least significant word first
	second [3]uint64 // of their squares
	third  [4]uint64 // of their cubes
	fourth [5]uint64 // of their fourth powers
}

// Add adds a value.
func (s *Sample) Add(v uint64) {
	if s.N == 0 || v < s.Min {
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

	// v^3 = lo·v + hi·v·2^64
	c1, c0 := bits.Mul64(lo, v)
	c2, m := bits.Mul64(hi, v)
	c1, carry = bits.Add64(c1, m, 0)
	c2 += carry
	s.third[0], carry = bits.Add64(s.third[0], c0, 0)
	s.third[1], carry = bits.Add64(s.third[1], c1, carry)
	s.third[2], carry = bits.Add64(s.third[2], c2, carry)
	s.third[3] += carry

	// v^4 = (v^3)·v
	f1, f0 := bits.Mul64(c0, v)
	f2, m1 := bits.Mul64(c1, v)
	f3, m2 := bits.Mul64(c2, v)
	f1, carry = bits.Add64(f1, m1, 0)
	f2, carry = bits.Add64(f2, m2, carry)
	f3 += carry
	s.fourth[0], carry = bits.Add64(s.fourth[0], f0, 0)
	s.fourth[1], carry = bits.Add64(s.fourth[1], f1, carry)
	s.fourth[2], carry = bits.Add64(s.fourth[2], f2, carry)
	s.fourth[3], carry = bits.Add64(s.fourth[3], f3, carry)
	s.fourth[4] += carry
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
	addWords(s.third[:], o.third[:])
	addWords(s.fourth[:], o.fourth[:])
}

// addWords adds o to s, which has as many words.
func addWords(s, o []uint64) {
	carry := uint64(0)
	for i := range s {
		s[i], carry = bits.Add64(s[i], o[i], carry)
	}
}

// Sum returns the sum of the values, rounded if it is above 2^53.
func (s *Sample) Sum() float64 { return toFloat(s.first[:]) }

// Mean returns the arithmetic mean, 0 for an empty sample.
func (s *Sample) Mean() float64 {
	if s.N == 0 {
		return 0
	}
	return s.Sum() / float64(s.N)
}

// toFloat returns the number that words are.
func toFloat(words []uint64) float64 {
	v := 0.0
	for i := len(words) - 1; i >= 0; i-- {
		v = v*(1<<64) + float64(words[i])
	}
	return v
}

// Moments are the second to fourth central moments of a sample, by the number
// of values: m_k = 1/n Σ (x - mean)^k. They are computed from exact integers and
// rounded once, so that no digits cancel.
type Moments struct {
	N                     uint64
	Second, Third, Fourth float64
}

// A Calculator computes moments without allocating for each; the zero
// Calculator is ready for use. It belongs to one goroutine at a time.
type Calculator struct {
	n, s1, s2, s3, s4 big.Int
	a, b, sum         big.Int
	words             [5][]big.Word
}

// Moments returns the central moments of a sample. With S_k the sum of the k-th
// powers they are
//
//	n²·m₂ = n·S₂ - S₁²
//	n³·m₃ = n²·S₃ - 3n·S₁·S₂ + 2·S₁³
//	n⁴·m₄ = n³·S₄ - 4n²·S₁·S₃ + 6n·S₁²·S₂ - 3·S₁⁴
func (c *Calculator) Moments(s *Sample) Moments {
	m := Moments{N: s.N}
	if s.N == 0 || s.Min == s.Max {
		return m
	}
	c.set(0, &c.n, s.N)
	c.set(1, &c.s1, s.first[:]...)
	c.set(2, &c.s2, s.second[:]...)
	c.set(3, &c.s3, s.third[:]...)
	c.set(4, &c.s4, s.fourth[:]...)

	c.sum.Mul(&c.n, &c.s2)
	c.a.Mul(&c.s1, &c.s1)
	c.sum.Sub(&c.sum, &c.a)
	m.Second = c.float(s.N, 2)

	c.sum.Mul(&c.n, &c.n)
	c.sum.Mul(&c.sum, &c.s3)
	c.term(-3, &c.n, &c.s1, &c.s2)
	c.term(2, &c.s1, &c.s1, &c.s1)
	m.Third = c.float(s.N, 3)

	c.sum.Mul(&c.n, &c.n)
	c.sum.Mul(&c.sum, &c.n)
	c.sum.Mul(&c.sum, &c.s4)
	c.term(-4, &c.n, &c.n, &c.s1, &c.s3)
	c.term(6, &c.n, &c.s1, &c.s1, &c.s2)
	c.term(-3, &c.s1, &c.s1, &c.s1, &c.s1)
	m.Fourth = c.float(s.N, 4)
	return m
}

// set sets x to the number that words are, in memory of its own.
func (c *Calculator) set(i int, x *big.Int, words ...uint64) {
	w := c.words[i][:0]
	for _, v := range words {
		if bits.UintSize == 64 {
			w = append(w, big.Word(v))
		} else {
			w = append(w, big.Word(uint32(v)), big.Word(v>>32))
		}
	}
	c.words[i] = w
	x.SetBits(w)
}

// term adds k times the product of the factors to the sum.
func (c *Calculator) term(k int64, factors ...*big.Int) {
	c.a.SetInt64(k)
	for _, f := range factors {
		c.b.Mul(&c.a, f)
		c.a, c.b = c.b, c.a
	}
	c.sum.Add(&c.sum, &c.a)
}

// float returns the sum divided by n to the power of k.
func (c *Calculator) float(n uint64, k int) float64 {
	c.a.Abs(&c.sum)
	exponent := max(c.a.BitLen()-64, 0)
	v := float64(c.a.Rsh(&c.a, uint(exponent)).Uint64())
	for range k {
		v /= float64(n)
	}
	if c.sum.Sign() < 0 {
		v = -v
	}
	return math.Ldexp(v, exponent)
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
