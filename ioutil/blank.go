package ioutil

import (
	"errors"
	"fmt"
	"io"
)

// A run of empty records of zeros is withheld until it is known what follows:
// a record, then they are records too; or the end, then they are preallocated
// space. They need not be kept, since they are all alike.
type blanks struct {
	at    int64 // offset of the first one withheld
	n     int   // withheld
	final error // to end with behind them
}

// readBlanks goes on in a run of records of zeros; see parse.
func (c *Capture) readBlanks(recs []Record, end int) (n int) {
	size := c.pcap.header
	for c.blanks.final == nil {
		if c.pos >= end {
			return 0
		}
		if len(c.buf)-c.pos < size {
			c.need = size
			return 0
		}
		if !blank(c.buf[c.pos : c.pos+size]) {
			break
		}
		c.pos += size
		c.blanks.n++
	}
	for ; n < len(recs) && c.blanks.n > 0; n++ {
		recs[n] = Record{Offset: c.blanks.at, LinkType: c.pcap.linkType, Fine: c.pcap.fine}
		c.blanks.at += int64(size)
		c.blanks.n--
	}
	if c.blanks.n == 0 {
		c.err, c.blanks.final = c.blanks.final, nil
	}
	return n
}

// endBlanks decides about withheld records when the capture has ended.
func (c *Capture) endBlanks() {
	cut := (*TruncatedError)(nil)
	if rest := c.buf[c.pos:]; (c.err == io.EOF || errors.As(c.err, &cut)) && blank(rest) {
		c.pos += len(rest)
		c.warn(c.blanks.at, fmt.Sprintf("only bytes 00 from here to the end, %d of them: left out", c.Offset()-c.blanks.at))
		c.blanks, c.err = blanks{}, io.EOF
		return
	}
	c.blanks.final, c.err = c.err, nil
}

func blank(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}
