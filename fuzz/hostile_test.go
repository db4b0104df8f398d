package fuzz

import (
	"context"
	"math"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// forever is an idle timeout that nothing in a usual capture exceeds.
const forever = time.Duration(math.MaxInt64)

// snap is the snap length that captures are usually made with.
const snap = 262144

// dns is a frame of the flow that most cases here are about.
var dns = ethernet(0x0800, ipv4(17, clientIP, serverIP, 1, 0, udp(5000, 53)))

// stamped is a pcapng capture of packets of dns, with the clock of its interface.
func stamped(resolution byte, offset int64, stamps ...uint64) []byte {
	b := newBuilder().section().iface(1, resolution, offset)
	for _, ts := range stamps {
		b.enhanced(0, ts, 60, dns)
	}
	return b.b
}

// records is a pcap capture of nanoseconds with frames a second apart.
func records(frames ...[]byte) []byte {
	b := newBuilder().pcap(true, 1)
	for i, frame := range frames {
		b.record(uint32(i), 0, uint32(len(frame)), frame)
	}
	return b.b
}

func allCounted(n uint64) flowfast.Classes   { return flowfast.Classes{Counted: n} }
func allMalformed(n uint64) flowfast.Classes { return flowfast.Classes{Malformed: n} }

// nested puts a packet into n headers, the outermost first.
func nested(n int, packet []byte, wrap func(packet []byte) []byte) []byte {
	for range n {
		packet = wrap(packet)
	}
	return packet
}

func inIPv4(packet []byte) []byte { return ipv4(4, 1, 2, 1, 0, packet) }
func inGRE(packet []byte) []byte  { return ipv4(47, 1, 2, 1, 0, []byte{0, 0, 0x08, 0}, packet) }
func inIPv6(packet []byte) []byte { return ipv6(4, 1, 2, packet) }
func inGRETap(packet []byte) []byte {
	return ipv4(47, 1, 2, 1, 0, []byte{0, 0, 0x65, 0x58}, ethernet(0x0800, packet))
}

// A flowWant is what a case wants of a flow: its first and latest time, its
// packets and bytes in both directions, and the greatest and least size and
// inter-arrival time of the forward one.
type flowWant struct {
	start, last        int64
	packets, bytes     uint64
	sizeMin, sizeMax   uint64
	intervalMin, inMax uint64
}

// TestHostile reads what no honest sender sends and no sound clock stamps. No
// counter wraps; each row says in decimal what its flow does.
func TestHostile(t *testing.T) {
	const second = int64(1e9)
	packet := ipv4(17, clientIP, serverIP, 1, 0, udp(5000, 53))
	fragment := func(id, fragment, port uint16) []byte {
		if fragment&^moreFragments != 0 {
			return ethernet(0x0800, ipv4(17, clientIP, serverIP, id, fragment, make([]byte, 8)))
		}
		return ethernet(0x0800, ipv4(17, clientIP, serverIP, id, fragment, udp(port, 53, make([]byte, 8))))
	}
	one := []flowWant{{packets: 1}}
	file := newScratch(t)
	for _, test := range []struct {
		name    string
		capture []byte
		timeout time.Duration
		classes flowfast.Classes
		flows   []flowWant // sizes of 0 are not looked at, nor are times if all are 0
	}{
		{"second 0 and the last of pcap", newBuilder().pcap(false, 1).record(0, 0, 60, dns).record(math.MaxUint32, 999_999, 60, dns).b, forever,
			allCounted(2), []flowWant{{0, math.MaxUint32*second + 999_999_000, 2, 120, 60, 60, math.MaxUint32*1e9 + 999_999_000, math.MaxUint32*1e9 + 999_999_000}}},
		{"the same, with the usual timeout", newBuilder().pcap(false, 1).record(0, 0, 60, dns).record(math.MaxUint32, 0, 60, dns).b, 0,
			allCounted(2), []flowWant{{0, 0, 1, 60, 60, 60, 0, 0}, {math.MaxUint32 * second, math.MaxUint32 * second, 1, 60, 60, 60, 0, 0}}},
		{"before the epoch by an offset", stamped(6, -2_000_000_000, 0, 1), 0,
			allCounted(2), []flowWant{{-2_000_000_000 * second, -2_000_000_000*second + 1000, 2, 120, 60, 60, 1000, 1000}}},
		{"across the epoch by an offset", stamped(0, -5, 0, 10), 0,
			allCounted(2), []flowWant{{-5 * second, 5 * second, 2, 120, 60, 60, 10e9, 10e9}}},
		{"the greatest stamp is one before the epoch", stamped(9, 0, math.MaxUint64, 0), 0,
			allCounted(2), []flowWant{{-1, 0, 2, 120, 60, 60, 1, 1}}},
		{"the greatest stamp and an offset", stamped(9, 1, math.MaxUint64), 0,
			allCounted(1), []flowWant{{math.MaxInt64, math.MaxInt64, 1, 60, 60, 60, 0, 0}}},
		{"the greatest stamp in whole seconds", stamped(0, 0, math.MaxUint64>>1), 0,
			allCounted(1), []flowWant{{math.MaxInt64, math.MaxInt64, 1, 60, 60, 60, 0, 0}}},
		{"the least time, by an offset", stamped(6, math.MinInt64, 0), 0,
			allCounted(1), []flowWant{{math.MinInt64, math.MinInt64, 1, 60, 60, 60, 0, 0}}},
		{"up to the end of time in 2262", stamped(9, 0, math.MaxInt64-1, math.MaxInt64), 0,
			allCounted(2), []flowWant{{math.MaxInt64 - 1, math.MaxInt64, 2, 120, 60, 60, 1, 1}}},
		{"past the end of time", stamped(9, 0, math.MaxInt64, math.MaxInt64+1), 0,
			allCounted(2), []flowWant{{math.MaxInt64, math.MaxInt64, 2, 120, 60, 60, 0, 0}}},
		{"from the beginning of time to its end", stamped(9, 0, 1<<63, math.MaxInt64), forever,
			allCounted(2), []flowWant{{math.MinInt64, math.MinInt64, 1, 60, 60, 60, 0, 0}, {math.MaxInt64, math.MaxInt64, 1, 60, 60, 60, 0, 0}}},
		{"as long as a timeout can be", stamped(9, 0, 1<<63+1, 0), forever,
			allCounted(2), []flowWant{{math.MinInt64 + 1, 0, 2, 120, 60, 60, math.MaxInt64, math.MaxInt64}}},
		{"back by hours and forth", stamped(0, 0, 100_000, 90_000, 100_001, 80_000, 100_003), 0,
			allCounted(5), []flowWant{{100_000 * second, 100_003 * second, 5, 300, 60, 60, 0, 2e9}}},
		{"sizes 0 and 2^31", newBuilder().pcap(true, 1).record(1, 0, 0, dns).record(1, 1, 1<<31, dns).record(1, 2, math.MaxUint32, dns).b, 0,
			allCounted(3), []flowWant{{second, second + 2, 3, 2 * math.MaxInt32, 0, math.MaxInt32, 1, 1}}},
		{"more than 2^33 bytes", func() []byte {
			b := newBuilder().pcap(true, 1)
			for i := range uint32(9) {
				b.record(1, i, 1<<31, dns)
			}
			return b.b
		}(), 0, allCounted(9), []flowWant{{second, second + 8, 9, 9 * math.MaxInt32, math.MaxInt32, math.MaxInt32, 1, 1}}},

		{"802.1Q tags to the limit", records(ethernet(0x8100, repeat(19, 0, 1, 0x81, 0), []byte{0, 1, 0x08, 0}, packet)), 0, allCounted(1), one},
		{"802.1Q tags to the snap length", records(ethernet(0x8100, repeat(snap/4-10, 0, 1, 0x81, 0))), 0, allMalformed(1), nil},
		{"MPLS labels to the limit", records(ethernet(0x8847, repeat(31, 0, 1, 0, 64), []byte{0, 1, 1, 64}, packet)), 0, allCounted(1), one},
		{"MPLS labels to the snap length", records(ethernet(0x8847, repeat(snap/4-10, 0, 1, 0, 64))), 0, allMalformed(1), nil},
		{"IPv6 extension headers to the limit", records(ethernet(0x86dd, ipv6(60, 1, 2, repeat(30, 60, 0, 1, 4, 0, 0, 0, 0),
			[]byte{17, 0, 1, 4, 0, 0, 0, 0}, udp(5000, 53)))), 0, allCounted(1), one},
		{"IPv6 extension headers to the longest payload", records(ethernet(0x86dd, ipv6(60, 1, 2, repeat(8191, 60, 0, 1, 4, 0, 0, 0, 0)))), 0, allMalformed(1), nil},
		{"the longest IPv6 options, of single bytes", records(ethernet(0x86dd, ipv6(60, 1, 2, slices.Repeat(append([]byte{60, 255}, make([]byte, 2046)...), 31)))), 0,
			allMalformed(1), nil},
		{"IP in IP to the limit", records(ethernet(0x0800, nested(15, packet, inIPv4))), 0, allCounted(1), one},
		{"IP in IP past the limit", records(ethernet(0x0800, nested(16, packet, inIPv4)), ethernet(0x0800, nested(3000, packet, inIPv4))), 0, allMalformed(2), nil},
		{"IPv4 in IPv6 to the limit", records(ethernet(0x86dd, inIPv6(nested(14, packet, inIPv4)))), 0, allCounted(1), one},
		{"GRE in GRE to the limit", records(ethernet(0x0800, nested(15, packet, inGRE))), 0, allCounted(1), one},
		{"GRE in GRE past the limit", records(ethernet(0x0800, nested(2700, packet, inGRE))), 0, allMalformed(1), nil},
		{"Ethernet in GRE past the limit", records(ethernet(0x0800, nested(1600, packet, inGRETap))), 0, allMalformed(1), nil},

		{"fragment numbers used again", records(fragment(7, moreFragments, 1000), fragment(7, 2, 0), fragment(7, moreFragments, 2000), fragment(7, 2, 0),
			fragment(7, 3, 0)), 0, allCounted(5), []flowWant{{packets: 2}, {packets: 3}}},
		{"a fragment 30 s and 31 s after the first", newBuilder().pcap(true, 1).record(0, 0, 60, fragment(7, moreFragments, 1000)).
			record(30, 0, 60, fragment(7, 2, 0)).record(30, 1, 60, fragment(7, 3, 0)).b, 0,
			flowfast.Classes{Counted: 2, OrphanFragment: 1}, []flowWant{{packets: 2}}},
		{"a fragment long before its first", newBuilder().pcap(true, 1).record(math.MaxUint32, 0, 60, fragment(7, moreFragments, 1000)).
			record(0, 0, 60, fragment(7, 2, 0)).b, 0, allCounted(2), []flowWant{{packets: 2}}},
		{"a fragment from the end of time after a first at its beginning", newBuilder().section().iface(1, 9, 0).
			enhanced(0, 1<<63, 60, fragment(7, moreFragments, 1000)).enhanced(0, math.MaxInt64, 60, fragment(7, 2, 0)).b, 0,
			flowfast.Classes{Counted: 1, OrphanFragment: 1}, one},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := takeCensus(test.capture)
			for workers, open := range map[int]opener{1: streamed(test.capture), 2: file.holding(t, test.capture)} {
				o := flowfast.Options{IdleTimeout: test.timeout, Workers: workers}
				s.check(t, "census", run(t, open, o), len(s.packets))
				flows, summary, err := collect(open, o)
				if err != nil || summary.Classes != test.classes || len(flows) != len(test.flows) {
					t.Fatalf("%d flows in %+v, error %v; want %d in %+v", len(flows), summary.Classes, err, len(test.flows), test.classes)
				}
				for i := range flows {
					checkFlow(t, &flows[i], test.flows[i])
				}
			}
		})
	}
}

