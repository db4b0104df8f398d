package features

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flowfast/flowfast/decode"
)

// flowOf returns the features of a flow.
func flowOf(o Options, packets ...sent) *Flow {
	s := NewStore(o)
	s.Begin(1)
	for i := range packets {
		if packets[i].Details == nil {
			packets[i].Details = &decode.Details{}
		}
		s.Add(1, &packets[i].Packet, packets[i].direction)
	}
	f := &Flow{}
	s.Fill(f, 1)
	return f
}

// TestNoFeatures wants a store only where it is asked for.
func TestNoFeatures(t *testing.T) {
	if s := NewStore(Options{First: 3, Quantiles: []float64{0.5}}); s != nil {
		t.Errorf("got %v, want none", s)
	}
	if s := NewStore(Options{Set: Quantiles}); s == nil || s.Cost() != 0 || s.Bytes() != 0 {
		t.Errorf("got %v: quantiles are the table's", s)
	}
}

// TestOrder has the segments of one direction by sequence number and length,
// from an origin that is put near the end of the numbers too.
func TestOrder(t *testing.T) {
	type segment struct{ seq, length uint32 }
	for _, test := range []struct {
		name                string
		segments            []segment
		retransmitted, late uint64
	}{
		{"nothing", nil, 0, 0},
		{"in order", []segment{{0, 10}, {10, 10}, {20, 1}}, 0, 0},
		{"a segment without data does not count", []segment{{0, 10}, {5, 0}, {0, 0}, {10, 10}}, 0, 0},
		{"a gap alone", []segment{{0, 10}, {20, 10}, {30, 10}}, 0, 0},
		{"the same again", []segment{{0, 10}, {0, 10}}, 1, 0},
		{"the same again, and more", []segment{{0, 10}, {0, 20}, {20, 10}}, 1, 0},
		{"the last byte again, as a keep-alive has it", []segment{{0, 10}, {9, 1}, {10, 10}}, 1, 0},
		{"before the first", []segment{{20, 10}, {0, 10}}, 1, 0},
		{"fills a gap", []segment{{0, 10}, {20, 10}, {10, 10}, {30, 10}}, 0, 1},
		{"the segment behind a gap again", []segment{{0, 10}, {20, 10}, {20, 10}, {10, 10}}, 1, 1},
		{"fills a gap twice", []segment{{0, 10}, {20, 10}, {10, 10}, {10, 10}}, 1, 1},
		{"fills a gap in two parts", []segment{{0, 10}, {20, 10}, {10, 4}, {14, 6}}, 0, 2},
		{"fills a gap from its end", []segment{{0, 10}, {20, 10}, {15, 5}, {10, 5}, {12, 3}}, 1, 2},
		{"fills the middle of a gap, whose rest is forgotten", []segment{{0, 10}, {30, 10}, {15, 5}, {20, 10}, {10, 5}}, 1, 2},
		{"fills a gap and repeats what is behind", []segment{{0, 10}, {20, 10}, {10, 20}, {10, 10}, {30, 10}}, 1, 1},
		{"fills a gap and goes on", []segment{{0, 10}, {20, 10}, {10, 30}, {40, 10}, {30, 10}}, 1, 1},
		{"begins before a gap", []segment{{0, 10}, {20, 10}, {5, 15}, {10, 10}}, 1, 1},
		{"only the latest gap is remembered", []segment{{0, 10}, {20, 10}, {40, 10}, {10, 10}, {30, 10}}, 1, 1},
		{"a filled gap stays filled", []segment{{0, 10}, {20, 10}, {10, 10}, {30, 10}, {10, 10}, {20, 10}}, 2, 1},
	} {
		for _, origin := range []uint32{0, 1 << 31, math.MaxUint32 - 15} {
			var packets []sent
			for _, s := range test.segments {
				packets = append(packets, sent{Packet: Packet{Seq: origin + s.seq,
					Details: &decode.Details{Segment: true, Payload: s.length}}, direction: 1})
			}
			s := flowOf(Options{Set: TCP}, packets...).TCP.Directions[1]
			if s.Retransmissions != test.retransmitted || s.OutOfOrder != test.late {
				t.Errorf("%s, from %d: %d retransmissions and %d out of order, want %d and %d",
					test.name, origin, s.Retransmissions, s.OutOfOrder, test.retransmitted, test.late)
			}
		}
	}
}

