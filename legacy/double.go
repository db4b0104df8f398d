package legacy

import (
	"math"
	"slices"
	"strconv"
)

// appendDouble appends a number as Java's Double.toString does: with a point,
// and with an exponent if it is below 0.001 or not below 10 000 000. The digits
// are the fewest that give the number back, as they are since JDK 19; before,
// there is sometimes one more than that.
func appendDouble(b []byte, v float64) []byte {
	switch a := math.Abs(v); {
	case math.IsNaN(v):
		return append(b, "NaN"...)
	case a > math.MaxFloat64:
		if v < 0 {
			b = append(b, '-')
		}
		return append(b, "Infinity"...)
	case a != 0 && (a < 1e-3 || a >= 1e7):
		return appendExponent(b, v)
	}
	n := len(b)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	return appendPoint(b, n)
}

// appendExponent appends a number like 1.5019773E7.
func appendExponent(b []byte, v float64) []byte {
	var digits [32]byte
	d := strconv.AppendFloat(digits[:0], v, 'e', -1, 64)
	e := len(d) - 1
	for d[e] != 'e' {
		e--
	}
	exponent, _ := strconv.Atoi(string(d[e+1:]))
	n := len(b)
	b = append(b, d[:e]...)
	b = appendPoint(b, n)
	b = append(b, 'E')
	return strconv.AppendInt(b, int64(exponent), 10)
}

// appendPoint appends .0 if there is no point in b[from:].
func appendPoint(b []byte, from int) []byte {
	if slices.Contains(b[from:], '.') {
		return b
	}
	return append(b, ".0"...)
}
