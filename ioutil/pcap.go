package ioutil

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// The header of a pcap file and that of each record
// (draft-ietf-opsawg-pcap, 4 and 5), in the byte order of the magic:
//
//	0       4       6       8      12      16      20      24
//	| magic | major | minor |   0   |   0   | snap  | link  |
//	0       4       8      12      16
//	| secs  | frac  | CapLen|OrigLen| frame...
//
// The modified format of A. Kuznetzov's patches has more between OrigLen and
// the frame: interface index (4), protocol (2), packet type (1) and padding;
// 24 bytes in all since the patch of October 1999, 28 in that of September.
const (
	pcapHeaderLen = 24
	pcapRecordLen = 16
)

// A pcap is what a pcap file's header says.
type pcap struct {
	bigEndian bool
	fine      bool
	modified  bool   // the record header is the modified one
	extra     int    // bytes of the file header behind the usual 24
	unit      uint32 // nanoseconds in a unit of frac
	header    int    // bytes in front of the frame
	most      uint32 // captured length that is believed
	lengths   lengthOrder
	linkType  uint32
	fcs       uint8 // bytes of the frame check sequence behind each frame; see trimAll
}

// A lengthOrder says which of the two lengths of a record comes first.
type lengthOrder uint8

const (
	capLenFirst  lengthOrder = iota
	origLenFirst             // before version 2.3, and in DG/UX's 543.0
	shorterIsCap             // version 2.3, of which some writers did not know
)

// pcapOf reads what a magic number says, and whether it is one.
func pcapOf(head []byte) (p pcap, ok bool) {
	magic := binary.LittleEndian.Uint32(head)
	for range 2 {
		p.unit, p.fine, p.header, p.modified, p.extra = 1000, false, pcapRecordLen, false, 0
		switch magic {
		case 0xa1b2c3d4: // microseconds
			return p, true
		case 0xa1b23c4d: // nanoseconds
			p.unit, p.fine = 1, true
			return p, true
		case 0xa1b2cd34: // modified
			p.header, p.modified = 24, true
			return p, true
		case 0x1c0001ab: // Ixia's software capture: a length follows the file header
			p.extra = 4
			return p, true
		case 0x1c0001ac: // Ixia's hardware capture
			p.extra, p.unit, p.fine = 4, 1, true
			return p, true
		}
		magic = bits.ReverseBytes32(magic)
		p.bigEndian = true
	}
	return pcap{}, false
}

// startPcap reads the file header.
func (c *Capture) startPcap() error {
	p, _ := pcapOf(c.buf[c.pos:])
	if c.err = c.atLeast(pcapHeaderLen + p.extra); c.err != nil {
		return nil
	}
	b := c.buf[c.pos:]
	var order binary.ByteOrder = binary.LittleEndian
	if p.bigEndian {
		order = binary.BigEndian
	}
	major, minor, link := order.Uint16(b[4:]), order.Uint16(b[6:]), order.Uint32(b[20:])
	switch {
	case major < 2:
		return c.wrong(4, fmt.Errorf("pcap version %d.%d: want 2.0 or later", major, minor))
	case major == 543, major == 2 && minor < 3:
		p.lengths = origLenFirst
	case major == 2 && minor == 3:
		p.lengths = shorterIsCap
	}
	// The upper bits tell about the frame check sequence, see pcapFCS. The 10 bits
	// below them are reserved; left in the link type, they make it one that nobody
	// knows.
	p.linkType = link & 0x03ffffff
	if major == 2 && minor == 2 && p.unit == 1000 && p.extra == 0 && !p.modified {
		p.aix()
	}
	snapLen := order.Uint32(b[16:])
	p.fcs = pcapFCS(link, p.linkType)
	p.most = mostCapLen(snapLen, p.linkType)
	c.pos += pcapHeaderLen + p.extra
	switch {
	case p.modified:
		c.chooseModified(&p, order, snapLen)
	case p.unit != 1000 || p.extra > 0:
	case c.ring == nil:
		c.chooseVariant(&p)
	default:
		c.undecided = true // until the first Read: a live stream is opened before its first packets
	}
	c.pcap = p
	c.declare(p.linkType)
	c.keep(Interface{LinkType: p.linkType, SnapLen: snapLen, Resolution: float64(p.unit) / second})
	return nil
}

// mostCapLen returns the longest captured length that is believed: one over the
// snap length, and over what libpcap allows any interface of the link type, is
// damage.
func mostCapLen(snapLen, linkType uint32) uint32 {
	most := uint32(262144)
	switch linkType {
	case 231: // D-Bus
		most = 128 << 20
	case 279: // Elektrobit
		most = 8 << 20
	case 189, 220, 249: // USB
		most = 128 << 20
	}
	return min(max(most, snapLen), maxCapLen)
}