// collect takes all flows of a run.
func collect(open opener, o flowfast.Options) (flows []flowfast.Flow, s flowfast.Summary, err error) {
	run, err := open(o)
	if err != nil {
		return nil, s, err
	}
	for flow, err := range run.Flows(context.Background()) {
		if err != nil {
			return flows, run.Summary(), err
		}
		flows = append(flows, *flow)
	}
	return flows, run.Summary(), nil
}

func checkFlow(t *testing.T, f *flowfast.Flow, want flowWant) {
	t.Helper()
	if n := f.Fwd.Packets + f.Bwd.Packets; n != want.packets {
		t.Errorf("%d packets, want %d", n, want.packets)
	}
	// In the row: seconds to the nanosecond, exactly.
	row := strings.Split(string(export.CSV{}.AppendRow(nil, f)), ",")
	start := new(big.Rat).SetFrac64(int64(f.Start), 1e9)
	duration := new(big.Rat).SetFrac(new(big.Int).Sub(big.NewInt(int64(f.Last)), big.NewInt(int64(f.Start))), big.NewInt(1e9))
	for column, exact := range map[int]*big.Rat{5: start, 6: duration} {
		if got, ok := new(big.Rat).SetString(row[column]); !ok || got.Cmp(exact) != 0 {
			t.Errorf("column %d is %s, want %s", column, row[column], exact.FloatString(9))
		}
	}
	if want.bytes == 0 {
		return
	}
	got := flowWant{int64(f.Start), int64(f.Last), want.packets, f.Fwd.Bytes + f.Bwd.Bytes,
		f.Fwd.Sizes.Whole[0], f.Fwd.Sizes.Whole[4], f.Fwd.IATs.Whole[0], f.Fwd.IATs.Whole[4]}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// heapOf returns how much of the heap a run holds when it has come to the end of
// its capture and gives out the first flow.
func heapOf(t *testing.T, open opener, o flowfast.Options) (held uint64, flows, packets uint64) {
	t.Helper()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	run, err := open(o)
	if err != nil {
		t.Fatal(err)
	}
	for flow, err := range run.Flows(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if flows == 0 {
			held = heap() - before
		}
		flows++
		packets += flow.Fwd.Packets + flow.Bwd.Packets
	}
	runtime.KeepAlive(open) // and with it the capture
	return held, flows, packets
}

// TestFragmentFlood sends 200,000 first fragments that no other follows, then
// later ones of the first and of the last datagrams: just 65,536 are
// remembered, in a few megabytes.
func TestFragmentFlood(t *testing.T) {
	const n, remembered, most = 200_000, 65_536, 12 << 20
	frame := func(i int, fragment uint16) []byte {
		return ethernet(0x0800, ipv4(17, clientIP+uint32(i>>16), serverIP, uint16(i), fragment, udp(5000, 53)))
	}
	b := newBuilder().pcap(true, 1)
	for i := range n {
		b.record(1, uint32(i), 60, frame(i, moreFragments))
	}
	first := n - remembered // that is remembered
	for i, number := range []int{0, first - 1, first, n - 1} {
		b.record(1, uint32(n+i), 60, frame(number, 2))
	}
	held, flows, packets := heapOf(t, streamed(b.b), flowfast.Options{Workers: 1})
	t.Logf("%d first fragments: %d bytes held", n, held)
	if flows != 4 || packets != n+2 {
		t.Errorf("%d flows of %d packets, want 4 of %d", flows, packets, n+2)
	}
	if held > most {
		t.Errorf("%d bytes held, want %d at most", held, most)
	}
}

// TestReuseFlood sends SYNs with ever other sequence numbers between the same
// ports. Each finishes the flow before it, by reuse, at the time that the clock
// shows. While that stands still none of them can leave, since others may finish
// at the same time: each waits in its record. When it goes on, they leave.
func TestReuseFlood(t *testing.T) {
	const n = 200_000
	capture := func(step uint32) []byte {
		b := newBuilder().pcap(true, 1)
		for i := range uint32(n) {
			at := i * step
			b.record(1+at/1e9, at%1e9, 60, ethernet(0x0800, ipv4(6, clientIP, serverIP, 1, 0, tcp(40000, 80, i*7919, 0x02))))
		}
		return b.b
	}
	o := flowfast.Options{Workers: 1}
	held, flows, packets := heapOf(t, streamed(capture(0)), o)
	if flows != n || packets != n {
		t.Errorf("%d flows of %d packets, want %d of as many", flows, packets, n)
	}
	t.Logf("a clock that stands still: %d bytes held, %d for each flow that waits", held, held/n)
	if held/n > 256 {
		t.Errorf("%d bytes for each flow that waits", held/n)
	}
	// With a clock that runs, no more wait than packets in two windows of it, and
	// those of a batch.
	waiting := 0
	run, err := streamed(capture(1000))(o)
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	for _, err := range run.Flows(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		waiting = max(waiting, int(run.Progress().Packets)-given)
		given++
	}
	t.Logf("a clock that runs: up to %d wait", waiting)
	if given != n || waiting > 2*flowtable.Window+5000 {
		t.Errorf("%d flows, of which up to %d waited", given, waiting)
	}
}

// TestChainsEnd wants the class of a chain of headers as long as a capture
// holds to be that of its front: no more of it is looked at.
func TestChainsEnd(t *testing.T) {
	packet := ipv4(17, clientIP, serverIP, 1, 0, udp(5000, 53))
	for _, test := range []struct {
		name  string
		frame []byte
		front int // bytes, of 262,144
	}{
		{"802.1Q", ethernet(0x8100, repeat(snap/4, 0, 1, 0x81, 0)), 14 + 4*21},
		{"802.1ad", ethernet(0x88a8, repeat(snap/4, 0, 1, 0x88, 0xa8)), 14 + 4*21},
		{"MPLS", ethernet(0x8847, repeat(snap/4, 0, 1, 0, 64)), 14 + 4*32},
		{"IPv6 extensions", ethernet(0x86dd, ipv6(60, 1, 2, repeat(8191, 60, 0, 1, 4, 0, 0, 0, 0))), 14 + 40 + 8*32},
		{"authentication headers", ethernet(0x86dd, ipv6(51, 1, 2, repeat(2730, 51, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)[:2730*12])), 14 + 40 + 12*32},
		{"IP in IP", ethernet(0x0800, nested(3000, packet, inIPv4)), 14 + 20*17},
		{"GRE", ethernet(0x0800, nested(2700, packet, inGRE)), 14 + 24*17},
		{"Ethernet in GRE", ethernet(0x0800, nested(1600, packet, inGRETap)), 14 + 38*17},
	} {
		var whole, front decode.Packet
		whole.Decode(1, test.frame, uint32(len(test.frame)))
		front.Decode(1, test.frame[:test.front], uint32(len(test.frame)))
		if whole.Class != decode.Malformed || front.Class != whole.Class {
			t.Errorf("%s: %d bytes are %v, %d are %v", test.name, len(test.frame), whole.Class, test.front, front.Class)
		}
	}
}
