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

// count counts a packet, the first of its direction or another.
func (h *Headers) count(p *Packet, direction int, first bool) {
	d := p.Details
	if first || d.HeaderLen < h.Least[direction] {
		h.Least[direction] = d.HeaderLen
	}
	if d.Payload > 0 {
		h.With[direction]++
	}
	h.Sum[direction] += uint64(d.HeaderLen)
}
