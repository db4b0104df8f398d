package flowtable

import (
	"unsafe"

	"github.com/flowfast/flowfast/stats"
)

// A record is a flow in memory. Its first cache line is what a packet's key is
// compared with and what stays as it was; its second is what each packet
// changes.
type record struct {
	key   key
	start Time   // time of the first packet
	first uint64 // position of the first packet
	hash  uint32 // of the key
	state uint32

	fwd  stats.Series
	base [2]uint32 // base sequence number of each direction; see reuse.go
	bwd  uint32    // reference of the backward series; 0 before its first packet
	_    uint32
	last Time // latest time of a packet
}

var _ [128]struct{} = [unsafe.Sizeof(record{})]struct{}{}

// Bits of record.state.
const (
	inUse      = 1 << iota // the record holds a flow
	open                   // the flow has not finished: it is in the index
	fwdFromB               // forward is from endpoint b of the key to a
	fine                   // some packet has a time finer than a microsecond
	baseSet                // base[0] is set
	bwdBaseSet             // base[1] is set
	cut                    // finished by a packet that began another flow: by port reuse, if not
	cutActive              // by the active timeout, or
	cutClosed              // because it was closed
	fwdFIN                 // a forward FIN was seen, and
	bwdFIN                 // a backward one
	closed                 // see Rules.TCPEnd
)

// direction returns 0 for a packet of the flow that goes forward, 1 for one
// that goes backward.
func (r *record) direction(p *packet) int {
	if (p.key.rest&fromB != 0) != (r.state&fwdFromB != 0) {
		return 1
	}
	return 0
}
