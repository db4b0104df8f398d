package ioutil

import "encoding/binary"

// A Place is a record of a span whose bytes are not lent but said to lie in
// [Span.Memory]: its time and lengths are those of a [Record]. It has no pointer, which
// would have to be told to the garbage collector for each packet.
type Place = struct {
	Time    int64
	At      uint32 // where the frame begins
	CapLen  uint32 // bytes of it that are there
	OrigLen uint32
}

// common is what the records of some places have in common.
type common struct {
	linkType uint32
	fine     bool
	header   int // bytes in front of the frame
}

// Places is Read for records of the form that nearly all have: of a pcap file with usual
// headers, or Enhanced Packet Blocks without options. It ends before the first other one,
// for which Read must be called. What the records have in common is said by Alike.
func (s *Span) Places(places []Place) int {
	ng := s.format.ng
	if ng == nil && (!s.format.usual() || s.format.pcap.fcs > 0) || ng != nil && ng.bigEndian {
		return 0
	}
	s.begin()
	n := 0
	if s.long {
		n = s.chainPlaces(places)
	} else {
		pos := s.pos
		for n < len(places) && pos < s.end && !s.broken {
			if pos >= s.touch {
				s.touch = s.touchAhead(pos, s.end)
			}
			k, next := 0, 0
			if ng == nil {
				k, next = s.format.pcap.places(places[n:], s.Memory(), pos-s.from, s.touch-s.from)
			} else if n == 0 || ng.continues(s.Memory(), pos-s.from, &s.alike) {
				k, next = ng.places(places[n:], s.Memory(), pos-s.from, s.touch-s.from, &s.alike)
			}
			if k == 0 {
				break
			}
			n, pos = n+k, s.from+next
		}
		s.pos = pos
	}
	if n > 0 {
		if ng == nil {
			s.alike = common{s.format.pcap.linkType, s.format.pcap.fine, pcapRecordLen}
		}
		s.read, s.time, s.fine = s.read+n, places[n-1].Time, s.alike.fine
	}
	return n
}

// Memory returns the bytes that places are of, until the packets' lending ends.
func (s *Span) Memory() []byte { return s.buf[s.from:] }

// Alike returns what all records that Places found last have in common.
func (s *Span) Alike() (linkType uint32, fine bool) { return s.alike.linkType, s.alike.fine }

// Offset returns where in the capture the record of a place begins, one of those that
// Places found last.
func (s *Span) Offset(place *Place) int64 {
	return s.base + int64(s.from) + int64(place.At) - int64(s.alike.header)
}

// Record sets r to the record of a place, one of those that Places found last.
func (s *Span) Record(r *Record, place *Place) {
	from := s.from + int(place.At)
	to := from + int(place.CapLen)
	*r = Record{
		Time: place.Time, Data: s.buf[from:to:to], Offset: s.Offset(place),
		OrigLen: place.OrigLen, LinkType: s.alike.linkType, Fine: s.alike.fine,
	}
}

// places finds records with usual headers that begin at b[pos:] and before end, and
// returns how many there were and where the next one begins; see usualRecords.
func (p *pcap) places(places []Place, b []byte, pos, end int) (n, next int) {
	unit := p.unit
	b = b[:len(b):len(b)]
	for n < len(places) && pos < end {
		from := pos + pcapRecordLen
		if from > len(b) {
			break
		}
		h := (*[pcapRecordLen]byte)(b[pos:from])
		capLen, origLen := binary.LittleEndian.Uint32(h[8:]), binary.LittleEndian.Uint32(h[12:])
		to := from + int(capLen)
		if capLen-1 >= maxData || origLen > maxOrigLen || to > len(b) {
			break
		}
		places[n] = Place{pcapTime(h, unit), uint32(from), capLen, origLen}
		pos = to
		n++
	}
	return n, pos
}

