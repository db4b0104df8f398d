package block

import (
	"cmp"
	"math"
	"slices"

	"github.com/flowfast/flowfast/flowtable"
)

// The rows of all buckets are in the order of flowfast --join if they are sorted by what
// follows, one after the other: flowtable.Flow.Era, Finish and Start, the Place and the
// Packet of its Origin. A packet stands in front of another one if its place comes before,
// then by the names of their captures, then by their positions there: see clock.go and
// cursors. Packet has both in one number.
//
// To be sorted by many, rows are cut into ranges of that order, the same for every bucket:
// the headers of captures say about where the packets are in time.

// Ranges are where ranges of the order of rows begin.
type ranges struct {
	times []int64 // the first of each range but the first, in order
	eras  int
	last  int64 // latest time at which a flow may have been heard that was idle at the end
}

// slices of time that are told apart in the captures, for each range.
const slicesOfRange = 4

// arrange numbers the packets of captures, which are in the order of names, and finds where
// ranges begin.
func (s *Source) arrange(byName []*joined) {
	total := uint64(0)
	for _, j := range byName {
		j.before = total
		total += j.Packets
	}
	r := &s.ranges
	if *r = (ranges{eras: 1, last: minTime}); s.Ranges < 2 {
		return
	}
	if idle := int64(cmp.Or(s.Idle, flowtable.DefaultIdleTimeout)); s.end >= minTime+idle {
		r.last = int64(s.cut(s.end)) - idle
	}
	type slice struct {
		from    int64
		packets uint64
	}
	var all []slice
	width := max(1, total/uint64(s.Ranges*slicesOfRange))
	for _, j := range byName {
		r.eras += len(j.steps)
		for _, b := range j.parts {
			p := &b.Capture
			n := p.Packets/width + 1
			each := (uint64(p.Last) - uint64(p.First)) / n
			for k := range n {
				all = append(all, slice{p.First + int64(each*k), p.Packets / n})
			}
		}
	}
	slices.SortFunc(all, func(a, b slice) int { return cmp.Compare(a.from, b.from) })
	sum := uint64(0)
	for _, of := range all {
		for len(r.times) < s.Ranges-1 && sum >= total/uint64(s.Ranges)*uint64(len(r.times)+1) {
			r.times = append(r.times, of.from)
		}
		sum += of.packets
	}
}

// Range returns the number of the range, from 0, that the row of a flow is in, after the
// first packets have been taken. No row of a range comes before one of a range in front of
// it. Several goroutines may call it.
func (s *Source) Range(f *flowtable.Flow) int {
	r := &s.ranges
	at := int64(f.Start)
	if f.Finish == math.MaxInt64 {
		at = max(at, r.last) // behind those that were over
	} else {
		idle := int64(cmp.Or(s.Idle, flowtable.DefaultIdleTimeout))
		if at = int64(f.Finish); at < minTime+idle {
			at = minTime + idle
		}
		at = min(at-idle, r.last)
	}
	n, _ := slices.BinarySearchFunc(r.times, at, func(from, at int64) int {
		if from <= at {
			return -1
		}
		return 1
	})
	if r.eras > 1 {
		era := min(int(f.Era), r.eras-1)
		from, to := era*s.Ranges/r.eras, (era+1)*s.Ranges/r.eras
		n = from + n*max(0, to-from-1)/max(1, s.Ranges-1)
	}
	return n
}
