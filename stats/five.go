package stats

import "math/bits"

// A Five is a five-number summary: minimum, first quartile, median, third
// quartile and maximum, in this order (Tukey, Exploratory Data Analysis,
// 1977). Quartiles are those of linear interpolation between order statistics
// (Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996, type 7,
// numpy's default): for n values the quantile p stands at position (n-1)·p.
// For integers a quartile is a whole number of quarters, kept as such: number
// i is Whole[i] + Quarters[i]/4. The summary of no values is all zero.
type Five struct {
	Whole    [5]uint64
	Quarters [5]uint8 // 0..3
}

// Float returns number i (0..4) as a floating-point number.
func (f *Five) Float(i int) float64 {
	return float64(f.Whole[i]) + float64(f.Quarters[i])/4
}

// Same sets f to the summary of any number of values v.
func (f *Five) Same(v uint64) {
	f.Whole = [5]uint64{v, v, v, v, v}
	f.Quarters = [5]uint8{}
}

// set sets number i to the point r quarters of the way from lo to hi >= lo.
func (f *Five) set(i int, lo, hi uint64, r uint8) {
	d := hi - lo
	part := d % 4 * uint64(r)
	f.Whole[i] = lo + d/4*uint64(r) + part/4
	f.Quarters[i] = uint8(part % 4)
}

// ofTwo sets f to the summary of two values lo <= hi.
func (f *Five) ofTwo(lo, hi uint64) {
	f.Whole[0], f.Whole[4] = lo, hi
	f.Quarters[0], f.Quarters[4] = 0, 0
	for i := 1; i <= 3; i++ {
		f.set(i, lo, hi, uint8(i))
	}
}

// ofSorted sets f to the summary of the values v[0]>>shift, v[1]>>shift and so
// on, in ascending order.
func ofSorted[T uint16 | uint32 | uint64 | pair](f *Five, v []T, shift uint) {
	if len(v) == 0 {
		*f = Five{}
		return
	}
	last := len(v) - 1
	for i := range 5 {
		pos := last * i
		f.set(i, uint64(v[pos/4])>>(shift&63), uint64(v[min(pos/4+1, last)])>>(shift&63), uint8(pos%4))
	}
}

// ofBins sets f to the summary of intervals whose bins are given in ascending
// order.
func (f *Five) ofBins(bins []uint16, x *extremes) {
	f.Whole[0], f.Whole[4] = x.shortest, x.longest
	f.Quarters[0], f.Quarters[4] = 0, 0
	last := len(bins) - 1
	for i := 1; i <= 3; i++ {
		pos := last * i
		lo, hi := uint32(bins[pos/4]), uint32(bins[min(pos/4+1, last)])
		f.set(i, x.middle(lo), x.middle(hi), uint8(pos%4))
	}
}

// quartileRank returns for quartile i (1..3) of n values the rank, from 0, of
// the order statistic before its position and the quarters beyond it.
func quartileRank(n uint64, i int) (rank uint64, quarters uint8) {
	hi, lo := bits.Mul64(n-1, uint64(i))
	return hi<<62 | lo>>2, uint8(lo & 3)
}

// ofCounts sets f to the summary of counted values in ascending order, n in
// all and at least 6, so that the ranks it asks for do not fall; value gives
// what an entry stands for; smallest and largest are
// the exact extremes, known apart.
func (f *Five) ofCounts(c []count, n, smallest, largest uint64, value func(uint32) uint64) {
	f.Whole[0], f.Quarters[0] = smallest, 0
	f.Whole[4], f.Quarters[4] = largest, 0
	k := 0
	below := uint64(0) // values in entries before k
	at := func(rank uint64) uint64 {
		for below+uint64(c[k].n) <= rank {
			below += uint64(c[k].n)
			k++
		}
		return min(max(value(c[k].value), smallest), largest)
	}
	for i := 1; i <= 3; i++ {
		rank, quarters := quartileRank(n, i)
		lo := at(rank)
		if quarters == 0 {
			f.Whole[i], f.Quarters[i] = lo, 0
			continue
		}
		f.set(i, lo, at(rank+1), quarters)
	}
}
