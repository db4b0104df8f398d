package features

import (
	"unsafe"

	"github.com/flowfast/flowfast/internal/slab"
	"github.com/flowfast/flowfast/stats"
)

// An Early is one of the first packets of a flow.
type Early struct {
	Size     uint32 // original length of the frame in bytes
	Backward bool
	Flags    uint8  // TCP control bits, FIN in the lowest
	Gap      uint64 // nanoseconds since the flow's packet before, 0 for the first
}

// A firstStore holds the first packets of flows, by the numbers of their
// records.
type firstStore struct {
	most   int // of a flow
	counts slab.Slab[firstCount]
	chunks [][]Early // most for each of as many flows as a chunk has
}

type firstCount struct {
	n    int
	last int64 // latest time of a packet
}

const chunkFlows = 256

// of returns the room for the packets of a flow.
func (s *firstStore) of(ref uint32) []Early {
	at := int(ref%chunkFlows) * s.most
	return s.chunks[ref/chunkFlows][at : at+s.most]
}

func (s *firstStore) begin(ref uint32) {
	s.counts.Cover(ref)
	*s.counts.At(ref) = firstCount{}
	for int(ref/chunkFlows) >= len(s.chunks) {
		s.chunks = append(s.chunks, make([]Early, chunkFlows*s.most))
	}
}

func (s *firstStore) add(ref uint32, p *Packet, direction int) {
	c := s.counts.At(ref)
	if c.n == s.most {
		return
	}
	e := Early{Size: p.Size, Backward: direction != 0, Flags: p.Flags}
	if c.n > 0 {
		e.Gap = since(p.Time, c.last)
		c.last = max(c.last, p.Time)
	} else {
		c.last = p.Time
	}
	s.of(ref)[c.n] = e
	c.n++
}

func (s *firstStore) fill(f *Flow, ref uint32, _ *stats.Calculator) {
	f.First = append(f.First[:0], s.of(ref)[:s.counts.At(ref).n]...)
}

func (s *firstStore) move(from, to uint32) {
	*s.counts.At(to) = *s.counts.At(from)
	copy(s.of(to), s.of(from))
}

func (s *firstStore) uncover(ref uint32) {
	s.counts.Uncover(ref)
	n := min(int((ref+chunkFlows-1)/chunkFlows), len(s.chunks))
	clear(s.chunks[n:])
	s.chunks = s.chunks[:n]
}

func (s *firstStore) cost() int {
	return int(unsafe.Sizeof(firstCount{})) + s.most*int(unsafe.Sizeof(Early{}))
}

func (s *firstStore) bytes() int {
	return s.counts.Bytes() + len(s.chunks)*chunkFlows*s.most*int(unsafe.Sizeof(Early{}))
}
