package features

import "time"

// What makes bulks and subflows: the definitions have no standard, and these are the
// ones that published data sets go by.
const (
	bulkGap     = uint64(time.Second) // within a bulk
	bulkPackets = 4                   // in the shortest bulk
	subflowGap  = uint64(time.Second) // between subflows
)

// A Bulk is the bulk transfers of a flow, by direction: runs of at least four
// packets with payload, none of them more than a second after the one before,
// without payload from the other side.
type Bulk struct {
	Count, Packets [2]uint64 // transfers, and packets in them
	Bytes          [2]uint64 // of payload
	Time           [2]uint64 // sum of their durations, in nanoseconds
	Pauses         uint64    // of more than a second, between subflows
}

// bulks is the state of Bulks.
type bulks struct {
	said  Bulk
	runs  [2]run
	last  int64 // latest time of a packet
	began bool
}

// A run may become a bulk.
type run struct {
	start, last int64 // of packets with payload
	packets     uint64
	bytes       uint64
	lastPayload int64 // time of the direction's last packet with payload
	hasPayload  bool
}

func (s *bulks) count(p *Packet, direction int) {
	at := p.Time
	if s.began {
		at = max(at, s.last) // as if time did not run backwards
		if since(at, s.last) > subflowGap {
			s.said.Pauses++
		}
	}
	s.began, s.last = true, at

	r, other := &s.runs[direction], &s.runs[1-direction]
	if r.packets > 0 && other.hasPayload && other.lastPayload > r.start {
		r.packets = 0
	}
	payload := uint64(p.Details.Payload)
	if payload == 0 {
		return
	}
	r.lastPayload, r.hasPayload = at, true
	if r.packets == 0 || since(at, r.last) > bulkGap {
		r.start, r.last, r.packets, r.bytes = at, at, 1, payload
		return
	}
	r.packets++
	r.bytes += payload
	switch {
	case r.packets == bulkPackets:
		s.said.Count[direction]++
		s.said.Packets[direction] += bulkPackets
		s.said.Bytes[direction] += r.bytes
		s.said.Time[direction] += since(at, r.start)
	case r.packets > bulkPackets:
		s.said.Packets[direction]++
		s.said.Bytes[direction] += payload
		s.said.Time[direction] += since(at, r.last)
	}
	r.last = at
}