// aix turns a header of version 2.2 into what it means if AIX wrote it, which
// stamps in nanoseconds and gives interface types (RFC 1573) for link types; of
// those, old versions of libpcap used none but 9. What is in front of an FDDI
// frame there is left in place.
func (p *pcap) aix() {
	switch p.linkType {
	case 6:
		p.linkType = 1 // Ethernet
	case 9:
		p.linkType = 6 // Token Ring
	case 15:
		p.linkType = 10 // FDDI
	case 24:
		p.linkType = 0 // loopback
	default:
		return
	}
	p.unit, p.fine = 1, true
}

// chooseModified finds out which of the two modified record headers a file has
// by trying both on its first records, as Wireshark does.
func (c *Capture) chooseModified(p *pcap, order binary.ByteOrder, snapLen uint32) {
	later, earlier := c.oddities(24, order, snapLen), c.oddities(28, order, snapLen)
	if earlier < later {
		p.header = 28
	}
}

// oddities counts what speaks against record headers of the given length in
// the first three records.
func (c *Capture) oddities(header int, order binary.ByteOrder, snapLen uint32) int {
	const sane = 262144
	n, at := 0, 0
	count := func(odd bool) {
		if odd {
			n++
		}
	}
	for range 3 {
		if !c.lookAhead(at + header) {
			count(len(c.buf)-c.pos > at)
			break
		}
		b := c.buf[c.pos+at:]
		usecs, capLen, origLen := order.Uint32(b[4:]), order.Uint32(b[8:]), order.Uint32(b[12:])
		count(usecs >= 1e6)
		count(capLen > sane)
		count(capLen > snapLen)
		count(capLen > origLen)
		count(origLen > 128<<20)
		count(order.Uint32(b[16:]) > 10000) // interface index
		count(oddProtocol(order.Uint16(b[20:])))
		count(b[22] > 4) // packet type
		if capLen > sane {
			break
		}
		at += header + int(capLen)
		if !c.lookAhead(at) {
			count(true)
			break
		}
	}
	return n
}

// lookAhead reports whether need bytes from the window's position can be had.
func (c *Capture) lookAhead(need int) bool {
	return len(c.buf)-c.pos >= need || c.more(need) == nil
}

// atLeast gets need bytes into the window, if it does not hold them.
func (c *Capture) atLeast(need int) error {
	if len(c.buf)-c.pos >= need {
		return nil
	}
	return c.fill(need)
}

// readPcap reads records from the window; see parse.
func (c *Capture) readPcap(recs []Record, end int) int {
	if c.undecided {
		if len(c.buf)-c.pos < c.pcap.header {
			c.need = c.pcap.header
			return 0
		}
		c.undecided = false
		c.impatient(true)
		c.chooseVariant(&c.pcap)
		c.impatient(false)
		return 0 // what end means in the window may have changed
	}
	if c.blanks.n > 0 {
		return c.readBlanks(recs, end)
	}
	n := c.pcap.records(&c.window, recs, end)
	if n == len(recs) || c.pos >= end {
		return n
	}
	p, have := &c.pcap, len(c.buf)-c.pos
	if have < p.header {
		c.need = p.header
		return n
	}
	l := p.lens(c.buf[c.pos:])
	switch capLen := l.capLen; {
	case pcapHeader(c.buf[c.pos:]) && (l.capLen|l.origLen == 0 || capLen > maxCapLen):
		if n == 0 {
			c.startAgain()
		}
	case sectionHeader(c.buf[c.pos:]) && capLen > maxCapLen:
		c.failAt(c.pos, fmt.Errorf("a pcapng section header: concatenated captures of two formats, which --join reads from their own files"))
	case capLen == math.MaxUint32 && binary.LittleEndian.Uint64(c.buf[c.pos:]) == math.MaxUint64:
		if n == 0 {
			c.endInFill(0xff, fmt.Errorf("captured length %d of a record is over %d", capLen, maxCapLen))
		}
	case capLen > maxCapLen:
		c.failAt(c.pos, fmt.Errorf("captured length %d of a record is over %d", capLen, maxCapLen))
	case have < p.header+int(capLen):
		if c.ring == nil || capLen <= maxData {
			c.need = p.header + int(capLen)
		} else if n == 0 {
			return c.readLongRecord(&recs[0], p.header+int(capLen))
		}
	case c.shrunk(c.pos):
	case blank(c.buf[c.pos : c.pos+p.header]):
		if n == 0 {
			c.blanks = blanks{at: c.Offset(), n: 1}
			c.pos += p.header
		}
	default: // a record of zeros in the usual part of its header
		p.record(&recs[n], c.buf, c.pos)
		recs[n].Offset += c.base
		c.pos += p.header
		return n + 1 + c.readPcap(recs[n+1:], end)
	}
	return n
}

// readLongRecord reads a record of a stream of which only the front is kept.
func (c *Capture) readLongRecord(r *Record, size int) int {
	at := c.Offset()
	front := c.front(c.pcap.header+maxData, size)
	if front == nil {
		return 0
	}
	c.pcap.record(r, front, 0)
	r.Offset = at
	return 1
}

// A lengths is what a record header says of the frame.
type lengths struct{ capLen, origLen uint32 }

