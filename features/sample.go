package features

import "github.com/flowfast/flowfast/stats"

// A Sample counts values; see [stats.Sample].
type Sample = stats.Sample

// Moments are a sample, in the unit of its values, and its central moments.
type Moments struct {
	Sample
	Central stats.Moments
}

// of sets m to those of a sample.
func (m *Moments) of(s *Sample, c *stats.Calculator) { m.Sample, m.Central = *s, c.Moments(s) }

// each sets the moments to those of as many samples.
func each(m []Moments, s []Sample, c *stats.Calculator) {
	for i := range m {
		m[i].of(&s[i], c)
	}
}

// all sets the moments to those of two samples and of both together.
func all(m *[3]Moments, s []Sample, c *stats.Calculator) {
	each(m[:2], s, c)
	both := &m[2]
	both.Sample = s[0]
	both.Merge(&s[1])
	both.Central = c.Moments(&both.Sample)
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

func (s *intervals) count(samples []Sample, p *Packet, direction int) {
	s.one(samples, p.Time, direction)
	s.one(samples, p.Time, 2)
}

func (s *intervals) one(samples []Sample, at int64, i int) {
	if seen := &s.seen[i]; seen.Any {
		samples[i].Add(since(at, seen.Last))
	}
	s.seen[i].take(at)
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

func (s *gaps) count(samples []Sample, p *Packet, direction int) {
	at := p.Time
	if s.began {
		samples[direction].Add(since(at, s.last))
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
