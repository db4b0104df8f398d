package ioutil

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// guess returns where the first record begins at or after from, end if it finds
// none before end. Four in a row must look like records.
func (s *Span) guess(from, end int) int {
	if s.format.ng != nil {
		return s.format.ng.guess(s.buf, from, end)
	}
	if s.format.framing != nil {
		return s.format.framing.guess(s.buf, from, end)
	}
	first := pcapHeaderLen + s.format.pcap.extra
	if s.from >= 0 {
		first = s.from
	}
	if len(s.buf)-first < 4 {
		return end
	}
	return s.format.pcap.guess(s.buf, int64(s.format.pcap.seconds(s.buf[first:])), from, end, s.seen)
}

// guess searches a pcap file for headers with times near the seconds of a first
// record. The upper half of the seconds changes every 18 hours, so that of some
// record seen before is searched for first.
func (p *pcap) guess(b []byte, first int64, from, end int, seen *seen) int {
	high := seen.high.Load()
	if high == 0 {
		high = uint32(first) >> 16
	}
	last := max(min(end, len(b)-p.header), from)
	needle, skip := []byte{byte(high), byte(high >> 8)}, 2 // little-endian, behind the lower half
	if p.bigEndian {
		needle, skip = []byte{byte(high >> 8), byte(high)}, 0
	}
	for at := from; at < last; at++ {
		found := bytes.Index(b[at+skip:min(last+skip, len(b))], needle)
		if found < 0 {
			break
		}
		if at += found; p.likely(b, at, first) {
			return at
		}
	}
	for at := from; at < last; at++ {
		if p.likely(b, at, first) {
			seen.high.Store(p.seconds(b[at:]) >> 16)
			return at
		}
	}
	return end
}

// likely reports whether records seem to begin at b[at:].
func (p *pcap) likely(b []byte, at int, first int64) bool {
	next := p.like(b, at, first)
	if next <= 0 {
		return false
	}
	for i := 0; i < 3 && next > 0; i++ {
		next = p.like(b, next, first)
	}
	return next != 0
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
	if p.bigEndian {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// guess searches a pcapng file for Enhanced Packet Blocks. Blocks begin at
// multiples of four bytes.
func (ng *pcapng) guess(b []byte, from, end int) int {
	for at := (from + 3) &^ 3; at < min(end, len(b)-blockMin); at += 4 {
		if ng.uint32(b[at:]) != blockEnhanced {
			continue
		}
		next := ng.after(b, at)
		for i := 0; i < 3 && next > 0 && next < len(b); i++ {
			next = ng.after(b, next)
		}
		if next > 0 {
			return at
		}
	}
	return end
}
