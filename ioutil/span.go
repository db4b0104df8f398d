package ioutil

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// A mapped pcap file is read in spans, several at once: each holds the records
// that begin in it. Where the first of them begins is only known when the span
// before has been read, so it is guessed, by what record headers look like.
// [Capture.Join] then goes over the spans in order and takes none whose guess
// was wrong. Whatever is odd in a span (damage, a fault, the end of the file)
// ends it; what is left of it is read by [Capture.ReadBefore], in order.

// Spans gives out the spans of a capture. It belongs to one goroutine at a
// time, which need not be that of the capture.
type Spans struct {
	buf  []byte
	pcap pcap
	next int // where the next span begins
	at   int // where the first record begins
}

// Spans returns the spans of a capture of which nothing has been read, nil if
// it can't be read in spans: for that it must be a mapped pcap file.
func (c *Capture) Spans() *Spans {
	if c.mem == nil || c.format != "pcap" || c.err != nil {
		return nil
	}
	return &Spans{buf: c.buf, pcap: c.pcap, next: c.pos, at: c.pos}
}

// A Span is a part of a capture; see [Spans.Next]. It belongs to one goroutine
// at a time, and lends packets until its capture is closed.
type Span struct {
	window // over all of the mapped file
	pcap   pcap
	from   int // where its first record begins, unknown if negative
	end    int // records that begin here belong to the next one
	broken bool
}

// Next sets s to the next span, of length bytes. It returns false if there are
// no more.
func (all *Spans) Next(s *Span, length int) bool {
	if all.next >= len(all.buf) {
		return false
	}
	*s = Span{window: window{buf: all.buf, pos: all.next}, pcap: all.pcap, from: -1}
	if all.next == all.at {
		s.from = all.at
	}
	all.next += min(length, len(all.buf)-all.next)
	s.end = all.next
	return true
}

// Read fills recs with the next packets of the span and returns how many there
// were, 0 at its end. A fault of the mapped file panics, see [Span.Fault].
func (s *Span) Read(recs []Record) int {
	if s.broken || s.pos >= s.end {
		return 0
	}
	if s.from < 0 {
		s.from = s.pcap.guess(s.buf, s.pos, s.end)
		s.pos = s.from
	}
	n, why := s.pcap.records(&s.window, recs, s.end)
	s.broken = why != enough
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
	if s.from != c.pos || c.err != nil {
		return false
	}
	c.pos = s.pos
	c.taken.Store(int64(c.pos))
	c.releaseBehind()
	return true
}

// guess returns where the first record begins at or after from, end if it finds
// none before end. Four headers in a row must look like those of records.
func (p *pcap) guess(b []byte, from, end int) int {
	first := int64(p.seconds(b[pcapHeaderLen+p.extra:]))
	last := min(end, len(b)-p.header)
	for at := from; at < last; at++ {
		if next := p.like(b, at, first); next > 0 {
			for range 3 {
				if next = p.like(b, next, first); next <= 0 {
					break
				}
			}
			if next != 0 {
				return at
			}
		}
	}
	return end
}

// like returns where the record after that at b[at:] begins if its header looks
// like one, 0 if it does not, and -1 if b ends before the next header.
func (p *pcap) like(b []byte, at int, first int64) int {
	const (
		sane = 262144 // libpcap's greatest snap length
		year = 365 * 24 * 3600
	)
	if len(b)-at < p.header {
		return -1
	}
	l := p.lens(b[at : at+pcapRecordLen])
	if l.capLen > sane || l.origLen > sane || l.capLen > l.origLen || l.origLen == 0 {
		return 0
	}
	frac := binary.LittleEndian.Uint32(b[at+4:])
	if p.bigEndian {
		frac = bits.ReverseBytes32(frac)
	}
	since := int64(p.seconds(b[at:])) - first
	if uint64(frac)*uint64(p.unit) >= second || since > year || since < -year {
		return 0
	}
	next := at + p.header + int(l.capLen)
	if len(b)-next < p.header {
		return -1
	}
	return next
}

// seconds reads the seconds from the record header at the front of b.
func (p *pcap) seconds(b []byte) uint32 {
	if len(b) < 4 {
		return math.MaxUint32
	}
	if p.bigEndian {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}
