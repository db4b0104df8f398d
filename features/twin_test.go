package features

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/stats"
)

const everything = Sizes | Intervals | Gaps | Payload | TCP | IP | Periods | Bulks | First | Entropy | Link | Shape

// A sent is a packet and its direction.
type sent struct {
	Packet
	direction int
}

// somePacket returns a packet at random that comes after those of a flow.
func somePacket(r *rand.Rand, before []sent) sent {
	steps := []time.Duration{
		0, 1, time.Microsecond, time.Millisecond, time.Second, time.Second + 1, 5 * time.Second, 5*time.Second + 1, -time.Second,
		300 * time.Millisecond, 300 * time.Millisecond, 300 * time.Millisecond,
	}
	p := sent{direction: r.IntN(2)}
	if len(before) > 0 && r.IntN(3) > 0 {
		p.direction = before[len(before)-1].direction
	}
	p.Time = int64(r.Uint32())
	if len(before) > 0 {
		p.Time = before[len(before)-1].Time + int64(steps[r.IntN(len(steps))])
	}
	p.Size = 60 + r.Uint32N(1455)
	p.Seq = math.MaxUint32 - 5 + r.Uint32N(12) // around the end of the sequence numbers
	p.Flags = uint8(r.Uint32())
	p.Flags &= uint8(r.Uint32()) // fewer
	p.Bytes = make([]byte, r.IntN(2)*r.IntN(400))
	for i := range p.Bytes {
		p.Bytes[i] = byte(r.IntN(1 + r.IntN(256)))
	}
	p.Details = &decode.Details{
		Payload: r.Uint32N(2) * r.Uint32N(5), HeaderLen: uint8(8 + 4*r.IntN(10)),
		TTL: uint8(r.Uint32()), TOS: uint8(r.Uint32()),
		Segment: r.IntN(5) > 0, Window: uint16(r.IntN(2) * r.IntN(65536)),
		MSS: uint16(r.IntN(1500)), WindowScale: int8(r.IntN(15) - 1), SACKPermitted: r.IntN(2) == 0,
	}
	p.Link = &decode.Link{HasSrc: r.IntN(2) == 0, Src: [6]byte{byte(r.IntN(9))}, Dst: [6]byte{byte(r.IntN(9))}, MPLS: int32(r.IntN(100))}
	return p
}

// TestStoreEqualsTwin adds packets to many flows in turn, begins flows again in
// the records of others and moves them, and compares what the store says with
// what the packets of each flow say, read at once.
func TestStoreEqualsTwin(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 3))
		most := 1 + r.IntN(12)
		set := everything
		if seed%2 != 0 {
			set &^= Shape
		}
		s := NewStore(Options{Set: set, First: most})
		flows := map[uint32][]sent{}
		free := func() uint32 {
			for {
				if ref := 1 + r.Uint32N(3000); flows[ref] == nil {
					return ref
				}
			}
		}
		for range 20 {
			ref := free()
			s.Begin(ref)
			flows[ref] = []sent{}
		}
		refs := func() []uint32 {
			all := make([]uint32, 0, len(flows))
			for ref := range flows {
				all = append(all, ref)
			}
			slices.Sort(all)
			return all
		}
		var f Flow // used again and again, as tables do
		for range 3000 {
			all := refs()
			ref := all[r.IntN(len(all))]
			switch r.IntN(100) {
			case 0: // it ends, and another begins
				s.Fill(&f, ref)
				compareFlow(t, &f, flows[ref], most, set)
				s.Free(ref)
				s.Begin(ref)
				flows[ref] = []sent{}
			case 1:
				to := free()
				s.Begin(to) // the record has been another's
				s.Add(to, &somePacketOf(r).Packet, 0)
				s.Free(to)
				s.Move(ref, to)
				flows[to] = flows[ref]
				delete(flows, ref)
			default:
				p := somePacket(r, flows[ref])
				s.Add(ref, &p.Packet, p.direction)
				flows[ref] = append(flows[ref], p)
			}
		}
		all := refs()
		for _, ref := range all[5:] { // others leave, so that something moves
			s.Free(ref)
		}
		all = all[:5]
		s.Shrink(all[4]+1, func(do func(uint32)) {
			for _, ref := range all {
				do(ref)
			}
		})
		for _, ref := range all {
			s.Fill(&f, ref)
			compareFlow(t, &f, flows[ref], most, set)
			s.Free(ref)
		}
		if n := s.InUse(); n != 0 {
			t.Errorf("%d bytes in use without flows", n)
		}
		s.Shrink(1, func(func(uint32)) {})
		s.Begin(2999)
		s.Fill(&f, 2999)
		compareFlow(t, &f, nil, most, set)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func somePacketOf(r *rand.Rand) *sent {
	p := somePacket(r, nil)
	return &p
}

