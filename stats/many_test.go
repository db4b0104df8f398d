package stats

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// The benchmarks here hold more series than a cache can: what they measure is
// mostly how many cache lines an observation touches. Like the flow table they
// touch what some observations will need before the first of them is added.

const (
	many       = 90_000 // two directions of 45,000 connections
	touchAhead = 32
)

// An observer makes observations: intervals and sizes like those of traffic.
type observer struct {
	intervals, sizes [4096]uint32
	i                int
}

func newObserver() *observer {
	r := rand.New(rand.NewPCG(6, 7))
	o := &observer{}
	for i := range o.sizes {
		o.intervals[i] = uint32(r.ExpFloat64() * 1e6)
		o.sizes[i] = []uint32{60, 66, 1514, 40 + uint32(r.IntN(1474))}[r.IntN(4)]
	}
	return o
}

func (o *observer) next() (interval int64, size uint32) {
	o.i++
	return int64(o.intervals[o.i%4096]), o.sizes[o.i*5%4096]
}

// addMany adds an observation to each of some series.
func addMany(p *Pool, series []Series, some []uint32, o *observer) {
	for len(some) > 0 {
		now := some[:min(touchAhead, len(some))]
		some = some[len(now):]
		var room [touchAhead]Observation
		all := room[:len(now)]
		for k, i := range now {
			interval, size := o.next()
			all[k] = Observation{Series: &series[i], At: series[i].Last + interval, Size: size, Bits: 16}
		}
		p.Touch(all)
		p.AddAll(all)
	}
}

// shuffled returns 0..n-1 in a random order.
func shuffled(n int) []uint32 {
	order := make([]uint32, n)
	for i, k := range rand.New(rand.NewPCG(8, 9)).Perm(n) {
		order[i] = uint32(k)
	}
	return order
}

func BenchmarkAddMany(b *testing.B) {
	order := shuffled(many)
	for _, n := range []int{1, 2, 5, 17, 40, 100} {
		b.Run(fmt.Sprintf("observations=%d", n), func(b *testing.B) {
			p, o := NewPool(), newObserver()
			series := make([]Series, many)
			bytes := 0
			round := func() {
				for range n {
					addMany(p, series, order, o)
				}
			}
			empty := func() {
				bytes = p.InUse()
				for _, i := range order {
					p.Free(&series[i])
				}
			}
			round() // the pool grows
			empty()
			for b.Loop() {
				round()
				b.StopTimer()
				empty()
				b.StartTimer()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n*many), "ns/observation")
			b.ReportMetric(float64(bytes)/many, "bytes/series")
		})
	}
}

func BenchmarkSummarizeMany(b *testing.B) {
	order := shuffled(many)
	for _, n := range []int{1, 2, 5, 17, 40, 100, 1000} {
		b.Run(fmt.Sprintf("observations=%d", n), func(b *testing.B) {
			p, o := NewPool(), newObserver()
			order := order
			if n > 100 {
				order = order[:many*100/n]
			}
			series := make([]Series, many)
			for range n {
				addMany(p, series, order, o)
			}
			var sizes, intervals Five
			for b.Loop() {
				for _, i := range order {
					p.Summarize(&series[i], &sizes, &intervals)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(order)), "ns/series")
		})
	}
}

// BenchmarkBenign keeps 3,000 series open whose lengths are those of ordinary
// traffic: most short, most observations in long ones. The time of a series'
// summary is counted with its observations.
func BenchmarkBenign(b *testing.B) {
	const open = 3000
	p, o := NewPool(), newObserver()
	r := rand.New(rand.NewPCG(10, 11))
	lengths := make([]uint64, 1<<12)
	for i := range lengths {
		lengths[i] = uint64(min(10/math.Pow(1-r.Float64(), 1/1.1), 1e5)) // Pareto
	}
	series := make([]Series, open)
	ends := make([]uint64, open)
	order := make([]uint32, 1<<20)
	for i := range order {
		order[i] = uint32(r.IntN(open))
	}
	for b.Loop() {
		var sizes, intervals Five
		next := 0
		end := func(i uint32) {
			p.Summarize(&series[i], &sizes, &intervals)
			p.Free(&series[i])
			ends[i] = lengths[next%len(lengths)]
			next++
		}
		for i := range uint32(open) {
			end(i)
		}
		for rest := order; len(rest) > 0; rest = rest[touchAhead:] {
			addMany(p, series, rest[:touchAhead], o)
			for _, i := range rest[:touchAhead] {
				if series[i].N >= ends[i] {
					end(i)
				}
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(order)), "ns/observation")
}

func BenchmarkElephants(b *testing.B) {
	const each = 100_000
	p, o := NewPool(), newObserver()
	series := make([]Series, 8)
	order := shuffled(len(series))
	for b.Loop() {
		for range each {
			addMany(p, series, order, o)
		}
		for i := range series {
			p.Free(&series[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*each*len(series)), "ns/observation")
}
