package ioutil

import (
	"errors"
	"fmt"
)

// warmUp is how much in front of a part is read for what its first packets refer to.
const warmUp = 16 << 20

// Part makes what is read of a capture, of which nothing has been read, one of so many
// parts of about the same number of bytes; the first is number 1. Only a file that is
// mapped can be cut, and no pcapng: a block anywhere may declare what those behind it
// go by.
//
// Where a part begins is found as the first record of a span is, see [Spans], from a
// MiB in front on, so that who reads one part and who reads the next find the same
// place. It is certain when the part before has been read: that one ends in the middle
// of a record, which is an error, if the next does not begin where a record does. With
// before, what is read is up to 16 MiB in front of the part, in place of it.
func (c *Capture) Part(part, of int, before bool) error {
	switch {
	case part < 1 || part > of:
		return fmt.Errorf("%s: part %d of %d: there is none", c.name, part, of)
	case c.mem == nil:
		return fmt.Errorf("%s: only a plain file can be cut into parts", c.name)
	case c.format == "pcapng":
		return errors.New(c.name + ": a pcapng file can't be cut into parts: each may need what is declared in those before it")
	case c.err != nil:
		return c.err
	}
	all := c.Spans()
	if all == nil {
		return fmt.Errorf("%s: can't be cut into parts", c.name)
	}
	at := func(k int) int { // without overflow
		size := len(c.buf) - c.pos
		return c.pos + size/of*k + size%of*k/of
	}
	begin := all.recordAt(at(part - 1))
	end := len(c.buf)
	if part < of {
		end = all.recordAt(at(part))
	}
	if before {
		begin, end = all.recordAt(max(c.pos, begin-warmUp)), begin
	}
	c.pos, c.buf = begin, c.buf[:end]
	if part < of || before {
		c.partEnd = end
	}
	c.apart = false
	c.taken.Store(int64(begin))
	return nil
}

// recordAt returns where the first record at an offset or behind it seems to begin.
func (all *Spans) recordAt(offset int) int {
	if offset <= all.at {
		return all.at
	}
	const ahead = 1 << 20 // bytes, in which a wrong guess meets the records
	s := Span{window: window{buf: all.buf}, format: all.format, seen: &seen{}, from: -1}
	at := max(offset-ahead, all.at)
	if at > all.at {
		at = s.guess(at, len(all.buf))
	}
	for at < offset {
		next := all.format.after(all.buf, at)
		if next < 0 {
			next = s.guess(at+1, len(all.buf))
		}
		at = next
	}
	return at
}
