package flowfast

import (
	"time"

	"golang.org/x/net/bpf"
)

// A Choice says which packets of a capture count. The others are in the class left
// out. With the zero Choice all count.
type Choice struct {
	// Packets at From and later count, and before To; a zero time is no bound.
	// Times outside 64-bit nanoseconds (1677 to 2262) stand for the nearer end, which
	// no packet passes.
	From, To time.Time
	// Filter leaves out the packets that it does not match, if it is not nil.
	Filter Filter
	// Endpoints leave out the packets of flows that do not match them, if they are
	// not nil. Packets of no flow keep their class.
	Endpoints *Endpoints
}

// A Filter returns the program of the BSD Packet Filter for a link type, which is
// given by its LINKTYPE_ number (McCanne, Jacobson, The BSD Packet Filter, 1993). The
// program gets the captured bytes of a frame; packets for which it returns 0 do not
// count. One for BSD null gets the address family little-endian. If the Filter returns
// an error, packets of that link type do not count, and the error is reported as one of
// their capture. A Filter may be called by several goroutines at once.
type Filter func(linkType uint32) ([]bpf.RawInstruction, error)
