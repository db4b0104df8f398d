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

// Places is Read for a span of a pcap file in the form that nearly all have, as far as
// its records are all alike: those that it leaves are read by Read. What they have in
// common is said by [Span.Alike].
func (s *Span) Places(places []Place) int {
	if !s.format.usual() || s.format.pcap.fcs > 0 {
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
			k, next := s.format.pcap.places(places[n:], s.Memory(), pos-s.from, s.touch-s.from)
			if k == 0 {
				break
			}
			n, pos = n+k, s.from+next
		}
		s.pos = pos
	}
	if n > 0 {
		s.read, s.time, s.fine = s.read+n, places[n-1].Time, s.format.pcap.fine
	}
	return n
}

// Memory returns the bytes that places are of, until the packets' lending ends.
func (s *Span) Memory() []byte { return s.buf[s.from:] }

// Alike returns what all records that Places finds have in common.
func (s *Span) Alike() (linkType uint32, fine bool) {
	return s.format.pcap.linkType, s.format.pcap.fine
}

// Offset returns where in the capture the record of a place begins.
func (s *Span) Offset(place *Place) int64 {
	return s.base + int64(s.from) + int64(place.At) - pcapRecordLen
}

// Record sets r to the record of a place.
func (s *Span) Record(r *Record, place *Place) {
	p, from := &s.format.pcap, s.from+int(place.At)
	to := from + int(place.CapLen)
	*r = Record{
		Time: place.Time, Data: s.buf[from:to:to], Offset: s.Offset(place),
		OrigLen: place.OrigLen, LinkType: p.linkType, Fine: p.fine,
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

// chainPlaces is Places for a span that is walked in chains.
func (s *Span) chainPlaces(places []Place) (n int) {
	s.walkOnce()
	for n < len(places) {
		found := s.walked.next(len(places) - n)
		if len(found) == 0 {
			break
		}
		s.format.pcap.placesAt(places[n:n+len(found)], s.buf, found, s.from)
		n += len(found)
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