// lens reads the lengths from the record header at the front of b.
func (p *pcap) lens(b []byte) lengths {
	capLen, origLen := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	if p.bigEndian {
		capLen, origLen = bits.ReverseBytes32(capLen), bits.ReverseBytes32(origLen)
	}
	if p.lengths != capLenFirst && (p.lengths == origLenFirst || capLen > origLen) {
		capLen, origLen = origLen, capLen
	}
	return lengths{capLen, origLen}
}

// records reads records from the window that begin before end, up to one that
// after refuses, and moves the window past them.
func (p *pcap) records(w *window, recs []Record, end int) (n int) {
	pos, touch, usual := w.pos, w.touch, p.usual()
	for n < len(recs) && pos < end {
		if pos >= touch {
			touch = w.touchAhead(pos, end)
		}
		if usual {
			if k, next := p.usualRecords(recs[n:], w.buf, pos, min(touch, end), w.base); k > 0 {
				n, pos = n+k, next
				continue
			}
		}
		next := p.after(w.buf, pos)
		if next < 0 {
			break
		}
		p.record(&recs[n], w.buf, pos)
		recs[n].Offset += w.base
		pos = next
		n++
	}
	w.pos, w.touch = pos, touch
	return n
}

// usual reports whether record headers are of the form that nearly all files have.
func (p *pcap) usual() bool {
	return !p.bigEndian && p.lengths == capLenFirst && p.header == pcapRecordLen
}

// usualRecords reads records with usual headers that begin at b[pos:] and before
// end, where b begins at base in the capture, and returns how many there were and
// where the next one begins. It leaves a record that is not whole, or not as usual in
// another way, to after and record, which would do the same for the others in
// more steps.
func (p *pcap) usualRecords(recs []Record, b []byte, pos, end int, base int64) (n, next int) {
	b = b[:len(b):len(b)]
	for n < len(recs) && pos < end {
		from := pos + pcapRecordLen
		if from > len(b) {
			break
		}
		h := (*[pcapRecordLen]byte)(b[pos:from])
		capLen := binary.LittleEndian.Uint32(h[8:])
		to := from + int(capLen)
		if capLen-1 >= maxData || binary.LittleEndian.Uint32(h[12:]) > maxOrigLen || to > len(b) {
			break
		}
		p.setUsual(&recs[n], h, b[from:to:to], base+int64(pos))
		pos = to
		n++
	}
	return n, pos
}

// setUsual sets r to a record at a place in the capture, but for an original length that
// is over the most: see record.
func (p *pcap) setUsual(r *Record, h *[pcapRecordLen]byte, data []byte, at int64) {
	r.Time = pcapTime(h, p.unit)
	r.Data = data
	r.Offset = at
	r.OrigLen = binary.LittleEndian.Uint32(h[12:])
	r.LinkType = p.linkType
	r.Fine = p.fine
	r.FCS = 0
}

// pcapTime returns the time in a usual record header: see record.
func pcapTime(h *[pcapRecordLen]byte, unit uint32) int64 {
	secs, frac := binary.LittleEndian.Uint32(h[:]), binary.LittleEndian.Uint32(h[4:])
	return int64(secs)*second + int64(int32(frac*unit))
}

// failAt sets the error to end with, about bytes at buf[pos].
func (c *Capture) failAt(pos int, err error) {
	c.err = &FormatError{File: c.name, Offset: c.base + int64(pos), Err: err}
}

// after returns where the record after that at b[at:] begins, and -1 if that
// one is not whole or must be looked at in order.
func (p *pcap) after(b []byte, at int) int {
	if len(b)-at < p.header {
		return -1
	}
	h := b[at : at+pcapRecordLen]
	l := p.lens(h)
	if int(l.capLen) > len(b)-at-p.header || l.capLen > maxCapLen {
		return -1
	}
	if l.capLen|l.origLen == 0 && (binary.LittleEndian.Uint64(h) == 0 || pcapHeader(h)) {
		return -1 // see shrunk, startAgain
	}
	return at + p.header + int(l.capLen)
}

// record sets r to the record at b[at:], which is whole.
//
// The fraction of a second is multiplied in 32 bits and taken as signed, as
// Wireshark does: up to 2.147 s it counts for what it is, above that it is
// damage, and wraps the same way.
func (p *pcap) record(r *Record, b []byte, at int) {
	h := b[at : at+pcapRecordLen]
	secs, frac := binary.LittleEndian.Uint32(h), binary.LittleEndian.Uint32(h[4:])
	if p.bigEndian {
		secs, frac = bits.ReverseBytes32(secs), bits.ReverseBytes32(frac)
	}
	l := p.lens(h)
	from := at + p.header
	r.Time = int64(secs)*second + int64(int32(frac*p.unit))
	to := from + min(int(l.capLen), maxData)
	r.Data = b[from:to:to]
	r.Offset = int64(at)
	r.OrigLen = min(l.origLen, maxOrigLen)
	r.LinkType = p.linkType
	r.Fine = p.fine
	r.FCS = 0
}
