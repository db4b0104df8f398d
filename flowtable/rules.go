package flowtable

import (
	"math"
	"time"
)

// Rules say when flows begin and end, besides the idle timeout. The zero Rules
// are the default.
type Rules struct {
	// ActiveTimeout cuts a flow when a packet arrives later than this after its
	// start; 0 stands for none (IPFIX flowActiveTimeout, 36). The packet begins a
	// new flow, with the same source and destination unless Turn is set.
	ActiveTimeout time.Duration
	// TCPEnd is what closes a TCP flow. Packets that come later still belong to
	// it, but a SYN without ACK then begins a new one, whatever its number.
	TCPEnd TCPEnd
	// NoReuse makes a SYN with another sequence number a packet like others: it
	// does not end the flow whose ports it reuses.
	NoReuse bool
	// AtTimeout lets a silence, or an age, that is equal to a timeout end a flow,
	// as a longer one does.
	AtTimeout bool
	// Turn takes the direction after a cut by the active timeout from the first
	// packet of the new flow, instead of keeping the old flow's.
	Turn bool
	// SYNACKTurns takes a flow whose first packet is SYN and ACK to have begun with
	// a SYN that was missed: its source is the packet's destination.
	SYNACKTurns bool
}

// TCPEnd is what closes TCP flows.
type TCPEnd uint8

const (
	// EndFIN closes a flow with an ACK after both sides have sent a FIN.
	EndFIN TCPEnd = 1 << iota
	// EndRST closes a flow with a RST.
	EndRST
)

// String returns "none", "fin", "rst" or "fin-rst".
func (e TCPEnd) String() string { return [...]string{"none", "fin", "rst", "fin-rst"}[e&3] }

// rules are Rules as a table asks for them.
type rules struct {
	any bool // some rule is not the default
	// The longest silence, and the greatest age, that do not end a flow, in
	// nanoseconds.
	idle, active uint64
	Rules
}

func newRules(r Rules, timeout uint64) rules {
	all := rules{any: r != Rules{}, idle: timeout, active: math.MaxUint64, Rules: r}
	if r.ActiveTimeout > 0 {
		all.active = uint64(r.ActiveTimeout)
	}
	if r.AtTimeout { // times are whole nanoseconds
		all.idle--
		all.active--
	}
	return all
}

// ends tells if a packet in direction d, which is no later than the idle timeout
// allows, ends the flow of its key, and why. It is asked where some rule is not
// the default.
func (t *Table) ends(ref uint32, r *record, p *packet, d int) (Reason, bool) {
	switch isSYN := p.rawFlags()&(syn|ack) == syn && r.key.proto() == tcpProtocol; {
	case p.time.since(t.start(r)) > t.rules.active:
		return Active, true
	case isSYN && r.state&closed != 0 && p.key.rest&later == 0:
		return Closed, true
	case !t.rules.NoReuse && t.reuses(ref, r, p, d):
		return Reuse, true
	}
	return 0, false
}

// close takes in what a packet in direction d says about the end of its flow.
func (r *record) close(p *packet, d int, by TCPEnd) {
	flags := p.rawFlags()
	both := r.state&(fwdFIN|bwdFIN) == fwdFIN|bwdFIN
	switch {
	case by&EndRST != 0 && flags&rst != 0, by&EndFIN != 0 && both && flags&ack != 0 && flags&fin == 0:
		r.state |= closed
	}
	if flags&fin != 0 {
		r.state |= fwdFIN << d
	}
}

// cutBy returns why a flow was cut off.
func (r *record) cutBy() Reason {
	switch {
	case r.state&cutActive != 0:
		return Active
	case r.state&cutClosed != 0:
		return Closed
	}
	return Reuse
}
