package stats

// A Pool of totals keeps of a series its totals alone, and no values: the number of
// observations, the sum of their sizes, the latest time, and how often each bit was
// set. Counts of bits that no longer fit a series are in a block of their own, from
// spillEvery observations on. Most of the time that a table takes with an observation
// goes into what is left out here.

// NewTotals returns an empty pool of totals, for series that are never summarized.
func NewTotals() *Pool { return &Pool{totals: true} }

// spilled are the counts of bits that are not in the series.
type spilled [8]uint64

// addTotals is AddAll for a pool of totals.
func (p *Pool) addTotals(all []Observation) {
	for i := range all {
		o := &all[i]
		s := o.Series
		s.Sum += uint64(o.Size)
		s.bits += spread[o.Bits]
		s.N++
		switch {
		case o.At > s.Last || s.N == 1:
			s.Last = o.At
		case o.At < s.Last:
			p.Back++
		}
		if s.N%spillEvery == 0 {
			p.spill(s)
		}
	}
}

// spill moves the counts of bits of a series of totals to its block.
func (p *Pool) spill(s *Series) {
	if s.block == 0 {
		s.block = p.spills.Take()
		*p.spills.At(s.block) = spilled{}
	}
	for i := range p.spills.At(s.block) {
		p.spills.At(s.block)[i] += s.bits >> (8 * i) & 0x7f
	}
	s.bits = 0
}
