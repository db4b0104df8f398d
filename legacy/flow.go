package legacy

import (
	"math"

	"github.com/flowfast/flowfast/decode"
)

// Intervals in microseconds.
const (
	flowTimeout     = 120_000_000 // from the first packet of a flow
	activityTimeout = 5_000_000   // silence after which a flow was idle
	subflowGap      = 1_000_000
	bulkGap         = 1_000_000
)

// minBulk is the number of packets that make a bulk.
const minBulk = 4

// A Flow is a flow of the original (BasicFlow). Times are in microseconds since
// the epoch, lengths in bytes. The caller owns it once it is given out.
type Flow struct {
	key           // whose source is that of forward packets
	number uint64 // of its first packet, in order

	under        key // what the meter keeps it by
	older, newer *Flow

	start, last int64 // time of the first packet and of the latest
	fins        int   // forward FINs, not counting one of the first packet

	lengths  summary // payloads, the first one twice
	fwd, bwd direction
	iat      summary // intervals between packets, whatever their direction

	flags              [8]int64 // packets with each control bit, FIN first
	firstPSH, firstURG int64
	actData            int64 // forward packets with payload, but for the first
	minHeader          int   // of forward packets
	gaps               int64 // intervals longer than subflowGap

	activeStart, activeEnd int64
	active, idle           summary

	bulk bulk
}

// A direction has what is counted of one direction of a flow.
type direction struct {
	lengths summary // payloads
	iat     summary // intervals between successive packets of the direction
	last    int64   // time of the latest packet
	headers int64   // bytes of transport headers
	window  uint16  // forward of the first packet, backward of the latest
}

// newFlow starts a flow with a packet, which is forward.
func newFlow(p *packet, number uint64) *Flow {
	f := &Flow{
		key:         p.key,
		number:      number,
		start:       p.time,
		last:        p.time,
		minHeader:   p.header,
		activeStart: p.time,
		activeEnd:   p.time,
	}
	f.count(p)
	f.lengths.add(int64(p.payload))
	f.lengths.add(int64(p.payload)) // once more: firstPacket does
	f.fwd.add(p)
	f.fwd.window = p.window
	if p.flags&decode.PSH != 0 {
		f.firstPSH = 1
	}
	if p.flags&decode.URG != 0 {
		f.firstURG = 1
	}
	return f
}

// Packets returns the number of packets of the flow.
func (f *Flow) Packets() uint64 { return uint64(f.fwd.lengths.n + f.bwd.lengths.n) }

// forward reports whether a packet is forward: by its address, not its port.
func (f *Flow) forward(p *packet) bool { return p.src == f.src }

// add adds a packet to the flow, other than the first.
func (f *Flow) add(p *packet) {
	f.touch(p.time)
	f.count(p)
	f.lengths.add(int64(p.payload))
	if f.forward(p) {
		f.fwd.add(p)
		f.minHeader = min(f.minHeader, p.header)
		if p.payload >= 1 {
			f.actData++
		}
	} else {
		f.bwd.add(p)
		f.bwd.window = p.window
	}
	f.iat.add(p.time - f.last)
	if p.time-f.last > subflowGap {
		f.gaps++
	}
	f.last = p.time
}

// count counts what does not depend on the direction.
func (f *Flow) count(p *packet) {
	f.bulk.add(p.time, int64(p.payload))
	for i := range f.flags {
		f.flags[i] += int64(p.flags >> i & 1)
	}
}

// touch ends an active period if the flow was idle before t. One of a single
// packet is not a sample, nor is the last one of a flow (updateActiveIdleTime).
func (f *Flow) touch(t int64) {
	if t-f.activeEnd > activityTimeout {
		if f.activeEnd > f.activeStart {
			f.active.add(f.activeEnd - f.activeStart)
		}
		f.idle.add(t - f.activeEnd)
		f.activeStart = t
	}
	f.activeEnd = t
}

func (d *direction) add(p *packet) {
	if d.lengths.n > 0 {
		d.iat.add(p.time - d.last)
	}
	d.last = p.time
	d.lengths.add(int64(p.payload))
	d.headers += int64(p.header)
}

// A bulk counts runs of at least minBulk packets with payload with no interval
// longer than bulkGap. The original means to have one for each direction, but
// compares two arrays where it means their contents, and so every packet is in
// that of the backward direction (updateFlowBulk).
type bulk struct {
	start, last int64 // time of the first and latest packet of the run; start 0: none
	n, size     int64 // packets and bytes of the run

	bulks, packets, bytes, duration int64
}

func (b *bulk) add(t, size int64) {
	if size < 1 {
		return
	}
	if b.start <= 0 || t-b.last > bulkGap { // a time before the epoch is none, too
		b.start, b.last = t, t
		b.n, b.size = 1, size
		return
	}
	b.n++
	b.size += size
	switch {
	case b.n == minBulk:
		b.bulks++
		b.packets += b.n
		b.bytes += b.size
		b.duration += t - b.start
	case b.n > minBulk:
		b.packets++
		b.bytes += size
		b.duration += t - b.last
	}
	b.last = t
}

// rate is bytes per second in bulks, cut to an integer; 0 without duration.
func (b *bulk) rate() int64 {
	if b.duration == 0 {
		return 0
	}
	// A conversion in Java ends at the ends of int64.
	switch r := float64(b.bytes) / (float64(b.duration) / 1e6); {
	case r >= math.MaxInt64:
		return math.MaxInt64
	case r <= math.MinInt64:
		return math.MinInt64
	default:
		return int64(r)
	}
}

// over is integer division, 0 for a divisor of 0.
func over(a, b int64) int64 {
	if b == 0 {
		return 0
	}
	return a / b
}
