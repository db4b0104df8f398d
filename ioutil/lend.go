package ioutil

import "math"

// A stream is cut into spans by one goroutine, in order, which only finds where
// records begin; others read the spans meanwhile. A span of a stream lies in one
// chunk of the ring, or in the window's spill, and keeps it until it is released.
// Whatever is odd is read in order by ReadBefore, as one record, or more where
// there was something odd before, in front of a span:
//
//	chunk  |left|odd|.......span.......|.......span.......|.....span.....|ri
//	chunk                                                            |left|ght|...

const (
	// longLent is longRecord for streams: another processor has written what is
	// walked over, and its memory is waited for longer.
	longLent   = 128
	leastChain = 16 << 10 // bytes
)

// A cutting is the state of cutting a stream into spans.
type cutting struct {
	seen seen
	ng   *pcapng // a copy for spans, which nobody changes, of the state after so many
	as   int     // declarations
	odd  bool    // most of what came last was odd
}

// Lend has a capture be cut into spans that are read by so many goroutines at a
// time: from here on it is read by Cut. It returns false if that can't be: the
// capture is mapped, or of a format of which every record must be looked at in
// order. With several readers the capture takes up to a MiB for each, and for records
// longer than 64 KiB up to four. One reader releases a span before it cuts the next.
func (c *Capture) Lend(readers int) bool {
	if c.ring == nil || c.err != nil || c.format == "ERF" {
		return false
	}
	c.ng.lent = true
	if c.lending = readers > 1; c.lending { // else the span before is released when one is cut
		c.ring.raise(int32(min(chunks+readers, maxChunks)))
		c.helpers.Store(int32(readers))
	}
	return true
}

// Cut sets s to the records that come next, of length bytes at most or four times
// as many where records are long, and n to how many of recs come before them. All are lent until s
// is released, also if there is an error. Errors are those of ReadBefore; n and the
// error are 0 and nil, and s has no records, when the stream is silent for as long
// as SetPatience says.
func (c *Capture) Cut(s *Span, recs []Record, length int) (n int, err error) {
	if !c.cut(s, length) {
		ask := recs[:1]
		if c.cutting.odd {
			ask = recs
		}
		if n, err = c.ReadBefore(math.MaxInt64, ask); n > 0 {
			const little = 4 << 10
			from := c.pos
			c.cutting.odd = !c.cut(s, length) || c.pos-from < little && len(c.buf)-c.pos > little
		}
	}
	s.hold(c.ring, c.chunk)
	return n, err
}

// cut sets s to the records from the window's position on, and moves the window
// past them. It returns false if there are none, or they must be read in order.
func (c *Capture) cut(s *Span, length int) bool {
	s.none()
	if c.err != nil || c.undecided || c.blanks.n > 0 || c.pos >= len(c.buf) {
		return false
	}
	*s = Span{window: window{buf: c.buf, pos: c.pos, base: c.base}, format: format{pcap: c.pcap}, seen: &c.cutting.seen, from: c.pos, walked: s.walked, long: true, stream: true}
	switch c.format {
	case "pcapng":
		s.format.ng = c.lentDeclarations()
	case "snoop":
		s.format.framing = &c.framing
	}
	rest, long := len(s.buf)-s.pos, s.seen.length.Load() >= longLent
	if long {
		length *= chains / 2
	}
	// What is left of the chunk is cut evenly: a chain of few records is not worth
	// its guess.
	s.end = s.pos + rest/max(1, (rest+length/2)/length)
	if long && s.end-s.pos >= chains*leastChain {
		s.walk()
	} else {
		s.walkPlain()
	}
	s.touch = never
	s.end = s.pos
	places := 0
	for i := range s.walked.places {
		places += len(s.walked.places[i])
	}
	if places == 0 {
		return false
	}
	s.seen.length.Store(int64((s.pos - c.pos) / places))
	c.noteTime(s)
	c.pos = s.pos
	return true
}

// noteTime notes the time of the last packet of a span, for a block without one.
func (c *Capture) noteTime(s *Span) {
	if s.format.ng == nil {
		return
	}
	var r Record
	for i := chains - 1; i >= 0; i-- {
		places := s.walked.places[i]
		for j := len(places) - 1; j >= 0; j-- {
			if s.format.record(&r, s.buf, places[j]) {
				c.ng.time, c.ng.fine = r.Time, r.Fine
				return
			}
		}
	}
}

// lentDeclarations returns a copy of what is declared. A section that begins leaves
// the interfaces of the one before alone, as spans may still be read by them.
func (c *Capture) lentDeclarations() *pcapng {
	if k := &c.cutting; k.ng == nil || k.as != c.ng.declarations {
		ng := c.ng
		k.ng, k.as = &ng, ng.declarations
	}
	return c.cutting.ng
}

// none makes s a span without records.
func (s *Span) none() {
	s.Release()
	s.long, s.touch, s.end, s.pos = true, never, 0, 0
	s.walked.clear()
}

// hold keeps a chunk until Release.
func (s *Span) hold(r *ring, c *chunk) {
	if c != nil {
		c.uses.Add(1)
	}
	s.ring, s.chunk = r, c
}

// Release ends the lending of a span of a stream; see [Capture.Cut].
func (s *Span) Release() {
	if s.ring != nil {
		s.ring.giveBack(s.chunk)
		s.ring, s.chunk = nil, nil
	}
	s.buf = nil
}