// compareFlow compares the features of a flow with those of its packets.
func compareFlow(t *testing.T, f *Flow, packets []sent, most int, set Set) {
	t.Helper()
	of := func(directions ...int) []sent {
		var some []sent
		for _, p := range packets {
			if slices.Contains(directions, p.direction) {
				some = append(some, p)
			}
		}
		return some
	}
	for i, some := range [][]sent{of(0), of(1), packets} {
		var sizes, payload, intervals []uint64
		var span Span
		for k, p := range some {
			sizes = append(sizes, uint64(p.Size))
			payload = append(payload, uint64(p.Details.Payload))
			if k == 0 {
				span = Span{p.Time, p.Time, true}
				continue
			}
			intervals = append(intervals, uint64(max(0, p.Time-latest(some[:k]))))
			span.Last = max(span.Last, p.Time)
		}
		compareMoments(t, "sizes", i, f.Sizes[i], sizes, set)
		compareMoments(t, "payload", i, f.Payload.Bytes[i], payload, set)
		compareMoments(t, "intervals", i, f.Intervals[i], intervals, set)
		if f.Seen[i] != span {
			t.Errorf("seen %d: got %v, want %v", i, f.Seen[i], span)
		}
	}
	for d := range 2 {
		var gaps []uint64
		for k, p := range packets {
			if k > 0 && p.direction == d {
				gaps = append(gaps, uint64(max(0, p.Time-latest(packets[:k]))))
			}
		}
		compareMoments(t, "gaps", d, f.Gaps[d], gaps, set)
		if got, want := f.Entropy[d], entropyTwin(of(d)); math.Abs(got-want) > 1e-12 {
			t.Errorf("entropy %d: got %v, want %v", d, got, want)
		}
		if got, want := f.IP[d], headerTwin(of(d)); got != want {
			t.Errorf("IP %d: got %+v, want %+v", d, got, want)
		}
		if got, want := f.TCP.Directions[d], streamTwin(of(d)); got != want {
			t.Errorf("TCP %d: got %+v, want %+v", d, got, want)
		}
	}
	if got, want := f.Payload.Headers, loadTwin(packets); got != want {
		t.Errorf("headers: got %+v, want %+v", got, want)
	}
	f.TCP.Directions = [2]Stream{}
	if want := handshakeTwin(packets); f.TCP != want {
		t.Errorf("handshake: got %+v, want %+v", f.TCP, want)
	}
	active, idle := periodsTwin(packets)
	compareMoments(t, "active", 0, f.Periods.Active, active, set)
	compareMoments(t, "idle", 0, f.Periods.Idle, idle, set)
	if want := bulksTwin(packets); f.Bulks != want {
		t.Errorf("bulks: got %+v, want %+v", f.Bulks, want)
	}
	var first []Early
	for k, p := range packets[:min(most, len(packets))] {
		e := Early{Size: p.Size, Backward: p.direction == 1, Flags: p.Flags}
		if k > 0 {
			e.Gap = uint64(max(0, p.Time-latest(packets[:k])))
		}
		first = append(first, e)
	}
	if !slices.Equal(f.First, first) {
		t.Errorf("first: got %v, want %v", f.First, first)
	}
	want := decode.Link{}
	if len(packets) > 0 {
		first := packets[0]
		want = *first.Link
		if first.direction == 1 {
			want.Src, want.Dst = first.Link.Dst, first.Link.Src
			want.HasSrc, want.HasDst = first.Link.HasDst, first.Link.HasSrc
		}
	}
	if f.Link != want {
		t.Errorf("link: got %v, want %v", f.Link, want)
	}
}

