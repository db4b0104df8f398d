package features

// A Header is what the IP headers of a direction said. TTL is the hop limit in IPv6.
type Header struct {
	TTL, DSCP, ECN Range
}

// A Range is the first, the least and the greatest of small numbers.
type Range struct{ First, Min, Max uint8 }

func (r *Range) add(v uint8, first bool) {
	if first {
		*r = Range{v, v, v}
		return
	}
	r.Min, r.Max = min(r.Min, v), max(r.Max, v)
}

// headers is the state of IP.
type headers struct {
	directions [2]Header
	seen       [2]bool
}

func (h *headers) count(p *Packet, direction int) {
	d, first := &h.directions[direction], !h.seen[direction]
	h.seen[direction] = true
	d.TTL.add(p.Details.TTL, first)
	d.DSCP.add(p.Details.TOS>>2, first)
	d.ECN.add(p.Details.TOS&3, first)
}
