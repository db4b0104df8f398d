package flowtable

import "github.com/flowfast/flowfast/decode"

// A Packet is one packet of a capture as the table needs it.
type Packet struct {
	decode.Packet
	Time Time
	// Position is the number of the packet in the capture, from 0; below 2^63.
	Position uint64
	// Len is the frame's original length, on the wire, in bytes.
	Len uint32
	// Fine is set when Time has a finer resolution than a microsecond.
	Fine bool

	fromB bool // the packet goes from endpoint b of its key to a
	hash  uint32
	key   key
}
