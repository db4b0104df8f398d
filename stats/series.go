package stats

// A Series counts observations, each with a time, a size and eight bits. The
// zero Series has none. It is part of its [Pool]: copying a Series does not
// copy its values, and [Pool.Free] must end it.
//
// Invariants, where N is the number of observations:
//
//	N         not far    far
//	0, 1      no block
//	2..5      short      wide
//	6..17     medium     wide
//	18..44    small log  long
//	45..108   large log  long
//	109..     never      long
//
// A series that is not far has no size but the first above 65535, a log none at
// all. The low seven bits of a byte of bits do not overflow.
type Series struct {
	// N is the number of observations.
	N uint64
	// Sum is the sum of their sizes.
	Sum uint64
	// Last is the latest time seen, in nanoseconds.
	Last int64
	// bits counts, in the low seven bits of byte i, the observations with bit
	// i set that are not counted in a long block; its highest bit is far.
	bits uint64
	// first is the size of the first observation. In a series with a log,
	// which has this size too, it is longest<<16 | shortest, the bins of the
	// extreme intervals.
	first uint32
	block uint32
}

// far is set in the bits of a series when one of its values does not fit the
// block that most series of its length have.
const far = 1 << 63

func (s *Series) isLong() bool { return s.bits&far != 0 && s.N > afterMedium }

// bounds returns the bins of the shortest and the longest interval of a series
// with a log.
func (s *Series) bounds() (shortest, longest uint32) { return s.first & 0xffff, s.first >> 16 }

// spread has byte i set to one where bit i of the index is set.
var spread = func() (t [256]uint64) {
	for v := range t {
		for i := range 8 {
			t[v] |= uint64(v>>i&1) << (8 * i)
		}
	}
	return t
}()

// An Observation is one of a series.
type Observation struct {
	Series *Series
	At     int64
	Size   uint32
	Bits   uint8

	// entry is that of the intervals of a series that is long where Touch has seen the
	// search for this one begin; nil if Touch has not.
	entry *count
}

// Add adds an observation to s. Its interval is the time since s.Last, and 0
// if at is before s.Last, which p.Back counts; the first observation has none.
func (p *Pool) Add(s *Series, at int64, size uint32, bits uint8) {
	p.AddAll([]Observation{{Series: s, At: at, Size: size, Bits: bits}})
}

// AddAll adds observations in their order. One loop over many takes 0.8 of the
// instructions of as many calls.
func (p *Pool) AddAll(all []Observation) {
	if p.totals {
		p.addTotals(all)
		return
	}
	for i := range all {
		o := &all[i]
		s, size := o.Series, o.Size
		n := s.N
		s.Sum += uint64(size)
		s.bits += spread[o.Bits]
		s.N = n + 1
		if n == 0 {
			s.Last, s.first = o.At, size
			continue
		}
		interval := uint64(0)
		if at := o.At; at > s.Last {
			interval = uint64(at) - uint64(s.Last)
			s.Last = at
		} else if at < s.Last {
			p.Back++
		}
		// What most observations are; the others, those that need a new block
		// among them, go to append.
		if s.bits&far == 0 && size <= maxPairSize {
			switch {
			case n-afterMedium-1 < largeLogLen-afterMedium-1 && n != smallLogLen:
				bin := intervalBin(interval)
				if n < smallLogLen {
					p.smallLogs.At(s.block).entries[n] = bin<<16 | size
				} else {
					p.largeLogs.At(s.block).entries[n] = bin<<16 | size
				}
				if shortest, longest := s.bounds(); bin <= shortest || bin >= longest {
					p.stretch(s, interval)
				}
				continue
			case n > afterMedium || interval > maxPairInterval:
			case n > afterShort && n < afterMedium:
				p.mediums.At(s.block)[(n-1)%mediumLen] = makePair(size, interval)
				continue
			case n > 1 && n < afterShort:
				p.shorts.At(s.block)[(n-1)%shortLen] = makePair(size, interval)
				continue
			}
		} else if s.bits&far != 0 && n > afterMedium {
			p.addLong(s, o.entry, size, interval)
			continue
		}
		s.N = n
		p.append(s, size, interval)
	}
}

// append adds the values of an observation to s, which has one or more and needs
// another block, or is far, or will be; and it counts it.
func (p *Pool) append(s *Series, size uint32, interval uint64) {
	switch n := s.N; {
	case s.bits&far != 0 || size > maxPairSize || n == largeLogLen:
		p.appendFar(s, size, interval)
	case n >= afterMedium:
		p.relog(s, size, interval)
	case interval > maxPairInterval:
		p.appendFar(s, size, interval)
	case n == afterShort:
		p.appendSixth(s, makePair(size, interval))
	default:
		s.block = p.shorts.Take()
		p.shorts.At(s.block)[0] = makePair(size, interval)
	}
	s.N++
}

// Touch loads what AddAll will look for in the tables of the series of observations,
// which can be nil, so that memory is waited for once. AddAll comes next.
func (p *Pool) Touch(all []Observation) {
	p.touchedAt = p.counts.puts
	for i := range all {
		o := &all[i]
		if o.Series == nil || !o.Series.isLong() {
			continue
		}
		l := p.longs.At(o.Series.block)
		interval := uint64(max(o.At, o.Series.Last)) - uint64(o.Series.Last)
		o.entry = l.intervals.entry(&p.counts, intervalBin(interval))
		p.touched += o.entry.n
		if o.Size != l.runSize { // then the run's goes to the table
			p.touched += l.sizes.entry(&p.counts, l.runSize).n
		}
	}
}

// Bits returns how many observations had bit i (0..7) set, for each i.
func (p *Pool) Bits(s *Series) (n [8]uint64) {
	p.PutBits(s, &n)
	return n
}

// PutBits sets n to what Bits returns.
func (p *Pool) PutBits(s *Series, n *[8]uint64) {
	b := s.bits
	n[0], n[1], n[2], n[3] = b&0x7f, b>>8&0x7f, b>>16&0x7f, b>>24&0x7f
	n[4], n[5], n[6], n[7] = b>>32&0x7f, b>>40&0x7f, b>>48&0x7f, b>>56&0x7f
	if s.isLong() {
		for i, more := range p.longs.At(s.block).bits {
			n[i] += more
		}
	} else if p.totals && s.block != 0 {
		for i, more := range p.spills.At(s.block) {
			n[i] += more
		}
	}
}