func latest(packets []sent) int64 {
	at := packets[0].Time
	for _, p := range packets {
		at = max(at, p.Time)
	}
	return at
}

// compareMoments compares with sums in floating point, as a textbook has them.
func compareMoments(t *testing.T, what string, i int, m Moments, values []uint64, set Set) {
	t.Helper()
	least, greatest := uint64(0), uint64(0)
	if len(values) > 0 {
		least, greatest = slices.Min(values), slices.Max(values)
	}
	n := float64(len(values))
	sum := 0.0
	for _, v := range values {
		sum += float64(v - least)
	}
	mean := sum / max(n, 1) // less the least, so that digits are left
	second, third, fourth := 0.0, 0.0, 0.0
	for _, v := range values {
		d := float64(v-least) - mean
		second += d * d / n
		third += d * d * d / n
		fourth += d * d * d * d / n
	}
	mean += float64(least)
	if set&Shape == 0 {
		third, fourth = 0, 0
	}
	want := stats.Moments{N: uint64(len(values)), Second: second, Third: third, Fourth: fourth}
	scale := math.Sqrt(second)
	near := func(a, b, scale float64) bool { return math.Abs(a-b) <= 1e-9*max(scale, 1e-9) }
	if m.N != want.N || m.Central.N != want.N || m.Min != least || m.Max != greatest || !near(m.Mean(), mean, mean) ||
		!near(m.Central.Second, second, second) || !near(m.Central.Third, third, scale*scale*scale) || !near(m.Central.Fourth, fourth, fourth) {
		t.Errorf("%s %d: got %d values %d to %d, mean %v, %+v; want %d to %d, mean %v, %+v", what, i,
			m.N, m.Min, m.Max, m.Mean(), m.Central, least, greatest, mean, want)
	}
}

func entropyTwin(packets []sent) float64 {
	var all []byte
	for _, p := range packets {
		all = append(all, p.Bytes...)
	}
	all = all[:min(len(all), 1024)]
	sum := 0.0
	for v := range 256 {
		n := 0
		for _, b := range all {
			if int(b) == v {
				n++
			}
		}
		if n > 0 {
			share := float64(n) / float64(len(all))
			sum -= share * math.Log2(share)
		}
	}
	return sum
}

func headerTwin(packets []sent) Header {
	of := func(field func(d *decode.Details) uint8) Range {
		var all []uint8
		for _, p := range packets {
			all = append(all, field(p.Details))
		}
		if all == nil {
			return Range{}
		}
		return Range{all[0], slices.Min(all), slices.Max(all)}
	}
	return Header{
		of(func(d *decode.Details) uint8 { return d.TTL }),
		of(func(d *decode.Details) uint8 { return d.TOS / 4 }),
		of(func(d *decode.Details) uint8 { return d.TOS % 4 }),
	}
}

func loadTwin(packets []sent) (h Headers) {
	seen := [2]bool{}
	for _, p := range packets {
		d := p.direction
		if p.Details.Payload > 0 {
			h.With[d]++
		}
		h.Sum[d] += uint64(p.Details.HeaderLen)
		if !seen[d] || p.Details.HeaderLen < h.Least[d] {
			h.Least[d] = p.Details.HeaderLen
		}
		seen[d] = true
	}
	return h
}

