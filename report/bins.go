package report

import (
	"math"
	"math/bits"
	"slices"
)

// logEdges are where the bins of distributions begin: the Renard series R5 (ISO 3),
// 1, 1.6, 2.5, 4, 6.3 and so on times 10, as whole numbers rounded up. No two are the same from
// 2 on, and every bin from 1 on has a whole number in it.
var logEdges = makeLogEdges()

func makeLogEdges() []uint64 {
	edges := []uint64{1}
	for decade := uint64(1); ; decade *= 10 {
		for _, tenths := range []uint64{16, 25, 40, 63, 100} {
			if decade > (math.MaxUint64-9)/tenths {
				return edges
			}
			edges = append(edges, (decade*tenths+9)/10)
		}
	}
}

// logBin returns the number of the bin of a value: 0 for 0, and i for edge number i-1
// and on.
func logBin(v uint64) int { return binOf(v, logEdges, &logStarts) }

// logStarts are the numbers of the bins of the powers of two, by which a search
// begins: there are few edges between two of them.
var logStarts = starts(logEdges)

func starts(edges []uint64) (all [65]uint8) {
	for n := 1; n <= 64; n++ {
		for all[n] = all[n-1]; int(all[n]) < len(edges) && edges[all[n]] <= 1<<(n-1); {
			all[n]++
		}
	}
	return all
}

// binOf returns how many edges are no greater than a value.
func binOf(v uint64, edges []uint64, starts *[65]uint8) int {
	i := int(starts[bits.Len64(v)])
	for i < len(edges) && edges[i] <= v {
		i++
	}
	return i
}

// A histogram counts values in bins by a constant factor.
type histogram struct {
	bins [100]uint64
	sum  uint64
	n    uint64
	max  uint64
}

func (h *histogram) add(v uint64) {
	h.bins[logBin(v)]++
	h.n++
	h.sum += v
	h.max = max(h.max, v)
}

func (h *histogram) merge(o *histogram) {
	for i, n := range o.bins {
		h.bins[i] += n
	}
	h.n += o.n
	h.sum += o.sum
	h.max = max(h.max, o.max)
}

// span returns the first and the last bin that has values, -1 if there is none.
func (h *histogram) span() (first, last int) {
	first = slices.IndexFunc(h.bins[:], func(n uint64) bool { return n > 0 })
	for i, n := range h.bins {
		if n > 0 {
			last = i
		}
	}
	return first, last
}

// quantile returns the bin in which the value of rank p·(n-1) lies.
func (h *histogram) quantile(p float64) int {
	rank, below := uint64(p*float64(h.n-1)), uint64(0)
	for i, n := range h.bins {
		if below += n; below > rank {
			return i
		}
	}
	return len(h.bins) - 1
}

// cellEdges are where the cells of the figure of two distributions begin: two in a
// decade, 1, 3.2, 10, 32 and so on, as whole numbers rounded up.
var cellEdges = makeCellEdges()

func makeCellEdges() (edges [37]uint64) {
	decade := uint64(1)
	for i := range edges {
		if i%2 == 0 {
			edges[i] = decade
			continue
		}
		edges[i] = uint64(math.Ceil(float64(decade) * math.Sqrt(10)))
		decade *= 10
	}
	return edges
}

// cell returns the number of the cell of a value: 0 for 0.
func cell(v uint64) int {
	return binOf(v, cellEdges[:], &cellStarts)
}

var cellStarts = starts(cellEdges[:])
