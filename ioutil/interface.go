package ioutil

import (
	"math"
	"slices"
)

// An Interface is what a capture says of where packets of it come from: an interface
// of a pcapng file (draft-ietf-opsawg-pcapng, 4.2), or what the header of another
// format says of all its packets.
type Interface struct {
	Name, Description string // if_name and if_description, "" where they are not given; 256 bytes at most
	LinkType          uint32 // LINKTYPE_ number
	SnapLen           uint32 // most bytes kept of each packet; 0 where there is no limit or none is given
	// Resolution is the unit of its timestamps, in seconds: 1e-6, or 2 to the power of -32.
	Resolution float64
}

const (
	maxInterfacesKept = 1024
	maxInterfaceText  = 256 // bytes
)

// Interfaces returns what has been declared so far, in order, and how many more
// there were behind the first 1,024. The sections of a pcapng file number theirs
// anew. An ERF file has none: each record tells its link type, and all count in
// units of 2 to the power of -32 seconds. The slice is the caller's.
func (c *Capture) Interfaces() (declared []Interface, more int) {
	return slices.Clone(c.interfaces), c.moreInterfaces
}

// keep keeps what an interface is, if there is room.
func (c *Capture) keep(in Interface) {
	if len(c.interfaces) == maxInterfacesKept {
		c.moreInterfaces++
		return
	}
	c.interfaces = append(c.interfaces, in)
}

// shortText returns the text of an option.
func shortText(b []byte) string { return string(b[:min(len(b), maxInterfaceText)]) }

// resolution returns the unit of a clock in seconds.
func (c *clock) resolution() float64 {
	if c.binary {
		return math.Ldexp(1, -int(c.exponent))
	}
	return math.Pow10(-int(c.exponent))
}
