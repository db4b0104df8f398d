package stats

// Summarize sets sizes and intervals to the summaries of s.
func (p *Pool) Summarize(s *Series, sizes, intervals *Five) {
	switch {
	case s.bits&far != 0:
		if s.N > afterMedium {
			p.summarizeLong(s, sizes, intervals)
			return
		}
		p.summarizeWide(s, sizes, intervals)
	case s.N > afterMedium:
		p.summarizeLog(s, sizes, intervals)
	case s.N > 2:
		p.summarizePairs(s, sizes, intervals)
	case s.N == 2:
		e := p.shorts.At(s.block)[0]
		sizes.ofTwo(uint64(min(s.first, e.size())), uint64(max(s.first, e.size())))
		intervals.Same(e.interval())
	default:
		sizes.Same(uint64(s.first))
		*intervals = Five{}
	}
}

func (p *Pool) summarizePairs(s *Series, sizes, intervals *Five) {
	var pairRoom [mediumLen]pair
	var sizeRoom [afterMedium]uint32
	pairs := pairRoom[:copy(pairRoom[:], p.pairs(s))]
	all := sizeRoom[:len(pairs)+1]
	all[0] = s.first
	for k, e := range pairs {
		all[k+1] = e.size()
	}
	insert(all)
	ofSorted(sizes, all, 0)
	insert(pairs) // by the intervals, which stand in the higher bits
	ofSorted(intervals, pairs, pairSizeBits)
}

func (p *Pool) summarizeWide(s *Series, sizes, intervals *Five) {
	var v values
	p.exact(s, &v)
	var room [afterMedium]uint32
	room[0] = s.first
	all := room[:copy(room[1:], v.sizes[:v.n])+1]
	insert(all)
	ofSorted(sizes, all, 0)
	insert(v.intervals[:v.n])
	ofSorted(intervals, v.intervals[:v.n], 0)
}

func (p *Pool) summarizeLog(s *Series, sizes, intervals *Five) {
	x, entries := p.log(s)
	smallest, largest := uint16(maxPairSize), uint16(0)
	for _, e := range entries {
		size := uint16(e & maxPairSize)
		smallest, largest = min(smallest, size), max(largest, size)
	}
	w := &p.few
	if smallest == largest {
		sizes.Same(uint64(smallest))
	} else {
		selectQuartiles(w, entries, 0, smallest, largest)
		ofSorted(sizes, w[:len(entries)], 0)
		sizes.Whole[0], sizes.Whole[4] = uint64(smallest), uint64(largest)
	}
	entries = entries[1:]
	shortest, longest := s.bounds()
	selectQuartiles(w, entries, 16, uint16(shortest), uint16(longest))
	intervals.ofBins(w[:len(entries)], x)
}
