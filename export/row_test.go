package export

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/stats"
)

// TestLongestRow formats the flow with the longest row there can be, which
// has rowSize bytes.
func TestLongestRow(t *testing.T) {
	f := longestFlow()
	got := string((CSV{}).AppendRow(nil, f))
	if want := twin(f); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if len(got) != rowSize {
		t.Errorf("the longest row has %d bytes, rowSize is %d", len(got), rowSize)
	}
}

// longestFlow is a flow all of whose values are the longest there are.
func longestFlow() *flowtable.Flow {
	addr := decode.Addr{Hi: math.MaxUint64, Lo: math.MaxUint64}
	f := &flowtable.Flow{
		Src: addr, Dst: addr, SrcPort: math.MaxUint16, DstPort: math.MaxUint16, Protocol: math.MaxUint8,
		V6: true, Fine: true, Start: math.MinInt64, Last: math.MaxInt64,
	}
	five := stats.Five{Quarters: [5]uint8{3, 3, 3, 3, 3}}
	for i := range five.Whole {
		five.Whole[i] = math.MaxUint64
	}
	f.Fwd = flowtable.Direction{Packets: math.MaxUint64, Bytes: math.MaxUint64, Sizes: five, IATs: five}
	for i := range f.Fwd.Flags {
		f.Fwd.Flags[i] = math.MaxUint64
	}
	f.Bwd = f.Fwd
	return f
}

// TestEndReason wants the reason as IPFIX would tell it, behind the other
// columns.
func TestEndReason(t *testing.T) {
	c := NewCSV(append(Columns(), EndReason))
	if got, want := string(c.AppendHeader(nil)), string((CSV{}).AppendHeader(nil)); got != strings.TrimSuffix(want, "\n")+",end_reason\n" {
		t.Errorf("header %q", got)
	}
	for reason, want := range map[flowtable.Reason]string{
		flowtable.Idle: "idle", flowtable.Reuse: "reuse", flowtable.End: "end", flowtable.Evicted: "evicted",
	} {
		f := &flowtable.Flow{Reason: reason, Fwd: flowtable.Direction{Packets: 1, Bytes: 60}}
		plain := string((CSV{}).AppendRow(nil, f))
		if got := string(c.AppendRow(nil, f)); got != strings.TrimSuffix(plain, "\n")+","+want+"\n" {
			t.Errorf("row %q, want the reason %s", got, want)
		}
	}
}

func TestUint(t *testing.T) {
	var r row
	check := func(v uint64) {
		if got, want := string(r[:r.uint(0, v)]), strconv.FormatUint(v, 10)+","; got != want {
			t.Fatalf("got %s want %s", got, want)
		}
	}
	for v := range uint64(1_100_000) {
		check(v)
	}
	for power := uint64(1); power < 1e19; power *= 10 {
		for digit := range uint64(10) {
			check(power*digit - 1)
			check(power * digit)
			check(power*digit + 1)
		}
	}
	check(math.MaxUint64)
}

// TestAddresses compares addresses with netip: IPv4, IPv4-mapped, and every
// arrangement of zeros among the groups of IPv6, with groups of every length.
func TestAddresses(t *testing.T) {
	var r row
	check := func(a decode.Addr, v6 bool) {
		if got, want := string(r[:r.addr(0, a, v6)]), a.IP(v6).String()+","; got != want {
			t.Errorf("got %s want %s", got, want)
		}
	}
	random := rand.New(rand.NewPCG(11, 12))
	for set := range 256 {
		for range 200 {
			a := decode.Addr{}
			for i := range 8 {
				a.Hi, a.Lo = a.Hi<<16|a.Lo>>48, a.Lo<<16
				if set>>i&1 == 0 {
					a.Lo |= 1 + random.Uint64N(0xffff)>>random.IntN(16)
				}
			}
			check(a, true)
		}
	}
	for range 10000 {
		v := random.Uint64N(1 << 32)
		check(decode.Addr{Lo: v}, false)
		check(decode.Addr{Lo: v}, true)
		check(decode.Addr{Lo: 0xffff<<32 | v}, true)
		check(decode.Addr{Lo: 0xfffe<<32 | v}, true)
		check(decode.Addr{Hi: 1, Lo: 0xffff<<32 | v}, true)
	}
	for text, want := range map[string]string{"1:0:0:2:3:0:0:4": "1::2:3:0:0:4", "1:0:2:3:4:5:6:7": "1:0:2:3:4:5:6:7"} {
		b := netip.MustParseAddr(text).As16()
		a := decode.Addr{}
		for _, b := range b {
			a.Hi, a.Lo = a.Hi<<8|a.Lo>>56, a.Lo<<8|uint64(b)
		}
		if got := string(r[:r.addr(0, a, true)]); got != want+"," {
			t.Errorf("got %s want %s,", got, want)
		}
	}
}
