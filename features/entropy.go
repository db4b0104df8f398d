package features

import (
	"math"
	"unsafe"

	"github.com/flowfast/flowfast/internal/slab"
)

// EntropyBytes is how many bytes of payload of a direction are counted.
const EntropyBytes = 1024

// A text is the first bytes of payload of a direction: as they came while they
// are few, then how often each of the 256 is among them. It has no block while
// it has no bytes.
type text struct {
	block uint32
	n     uint16
}

// texts hold the blocks of texts, each of the smallest kind that the bytes fit
// in. Most flows have little payload or none in a direction.
type texts struct {
	of32    slab.Slab[[32]byte]
	of64    slab.Slab[[64]byte]
	of128   slab.Slab[[128]byte]
	of256   slab.Slab[[256]byte]
	counted slab.Slab[[256]uint16]

	weights []float64   // n log2 n
	counts  [256]uint16 // where bytes are counted
}

// The kinds of blocks.
const (
	noBlock = iota
	is32
	is64
	is128
	is256
	isCounted
	kinds
)

func (t *text) kind() int {
	switch n := t.n; {
	case n == 0:
		return noBlock
	case n <= 32:
		return is32
	case n <= 64:
		return is64
	case n <= 128:
		return is128
	case n <= 256:
		return is256
	}
	return isCounted
}

// weigh prepares for bits.
func (s *texts) weigh() {
	s.weights = make([]float64, EntropyBytes+1)
	for n := 1; n <= EntropyBytes; n++ {
		s.weights[n] = float64(n) * math.Log2(float64(n))
	}
}

func (s *texts) add(t *text, b []byte) {
	b = b[:min(len(b), EntropyBytes-int(t.n))]
	if len(b) == 0 {
		return
	}
	old := *t
	t.n += uint16(len(b))
	from, to := old.kind(), t.kind()
	if from != to {
		t.block = s.take(to)
		if to == isCounted {
			c := s.counted.At(t.block)
			clear(c[:])
			count(c, s.bytesOf(&old))
		} else {
			copy(s.bytesOf(t), s.bytesOf(&old))
		}
		s.put(from, old.block)
	}
	if to == isCounted {
		count(s.counted.At(t.block), b)
	} else {
		copy(s.bytesOf(t)[old.n:], b)
	}
}

func count(counts *[256]uint16, b []byte) {
	for _, v := range b {
		counts[v]++
	}
}

// bytesOf returns the bytes of a text that are not counted yet.
func (s *texts) bytesOf(t *text) []byte {
	switch t.kind() {
	case is32:
		return s.of32.At(t.block)[:t.n]
	case is64:
		return s.of64.At(t.block)[:t.n]
	case is128:
		return s.of128.At(t.block)[:t.n]
	case is256:
		return s.of256.At(t.block)[:t.n]
	}
	return nil
}

func (s *texts) take(kind int) uint32 {
	switch kind {
	case is32:
		return s.of32.Take()
	case is64:
		return s.of64.Take()
	case is128:
		return s.of128.Take()
	case is256:
		return s.of256.Take()
	}
	return s.counted.Take()
}

func (s *texts) put(kind int, block uint32) {
	switch kind {
	case is32:
		s.of32.Put(block)
	case is64:
		s.of64.Put(block)
	case is128:
		s.of128.Put(block)
	case is256:
		s.of256.Put(block)
	case isCounted:
		s.counted.Put(block)
	}
}

func (s *texts) free(t *text) {
	if t.n > 0 {
		s.put(t.kind(), t.block)
		*t = text{}
	}
}

// bits returns the entropy in bits per byte (Shannon, A Mathematical Theory of
// Communication, 1948, 6), 0 if there are no bytes.
func (s *texts) bits(t *text) float64 {
	if t.n == 0 {
		return 0
	}
	counts := &s.counts
	if t.kind() == isCounted {
		counts = s.counted.At(t.block)
	} else {
		clear(counts[:])
		count(counts, s.bytesOf(t))
	}
	sum := 0.0
	for _, n := range counts {
		if n == t.n {
			return 0
		}
		if n > 0 {
			sum += s.weights[n]
		}
	}
	return max(0, math.Log2(float64(t.n))-sum/float64(t.n))
}

// shrink begins to move the blocks in use together; see [slab.Slab.Shrink].
func (s *texts) shrink() (moves [kinds]*slab.Moves) {
	return [kinds]*slab.Moves{is32: s.of32.Shrink(), is64: s.of64.Shrink(), is128: s.of128.Shrink(), is256: s.of256.Shrink(), isCounted: s.counted.Shrink()}
}

// move moves the block of a text if it must.
func (s *texts) move(moves [kinds]*slab.Moves, t *text) {
	kind := t.kind()
	m := moves[kind]
	switch kind {
	case is32:
		t.block = s.of32.Move(m, t.block)
	case is64:
		t.block = s.of64.Move(m, t.block)
	case is128:
		t.block = s.of128.Move(m, t.block)
	case is256:
		t.block = s.of256.Move(m, t.block)
	case isCounted:
		t.block = s.counted.Move(m, t.block)
	}
}

// cut ends what shrink began.
func (s *texts) cut(moves [kinds]*slab.Moves) {
	s.of32.Cut(moves[is32])
	s.of64.Cut(moves[is64])
	s.of128.Cut(moves[is128])
	s.of256.Cut(moves[is256])
	s.counted.Cut(moves[isCounted])
}

// inUse returns the bytes of the blocks that texts hold now.
func (s *texts) inUse() int {
	return s.of32.InUse()*32 + s.of64.InUse()*64 + s.of128.InUse()*128 + s.of256.InUse()*256 +
		s.counted.InUse()*int(unsafe.Sizeof(s.counts))
}

// bytes returns the memory that was taken.
func (s *texts) bytes() int {
	return s.of32.Bytes() + s.of64.Bytes() + s.of128.Bytes() + s.of256.Bytes() + s.counted.Bytes() + cap(s.weights)*8
}
