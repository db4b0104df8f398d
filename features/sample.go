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

// intervals is the state of Spans, and of Intervals, which has a sample for each Span.
type intervals struct{ seen [3]Span }

// A Span is when packets came: the time of the first and the latest time, in
// nanoseconds since the Unix epoch; both 0 if there were none.
type Span struct {
	First, Last int64
	Any         bool // there were some
}

// count counts a packet, and the time before it in samples i to i+2.
func (s *intervals) count(samples *samples, i int, p *Packet, direction int) {
	for _, k := range [2]int{direction, 2} {
		seen := &s.seen[k]
		if seen.Any {
			samples.add(i+k, since(p.Time, seen.Last))
		}
		seen.take(p.Time)
	}
}

// take takes in the time of a packet.
func (s *Span) take(at int64) {
	if !s.Any {
		*s = Span{at, at, true}
	}
	s.Last = max(at, s.Last)
}

// gaps is the state of Gaps, which has a sample for each direction.
type gaps struct {
	last  int64
	began bool
}

// count counts a packet, and the time before it in sample i of those of both directions.
func (s *gaps) count(samples *samples, i int, p *Packet) {
	at := p.Time
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
