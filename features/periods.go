package features

import (
	"time"

	"github.com/flowfast/flowfast/stats"
)

// pause is the silence between two active periods.
const pause = uint64(5 * time.Second)

// An Activity is the periods in which a flow was active, and those between them
// in which it was idle, in nanoseconds. A pause of more than 5 seconds ends an
// active period; the last one is not counted, nor is one of no length.
type Activity struct{ Active, Idle Moments }

// periods is the state of Periods.
type periods struct {
	active, idle Sample
	start, end   int64
	began        bool
}

func (s *periods) tell(f *Flow, c *stats.Calculator) {
	f.Periods = Activity{moments(&s.active, c), moments(&s.idle, c)}
}

func (s *periods) count(p *Packet, _ int) {
	switch {
	case !s.began:
		s.began, s.start, s.end = true, p.Time, p.Time
	case since(p.Time, s.end) > pause:
		if active := since(s.end, s.start); active > 0 {
			s.active.Add(active)
		}
		s.idle.Add(since(p.Time, s.end))
		s.start, s.end = p.Time, p.Time
	default:
		s.end = max(s.end, p.Time)
	}
}