// streamTwin returns what the segments of a direction say, by the definitions of
// the columns.
func streamTwin(packets []sent) (s Stream) {
	packets = slices.Clone(packets)
	packets = slices.DeleteFunc(packets, func(p sent) bool { return !p.Details.Segment })
	if len(packets) == 0 {
		return s
	}
	var windows []uint16
	s.WindowScale = -1
	sawSYN := false
	for _, p := range packets {
		windows = append(windows, p.Details.Window)
		if p.Details.Window == 0 && p.Flags&0x04 == 0 {
			s.ZeroWindows++
		}
		if p.Flags&0x02 != 0 && !sawSYN {
			sawSYN = true
			s.MSS, s.WindowScale, s.SACKPermitted = p.Details.MSS, p.Details.WindowScale, p.Details.SACKPermitted
		}
	}
	s.Segments = uint64(len(windows))
	s.FirstWindow, s.LastWindow = windows[0], windows[len(windows)-1]
	s.MinWindow, s.MaxWindow = slices.Min(windows), slices.Max(windows)

	before := func(a, b uint32) bool { return int32(a-b) < 0 }
	begun := false
	var next, holeFrom, holeTo uint32
	for _, p := range packets {
		length := p.Details.Payload + uint32(p.Flags>>1&1) + uint32(p.Flags&1)
		if length == 0 {
			continue
		}
		from, to := p.Seq, p.Seq+length
		if !begun || from == next {
			begun, next = true, to
			continue
		}
		if before(next, from) {
			holeFrom, holeTo, next = next, from, to
			continue
		}
		if holeFrom != holeTo && !before(from, holeFrom) && before(from, holeTo) {
			s.OutOfOrder++
			if from == holeFrom {
				holeFrom = to
				if before(holeTo, to) {
					holeFrom = holeTo
				}
			} else {
				holeTo = from
			}
		} else {
			s.Retransmissions++
		}
		if before(next, to) {
			next = to
		}
	}
	return s
}

// handshakeTwin looks for the three packets one behind the other.
func handshakeTwin(packets []sent) (t Transport) {
	find := func(from, direction int, mask, flags uint8) int {
		for i := from; i < len(packets); i++ {
			if p := packets[i]; p.direction == direction && p.Details.Segment && p.Flags&mask == flags {
				return i
			}
		}
		return -1
	}
	first := find(0, 0, 0x12, 0x02)
	if first < 0 {
		return t
	}
	second := find(first+1, 1, 0x12, 0x12)
	if second < 0 {
		return t
	}
	t.HasSynAck, t.SynAck = true, uint64(max(0, packets[second].Time-packets[first].Time))
	if third := find(second+1, 0, 0x12, 0x10); third >= 0 {
		t.HasAck, t.Ack = true, uint64(max(0, packets[third].Time-packets[second].Time))
	}
	return t
}

// periodsTwin cuts the packets into periods, and measures those but the last.
func periodsTwin(packets []sent) (active, idle []uint64) {
	begin := 0
	for i := 1; i < len(packets); i++ {
		end := latest(packets[begin:i])
		if packets[i].Time-end <= 5_000_000_000 {
			continue
		}
		if length := end - packets[begin].Time; length > 0 {
			active = append(active, uint64(length))
		}
		idle = append(idle, uint64(packets[i].Time-end))
		begin = i
	}
	return active, idle
}

// bulksTwin follows the steps of the table in the specification of
// CICFlowMeter's columns, 4.3, and counts pauses by 4.2.
func bulksTwin(packets []sent) (b Bulk) {
	const second = 1_000_000_000
	for k := 1; k < len(packets); k++ {
		if packets[k].Time-latest(packets[:k]) > second {
			b.Pauses++
		}
	}
	packets = slices.Clone(packets) // with times that do not run backwards
	for k := 1; k < len(packets); k++ {
		packets[k].Time = max(packets[k].Time, packets[k-1].Time)
	}
	for d := range 2 {
		var run []sent
		count := func() { // what a run that is over has given
			if len(run) < 4 {
				return
			}
			b.Count[d]++
			b.Packets[d] += uint64(len(run))
			for i, p := range run {
				b.Bytes[d] += uint64(p.Details.Payload)
				if i > 3 {
					b.Time[d] += uint64(max(0, p.Time-run[i-1].Time))
				}
			}
			b.Time[d] += uint64(max(0, run[3].Time-run[0].Time))
		}
		last := -1 // the other side's last packet with payload
		for k, p := range packets {
			if p.direction != d {
				if p.Details.Payload > 0 {
					last = k
				}
				continue
			}
			if len(run) > 0 && last >= 0 && packets[last].Time > run[0].Time {
				count()
				run = nil
			}
			if p.Details.Payload == 0 {
				continue
			}
			if len(run) > 0 && p.Time-run[len(run)-1].Time > second {
				count()
				run = nil
			}
			run = append(run, p)
		}
		count()
	}
	return b
}
