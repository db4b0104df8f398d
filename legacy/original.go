package legacy

import (
	"fmt"
	"math"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// Original is the meter of the original as a run of flowfast takes one. Its flows are
// written by [Rows].
//
// Packets that the original discards are of the class not IP. Beside a flow it takes
// what the map and the collector of garbage do, 1,500 bytes in all.
type Original struct{}

const flowMemory = 1500

// NewFrames returns what reads the frames of a batch.
func (Original) NewFrames() flowtable.Frames { return &frames{} }

// NewCache returns an empty cache.
func (Original) NewCache(flows, memory int) flowtable.Cache {
	if most := max(memory/flowMemory, 1); memory > 0 && (flows == 0 || most < flows) {
		flows = most
	}
	return &cache{meter: Meter{MaxFlows: flows}}
}

// The frames of a batch are its packets.
type frames struct{ packets []packet }

// Reset forgets all packets.
func (f *frames) Reset() { f.packets = f.packets[:0] }

// Read reads the frame of the next packet.
func (f *frames) Read(says *decode.Packet, frame []byte, length uint32, at flowtable.Time) {
	var p packet
	*says = decode.Packet{Class: decode.NotIP}
	if p.read(frame, int(length), int64(at)) {
		says.Class = decode.Counted
		says.Src.Lo, says.Dst.Lo = uint64(p.src), uint64(p.dst)
		says.SrcPort, says.DstPort, says.Proto = p.srcPort, p.dstPort, p.protocol
	}
	f.packets = append(f.packets, p) // behind what a frame that is gone may keep from being read
}

// A cache is a Meter behind batches.
type cache struct {
	meter  Meter
	closed []*Flow // to be given out, from next on
	next   int
}

// Add takes in packets.
func (c *cache) Add(b *flowtable.Batch, share, step int) {
	packets := b.Frames.(*frames).packets
	for _, number := range b.Numbers(share, step) {
		if f := c.meter.add(&packets[number], b.First()+uint64(number)); f != nil {
			c.closed = append(c.closed, f)
		}
	}
}

// End closes the open flows.
func (c *cache) End(flowtable.Time) { c.closed = append(c.closed, c.meter.Rest()...) }

// Next gives out the next flow, in the order in which they were closed.
func (c *cache) Next(_ *flowtable.Step, f *flowtable.Flow) bool {
	if c.next == len(c.closed) {
		c.closed, c.next = c.closed[:0], 0
		return false
	}
	own := c.closed[c.next]
	c.closed[c.next] = nil // it is not needed any more when it is written
	c.next++
	*f = flowtable.Flow{
		Src: decode.Addr{Lo: uint64(own.src)}, Dst: decode.Addr{Lo: uint64(own.dst)},
		SrcPort: own.srcPort, DstPort: own.dstPort, Protocol: own.protocol,
		Start: nanoseconds(own.start), Last: nanoseconds(max(own.start, own.last)), Finish: nanoseconds(own.last),
		First: own.number, Metered: own,
	}
	f.Fwd.Packets, f.Bwd.Packets = uint64(own.fwd.lengths.n), uint64(own.bwd.lengths.n)
	return true
}

// nanoseconds is the time of microseconds; the first of all is not one of whole
// ones.
func nanoseconds(us int64) flowtable.Time {
	return flowtable.Time(max(us, math.MinInt64/1000) * 1000)
}

// Open returns the number of open flows.
func (c *cache) Open() int { return len(c.meter.open) }

// Evicted returns the number of flows that a bound closed.
func (c *cache) Evicted() uint64 { return c.meter.counts.Evicted }

// StepsBack returns 0: intervals can be negative.
func (c *cache) StepsBack() uint64 { return 0 }

// Warnings says which packets are in no row.
func (c *cache) Warnings() []string {
	n := &c.meter.counts
	if n.Lost+n.Repeated == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d packets that are alone in their flow and %d repeated FINs are in no row, as in the original", n.Lost, n.Repeated)}
}

// Rows is the format [CSV] for the flows of [Original] in a run, with the addresses
// and the label that they have there.
type Rows struct{ CSV }

// AppendRow appends the row of a flow.
func (r Rows) AppendRow(b []byte, f *flowtable.Flow) []byte {
	own, name := f.Metered.(*Flow), label
	of := own.key
	of.src, of.dst = uint32(f.Src.Lo), uint32(f.Dst.Lo)
	if f.Label != nil {
		name = f.Label.Name
	}
	return r.appendRow(b, own, of, name)
}

// Of tells if the rows are of the flows of a meter: those of [Original].
func (Rows) Of(m flowtable.Meter) bool {
	_, is := m.(Original)
	return is
}
