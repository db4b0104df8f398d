package features

import "github.com/flowfast/flowfast/stats"

// A Sample counts values; see [stats.Sample].
type Sample = stats.Sample

// Moments are a sample, in the unit of its values, and its central moments.
type Moments struct {
	Sample
	Central stats.Moments // the third and the fourth with Shape
}

// Samples are samples of a flow and, with Shape, the powers of each; else these are none.
type samples struct {
	of     []Sample
	powers []stats.Powers
}

// add adds a value to sample i.
func (s *samples) add(i int, v uint64) {
	s.of[i].Add(v)
	if s.powers != nil {
		s.powers[i].Add(v)
	}
}

// put sets m to the moments of sample i.
func (s *samples) put(m *Moments, i int) {
	m.Sample = s.of[i]
	if s.powers != nil {
		m.Central = m.Sample.Moments(&s.powers[i])
	} else {
		m.Central = m.Sample.Moments(nil)
	}
}

// each sets moments to those of as many samples, from sample i on.
func (s *samples) each(m []Moments, i int) {
	for k := range m {
		s.put(&m[k], i+k)
	}
}

// all sets moments to those of sample i and the next, and of both together.
func (s *samples) all(m *[3]Moments, i int) {
	s.each(m[:2], i)
	both := &m[2]
	both.Sample = s.of[i]
	both.Merge(&s.of[i+1])
	if s.powers == nil {
		both.Central = both.Sample.Moments(nil)
		return
	}
	powers := s.powers[i]
	powers.Merge(&s.powers[i+1])
	both.Central = both.Sample.Moments(&powers)
}

// one sets the moments, which are empty, to those of a value in a direction.
func one(m *[3]Moments, direction int, v uint64) {
	of := &m[direction]
	of.Add(v)
	of.Central.N = 1
	m[2] = *of
}

// A Span is when packets came: the time of the first and the latest time, in
// nanoseconds since the Unix epoch; both 0 if there were none.
type Span struct {
	First, Last int64
	Any         bool // there were some
}

// spans is the state of Spans and Intervals, by direction and of both: a cache line.
type spans struct {
	first, last [3]int64
	any         [3]bool
	_           [8]byte
}

// put sets what packets said.
func (s *spans) put(to *[3]Span) {
	for i := range to {
		to[i] = Span{s.first[i], s.last[i], s.any[i]}
	}
}

// take takes in the time of a packet, and returns the time before it, of number i, if any.
func (s *spans) take(i int, at int64) (before uint64, any bool) {
	if !s.any[i] {
		s.first[i], s.last[i], s.any[i] = at, at, true
		return 0, false
	}
	before = since(at, s.last[i])
	s.last[i] = max(at, s.last[i])
	return before, true
}

// count counts the time of a packet, and those before it in samples i to i+2. What
// samples.add does is written out: it takes a third of the instructions less.
func (s *spans) count(samples *samples, i int, at int64, direction int) {
	if v, any := s.take(direction, at); any {
		samples.of[i+direction].Add(v)
		if samples.powers != nil {
			samples.powers[i+direction].Add(v)
		}
	}
	if v, any := s.take(2, at); any {
		samples.of[i+2].Add(v)
		if samples.powers != nil {
			samples.powers[i+2].Add(v)
		}
	}
}

// gaps is the state of Gaps, which has a sample for each direction.
type gaps struct {
	last  int64
	began bool
}

// count counts a packet, and the time before it in sample i of those of both directions.
func (s *gaps) count(samples *samples, i int, at int64) {
	if s.began {
		samples.add(i, since(at, s.last))
		at = max(at, s.last)
	}
	s.began, s.last = true, at
}

// since returns the nanoseconds from before to at, 0 where time runs backwards.
func since(at, before int64) uint64 {
	if at <= before {
		return 0
	}
	return uint64(at) - uint64(before)
}