// TestOrderCountsControlBits gives SYN and FIN their number.
func TestOrderCountsControlBits(t *testing.T) {
	segment := func(seq uint32, flags uint8, payload uint32) sent {
		return sent{Packet: Packet{Seq: seq, Flags: flags, Details: &decode.Details{Segment: true, Payload: payload}}}
	}
	for _, test := range []struct {
		name          string
		packets       []sent
		retransmitted uint64
	}{
		{"SYN, data, FIN", []sent{segment(99, syn, 0), segment(100, ack, 5), segment(105, fin|ack, 0), segment(106, ack, 0)}, 0},
		{"SYN again", []sent{segment(99, syn, 0), segment(99, syn, 0)}, 1},
		{"FIN again", []sent{segment(99, fin, 0), segment(99, fin, 0)}, 1},
		{"SYN with data", []sent{segment(99, syn, 5), segment(105, ack, 5)}, 0},
		{"FIN with data again", []sent{segment(99, fin, 5), segment(104, fin, 0)}, 1},
	} {
		if got := flowOf(Options{Set: TCP}, test.packets...).TCP.Directions[0].Retransmissions; got != test.retransmitted {
			t.Errorf("%s: %d retransmissions, want %d", test.name, got, test.retransmitted)
		}
	}
}

func TestHandshake(t *testing.T) {
	const fwd, bwd = 0, 1
	at := func(ms int64, direction int, flags uint8) sent {
		return sent{Packet: Packet{Time: ms * 1e6, Flags: flags, Details: &decode.Details{Segment: true, HeaderLen: 20}}, direction: direction}
	}
	fragment := at(5, bwd, syn|ack)
	fragment.Details = &decode.Details{}
	const ms = uint64(time.Millisecond)
	for _, test := range []struct {
		name    string
		packets []sent
		want    Transport
	}{
		{"all three", []sent{at(0, fwd, syn), at(20, bwd, syn|ack), at(23, fwd, ack)}, Transport{SynAck: 20 * ms, Ack: 3 * ms, HasSynAck: true, HasAck: true}},
		{"from the first SYN, to the first SYN+ACK", []sent{at(0, fwd, syn), at(10, fwd, syn), at(30, bwd, syn|ack), at(40, bwd, syn|ack), at(41, fwd, ack|psh)},
			Transport{SynAck: 30 * ms, Ack: 11 * ms, HasSynAck: true, HasAck: true}},
		{"no answer", []sent{at(0, fwd, syn), at(1, bwd, rst|ack), at(2, fwd, ack)}, Transport{}},
		{"no ACK", []sent{at(0, fwd, syn), at(7, bwd, syn|ack), at(8, bwd, ack), at(9, fwd, rst)}, Transport{SynAck: 7 * ms, HasSynAck: true}},
		{"an ACK before the SYN+ACK", []sent{at(0, fwd, syn), at(1, fwd, ack), at(7, bwd, syn|ack)}, Transport{SynAck: 7 * ms, HasSynAck: true}},
		{"the answer is the first packet", []sent{at(0, fwd, syn|ack), at(1, bwd, ack)}, Transport{}},
		{"a SYN+ACK before the SYN", []sent{at(0, bwd, syn|ack), at(1, fwd, syn), at(2, fwd, ack)}, Transport{}},
		{"no time between", []sent{at(0, fwd, syn), at(0, bwd, syn|ack), at(0, fwd, ack)}, Transport{HasSynAck: true, HasAck: true}},
		{"time runs backwards", []sent{at(5, fwd, syn), at(3, bwd, syn|ack), at(4, fwd, ack)}, Transport{Ack: ms, HasSynAck: true, HasAck: true}},
		{"a later fragment is no segment", []sent{at(0, fwd, syn), fragment, at(7, bwd, syn|ack)}, Transport{SynAck: 7 * ms, HasSynAck: true}},
	} {
		got := flowOf(Options{Set: TCP}, test.packets...).TCP
		got.Directions = [2]Stream{}
		if got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

// TestPeriods has times in seconds.
func TestPeriods(t *testing.T) {
	for _, test := range []struct {
		name         string
		times        []float64
		active, idle []float64
	}{
		{"one packet", []float64{1}, nil, nil},
		{"no pause", []float64{1, 3, 8}, nil, nil},
		{"5 seconds are no pause", []float64{0, 5, 10}, nil, nil},
		{"more are", []float64{0, 2, 7.000001, 8}, []float64{2}, []float64{5.000001}},
		{"a period of one packet is none", []float64{0, 10, 20, 21, 30}, []float64{1}, []float64{10, 10, 9}},
		{"the last period is not counted", []float64{0, 1, 10, 12}, []float64{1}, []float64{9}},
		{"time runs backwards", []float64{10, 12, 3, 18, 19}, []float64{2}, []float64{6}},
	} {
		var packets []sent
		for _, at := range test.times {
			packets = append(packets, sent{Packet: Packet{Time: int64(at * 1e9)}})
		}
		f := flowOf(Options{Set: Periods}, packets...)
		for what, v := range map[string]struct {
			got  Moments
			want []float64
		}{"active": {f.Periods.Active, test.active}, "idle": {f.Periods.Idle, test.idle}} {
			sum := 0.0
			for _, w := range v.want {
				sum += w
			}
			if v.got.N != uint64(len(v.want)) || math.Abs(v.got.Sum()/1e9-sum) > 1e-9 ||
				len(v.want) > 0 && (float64(v.got.Max) != slices.Max(v.want)*1e9 || float64(v.got.Min) != slices.Min(v.want)*1e9) {
				t.Errorf("%s, %s: got %d of %v s, want %v", test.name, what, v.got.N, v.got.Sum()/1e9, v.want)
			}
		}
	}
}

// TestBulks has the worked example 8.4 of the specification of CICFlowMeter's
// columns among its cases.
func TestBulks(t *testing.T) {
	const second = uint64(time.Second)
	data := func(at float64, direction int, payload uint32) sent {
		return sent{Packet: Packet{Time: int64(at * 1e9), Details: &decode.Details{Payload: payload}}, direction: direction}
	}
	var mixed []sent
	for i := range 10 {
		mixed = append(mixed, data(float64(i)/10, i%2, []uint32{100, 10}[i%2]))
	}
	for _, test := range []struct {
		name    string
		packets []sent
		want    Bulk
	}{
		{"8.4: each side breaks the other's runs", mixed, Bulk{}},
		{"three packets are none", []sent{data(0, 1, 9), data(1, 1, 9), data(2, 1, 9)}, Bulk{}},
		{"four are one", []sent{data(0, 1, 1), data(1, 1, 2), data(2, 1, 3), data(2.5, 1, 4)},
			Bulk{Count: [2]uint64{0, 1}, Packets: [2]uint64{0, 4}, Bytes: [2]uint64{0, 10}, Time: [2]uint64{0, second * 5 / 2}}},
		{"and so are six", []sent{data(0, 0, 1), data(1, 0, 1), data(2, 0, 1), data(3, 0, 1), data(4, 0, 1), data(4.5, 0, 1)},
			Bulk{Count: [2]uint64{1}, Packets: [2]uint64{6}, Bytes: [2]uint64{6}, Time: [2]uint64{second * 9 / 2}}},
		{"acknowledgments break none", []sent{data(0, 0, 1), data(0, 1, 0), data(1, 0, 1), data(1, 1, 0), data(2, 0, 1), data(2, 0, 0), data(3, 0, 1)},
			Bulk{Count: [2]uint64{1}, Packets: [2]uint64{4}, Bytes: [2]uint64{4}, Time: [2]uint64{3 * second}}},
		{"more than a second between breaks one", []sent{data(0, 0, 1), data(1, 0, 1), data(2, 0, 1), data(3.000001, 0, 1)}, Bulk{Pauses: 1}},
		{"data at the time of the first does not break one", []sent{data(0, 0, 1), data(0, 1, 1), data(1, 0, 1), data(2, 0, 1), data(3, 0, 1)},
			Bulk{Count: [2]uint64{1}, Packets: [2]uint64{4}, Bytes: [2]uint64{4}, Time: [2]uint64{3 * second}}},
		{"pauses of both directions", []sent{data(0, 0, 0), data(2, 1, 0), data(3, 0, 0), data(1, 0, 0), data(4.5, 1, 0)}, Bulk{Pauses: 2}},
	} {
		if got := flowOf(Options{Set: Bulks}, test.packets...).Bulks; got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestEntropy(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, test := range []struct {
		name  string
		parts []string
		want  float64
	}{
		{"nothing", nil, 0},
		{"empty", []string{"", ""}, 0},
		{"one byte", []string{"a"}, 0},
		{"all the same", []string{"aaaa", "aa"}, 0},
		{"two, as often", []string{"ab", "ba"}, 1},
		{"a coin of one to three", []string{"aaab"}, 0.8112781244591328},
		{"mississippi", []string{"missis", "sippi"}, 1.823067982273661},
		{"all bytes", []string{string(all)}, 8},
		{"the first 1,024 bytes", []string{string(all), string(all), string(all), string(all), "aaaaaaaa"}, 8},
		{"and the part of a packet that is among them", []string{string(make([]byte, 1000)), string(make([]byte, 24)) + "abc"}, 0},
	} {
		var packets []sent
		for _, part := range test.parts {
			packets = append(packets, sent{Packet: Packet{Bytes: []byte(part)}, direction: 1})
		}
		f := flowOf(Options{Set: Entropy}, packets...)
		if math.Abs(f.Entropy[1]-test.want) > 1e-12 || f.Entropy[0] != 0 {
			t.Errorf("%s: got %v, want %v", test.name, f.Entropy[1], test.want)
		}
	}
}

// TestWindows tells windows of no segment from those of 0.
func TestWindows(t *testing.T) {
	segment := func(window uint16, flags uint8) sent {
		return sent{Packet: Packet{Flags: flags, Details: &decode.Details{Segment: true, HeaderLen: 20, Window: window, MSS: 1460, WindowScale: 7}}}
	}
	fragment := sent{Packet: Packet{Details: &decode.Details{WindowScale: -1}}}
	f := flowOf(Options{Set: TCP}, fragment, segment(500, ack), segment(0, rst), segment(0, ack), segment(900, 0), fragment)
	want := Stream{Segments: 4, FirstWindow: 500, MinWindow: 0, MaxWindow: 900, LastWindow: 900, ZeroWindows: 1, WindowScale: -1}
	if got := f.TCP.Directions; got != [2]Stream{want} {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestAllocations adds packets to known flows.
func TestAllocations(t *testing.T) {
	s := NewStore(Options{Set: everything, First: 10})
	p := Packet{Details: &decode.Details{}, Link: &decode.Link{}, Bytes: make([]byte, 100)}
	s.Begin(1)
	var f Flow
	s.Add(1, &p, 0)
	s.Fill(&f, 1)
	if n := testing.AllocsPerRun(1000, func() {
		p.Time += 1e9
		s.Free(1)
		s.Begin(1)
		s.Add(1, &p, 0)
		s.Fill(&f, 1)
		for range 9 {
			s.Add(1, &p, 1)
		}
		s.Fill(&f, 1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestSpans wants Spans alone to say when packets came, as Intervals do, also where
// times run backwards, and to keep no samples.
func TestSpans(t *testing.T) {
	alone, both := NewStore(Options{Set: Spans}), NewStore(Options{Set: Intervals})
	r := rand.New(rand.NewPCG(5, 6))
	var got, want Flow
	for range 500 {
		first, last, any := [3]int64{}, [3]int64{}, [3]bool{}
		alone.Begin(1)
		both.Begin(1)
		for range r.IntN(6) {
			p, d := Packet{Time: r.Int64N(100) - 50}, r.IntN(2)
			alone.Add(1, &p, d)
			both.Add(1, &p, d)
			for _, i := range [2]int{d, 2} {
				if !any[i] {
					first[i], last[i], any[i] = p.Time, p.Time, true
				}
				last[i] = max(last[i], p.Time)
			}
		}
		alone.Fill(&got, 1)
		both.Fill(&want, 1)
		for i := range 3 {
			if span := (Span{first[i], last[i], any[i]}); got.Seen[i] != span || want.Seen[i] != span {
				t.Fatalf("seen %v and %v, want %v at %d", got.Seen, want.Seen, span, i)
			}
		}
		alone.Free(1)
		both.Free(1)
	}
	if n := len(alone.samples.At(1)); n != 0 {
		t.Errorf("%d samples", n)
	}
}
