package features

import "github.com/flowfast/flowfast/internal/slab"

// An Early is one of the first packets of a flow.
type Early struct {
	Size     uint32 // original length of the frame in bytes
	Backward bool
	Flags    uint8  // TCP control bits, FIN in the lowest
	Gap      uint64 // nanoseconds since the flow's packet before, 0 for the first
}

func newEarly(p *Packet, direction int) Early {
	return Early{Size: p.Size, Backward: direction != 0, Flags: p.Flags}
}

// earlies holds the first packets of flows, in lists of chunks that grow as
// packets come.
type earlies struct {
	most   int // packets of a flow
	chunks slab.Slab[earlyChunk]
}

const chunkPackets = 8

type earlyChunk struct {
	packets [chunkPackets]Early
	next    uint32 // 0 behind the last
}

// early is the state of First for a flow.
type early struct {
	n           int
	first, last uint32 // chunks
	latest      int64  // time of a packet
}

func (s *earlies) add(e *early, p *Packet, direction int) {
	if e.n == s.most {
		return
	}
	packet := newEarly(p, direction)
	if e.n > 0 {
		packet.Gap = since(p.Time, e.latest)
		e.latest = max(e.latest, p.Time)
	} else {
		e.latest = p.Time
	}
	if e.n%chunkPackets == 0 {
		i := s.chunks.Take()
		s.chunks.At(i).next = 0
		if e.n == 0 {
			e.first = i
		} else {
			s.chunks.At(e.last).next = i
		}
		e.last = i
	}
	s.chunks.At(e.last).packets[e.n%chunkPackets] = packet
	e.n++
}

// append appends the packets of a flow.
func (s *earlies) append(to []Early, e *early) []Early {
	left := e.n
	for i := e.first; left > 0; {
		c := s.chunks.At(i)
		n := min(left, chunkPackets)
		to = append(to, c.packets[:n]...)
		left, i = left-n, c.next
	}
	return to
}

func (s *earlies) free(e *early) {
	if e.n == 0 {
		return
	}
	for i := e.first; i != 0; {
		next := s.chunks.At(i).next
		s.chunks.Put(i)
		i = next
	}
	*e = early{}
}

// move moves the chunks of a flow that must.
func (s *earlies) move(m *slab.Moves, e *early) {
	if e.n == 0 {
		return
	}
	before := &e.first
	for *before != 0 {
		e.last = s.chunks.Move(m, *before)
		*before = e.last
		before = &s.chunks.At(e.last).next
	}
}
