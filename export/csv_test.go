package export

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/stats"
)

// twin is AppendRow in the open.
func twin(f *flowtable.Flow) string {
	seconds := func(sign string, ns uint64, quarters uint8) string {
		v := new(big.Rat).SetInt(new(big.Int).SetUint64(ns))
		v.Add(v, big.NewRat(int64(quarters), 4))
		v.Quo(v, big.NewRat(1e9, 1))
		digits := 6
		if f.Fine || ns%1000 != 0 || quarters != 0 {
			digits = 9
		}
		digits += [4]int{0, 2, 1, 2}[quarters]
		return sign + v.FloatString(digits)
	}
	sign, start := "", uint64(f.Start)
	if f.Start < 0 {
		sign, start = "-", uint64(-(f.Start+1))+1
	}
	columns := []string{
		f.SrcIP().String(), fmt.Sprint(f.SrcPort), f.DstIP().String(), fmt.Sprint(f.DstPort), fmt.Sprint(f.Protocol),
		seconds(sign, start, 0), seconds("", f.Nanoseconds(), 0),
	}
	both := []*flowtable.Direction{&f.Fwd, &f.Bwd}
	for _, d := range both {
		columns = append(columns, fmt.Sprint(d.Packets), fmt.Sprint(d.Bytes))
	}
	for _, d := range both {
		for i, v := range d.Sizes.Whole {
			columns = append(columns, fmt.Sprint(v)+[4]string{"", ".25", ".5", ".75"}[d.Sizes.Quarters[i]])
		}
	}
	for _, d := range both {
		for i, v := range d.IATs.Whole {
			if d.Packets < 2 {
				columns = append(columns, "0")
			} else {
				columns = append(columns, seconds("", v, d.IATs.Quarters[i]))
			}
		}
	}
	for _, d := range both {
		for _, n := range d.Flags {
			columns = append(columns, fmt.Sprint(n))
		}
	}
	return strings.Join(columns, ",") + "\n"
}

func someFive(r *rand.Rand, n uint64) (f stats.Five) {
	if n == 0 {
		return f
	}
	for i := range f.Whole {
		f.Whole[i] = r.Uint64() >> r.IntN(64)
		if r.IntN(2) == 0 {
			f.Whole[i] = f.Whole[i] / 1000 * 1000
		}
		f.Quarters[i] = uint8(r.IntN(4))
	}
	return f
}

// same is the summary of one number.
func same(v uint64) stats.Five {
	return stats.Five{Whole: [5]uint64{v, v, v, v, v}}
}

func someFlow(r *rand.Rand) *flowtable.Flow {
	f := &flowtable.Flow{
		Src: decode.Addr{Lo: r.Uint64() >> 32}, Dst: decode.Addr{Lo: r.Uint64() >> 32},
		SrcPort: uint16(r.Uint32() >> r.IntN(17)), DstPort: uint16(r.Uint32()), Protocol: 6,
		Fine: r.IntN(3) == 0, V6: r.IntN(2) == 0,
	}
	if f.V6 {
		f.Src.Hi, f.Src.Lo, f.Dst.Hi = r.Uint64()&r.Uint64(), r.Uint64(), 0
	}
	f.Start = flowtable.Time(r.Uint64() >> r.IntN(64))
	f.Last = f.Start
	for k, d := range []*flowtable.Direction{&f.Fwd, &f.Bwd} {
		if d.Packets = uint64(r.IntN(4) + 1 - k); d.Packets == 0 {
			continue
		}
		d.Bytes = r.Uint64() >> r.IntN(64)
		d.Sizes, d.IATs = someFive(r, d.Packets), someFive(r, max(d.Packets, 1)-1)
		for i := range d.Flags {
			d.Flags[i] = r.Uint64() >> (30 + r.IntN(34))
		}
	}
	for _, d := range []*flowtable.Direction{&f.Fwd, &f.Bwd} {
		if d.Packets == 1 {
			d.Sizes = same(d.Bytes)
		}
	}
	if r.IntN(2) == 0 && f.Start < math.MaxInt64/2 {
		f.Last = f.Start + flowtable.Time(r.Int64()>>(2+r.IntN(60)))
	}
	return f
}

// extreme is a number at or near an end of a range, or of a power of ten.
func extreme(r *rand.Rand) uint64 {
	power := uint64(1)
	for range r.IntN(20) {
		power *= 10
	}
	ends := [...]uint64{0, 1 << 16, 1 << 32, 1 << 63, power, power * r.Uint64N(10), r.Uint64() >> r.IntN(64)}
	return ends[r.IntN(len(ends))] + r.Uint64N(3) - 1
}

