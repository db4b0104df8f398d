package ioutil

import "sync/atomic"

// A mapped file is read in spans, several at once: each holds the records, or
// blocks, that begin in it. Where the first of them begins is only known when the span
// before has been read, so it is guessed, see guess. [Capture.Join] then goes
// over the spans in order and takes none whose guess was wrong. Whatever is odd
// in a span (damage, a fault, the end of the file, a block that later ones
// depend on) ends it; what is left of it is read by [Capture.ReadBefore], in
// order.

// Spans gives out the spans of a capture. It belongs to one goroutine at a
// time, which need not be that of the capture.
type Spans struct {
	buf    []byte
	format format
	next   int // where the next span begins
	at     int // where the first record begins
	seen   seen
}

// A format is what it takes to read records from any place of a file.
type format struct {
	pcap    pcap
	ng      *pcapng  // a copy, and not changed; nil if the file is no pcapng
	framing *framing // not changed; nil if the file is pcap or pcapng
}

// usual reports whether records are those of a pcap file with usual headers.
func (f *format) usual() bool { return f.ng == nil && f.framing == nil && f.pcap.usual() }

// after returns where the record or block after that at b[at:] begins, and -1
// if that one is not whole or must be looked at in order.
func (f *format) after(b []byte, at int) int {
	if f.ng != nil {
		return f.ng.after(b, at)
	}
	if f.framing != nil {
		return f.framing.after(b, at)
	}
	return f.pcap.after(b, at)
}

// record sets r to the record at b[at:], for which after returned a place. It
// returns false if that is a block without a packet.
func (f *format) record(r *Record, b []byte, at int) bool {
	if f.ng != nil {
		return f.ng.record(r, b, at)
	}
	if f.framing != nil {
		return f.framing.recordAt(r, b, at)
	}
	f.pcap.record(r, b, at)
	return true
}

// seen is what spans have seen of the records, for those that come.
type seen struct {
	high   atomic.Uint32 // upper half of the seconds of some record
	length atomic.Int64  // mean bytes from one record to the next
}

// Spans returns the spans of what has not been read of a capture, nil if it can't
// be read in spans: for that it must be mapped.
func (c *Capture) Spans() *Spans {
	if c.mem == nil || c.err != nil {
		return nil
	}
	all := &Spans{buf: c.buf, format: format{pcap: c.pcap}}
	if c.framing.format != "" {
		all.format.framing = &c.framing
	}
	if c.format == "pcapng" {
		if all.format.ng = c.readDeclarations(); all.format.ng == nil {
			return nil
		}
	}
	all.next, all.at = c.pos, c.pos
	c.apart = true
	return all
}

// A Span is a part of a capture; see [Spans.Next]. It belongs to one goroutine
// at a time, and lends packets until its capture is closed.
type Span struct {
	window // over all of the mapped file
	format format
	seen   *seen
	from   int // where its first record begins, unknown if negative
	end    int // records that begin here belong to the next one
	broken bool
	long   bool // it was walked in chains
	stream bool // it is of one, see Capture.Cut
	walked walked
	alike  common // what Places found last
	read   int    // packets so far:
	time   int64  // of the last one
	fine   bool   // of its clock
}

// Next sets s to the next span, of length bytes, or eight times as many where
// records are long. It returns false if there are no more.
func (all *Spans) Next(s *Span, length int) bool {
	if all.next >= len(all.buf) {
		return false
	}
	*s = Span{window: window{buf: all.buf, pos: all.next}, format: all.format, seen: &all.seen, from: -1, walked: s.walked}
	if all.next == all.at {
		s.from = all.at
	}
	if s.long = all.seen.length.Load() >= longRecord; s.long {
		length *= chains
	}
	all.next += min(length, len(all.buf)-all.next)
	s.end = all.next
	return true
}

// Read fills recs with the next packets of the span and returns how many there
// were, 0 at its end. A fault of the mapped file panics, see [Span.Fault].
func (s *Span) Read(recs []Record) int {
	s.begin()
	n := 0
	if s.long {
		n = s.readChains(recs)
	} else if !s.broken && s.pos < s.end {
		n = s.readPlain(recs)
	}
	if n > 0 {
		if s.format.pcap.fcs > 0 {
			trimAll(recs[:n], s.format.pcap.fcs)
		}
		s.read, s.time, s.fine = s.read+n, recs[n-1].Time, recs[n-1].Fine
	} else if s.read > 0 {
		s.seen.length.Store(int64((s.pos - s.from) / s.read))
	}
	return n
}

// begin finds where the first record begins, if that is not known.
func (s *Span) begin() {
	if s.from < 0 {
		s.from = s.guess(s.pos, s.end)
		s.pos = s.from
	}
}

// readPlain is Read for a span whose records are read one after the other.
func (s *Span) readPlain(recs []Record) (n int) {
	pos, touch, usual := s.pos, s.touch, s.format.usual()
	for n < len(recs) && pos < s.end {
		if pos >= touch {
			touch = s.touchAhead(pos, s.end)
		}
		if usual {
			if k, next := s.format.pcap.usualRecords(recs[n:], s.buf, pos, touch, 0); k > 0 {
				n, pos = n+k, next
				continue
			}
		}
		next := s.format.after(s.buf, pos)
		if next < 0 {
			s.broken = true
			break
		}
		if s.format.record(&recs[n], s.buf, pos) {
			n++
		}
		pos = next
	}
	s.pos, s.touch = pos, touch
	return n
}

// Fault reports whether p, which was recovered from while the span or a packet
// of it was read, is a fault of the mapped file; then the span ends before the
// record at an offset, or if that is negative, where the last Read began.
func (s *Span) Fault(p any, offset int64) bool {
	if _, in := faultIn(p, s.buf); !in {
		return false
	}
	s.broken = true
	if offset >= 0 {
		s.pos = int(offset)
	}
	return true
}

// End returns the offset in the capture at which the span ends.
func (s *Span) End() int64 { return int64(s.end) }

// Join takes the records that were read from a span as the next ones of the
// capture and goes on behind them. It returns false, and takes nothing, if the
// span does not begin with the capture's next record: what was read from it is
// then to be dropped. It must be called for the spans in order; what a span
// has beyond is then read by ReadBefore with its end.
func (c *Capture) Join(s *Span) bool {
	if s.from != c.pos || c.err != nil || c.blanks.n > 0 || c.format == "pcap" && s.format.pcap != c.pcap || s.format.ng != nil && s.format.ng.declarations != c.ng.declarations {
		return false
	}
	c.pos = s.pos
	if s.read > 0 {
		c.ng.time, c.ng.fine = s.time, s.fine
	}
	c.taken.Store(int64(c.pos))
	return true
}

// Passed returns a part of the mapped file that has been read, for [Release], which
// the caller of Join does when nobody reads spans there: before the capture is
// closed, and in whatever goroutine. It is nil as long as that is little.
func (c *Capture) Passed() []byte {
	if !c.apart || c.mem == nil {
		return nil
	}
	return c.passed()
}
