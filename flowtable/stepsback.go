package flowtable

import "time"

// disorder is how far packets of a capture may be out of order before that is worth
// a word: several queues of an interface, or of a tap, stay within it.
const disorder = uint64(time.Second)

// StepsBack are the places where a capture steps back in time by more than a
// second, as one does that another was appended to.
type StepsBack struct {
	// Times counts the places. First is the number of the packet at the first of
	// them, from 1, and FirstBy by how much time steps back there; Longest is the
	// longest step, in nanoseconds.
	Times, First     uint64
	FirstBy, Longest uint64

	last Time // of the packet before
	any  bool
}

// note takes in the times of a batch whose first packet has a number, from 0.
func (s *StepsBack) note(b *Batch, number uint64) {
	if len(b.packets) == 0 {
		return
	}
	if !s.any {
		s.any, s.last = true, b.packets[0].time
	}
	if max(b.latest, s.last).since(b.earliest) > disorder {
		n := len(b.packets)
		if b.inOrder {
			n = 1 // time can only have stepped back before the first
		}
		for i := range n {
			if by := s.last.since(b.packets[i].time); by > disorder {
				if s.Times++; s.Times == 1 {
					s.First, s.FirstBy = number+uint64(i)+1, by
				}
				s.Longest = max(s.Longest, by)
			}
			s.last = b.packets[i].time
		}
	}
	s.last = b.packets[len(b.packets)-1].time
}