// extremeFlow fills every number of a flow from the ends of its range.
func extremeFlow(r *rand.Rand) *flowtable.Flow {
	f := &flowtable.Flow{
		Src: decode.Addr{Lo: extreme(r)}, Dst: decode.Addr{Lo: extreme(r)},
		SrcPort: uint16(extreme(r)), DstPort: uint16(extreme(r)), Protocol: uint8(extreme(r)),
		V6: r.IntN(2) == 0, Fine: r.IntN(2) == 0,
		Start: flowtable.Time(extreme(r)), Last: flowtable.Time(extreme(r)),
	}
	if f.V6 {
		f.Src.Hi, f.Dst.Hi = extreme(r), extreme(r)
	}
	f.Last = max(f.Last, f.Start)
	for _, d := range []*flowtable.Direction{&f.Fwd, &f.Bwd} {
		d.Packets, d.Bytes = 2+extreme(r)>>1, extreme(r)
		for i := range 5 {
			d.Sizes.Whole[i], d.Sizes.Quarters[i] = extreme(r), uint8(r.IntN(4))
			d.IATs.Whole[i], d.IATs.Quarters[i] = extreme(r), uint8(r.IntN(4))
		}
		for i := range d.Flags {
			d.Flags[i] = extreme(r)
			if r.IntN(2) == 0 {
				d.Flags[i] %= 11
			}
		}
	}
	return f
}

func TestRowEqualsTwin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 30000 {
		f := someFlow(r)
		if i%2 == 0 {
			f = extremeFlow(r)
		}
		if got, want := string((CSV{}).AppendRow(nil, f)), twin(f); got != want {
			t.Fatalf("%+v:\ngot  %swant %s", *f, got, want)
		}
	}
}

// TestRowsOfTables writes the flows that a table gives out, into one Flow after the
// other: most are of one packet, of which tables and rows have a short way.
func TestRowsOfTables(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	gate, err := flowtable.NewGate(flowtable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	batch, table := gate.NewBatch(1), gate.NewTable()
	for i := range 6000 {
		p := decode.Packet{Class: decode.Counted, Proto: decode.TCP, Src: decode.Addr{Lo: uint64(i)}, Dst: decode.Addr{Lo: uint64(r.Uint32())},
			SrcPort: uint16(r.Uint32()), DstPort: uint16(r.Uint32() >> r.IntN(20)), RawFlags: uint8(r.Uint32() >> r.IntN(30)), Whole: true}
		if p.Flags = p.RawFlags; i%5 == 0 {
			p.Proto, p.RawFlags, p.Flags = decode.UDP, 0, 0
		}
		if i%7 == 0 {
			p.V6, p.Src.Hi = true, r.Uint64()
		}
		for range 1 + i%9/8 {
			batch.Add(&p, flowtable.Time(1e18+int64(i)*1e6), r.Uint32N(40)*r.Uint32N(40), i%11 == 0)
		}
	}
	gate.Admit(batch)
	for i := range batch.Steps() {
		table.Add(batch, 0, i)
	}
	table.End(gate.Latest())
	var f flowtable.Flow
	alone := 0
	for table.Next(&flowtable.Step{Due: flowtable.All}, &f) {
		if got, want := string(CSV{}.AppendRow(nil, &f)), twin(&f); got != want {
			t.Fatalf("got  %swant %s", got, want)
		}
		if flags, ok := f.Alone(); ok {
			alone++
			for i, n := range f.Fwd.Flags {
				if n != uint64(flags>>i&1) {
					t.Fatalf("flags %v are said to be %b", f.Fwd.Flags, flags)
				}
			}
			if f.Fwd.Packets != 1 || f.Bwd.Packets != 0 {
				t.Fatalf("a flow of %d and %d packets is said to be of one", f.Fwd.Packets, f.Bwd.Packets)
			}
		}
	}
	if alone < 4000 {
		t.Errorf("%d flows of one packet", alone)
	}
}

// TestRowReadsWhatCounts wants the same row whatever stands in the fields that
// AppendRow says it does not read.
func TestRowReadsWhatCounts(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	junk := *extremeFlow(r)
	for i := range 1000 {
		f := someFlow(r)
		f.Fwd.Packets, f.Bwd.Packets = 1+uint64(i)%2, uint64(i)/2%3
		both := []*flowtable.Direction{&f.Fwd, &f.Bwd}
		for _, d := range both {
			switch d.Packets {
			case 0:
				*d = flowtable.Direction{}
			case 1:
				d.Sizes, d.IATs = same(d.Bytes), stats.Five{}
			}
		}
		want := twin(f)
		for _, d := range both {
			switch d.Packets {
			case 0:
				*d = junk.Bwd
				d.Packets = 0
			case 1:
				d.Sizes, d.IATs = junk.Fwd.Sizes, junk.Fwd.IATs
			}
		}
		if got := string((CSV{}).AppendRow(nil, f)); got != want {
			t.Fatalf("%+v:\ngot  %swant %s", *f, got, want)
		}
	}
}

// TestRowAppends wants what is there kept, with no room for a row behind it,
// too little, enough, and one byte less.
func TestRowAppends(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	f := extremeFlow(r)
	const before = "before\n"
	for _, room := range []int{0, 100, rowSize - 1, rowRoom - 1, rowRoom, rowRoom + 1, 5000} {
		b := append(make([]byte, 0, len(before)+room), before...)
		if got, want := string((CSV{}).AppendRow(b, f)), before+twin(f); got != want {
			t.Errorf("room of %d bytes:\ngot  %swant %s", room, got, want)
		}
	}
}

// TestHeader wants the columns of the specification of flows, in its order.
func TestHeader(t *testing.T) {
	var want []string
	want = append(want, "src_ip", "src_port", "dst_ip", "dst_port", "protocol", "start_time", "duration")
	for _, group := range [][]string{
		{"tot_pkt", "tot_byte"},
		{"pkt_size_min", "pkt_size_q1", "pkt_size_median", "pkt_size_q3", "pkt_size_max"},
		{"iat_min", "iat_q1", "iat_median", "iat_q3", "iat_max"},
		{"fin_cnt", "syn_cnt", "rst_cnt", "psh_cnt", "ack_cnt", "urg_cnt", "ece_cnt", "cwr_cnt"},
	} {
		for _, d := range []string{"fwd_", "bwd_"} {
			for _, name := range group {
				want = append(want, d+name)
			}
		}
	}
	got := string(CSV{}.AppendHeader(nil))
	if got != strings.Join(want, ",")+"\n" || len(want) != 47 {
		t.Errorf("%d columns: %s", len(want), got)
	}
}

func TestRowAllocatesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	flows := make([]*flowtable.Flow, 100)
	for i := range flows {
		flows[i] = someFlow(r)
	}
	b := make([]byte, 0, 4096)
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		b = CSV{}.AppendRow(b[:0], flows[i%len(flows)])
		i++
	}); n != 0 {
		t.Errorf("%v allocations for a row", n)
	}
}

