package stats

import (
	"math"
	"math/bits"
)

// An integer is a whole number in two's complement, the least significant word first.
// Sums and products are modulo 2^512. The moments of a [Sample] need no more: with n
// values below 2^64, none of n⁴·m₄ and the like is as large as 2^511, whatever its terms
// are. With math/big the moments take 1.4 times as long.
type integer [8]uint64

// integerOf returns the number that words are.
func integerOf(words ...uint64) (x integer) {
	copy(x[:], words)
	return x
}

// len returns the number of words up to the last that is not 0.
func (x *integer) len() int {
	for i := len(x); i > 0; i-- {
		if x[i-1] != 0 {
			return i
		}
	}
	return 0
}

// times returns x·y.
func (x *integer) times(y *integer) (z integer) {
	n, m := x.len(), y.len()
	for i, v := range x[:n] {
		over := uint64(0)
		for j, w := range y[:min(m, len(z)-i)] {
			hi, lo := bits.Mul64(v, w)
			var carry uint64
			lo, carry = bits.Add64(lo, over, 0)
			hi += carry
			z[i+j], carry = bits.Add64(z[i+j], lo, 0)
			over = hi + carry
		}
		if i+m < len(z) {
			z[i+m] = over
		}
	}
	return z
}

// add adds k·y to x.
func (x *integer) add(k uint64, y integer) {
	over := uint64(0)
	for i := range x {
		hi, lo := bits.Mul64(k, y[i])
		var carry uint64
		lo, carry = bits.Add64(lo, over, 0)
		hi += carry
		x[i], carry = bits.Add64(x[i], lo, 0)
		over = hi + carry
	}
}

// subtract subtracts k·y from x.
func (x *integer) subtract(k uint64, y integer) {
	y.negate()
	x.add(k, y)
}

func (x *integer) negate() {
	carry := uint64(1)
	for i := range x {
		x[i], carry = bits.Add64(^x[i], 0, carry)
	}
}

// float returns x, rounded to its first 64 bits and then once more.
func (x *integer) float() float64 {
	y := *x
	if negative := y[len(y)-1]>>63 != 0; negative {
		y.negate()
		return -y.float()
	}
	n := y.len()
	if n < 2 {
		return float64(y[0])
	}
	shift := bits.LeadingZeros64(y[n-1])
	v := y[n-1]<<shift | y[n-2]>>(64-shift)
	const bias, mantissa = 1023, 52
	return float64(v) * math.Float64frombits(uint64(bias+64*(n-1)-shift)<<mantissa)
}
