package flowfast

import (
	"time"

	"golang.org/x/net/bpf"
)

// A Choice says which packets of a capture count. The others are of the class
// left out. The zero Choice takes all.
type Choice struct {
	// From is the time of the first packets that count, To that after the last;
	// a zero time stands for none. Times beyond those of 64-bit nanoseconds (1677 to
	// 2262) stand for the end that they lie behind: no packet does.
	From, To time.Time
	// Filter leaves out the packets that it does not match, if it is not nil.
	Filter Filter
	// Endpoints leave out the packets of flows that do not match them, if they are
	// not nil. Packets of no flow keep their class.
	Endpoints *Endpoints
}

// A Filter returns, for a link type by its LINKTYPE_ number, a program of the BSD
// Packet Filter, which gets the captured bytes of the frame: packets for which it
// returns 0 do not count (McCanne, Jacobson, The BSD Packet Filter, 1993). A program
// for BSD null gets the address family little-endian. Packets of a link type for
// which there is an error do not count either, and the error is one of their
// capture. A Filter may be called by several goroutines at once.
type Filter func(linkType uint32) ([]bpf.RawInstruction, error)
