package report

import (
	"math/bits"
	"slices"
	"time"
)

// maxBins is the most bins of a figure over time.
const maxBins = 240

// widths are what a bin can cover, in nanoseconds. Each is a whole multiple of the one
// before, so that bins can be put together, and all begin at whole multiples of it
// since the Unix epoch.
var widths = makeWidths()

func makeWidths() []int64 {
	const day = 24 * time.Hour
	var w []int64
	for d := time.Microsecond; d < time.Second; d *= 10 {
		w = append(w, int64(d), 2*int64(d))
	}
	for _, d := range []time.Duration{
		time.Second, 2 * time.Second, 10 * time.Second, 20 * time.Second, time.Minute, 2 * time.Minute,
		10 * time.Minute, 20 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour,
	} {
		w = append(w, int64(d))
	}
	for d := day; d <= 10000*day; d *= 10 {
		w = append(w, int64(d), 2*int64(d))
	}
	return w
}

// A timeline counts in bins of time that are as narrow as maxBins of them allow. What
// is in which bin depends on what is counted, not on the order.
type timeline struct {
	width int   // number of the width
	first int64 // number of the first bin since the epoch, if there is one
	bins  []int64

	// The latest bin that at has returned, and the times that are in it: from the first to
	// before the second.
	latest   *int64
	from, to int64
}

// at returns the bin of a time, which is made if need be.
func (t *timeline) at(ns int64) *int64 {
	if ns >= t.from && ns < t.to { // mostly, which spares a division
		return t.latest
	}
	return t.find(ns)
}

func (t *timeline) find(ns int64) *int64 {
	bin := t.bin(ns)
	w := widths[t.width]
	if t.latest, t.from = bin, floor(ns, w)*w; t.from <= ns { // or the bin begins before there is time
		t.to = t.from + w
	} else {
		t.to = t.from
	}
	return bin
}

func (t *timeline) bin(ns int64) *int64 {
	w := widths[t.width]
	if len(t.bins) == 0 {
		t.first = floor(ns, w)
		t.bins = append(t.bins, 0)
		return &t.bins[0]
	}
	n := floor(ns, w)
	for n-t.first >= maxBins || t.first+int64(len(t.bins))-n > maxBins {
		t.widen(t.width + 1)
		n = floor(ns, widths[t.width])
	}
	if n < t.first {
		t.bins = slices.Insert(t.bins, 0, make([]int64, t.first-n)...)
		t.first = n
	}
	for n >= t.first+int64(len(t.bins)) {
		t.bins = append(t.bins, 0)
	}
	return &t.bins[n-t.first]
}

// widen puts bins together until they have a width.
func (t *timeline) widen(width int) {
	t.from, t.to = 0, 0
	for ; t.width < width; t.width++ {
		if len(t.bins) == 0 {
			continue
		}
		by := widths[t.width+1] / widths[t.width]
		first := floor(t.first, by)
		for i, v := range t.bins {
			n := floor(t.first+int64(i), by) - first
			t.bins[i] = 0
			t.bins[n] += v
		}
		last := floor(t.first+int64(len(t.bins))-1, by)
		t.bins, t.first = t.bins[:last-first+1], first
	}
}

// merge adds what another has counted, whose bins may be widened.
func (t *timeline) merge(o *timeline) {
	width := max(t.width, o.width)
	t.widen(width)
	o.widen(width)
	w := widths[width] // making room widens t, not o
	for i, v := range o.bins {
		*t.at((o.first + int64(i)) * w) += v
	}
}

// spread adds n evenly over the time from one to another. The sum over any bins is
// what it would be if they were one bin, rounded down at its ends.
func (t *timeline) spread(from, to int64, n uint64) {
	*t.at(from) += 0
	*t.at(to) += 0 // now the width will do for all between
	w := widths[t.width]
	a, b := floor(from, w), floor(to, w)
	if a == b {
		*t.at(from) += int64(n)
		return
	}
	before := uint64(0)
	for bin := a; bin <= b; bin++ {
		upTo := n
		if end := (bin + 1) * w; end < to {
			upTo = share(n, uint64(end-from), uint64(to-from))
		}
		t.bins[bin-t.first] += int64(upTo - before)
		before = upTo
	}
}

// floor returns a/b, rounded down.
func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// share returns n*part/whole, rounded down; part is at most whole.
func share(n, part, whole uint64) uint64 {
	hi, lo := bits.Mul64(n, part)
	q, _ := bits.Div64(hi, lo, whole)
	return q
}