// TestColumnsAgree formats random flows column by column, and wants the row that
// the default format gives at once.
func TestColumnsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	slow := CSV{&csvColumns{rest: Columns(), other: true}}
	if got, want := string(slow.AppendHeader(nil)), string((CSV{}).AppendHeader(nil)); got != want {
		t.Errorf("header %q, want %q", got, want)
	}
	for range 20_000 {
		f := someFlow(r)
		for _, d := range []*flowtable.Direction{&f.Fwd, &f.Bwd} { // the extremes of whole numbers are whole
			d.Sizes.Quarters[0], d.Sizes.Quarters[4] = 0, 0
		}
		got, want := string(slow.AppendRow(nil, f)), string((CSV{}).AppendRow(nil, f))
		if got != want {
			t.Fatalf("got  %swant %s", got, want)
		}
	}
}

// TestAppendFloat compares with the shortest decimals of package strconv, whole
// numbers of all sizes among them.
func TestAppendFloat(t *testing.T) {
	values := []float64{0, math.Copysign(0, -1), 1, -1, 1<<50 - 1, 1 << 50, 1<<50 + 1, 1<<53 - 1, 1 << 60, 1e21, 1e-7, math.Inf(1), math.NaN()}
	r := rand.New(rand.NewPCG(3, 3))
	for range 100_000 {
		v := float64(r.Uint64() >> r.IntN(64))
		values = append(values, v, v/4, -v)
	}
	for _, v := range values {
		format := byte('f')
		if abs := math.Abs(v); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
			format = 'e'
		}
		if got, want := string(appendFloat(nil, v)), strconv.FormatFloat(v, format, -1, 64); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

// TestAppendTimestamp compares with package time, over all times of flows.
func TestAppendTimestamp(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	times := []int64{math.MinInt64, math.MaxInt64, 0, -1, 1}
	for range 10_000 {
		times = append(times, int64(r.Uint64()))
	}
	for _, at := range times {
		f := flowtable.Flow{Start: flowtable.Time(at)}
		if got, want := string(appendTimestamp(nil, f.StartTime())), f.StartTime().Format("2006-01-02 15:04:05.000000"); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}
