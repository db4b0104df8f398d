package report

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"slices"

	"github.com/flowfast/flowfast/decode"
)

// A host is an address.
type host struct {
	addr decode.Addr
	v6   bool
}

func (h host) ip() netip.Addr { return h.addr.IP(h.v6) }

func compareHosts(a, b host) int {
	switch {
	case a.v6 != b.v6 && b.v6:
		return -1
	case a.v6 != b.v6:
		return 1
	}
	return cmp.Or(cmp.Compare(a.addr.Hi, b.addr.Hi), cmp.Compare(a.addr.Lo, b.addr.Lo))
}

// A pair is two hosts, the lesser one first.
type pair [2]host

func pairOf(a, b host) pair {
	if compareHosts(b, a) < 0 {
		return pair{b, a}
	}
	return pair{a, b}
}

func comparePairs(a, b pair) int {
	return cmp.Or(compareHosts(a[0], b[0]), compareHosts(a[1], b[1]))
}

// A keyed is what a heavy counts.
type keyed[K any] interface {
	comparable
	hash() uint64
	compare(K) int
}

// hashSeeds keep who chooses addresses from choosing slots.
var hashSeeds = [2]uint64{rand.Uint64(), rand.Uint64() | 1}

func (h host) hash() uint64 {
	hi, lo := bits.Mul64(h.addr.Hi^hashSeeds[0], h.addr.Lo^hashSeeds[1])
	hi, lo = bits.Mul64(hi^lo^hashSeeds[0], hashSeeds[1])
	return hi ^ lo
}

func (h host) compare(o host) int { return compareHosts(h, o) }

func (p pair) hash() uint64 {
	hi, lo := bits.Mul64(p[0].hash(), p[1].hash()^hashSeeds[1])
	return hi ^ lo
}

func (p pair) compare(o pair) int { return comparePairs(p, o) }

// A tally is what is counted of a key.
type tally struct {
	weight uint64 // by which keys are ranked, less what purges took
	count         // since the key is there
	fan    fan    // of sources
}

// mostKeys is how many keys a heavy keeps after a purge.
const mostKeys = 1024

// A heavy counts keys of which there may be any number, and keeps those with the
// greatest weights: the summary of Misra and Gries (Finding repeated elements, 1982)
// with weights, merged as Agarwal and others have it (Mergeable Summaries, 2012).
// Where there are more than 2k keys, the weight of number k+1 is taken from all, and
// those with nothing left are dropped. A weight is then too low by lost at most, and
// lost is at most the sum of all weights divided by k+1: no key that has more is
// missing. With no more than 2k keys all is exact.
//
// Keys lie in slots by their hashes, no more than half of which are taken; one that
// finds its slot taken takes the next that is free. What is in which slot has no
// influence on what is counted.
type heavy[K keyed[K]] struct {
	slots []slot[K] // their number is a power of two
	n     int       // keys
	lost  uint64

	kept    []slot[K] // for rebuild
	weights []uint64  // for purge
}

type slot[K any] struct {
	key   K
	taken bool
	tally
}

// add adds a weight to that of a key.
func (h *heavy[K]) add(key K, weight uint64) *tally {
	t := h.find(key)
	t.weight += weight
	return t
}

// find returns the tally of a key, which is made if need be.
func (h *heavy[K]) find(key K) *tally {
	if len(h.slots) > 0 {
		if s := h.slot(key); s.taken {
			return &s.tally
		}
		if h.n >= 2*mostKeys {
			h.purge()
		}
	}
	if h.n >= len(h.slots)/2 {
		h.rebuild(max(16, 2*len(h.slots)), func(*slot[K]) bool { return true })
	}
	s := h.slot(key)
	s.key, s.taken = key, true
	h.n++
	return &s.tally
}

// slot returns the slot that a key has or is to take.
func (h *heavy[K]) slot(key K) *slot[K] {
	mask := uint64(len(h.slots) - 1)
	for i := key.hash() & mask; ; i = (i + 1) & mask {
		if s := &h.slots[i]; !s.taken || s.key == key {
			return s
		}
	}
}

// rebuild puts the keys for which keep returns true into so many slots.
func (h *heavy[K]) rebuild(slots int, keep func(*slot[K]) bool) {
	kept := h.kept[:0]
	for i := range h.slots {
		if s := &h.slots[i]; s.taken && keep(s) {
			kept = append(kept, *s)
		}
	}
	if slots == len(h.slots) {
		clear(h.slots)
	} else {
		h.slots = make([]slot[K], slots)
	}
	h.n = len(kept)
	for i := range kept {
		*h.slot(kept[i].key) = kept[i]
	}
	clear(kept) // of sketches
	h.kept = kept
}

// purge keeps mostKeys keys at most.
func (h *heavy[K]) purge() {
	if h.n <= mostKeys {
		return
	}
	weights := h.weights[:0]
	for i := range h.slots {
		if h.slots[i].taken {
			weights = append(weights, h.slots[i].weight)
		}
	}
	h.weights = weights
	cut := nth(weights, len(weights)-mostKeys-1)
	h.lost += cut
	h.rebuild(len(h.slots), func(s *slot[K]) bool {
		if s.weight <= cut {
			return false
		}
		s.weight -= cut
		return true
	})
}

// nth returns the value that would stand in a place if the values were sorted (Hoare,
// Find, 1961).
func nth(values []uint64, place int) uint64 {
	for low, high := 0, len(values)-1; low < high; {
		pivot := values[int(uint(low+high)>>1)]
		i, j := low, high
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for values[j] > pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i++
				j--
			}
		}
		switch {
		case place <= j:
			high = j
		case place >= i:
			low = i
		default:
			return values[place]
		}
	}
	return values[place]
}

// merge adds what another has counted, which is not to be used any more.
func (h *heavy[K]) merge(o *heavy[K]) {
	sum := heavy[K]{lost: h.lost + o.lost}
	sum.rebuild(4*max(len(h.slots), len(o.slots)), func(*slot[K]) bool { return false })
	for _, from := range [2]*heavy[K]{h, o} {
		for i := range from.slots {
			s := &from.slots[i]
			if !s.taken {
				continue
			}
			into := sum.slot(s.key)
			if !into.taken {
				*into = *s
				sum.n++
				continue
			}
			into.weight += s.weight
			into.merge(s.count)
			into.fan.merge(&s.fan)
		}
	}
	if sum.n > 2*mostKeys {
		sum.purge()
	}
	sum.rebuild(max(len(h.slots), len(o.slots), slotsFor(sum.n)), func(*slot[K]) bool { return true })
	*h = sum
}

// slotsFor returns how many slots a number of keys takes.
func slotsFor(n int) int { return 1 << bits.Len(uint(2*n)) }

// all yields the tallies.
func (h *heavy[K]) all(yield func(*tally) bool) {
	for i := range h.slots {
		if h.slots[i].taken && !yield(&h.slots[i].tally) {
			return
		}
	}
}

// top returns the n keys with the greatest weights, in order.
func (h *heavy[K]) top(n int) []*slot[K] {
	all := make([]*slot[K], 0, h.n)
	for i := range h.slots {
		if h.slots[i].taken {
			all = append(all, &h.slots[i])
		}
	}
	slices.SortFunc(all, func(a, b *slot[K]) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), a.key.compare(b.key))
	})
	return all[:min(n, len(all))]
}
