package report

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// TestTimeline compares timelines with maps, for times in any order and put together
// in any order.
func TestTimeline(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		scale := int64(1) << random.IntN(62)
		times := make([]int64, 1+random.IntN(500))
		for i := range times {
			times[i] = random.Int64N(scale) - scale/3
		}
		var whole, a, b timeline
		for i, at := range times {
			*whole.at(at)++
			if i%3 == 0 {
				*a.at(at)++
			} else {
				*b.at(at)++
			}
		}
		first, last := slices.Min(times), slices.Max(times)
		width := 0
		for floor(last, widths[width])-floor(first, widths[width]) >= maxBins {
			width++
		}
		if whole.width != width {
			t.Fatalf("round %d: width %d, want %d", round, whole.width, width)
		}
		want := make([]int64, floor(last, widths[width])-floor(first, widths[width])+1)
		for _, at := range times {
			want[floor(at, widths[width])-floor(first, widths[width])]++
		}
		if !slices.Equal(whole.bins, want) {
			t.Fatalf("round %d: got %v, want %v", round, whole.bins, want)
		}
		a.merge(&b)
		if a.width != whole.width || a.first != whole.first || !slices.Equal(a.bins, whole.bins) {
			t.Fatalf("round %d: merged: got %v, want %v", round, a, whole)
		}
	}
}

// TestHeavy wants weights to be within the promised bound of those of a map, in one
// go and merged.
func TestHeavy(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for _, hosts := range []int{10, 2000, 100_000} {
		zipf := rand.NewZipf(random, 1.2, 3, uint64(hosts-1))
		var whole heavy[host]
		pieces := make([]heavy[host], 5)
		exact := map[host]uint64{}
		total := uint64(0)
		for i := range 200_000 {
			h := host{addr: decode.Addr{Lo: zipf.Uint64()}}
			if i%4 == 0 { // from anywhere
				h.addr.Lo = uint64(random.IntN(hosts))
			}
			weight := 1 + random.Uint64N(1500)
			whole.add(h, weight)
			pieces[i%len(pieces)].add(h, weight)
			exact[h] += weight
			total += weight
		}
		for i := range pieces[1:] {
			pieces[0].merge(&pieces[i+1])
		}
		for name, h := range map[string]*heavy[host]{"whole": &whole, "merged": &pieces[0]} {
			if h.lost > total/(mostKeys+1) {
				t.Errorf("%s of %d hosts: lost %d of %d, want less than a %dth", name, hosts, h.lost, total, mostKeys+1)
			}
			if hosts <= mostKeys && h.lost > 0 || hosts > 50_000 && h.lost == 0 {
				t.Errorf("%s of %d hosts: lost %d", name, hosts, h.lost)
			}
			found := map[host]bool{}
			for _, s := range h.top(1 << 30) {
				found[s.key] = true
				if s.weight > exact[s.key] || s.weight+h.lost < exact[s.key] {
					t.Errorf("%s: %v has %d, want %d and %d less at most", name, s.key, s.weight, exact[s.key], h.lost)
				}
			}
			for key, weight := range exact {
				if weight > h.lost && !found[key] {
					t.Errorf("%s: %v with %d is missing; lost %d", name, key, weight, h.lost)
				}
			}
		}
	}
}

// TestNth compares with sorting.
func TestNth(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		values := make([]uint64, 1+random.IntN(50))
		for i := range values {
			values[i] = random.Uint64N(20)
		}
		place := random.IntN(len(values))
		sorted := slices.Sorted(slices.Values(values))
		if got := nth(values, place); got != sorted[place] {
			t.Fatalf("place %d of %v: got %d", place, sorted, got)
		}
	}
}

