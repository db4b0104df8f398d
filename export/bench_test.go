package export

import (
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/stats"
)

// A shape makes flows like those of one kind of traffic.
type shape struct {
	name string
	flow func(r *rand.Rand) flowtable.Flow
}

var shapes = []shape{
	{"packets=1/ipv4+tcp", func(r *rand.Rand) flowtable.Flow {
		f := ipv4(r, 6, uint16(1024+r.IntN(64512)), 80)
		f.Fwd = flowtable.Direction{Packets: 1, Bytes: 60, Sizes: same(60), Flags: [8]uint64{1: 1}}
		return f
	}},
	{"packets=1/ipv6+udp", func(r *rand.Rand) flowtable.Flow {
		f := ipv4(r, 17, uint16(1024+r.IntN(64512)), 53)
		f.V6 = true
		f.Src = decode.Addr{Hi: 0x2001_0db8_0000_0000 | r.Uint64N(1<<16), Lo: r.Uint64()}
		f.Dst = decode.Addr{Hi: 0x2001_0db8_0000_0001, Lo: 1 + r.Uint64N(16)}
		size := 80 + r.Uint64N(100)
		f.Fwd = flowtable.Direction{Packets: 1, Bytes: size, Sizes: same(size)}
		return f
	}},
	{"packets=2/ipv4+dns", func(r *rand.Rand) flowtable.Flow {
		f := ipv4(r, 17, uint16(1024+r.IntN(64512)), 53)
		f.Last += flowtable.Time(1000 + r.IntN(100_000)*1000)
		query, answer := 70+r.Uint64N(40), 90+r.Uint64N(400)
		f.Fwd = flowtable.Direction{Packets: 1, Bytes: query, Sizes: same(query)}
		f.Bwd = flowtable.Direction{Packets: 1, Bytes: answer, Sizes: same(answer)}
		return f
	}},
	{"packets=80/microseconds", func(r *rand.Rand) flowtable.Flow {
		f := ipv4(r, 6, uint16(1024+r.IntN(64512)), 443)
		f.Last += flowtable.Time(r.IntN(20_000_000) * 1000)
		f.Fwd, f.Bwd = exchange(r, 40, 250), exchange(r, 40, 250)
		return f
	}},
	{"packets=1e6/nanoseconds", func(r *rand.Rand) flowtable.Flow {
		f := ipv4(r, 6, uint16(1024+r.IntN(64512)), 443)
		f.Fine = true
		f.Start += flowtable.Time(r.IntN(1000))
		f.Last += flowtable.Time(r.Int64N(10_000_000_000_000))
		n := 10_000 + r.Uint64N(1_000_000)
		f.Fwd, f.Bwd = exchange(r, n, 1), exchange(r, n, 1)
		for k := range 4 {
			f.Fwd.IATs.Quarters[k], f.Bwd.IATs.Quarters[k] = uint8(r.IntN(4)), uint8(r.IntN(4))
		}
		return f
	}},
}

// ipv4 makes the ends of a flow, without its packets.
func ipv4(r *rand.Rand, protocol uint8, from, to uint16) flowtable.Flow {
	start := flowtable.Time(1_700_000_000_000_000+r.Int64N(10_000_000_000)) * 1000
	return flowtable.Flow{
		Src: decode.Addr{Lo: r.Uint64N(1 << 32)}, Dst: decode.Addr{Lo: 0xc0a80000 | r.Uint64N(1<<16)},
		SrcPort: from, DstPort: to, Protocol: protocol, Start: start, Last: start,
	}
}

// exchange makes one direction of n packets of a TCP flow, whose quartiles of
// times are multiples of a number of nanoseconds.
func exchange(r *rand.Rand, n, nanoseconds uint64) flowtable.Direction {
	d := flowtable.Direction{Packets: n, Sizes: evenly(54, 1000+r.Uint64N(514), 4)}
	d.Bytes = n * d.Sizes.Whole[2]
	for k := range d.IATs.Whole {
		d.IATs.Whole[k] = nanoseconds * (r.Uint64N(1_000_000_000) / nanoseconds >> r.IntN(20))
	}
	slices.Sort(d.IATs.Whole[:])
	d.IATs.Whole[0] = d.IATs.Whole[0] / 1000 * 1000
	d.IATs.Whole[4] = d.IATs.Whole[4] / 1000 * 1000
	d.Flags = [8]uint64{0: 1, 1: 1, 3: n / (2 + r.Uint64N(4)), 4: n - 1}
	return d
}

// evenly is a summary of quarters of numbers between two.
func evenly(lo, hi uint64, quarters uint64) (s stats.Five) {
	for k := range uint64(5) {
		v := quarters * (lo*(4-k) + hi*k) / 4
		s.Whole[k], s.Quarters[k] = v/quarters, uint8(v%quarters)
	}
	return s
}

// BenchmarkRow formats different flows of a shape in turn, as digits and their
// number differ from flow to flow in traffic too.
func BenchmarkRow(b *testing.B) {
	for _, s := range shapes {
		b.Run(s.name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(5, 6))
			flows := new([1024]flowtable.Flow)
			size := 0
			for i := range flows {
				flows[i] = s.flow(r)
				size += len(CSV{}.AppendRow(nil, &flows[i]))
			}
			row := make([]byte, 0, 4096)
			b.SetBytes(int64(size / len(flows)))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				row = CSV{}.AppendRow(row[:0], &flows[i&1023])
				i++
			}
		})
	}
}

// BenchmarkFormat formats and writes rows of the default columns in each format,
// the flows of a shape and those of all shapes in turn.
func BenchmarkFormat(b *testing.B) {
	r := rand.New(rand.NewPCG(5, 6))
	flows := make([]flowtable.Flow, 1<<14)
	for _, which := range []struct {
		name   string
		shapes []shape
	}{{"packets=1", shapes[:1]}, {"all", shapes}} {
		for i := range flows {
			f := which.shapes[i%len(which.shapes)].flow(r)
			flows[i] = *ofTable(b, &f)
		}
		for _, name := range FormatNames() {
			b.Run(which.name+"/"+name, func(b *testing.B) { benchmarkFormat(b, name, flows) })
		}
	}
}

func benchmarkFormat(b *testing.B, name string, flows []flowtable.Flow) {
	table := Table{Columns: Columns()}
	format, _ := FormatNamed(name)
	rows := format.Rows(table)
	out := counter{Writer: io.Discard}
	w, err := format.NewWriter(&out, table)
	if err != nil {
		b.Fatal(err)
	}
	var buffer []byte
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		buffer = rows.AppendRow(buffer, &flows[i%len(flows)])
		if i++; len(buffer) >= 256<<10 {
			if _, err := w.Write(buffer); err != nil {
				b.Fatal(err)
			}
			buffer = buffer[:0]
		}
	}
	if _, err := w.Write(buffer); err != nil {
		b.Fatal(err)
	}
	if err := w.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(out.n)/float64(i), "bytes/row")
}
