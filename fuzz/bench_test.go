package fuzz

import (
	"context"
	"io"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// BenchmarkHostile runs captures made to be slow beside an ordinary flood: by
// clocks that run backwards or at random, ever new sizes, ports used again and
// fragments that belong to nothing. A packet costs at most a few times what one
// of the flood does, and no more in the longer capture than in the shorter.
func BenchmarkHostile(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	const base = uint64(1_700_000_000_000_000_000)
	source := func(i int, id, fragment uint16, port uint16, flags byte) []byte {
		return ethernet(0x0800, ipv4(6, uint32(i), serverIP, id, fragment, tcp(port, 80, uint32(i), flags)))
	}
	same := func(i int, flags byte) []byte {
		return ethernet(0x0800, ipv4(6, clientIP, serverIP, 1, 0, tcp(40000, 80, uint32(i)*7919, flags)))
	}
	newFlow := func(i int) []byte { return source(i, 1, 0, 40000, 0x02) }
	forth := func(i int) uint64 { return base + uint64(i)*1000 }
	still := func(int) uint64 { return base }
	for _, bench := range []struct {
		name    string
		timeout time.Duration
		at      func(i int) uint64
		frame   func(i int) []byte
		size    func(i int) uint32
	}{
		{"flood", 0, forth, newFlow, nil},
		{"flood,still", 0, still, newFlow, nil},
		{"flood,backwards", 0, func(i int) uint64 { return base - uint64(i)*1000 }, newFlow, nil},
		{"flood,backwards,timeout=1ns", 1, func(i int) uint64 { return base - uint64(i)*1000 }, newFlow, nil},
		{"flood,random", 0, func(int) uint64 { return r.Uint64() }, newFlow, nil},
		{"flood,random,timeout=1ns", 1, func(int) uint64 { return r.Uint64() }, newFlow, nil},
		{"flood,alternating", time.Second, func(i int) uint64 { return base + uint64(i%2)<<60 }, newFlow, nil},
		{"flood,sawtooth", time.Second, func(i int) uint64 { return base + uint64(i%70_000)*1_000_000 }, newFlow, nil},
		{"flood,sawtooth,short", time.Second, func(i int) uint64 { return base + uint64(i%1000)*1e9 - uint64(i/1000)*1e6 }, newFlow, nil},
		{"returning,random", time.Second, func(int) uint64 { return r.Uint64() }, func(i int) []byte { return source(i%1000, 1, 0, 40000, 0x10) }, nil},
		{"returning,backwards", time.Second, func(i int) uint64 { return base - uint64(i)*1000 }, func(i int) []byte { return source(i%1000, 1, 0, 40000, 0x10) }, nil},
		{"one,forth", 0, forth, func(i int) []byte { return same(i, 0x10) }, nil},
		{"one,sizes", 0, forth, func(i int) []byte { return same(i, 0x10) }, func(i int) uint32 { return uint32(i)*2654435761>>1 + 60 }},
		{"one,intervals", 0, func(i int) uint64 { return base + uint64(i)*uint64(i)<<12 }, func(i int) []byte { return same(i, 0x10) }, nil},
		{"reuse", 0, forth, func(i int) []byte { return same(i, 0x02) }, nil},
		{"reuse,still", 0, still, func(i int) []byte { return same(i, 0x02) }, nil},
		{"reuse,backwards", 0, func(i int) uint64 { return base - uint64(i)*1000 }, func(i int) []byte { return same(i, 0x02) }, nil},
		{"reuse,random", 0, func(int) uint64 { return base + r.Uint64N(1e15) }, func(i int) []byte { return same(i, 0x02) }, nil},
		{"fragments,first", 0, forth, func(i int) []byte { return source(i>>16, uint16(i), moreFragments, 40000, 0x10) }, nil},
		{"fragments,orphans", 0, forth, func(i int) []byte { return source(i, uint16(i), 5, 0, 0) }, nil},
	} {
		for _, n := range []int{200_000, 800_000} {
			name := bench.name + "/packets=200k"
			if n > 200_000 {
				name = bench.name + "/packets=800k"
			}
			b.Run(name, func(b *testing.B) {
				c := newBuilder().section().iface(1, 9, 0)
				for i := range n {
					frame := bench.frame(i)
					size := uint32(len(frame))
					if bench.size != nil {
						size = min(bench.size(i), math.MaxInt32)
					}
					c.enhanced(0, bench.at(i), size, frame)
				}
				for b.Loop() {
					run, err := streamed(c.b)(flowfast.Options{Workers: 1, IdleTimeout: bench.timeout})
					if err != nil {
						b.Fatal(err)
					}
					if err := run.Write(context.Background(), io.Discard, export.CSV{}); err != nil {
						b.Fatal(err)
					}
					if got := run.Summary().Packets; got != uint64(n) {
						b.Fatalf("%d packets, want %d", got, n)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/packet")
			})
		}
	}
}
