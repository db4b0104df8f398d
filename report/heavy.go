package report

import (
	"cmp"
	"math/bits"
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

// A pair is two hosts, the lesser one first.
type pair [2]host

func pairOf(a, b host) pair {
	if b.ip().Less(a.ip()) {
		return pair{b, a}
	}
	return pair{a, b}
}

// A tally is what is counted of a key.
type tally struct {
	weight                uint64 // by which keys are ranked, less what purges took
	flows, packets, bytes uint64 // since the key is counted
	fan                   *fan   // of sources
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
type heavy[K comparable] struct {
	keys  map[K]*tally
	total uint64 // of the weights
	lost  uint64
}

// add adds a weight to that of a key.
func (h *heavy[K]) add(key K, weight uint64) *tally {
	if h.keys == nil {
		h.keys = map[K]*tally{}
	}
	h.total += weight
	t := h.keys[key]
	if t == nil {
		if len(h.keys) >= 2*mostKeys {
			h.purge()
		}
		t = &tally{}
		h.keys[key] = t
	}
	t.weight += weight
	return t
}

// purge keeps mostKeys keys at most.
func (h *heavy[K]) purge() {
	if len(h.keys) <= mostKeys {
		return
	}
	weights := make([]uint64, 0, len(h.keys))
	for _, t := range h.keys {
		weights = append(weights, t.weight)
	}
	slices.Sort(weights)
	cut := weights[len(weights)-mostKeys-1]
	h.lost += cut
	for key, t := range h.keys {
		if t.weight <= cut {
			delete(h.keys, key)
		} else {
			t.weight -= cut
		}
	}
}

// merge adds what another has counted, which is not to be used any more.
func (h *heavy[K]) merge(o *heavy[K]) {
	for key, t := range o.keys {
		if h.keys == nil {
			h.keys = map[K]*tally{}
		}
		into := h.keys[key]
		if into == nil {
			h.keys[key] = t
			continue
		}
		into.weight += t.weight
		into.flows += t.flows
		into.packets += t.packets
		into.bytes += t.bytes
		if t.fan != nil {
			into.fan.merge(t.fan)
		}
	}
	h.total += o.total
	h.lost += o.lost
	if len(h.keys) > 2*mostKeys {
		h.purge()
	}
}

// A ranked is a key and what is counted of it.
type ranked[K comparable] struct {
	key K
	*tally
}

// top returns the n keys with the greatest weights, in order.
func (h *heavy[K]) top(n int, compare func(a, b K) int) []ranked[K] {
	all := make([]ranked[K], 0, len(h.keys))
	for key, t := range h.keys {
		all = append(all, ranked[K]{key, t})
	}
	slices.SortFunc(all, func(a, b ranked[K]) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), compare(a.key, b.key))
	})
	return all[:min(n, len(all))]
}

func compareHosts(a, b host) int { return a.ip().Compare(b.ip()) }

func comparePairs(a, b pair) int {
	return cmp.Or(compareHosts(a[0], b[0]), compareHosts(a[1], b[1]))
}

// share returns n*part/whole, rounded down; part is at most whole.
func share(n, part, whole uint64) uint64 {
	hi, lo := bits.Mul64(n, part)
	q, _ := bits.Div64(hi, lo, whole)
	return q
}
