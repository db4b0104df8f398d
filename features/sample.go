package features

import "github.com/flowfast/flowfast/stats"

// A Sample counts values; see [stats.Sample].
type Sample = stats.Sample

// Moments are a sample and its central moments.
type Moments struct {
	Sample
	Central stats.Moments
}

// moments returns those of a sample.
func moments(s *Sample, c *stats.Calculator) Moments { return Moments{*s, c.Moments(s)} }

// all returns those of two samples and of both together.
func all(s *[2]Sample, c *stats.Calculator) [3]Moments {
	both := s[0]
	both.Merge(&s[1])
	return [3]Moments{moments(&s[0], c), moments(&s[1], c), moments(&both, c)}
}

// sizes is the state of Sizes.
type sizes [2]Sample

func (s *sizes) count(p *Packet, direction int)    { s[direction].Add(uint64(p.Size)) }
func (s *sizes) tell(f *Flow, c *stats.Calculator) { f.Sizes = all((*[2]Sample)(s), c) }

// intervals is the state of Intervals.
type intervals struct {
	seen    [3]Span
	samples [3]Sample
}

// A Span is when packets came: the time of the first and the latest time, in
// nanoseconds since the Unix epoch; both 0 if there were none.
type Span struct {
	First, Last int64
	Any         bool
}

func (s *intervals) tell(f *Flow, c *stats.Calculator) {
	f.Seen = s.seen
	for i := range s.samples {
		f.Intervals[i] = moments(&s.samples[i], c)
	}
}

func (s *intervals) count(p *Packet, direction int) {
	s.one(p.Time, direction)
	s.one(p.Time, 2)
}

func (s *intervals) one(at int64, i int) {
	seen := &s.seen[i]
	if !seen.Any {
		*seen = Span{at, at, true}
		return
	}
	s.samples[i].Add(since(at, seen.Last))
	seen.Last = max(at, seen.Last)
}

// gaps is the state of Gaps.
type gaps struct {
	last    int64
	began   bool
	samples [2]Sample
}

func (s *gaps) tell(f *Flow, c *stats.Calculator) {
	for i := range s.samples {
		f.Gaps[i] = moments(&s.samples[i], c)
	}
}

func (s *gaps) count(p *Packet, direction int) {
	at := p.Time
	if s.began {
		s.samples[direction].Add(since(at, s.last))
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
