package features

// A Load is what a flow carried.
type Load struct {
	Bytes       [2]Sample // payload of each packet
	With        [2]uint64 // packets with payload
	HeaderSum   [2]uint64 // bytes of transport headers
	HeaderLeast [2]uint8  // the shortest
	FirstBytes  uint32    // payload of the first packet
}

// load is the state of Payload.
type load struct{ said Load }

func (s *load) tell(f *Flow) { f.Payload = s.said }

func (s *load) count(p *Packet, direction int) {
	l, d := &s.said, p.Details
	b := &l.Bytes[direction]
	if l.Bytes[0].N+l.Bytes[1].N == 0 {
		l.FirstBytes = d.Payload
	}
	if b.N == 0 || d.HeaderLen < l.HeaderLeast[direction] {
		l.HeaderLeast[direction] = d.HeaderLen
	}
	b.Add(uint64(d.Payload))
	if d.Payload > 0 {
		l.With[direction]++
	}
	l.HeaderSum[direction] += uint64(d.HeaderLen)
}
