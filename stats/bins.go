package stats

import "math/bits"

// The histogram of intervals is log-linear: 64 bins of equal width in each
// octave, every value below 128 its own bin.
//
//	value            e   bin              width
//	[0, 128)         0   value            1
//	[128, 256)       1   128 .. 191       2
//	[256, 512)       2   192 .. 255       4
//	[64·2^e, 128·2^e)    64·e + value>>e  2^e
//	up to 2^64-1     57  3775             2^57

// intervalBin returns the bin of a value.
//
// Error: a bin with e >= 1 starts at m·2^e with 64 <= m < 128 and is
// represented by its middle, m·2^e + 2^(e-1). No value v of the bin is further
// from it than half the width, 2^(e-1), and v >= 64·2^e, so the relative error
// is at most 2^(e-1) / (64·2^e) = 1/128. A quartile lies between two
// neighbouring order statistics, (1-g)·a + g·b with 0 <= g < 1, and both
// estimates err by at most a/128 and b/128, so the quartile errs by at most
// ((1-g)·a + g·b)/128: the same bound.
func intervalBin(v uint64) uint32 {
	e := max(bits.Len64(v)-7, 0)
	return uint32(e)<<6 + uint32(v>>(uint(e)&63))
}

// binMiddle returns the value that stands for a bin.
func binMiddle(bin uint32) uint64 {
	if bin < 128 {
		return uint64(bin)
	}
	e := bin>>6 - 1
	return uint64(bin&63|64)<<e + 1<<(e-1)
}
