package features

import (
	"math"

	"github.com/flowfast/flowfast/stats"
)

// EntropyBytes is how many bytes of payload of a direction are counted.
const EntropyBytes = 1024

// entropies is the state of Entropy.
type entropies [2]entropy

func (e *entropies) count(p *Packet, direction int) { e[direction].add(p.Bytes) }
func (e *entropies) tell(f *Flow, _ *stats.Calculator) {
	f.Entropy = [2]float64{e[0].bits(), e[1].bits()}
}

// An entropy counts the bytes of a direction.
type entropy struct {
	counts [256]uint16
	n      uint16
}

func (e *entropy) add(b []byte) {
	b = b[:min(len(b), EntropyBytes-int(e.n))]
	for _, v := range b {
		e.counts[v]++
	}
	e.n += uint16(len(b))
}

// bits returns the entropy in bits per byte (Shannon, A Mathematical Theory of
// Communication, 1948, 6), 0 if nothing was counted.
func (e *entropy) bits() float64 {
	if e.n == 0 {
		return 0
	}
	sum := 0.0
	for _, n := range e.counts {
		if n == e.n {
			return 0
		}
		if n > 0 {
			sum += float64(n) * math.Log2(float64(n))
		}
	}
	return max(0, math.Log2(float64(e.n))-sum/float64(e.n))
}
