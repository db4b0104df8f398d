package stats

import "slices"

// Summarize sets sizes and intervals to the summaries of s.
func (p *Pool) Summarize(s *Series, sizes, intervals *Five) {
	switch {
	case s.isLong():
		p.summarizeLong(s, sizes, intervals)
	case s.N > afterMedium:
		p.summarizeLog(s, sizes, intervals)
	case s.N > 1:
		p.summarizeExact(s, sizes, intervals)
	default:
		sizes.same(uint64(s.first))
		*intervals = Five{}
	}
}

func (p *Pool) summarizeExact(s *Series, sizes, intervals *Five) {
	var x values
	p.exact(s, &x)
	v := append(p.sorted[:0], uint64(s.first))
	for _, size := range x.sizes[:x.n] {
		v = append(v, uint64(size))
	}
	slices.Sort(v)
	sizes.ofSorted(v)
	v = append(v[:0], x.intervals[:x.n]...)
	slices.Sort(v)
	intervals.ofSorted(v)
	p.sorted = v
}

func (p *Pool) summarizeLog(s *Series, sizes, intervals *Five) {
	x, entries := p.log(s)
	v := p.sorted[:0]
	for _, e := range entries {
		v = append(v, uint64(e&maxPairSize))
	}
	slices.Sort(v)
	sizes.ofSorted(v)
	v = v[:0]
	for _, e := range entries[1:] {
		v = append(v, uint64(e>>16))
	}
	slices.Sort(v)
	for i, bin := range v {
		v[i] = min(max(binMiddle(uint32(bin)), x.shortest), x.longest)
	}
	intervals.ofSorted(v)
	intervals.Whole[0], intervals.Whole[4] = x.shortest, x.longest
	p.sorted = v
}
