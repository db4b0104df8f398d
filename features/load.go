package features

// A Load is what a flow carried.
type Load struct {
	Bytes [3]Moments // payload of each packet, in bytes
	Headers
}

// Headers are the transport headers of a flow, by direction, and which packets
// had payload behind them.
type Headers struct {
	With  [2]uint64 // packets with payload
	Sum   [2]uint64 // bytes of headers
	Least [2]uint8  // the shortest header, in bytes
}

// count counts a packet, and its payload in the sample of its direction.
func (h *Headers) count(b *Sample, p *Packet, direction int) {
	d := p.Details
	if b.N == 0 || d.HeaderLen < h.Least[direction] {
		h.Least[direction] = d.HeaderLen
	}
	b.Add(uint64(d.Payload))
	if d.Payload > 0 {
		h.With[direction]++
	}
	h.Sum[direction] += uint64(d.HeaderLen)
}
