package flowtable

import "github.com/flowfast/flowfast/decode"

// A Meter makes flows of packets by rules of its own, in the place of those of a
// [Table]: it reads frames and keeps the flows. One Meter serves any number of runs
// at once.
type Meter interface {
	// NewFrames returns what reads the frames of a batch.
	NewFrames() Frames
	// NewCache returns an empty cache that has so many flows open at most and takes
	// so many bytes for them; 0 stands for no bound.
	NewCache(flows, memory int) Cache
}

// Frames are the packets of a [Batch] as a [Meter] reads them. They belong to one
// goroutine at a time.
type Frames interface {
	// Reset forgets all packets.
	Reset()
	// Read reads the captured bytes of the next packet's frame, which are lent, and
	// says whose packet that is: its class, [decode.Counted] if it is of a flow, and
	// then the addresses, ports and protocol of that. The frame had so many bytes on
	// the wire.
	Read(says *decode.Packet, frame []byte, length uint32, at Time)
}

// A Cache holds the open flows of one share of the packets (RFC 6728, 4.3). A [Table]
// is one. It belongs to one goroutine at a time.
type Cache interface {
	// Add takes in the packets of a share in a step of an admitted batch.
	Add(b *Batch, share, step int)
	// Next fills f with the next flow that leaves after a step, if there is one. What
	// the flow lends holds until the next call.
	Next(s *Step, f *Flow) bool
	// End finishes the open flows, at the end of the capture: the next step gives
	// them out. The time is that of [Gate.Latest].
	End(latest Time)
	// Open returns the number of open flows, Evicted that of flows that a bound
	// finished early, and StepsBack that of packets with an interval of 0 since they
	// were stamped too early.
	Open() int
	Evicted() uint64
	StepsBack() uint64
}

var _ Cache = (*Table)(nil)

// NewCache returns an empty cache for a share of the batches' packets: a [Table], or
// that of a meter.
func (g *Gate) NewCache() Cache {
	if m := g.options.Meter; m != nil {
		return m.NewCache(g.options.MaxFlows, g.options.MaxMemory)
	}
	return g.NewTable()
}
