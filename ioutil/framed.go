package ioutil

// A framing reads a file that is no more than a row of records, each with its
// length near its front: snoop and ERF.
type framing struct {
	format   string // "snoop" or "ERF"
	linkType uint32 // of a snoop file
	since    int64  // seconds of some record, which others come near
}

// What records are believed to be, where it is asked whether bytes are one.
const (
	saneLength = 262144
	saneYear   = 365 * 24 * 3600
)

// least is the bytes of a record that size needs.
func (f *framing) least() int {
	if f.format == "ERF" {
		return erfHeader
	}
	return snoopRecord
}

// size returns the length of the record at the front of b, which holds least bytes
// of it.
func (f *framing) size(b []byte) (int, error) {
	if f.format == "ERF" {
		return erfSize(b)
	}
	return snoopSize(b)
}

// record sets r to the packet of the record at the front of b, which holds it or
// the least and maxData bytes of it. It returns false if there is none.
func (f *framing) record(r *Record, b []byte) (bool, error) {
	if f.format == "ERF" {
		return erfRecord(r, b)
	}
	snoopPacket(r, b, f.linkType)
	return true, nil
}

// like returns the length of the record at the front of b if it looks like one, 0
// if it does not.
func (f *framing) like(b []byte) int {
	if f.format == "ERF" {
		return likeERF(b, f.since)
	}
	return likeSnoop(b, f.since)
}

// readFramed reads records from the window; see parse.
func (c *Capture) readFramed(recs []Record, end int) (n int) {
	f := &c.framing
	buf, pos, touch := c.buf, c.pos, c.touch
	defer func() { c.touch = touch }()
	for n < len(recs) && pos < end {
		if pos >= touch {
			touch = c.touchAhead(pos, end)
		}
		rest := buf[pos:]
		if len(rest) < f.least() {
			c.need = f.least()
			break
		}
		size, err := f.size(rest)
		switch {
		case err == nil:
		case c.shrunk(pos):
			c.pos = pos
			return n
		case blank(rest[:f.least()]):
			c.pos = pos
			if n == 0 {
				c.endInFill(0, err)
			}
			return n
		default:
			c.failAt(pos, err)
			c.pos = pos
			return n
		}
		if len(rest) < size {
			c.pos = pos
			switch {
			case c.ring == nil || size <= f.least()+maxData:
				c.need = size
			case n == 0:
				return c.readLongFramed(&recs[0], size)
			}
			return n
		}
		is, err := f.record(&recs[n], rest[:size])
		if err != nil {
			c.failAt(pos, err)
			break
		}
		if is {
			recs[n].Offset = c.base + int64(pos)
			c.declareNext(recs[n].LinkType)
			n++
		}
		pos += size
	}
	c.pos = pos
	return n
}

// declareNext notes the link type of a packet; most have that of the one before.
func (c *Capture) declareNext(linkType uint32) {
	if k := len(c.linkTypes); k == 0 || c.linkTypes[k-1] != linkType {
		c.declare(linkType)
	}
}

// readLongFramed reads a record of a stream of which only the front is kept.
func (c *Capture) readLongFramed(r *Record, size int) int {
	at := c.Offset()
	front := c.front(c.framing.least()+maxData, size)
	if front == nil {
		return 0
	}
	if is, err := c.framing.record(r, front); err != nil || !is {
		c.err = err // of no record that is so long
		return 0
	}
	r.Offset = at
	return 1
}

// after returns where the record after that at b[at:] begins, and -1 if that one is
// not whole or must be looked at in order.
func (f *framing) after(b []byte, at int) int {
	rest := b[at:]
	if len(rest) < f.least() {
		return -1
	}
	size, err := f.size(rest)
	if err != nil || size > len(rest) {
		return -1
	}
	var r Record
	if _, err := f.record(&r, rest[:size]); err != nil {
		return -1
	}
	return at + size
}

// recordAt sets r to the packet of the record at b[at:], for which after returned a
// place. It returns false if it has none.
func (f *framing) recordAt(r *Record, b []byte, at int) bool {
	size, err := f.size(b[at:])
	if err != nil {
		return false
	}
	is, err := f.record(r, b[at:at+size])
	r.Offset = int64(at)
	return is && err == nil
}

// guess returns where the first record begins at or after from, end if it finds
// none before end: four in a row must look like records, or those up to the end of
// the file.
func (f *framing) guess(b []byte, from, end int) int {
	for at := from; at < min(end, len(b)-f.least()); at++ {
		next := at
		for i := 0; i < 4 && next >= 0 && len(b)-next >= f.least(); i++ {
			size := f.like(b[next:])
			if next += size; size == 0 {
				next = -1
			}
		}
		if next > 0 {
			return at
		}
	}
	return end
}

// near reports whether seconds are within a year of others.
func near(seconds, others int64) bool {
	return -saneYear < seconds-others && seconds-others < saneYear
}
