package features

import "time"

// pause is the silence between two active periods.
const pause = uint64(5 * time.Second)

// An Activity is the periods in which a flow was active, and those between them
// in which it was idle, in nanoseconds. A pause of more than 5 seconds ends an
// active period; the last one is not counted, nor is one of no length.
type Activity struct{ Active, Idle Moments }

// periods is the state of Periods, which has a sample of active periods and one
// of idle ones.
type periods struct {
	start, end int64
	began      bool
}

// count counts a packet, an active period that is over in sample i, the pause behind it
// in the next.
func (s *periods) count(samples *samples, i int, at int64) {
	switch {
	case !s.began:
		s.began, s.start, s.end = true, at, at
	case since(at, s.end) > pause:
		if active := since(s.end, s.start); active > 0 {
			samples.add(i, active)
		}
		samples.add(i+1, since(at, s.end))
		s.start, s.end = at, at
	default:
		s.end = max(s.end, at)
	}
}
