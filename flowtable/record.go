package flowtable

import (
	"unsafe"

	"github.com/flowfast/flowfast/stats"
)

// A record is a flow in memory, one cache line: what each packet's key is compared
// with, and all that is counted of a flow of one packet, which most flows of a flood
// are. What is seldom asked for stands in its [link], and from the second packet on
// counts are in its [counts].
type record struct {
	key  key
	last Time   // latest time of a packet
	hash uint32 // of the key
	// state has, from bit firstFlags on, the control bits that count of the first
	// packet, and below the bits that follow.
	state uint32
	size  uint32 // the original length of the first packet
	more  uint32 // reference of the counts; 0 for a flow of one packet
}

var _ [64]struct{} = [unsafe.Sizeof(record{})]struct{}{}

// Bits of record.state.
const (
	inUse      = 1 << iota // the record holds a flow
	open                   // the flow has not finished: it is in the index
	fwdFromB               // forward is from endpoint b of the key to a
	fine                   // some packet has a time finer than a microsecond
	baseSet                // the base of direction 0 is set, or not asked for: it is not TCP
	bwdBaseSet             // that of direction 1
	cut                    // finished by a packet that began another flow: by port reuse, if not
	cutActive              // by the active timeout, or
	cutClosed              // because it was closed
	fwdFIN                 // a forward FIN was seen, and
	bwdFIN                 // a backward one
	closed                 // see Rules.TCPEnd
	firstBwd               // the first packet is backward

	firstFlags = 24
)

// Counts are what is counted of a flow of more than one packet.
type counts struct {
	series [2]stats.Series // forward and backward
	start  Time            // time of the first packet
}

// direction returns 0 for a packet of the flow that goes forward, 1 for one
// that goes backward.
func (r *record) direction(p *packet) int {
	return int((uint32(p.key.rest/fromB) ^ r.state/fwdFromB) & 1)
}

// firstDirection returns the direction of the first packet.
func (r *record) firstDirection() int { return int(r.state / firstBwd & 1) }

// start returns the time of the first packet of a flow.
func (t *Table) start(r *record) Time {
	if r.more == 0 {
		return r.last
	}
	return t.counts.At(r.more).start
}

// setCounts gives the flow counts, with its first packet.
func (t *Table) setCounts(r *record) *counts {
	r.more = t.counts.Take()
	c := t.counts.At(r.more)
	c.start = r.last
	t.pool.Add(&c.series[r.firstDirection()], int64(r.last), r.size, uint8(r.state>>firstFlags))
	return c
}