// interfaceOf returns the interface of the block at b[pos:], which is in range, and false
// if places finds nothing there.
func (ng *pcapng) interfaceOf(b []byte, pos int) (in *iface, ok bool) {
	if len(b)-pos < enhancedHeader+4 {
		return nil, false
	}
	i := binary.LittleEndian.Uint32(b[pos+8:])
	if uint64(i) >= uint64(len(ng.interfaces)) || ng.interfaces[i].fcs > 0 {
		return nil, false
	}
	return &ng.interfaces[i], true
}

// continues tells whether the block at b[pos:] may be alike to those before.
func (ng *pcapng) continues(b []byte, pos int, as *common) bool {
	in, ok := ng.interfaceOf(b, pos)
	return ok && uint32(in.linkType) == as.linkType && ng.clocks[in.clock].fine == as.fine
}

// places finds Enhanced Packet Blocks without options of one interface, little-endian
// ones, that begin at b[pos:] and before end; see after and packet, which would find
// nothing wrong with them.
func (ng *pcapng) places(places []Place, b []byte, pos, end int, as *common) (n, next int) {
	in, ok := ng.interfaceOf(b, pos)
	if !ok {
		return 0, pos
	}
	clock, number := &ng.clocks[in.clock], binary.LittleEndian.Uint32(b[pos+8:])
	*as = common{uint32(in.linkType), clock.fine, enhancedHeader}
	b = b[:len(b):len(b)]
	for n < len(places) && pos < end {
		from := pos + enhancedHeader
		if from > len(b) {
			break
		}
		h := (*[enhancedHeader]byte)(b[pos:from])
		length, capLen, origLen := binary.LittleEndian.Uint32(h[4:]), binary.LittleEndian.Uint32(h[20:]), binary.LittleEndian.Uint32(h[24:])
		if binary.LittleEndian.Uint32(h[:]) != blockEnhanced || binary.LittleEndian.Uint32(h[8:]) != number ||
			capLen > maxData || origLen > maxOrigLen || length != (capLen+3)&^3+enhancedHeader+4 {
			break
		}
		to := pos + int(length)
		if to > len(b) || binary.LittleEndian.Uint32(b[to-4:]) != length {
			break
		}
		stamp := uint64(binary.LittleEndian.Uint32(h[12:]))<<32 | uint64(binary.LittleEndian.Uint32(h[16:]))
		places[n] = Place{clock.nanoseconds(stamp), uint32(from), capLen, origLen}
		pos = to
		n++
	}
	return n, pos
}

// chainPlaces is Places for a span that is walked in chains.
func (s *Span) chainPlaces(places []Place) (n int) {
	s.walkOnce()
	for n < len(places) {
		found := s.walked.next(len(places) - n)
		if len(found) == 0 {
			break
		}
		if ng := s.format.ng; ng == nil {
			s.format.pcap.placesAt(places[n:n+len(found)], s.buf, found, s.from)
			n += len(found)
			s.walked.record += len(found)
			continue
		} else if at := found[0] - s.from; n > 0 && !ng.continues(s.Memory(), at, &s.alike) {
			break
		} else if k, _ := ng.places(places[n:n+len(found)], s.Memory(), at, found[len(found)-1]-s.from+1, &s.alike); k > 0 {
			n += k
			s.walked.record += k
			continue
		}
		break
	}
	return n
}

// placesAt finds the records with usual headers that begin at b[found[i]]; see places.
func (p *pcap) placesAt(places []Place, b []byte, found []int, base int) {
	unit := p.unit
	b = b[:len(b):len(b)]
	found = found[:len(places)]
	for i := range places {
		at := found[i]
		h := (*[pcapRecordLen]byte)(b[at : at+pcapRecordLen])
		r := &places[i]
		r.Time, r.At = pcapTime(h, unit), uint32(at+pcapRecordLen-base)
		r.CapLen, r.OrigLen = min(binary.LittleEndian.Uint32(h[8:]), maxData), min(binary.LittleEndian.Uint32(h[12:]), maxOrigLen)
	}
}