// TestFan wants numbers of destinations to be exact where they are few, and near where
// they are many, in one go and merged.
func TestFan(t *testing.T) {
	for _, n := range []int{0, 1, 2, 15, 400, 100_000} {
		var whole, a, b fan
		for i := range n {
			r := record{dst: host{addr: decode.Addr{Lo: uint64(i / 2)}}, dstPort: uint16(i % 2), protocol: decode.TCP}
			r.flags[0][syn] = uint64(i % 2)
			whole.add(&r)
			whole.add(&r)
			a.add(&r)
			if i%3 == 0 {
				b.add(&r)
			}
		}
		a.merge(&b)
		for name, f := range map[string]*fan{"whole": &whole, "merged": &a} {
			got, most := f.endpoints.count(), 0.0
			if n > 1000 {
				most = 4 * fanError / 100 * float64(n)
			}
			if d := float64(got) - float64(n); d > most || -d > most {
				t.Errorf("%s: %d destinations, want %d", name, got, n)
			}
		}
		if whole.tcp != uint64(2*n) || whole.halfOpen != uint64(n/2*2) {
			t.Errorf("%d of %d flows half-open, want %d of %d", whole.halfOpen, whole.tcp, n/2*2, 2*n)
		}
	}
}

// TestBins compares bins with a naive search.
func TestBins(t *testing.T) {
	for i, edge := range logEdges[1:] {
		if edge <= logEdges[i] {
			t.Errorf("edge %d follows %d", edge, logEdges[i])
		}
	}
	random := rand.New(rand.NewPCG(5, 6))
	values := []uint64{0, 1, 2, 3, 4, 6, 7, 9, 10, 1<<64 - 1}
	for _, edge := range logEdges {
		values = append(values, edge-1, edge, edge+1)
	}
	for range 1000 {
		values = append(values, random.Uint64()>>random.IntN(64))
	}
	for _, v := range values {
		want := 0
		for want < len(logEdges) && logEdges[want] <= v {
			want++
		}
		if got := logBin(v); got != want {
			t.Errorf("%d: bin %d, want %d", v, got, want)
		}
		want = 0
		for want < len(cellEdges) && cellEdges[want] <= v {
			want++
		}
		if got := cell(v); got != want {
			t.Errorf("%d: cell %d, want %d", v, got, want)
		}
	}
}

// TestRecord wants a record to say what its flow does, whatever row stands behind it.
func TestRecord(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	var got record // from flow to flow
	for range 2000 {
		f := flowtable.Flow{
			Src: decode.Addr{Lo: random.Uint64()}, Dst: decode.Addr{Lo: random.Uint64()}, SrcPort: uint16(random.Uint32()), DstPort: uint16(random.Uint32()),
			Protocol: []uint8{6, 17, 1}[random.IntN(3)], V6: random.IntN(2) == 0, Reason: flowtable.Reason(random.IntN(6)),
			Start: flowtable.Time(random.Int64()), Last: flowtable.Time(random.Int64()), Finish: 1<<63 - 1,
		}
		want := record{protocol: f.Protocol, reason: f.Reason, srcPort: f.SrcPort, dstPort: f.DstPort, start: f.Start, last: f.Last, finish: f.Finish}
		if f.V6 {
			f.Src.Hi, f.Dst.Hi = random.Uint64(), random.Uint64()
		}
		want.src, want.dst = host{f.Src, f.V6}, host{f.Dst, f.V6}
		for d, of := range [2]*flowtable.Direction{&f.Fwd, &f.Bwd} {
			of.Packets, of.Bytes = random.Uint64()>>random.IntN(64), random.Uint64()>>random.IntN(64)
			want.packets[d], want.bytes[d] = of.Packets, of.Bytes
			if f.Protocol == decode.TCP {
				for i := range of.Flags {
					of.Flags[i] = random.Uint64() >> random.IntN(64) * random.Uint64N(2)
				}
				if of.Packets > 0 {
					want.flags[d] = of.Flags
				}
				for i, n := range want.flags[d] {
					if n > 0 {
						want.someFlags[d] |= 1 << i
					}
				}
			} else {
				want.flags[d], want.someFlags[d] = got.flags[d], got.someFlags[d] // which nobody looks at
			}
		}
		if random.IntN(2) == 0 {
			f.Label = &flowtable.Label{Name: fmt.Sprint("label ", random.IntN(5)), Rule: fmt.Sprint(random.IntN(1000))}
			want.labelled, want.label, want.rule = true, []byte(f.Label.Name), []byte(f.Label.Rule)
		}
		if rest := got.read(append(appendRecord(nil, &f), "row"...)); string(rest) != "row" || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v and %q, want %+v", got, rest, want)
		}
	}
}
