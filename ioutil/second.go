package ioutil

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"
)

// Warnings returns what was odd about the capture and ended no reading, each
// with the name of the capture; complete when Read has returned an error. The
// slice is the capture's.
func (c *Capture) Warnings() []string { return c.warnings }

func (c *Capture) warn(offset int64, text string) {
	c.warnings = append(c.warnings, fmt.Sprintf("%s: offset %d: %s", c.name, offset, text))
}

// pcapHeader reports whether b begins with the header of a pcap file: a magic
// number and version 2.0 to 2.4. As a record that is a packet without a byte,
// or a length that is not believed.
func pcapHeader(b []byte) bool {
	if len(b) < 8 {
		return false
	}
	p, ok := pcapOf(b)
	version := binary.LittleEndian.Uint32(b[4:])
	if p.bigEndian {
		version = bits.ReverseBytes32(version)
		version = version<<16 | version>>16
	}
	return ok && version&0xffff == 2 && version>>16 <= 4
}

// sectionHeader reports whether b begins with the header of a pcapng section.
func sectionHeader(b []byte) bool {
	return len(b) >= 12 && binary.LittleEndian.Uint32(b) == blockSection && new(pcapng).readByteOrder(b) == nil
}

// startAgain goes on with the header of another pcap file at the window's
// position: what cat makes of several.
func (c *Capture) startAgain() {
	if !c.concatenated {
		c.concatenated = true
		c.warn(c.Offset(), "a second pcap header: concatenated captures, use --join")
	}
	if err := c.startPcap(); err != nil {
		c.err = err
	}
}

// endInFill looks whether there is nothing but bytes of one value from the window's
// position to the end of the capture, as in preallocated and erased space, and
// if so ends the capture there. Else it ends it with an error.
func (c *Capture) endInFill(value byte, why error) {
	at := c.Offset()
	for {
		for _, b := range c.buf[c.pos:] {
			if b != value {
				c.err = &FormatError{File: c.name, Offset: at, Err: why}
				return
			}
			c.pos++
		}
		if err := c.more(1); err == io.EOF {
			break
		} else if err != nil {
			c.err = c.wrong(0, err)
			return
		}
	}
	c.warn(at, fmt.Sprintf("only bytes %02x from here to the end, %d of them: left out", value, c.Offset()-at))
	c.err = io.EOF
}
