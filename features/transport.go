package features

// A Transport is what the TCP segments of a flow said.
type Transport struct {
	Directions [2]Stream
	// SynAck is the time from the first forward SYN to the first SYN+ACK after
	// it, Ack from there to the first forward ACK: the round trips of a handshake
	// (RFC 9293, 3.5) between the place of capture and the ends. In nanoseconds;
	// HasSynAck and HasAck tell if they are there.
	SynAck, Ack       uint64
	HasSynAck, HasAck bool
}

// A Stream is one direction of it.
type Stream struct {
	Segments                          uint64
	FirstWindow, MinWindow, MaxWindow uint16 // as they stand in the headers
	LastWindow                        uint16
	ZeroWindows                       uint64 // segments with window 0 and without RST
	Retransmissions, OutOfOrder       uint64 // segments, see order
	MSS                               uint16 // of the first SYN, 0 if it has none
	WindowScale                       int8   // of the first SYN, -1 if it has none
	SACKPermitted                     bool   // by the first SYN
}

// transport is the state of TCP.
type transport struct {
	said    Transport
	order   [2]order
	syn     int64 // time of the first forward SYN
	synAck  int64
	sawSyn  bool
	options [2]bool // a SYN was seen
}

func (t *transport) count(p *Packet, direction int) {
	d := p.Details
	if !d.Segment {
		return
	}
	length := d.Payload
	if p.Flags&syn != 0 {
		length++
	}
	if p.Flags&fin != 0 {
		length++
	}
	s := &t.said.Directions[direction]
	if length > 0 {
		t.order[direction].add(s, p.Seq, length)
	}
	if d.HeaderLen == 0 {
		return // a data offset below the least possible: Wireshark reads no more
	}
	if s.Segments == 0 {
		s.FirstWindow, s.MinWindow, s.MaxWindow, s.WindowScale = d.Window, d.Window, d.Window, -1
	}
	s.Segments++
	s.MinWindow, s.MaxWindow, s.LastWindow = min(s.MinWindow, d.Window), max(s.MaxWindow, d.Window), d.Window
	if d.Window == 0 && p.Flags&rst == 0 {
		s.ZeroWindows++
	}
	if p.Flags&syn != 0 && !t.options[direction] {
		t.options[direction] = true
		s.MSS, s.WindowScale, s.SACKPermitted = d.MSS, d.WindowScale, d.SACKPermitted
	}
	t.handshake(p, direction)
}

func (t *transport) handshake(p *Packet, direction int) {
	switch said := &t.said; {
	case direction == 0 && !t.sawSyn && p.Flags&(syn|ack) == syn:
		t.sawSyn, t.syn = true, p.Time
	case direction == 1 && t.sawSyn && !said.HasSynAck && p.Flags&(syn|ack) == syn|ack:
		said.HasSynAck, said.SynAck, t.synAck = true, since(p.Time, t.syn), p.Time
	case direction == 0 && said.HasSynAck && !said.HasAck && p.Flags&(syn|ack) == ack:
		said.HasAck, said.Ack = true, since(p.Time, t.synAck)
	}
}

// An order follows the sequence numbers of a direction (RFC 9293, 3.4; all
// comparisons are modulo 2^32). A segment that begins before what is expected
// next fills the hole that the last gap left, and is out of order, or repeats
// what was there, and is a retransmission. Only the last hole is remembered.
type order struct {
	next, hole, holeEnd uint32
	began               bool
}

func (o *order) add(s *Stream, seq, length uint32) {
	end := seq + length
	switch after := int32(seq - o.next); {
	case !o.began:
		o.began = true
		o.next = end
		return
	case after == 0:
		o.next = end
		return
	case after > 0:
		o.hole, o.holeEnd = o.next, seq
		o.next = end
		return
	}
	if o.hole != o.holeEnd && int32(seq-o.hole) >= 0 && int32(seq-o.holeEnd) < 0 {
		s.OutOfOrder++
		if seq != o.hole {
			o.holeEnd = seq
		} else if o.hole = end; int32(end-o.holeEnd) > 0 {
			o.hole = o.holeEnd
		}
	} else {
		s.Retransmissions++
	}
	if int32(end-o.next) > 0 {
		o.next = end
	}
}
