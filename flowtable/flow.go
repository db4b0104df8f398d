package flowtable

import (
	"net/netip"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/stats"
)

// A Flow is a finished flow.
type Flow struct {
	// Src and Dst are the sender and the receiver of the flow's first packet;
	// V6 tells whether they are IPv6 addresses.
	Src, Dst         decode.Addr
	SrcPort, DstPort uint16
	// Identifier is that of the ICMP or ICMPv6 messages of the flow, 0 if they have
	// none.
	Identifier uint16
	// Encapsulation is the digest of what of it the key has, 0 if that is nothing.
	Encapsulation uint64
	// Protocol is the IP protocol: decode.TCP, decode.UDP, or another that is asked for.
	Protocol uint8
	V6       bool
	// Fine is set when some packet's time has a finer resolution than a
	// microsecond.
	Fine   bool
	Reason Reason
	// Split is the number, from 1, of the part of a data set that the flow is in, 0 for
	// none.
	Split uint8
	// Start is the time of the first packet, Last the latest time of any.
	// A packet may be stamped earlier than Start, so Last is not before Start.
	Start, Last Time
	// Finish is when the flow was over: the last packet's time plus the idle
	// timeout, or the time of the packet that cut it off: the SYN that reused its
	// ports, or the first one after the active timeout; for an evicted flow
	// the capture's clock then. Flows that the end of the capture finished have
	// the greatest Time, 1<<63 - 1.
	Finish Time
	// First is the position of the first packet in the capture, from 0.
	First uint64
	// Origin is where the first packet stands among those of all processes, and Era how
	// often the clock had stepped back when the flow left: see [Options.Origins].
	Origin Origin
	Era    uint64
	// Number is that of the row, from 0. It is known when the flows of all tables
	// are in order: a table leaves it alone.
	Number uint64
	// Features are what was asked for besides; nil if nothing was. They are lent
	// as the flow is.
	Features *features.Flow
	// Label is what rules have said of the flow, nil if none were asked. Flows share
	// it: nobody changes it.
	Label *Label
	// Metered is the flow as a [Meter] has it, nil without one. The fields above are
	// there then, and the packets of Fwd and Bwd.
	Metered any
	// Fwd counts the packets in the direction of the first, Bwd the others.
	Fwd, Bwd Direction

	alone uint16 // of a flow of one packet that a table filled, see fillAlone; or 0
}

// Alone returns the control bits that count of the only packet of the flow, which is
// forward. It returns false for another flow, or if it does not know, as for one that no
// [Table] has filled.
func (f *Flow) Alone() (flags uint8, ok bool) { return uint8(f.alone), f.alone>>8 == isAlone>>8 }

// A flow of one packet has one of these in Flow.alone, with the packet's control bits.
const (
	isAlone = 1 << (8 + iota)
	isAloneBwd
)

// An Origin is the place of a packet in the order of captures that were read by several
// processes: the latest time of a packet of its capture so far, then the number of
// the packet if captures were read one after the other, in the order of their names.
type Origin struct {
	Place  Time
	Packet uint64
}

// A Label is the label of a flow.
type Label struct {
	// Name is the label itself, or the default where no rule matched.
	Name string
	// Rule is the name of the rule that matched, "" if none did.
	Rule string
	// More are the values of the rules' own columns, in their order.
	More []string
	// CSV is all of that as CSV has it, each with a comma behind it, to be written at
	// once: see export.LabelCSV. It can be nil.
	CSV []byte
}

// A Direction is what a flow counted in one direction.
type Direction struct {
	// Packets is the number of packets.
	Packets uint64
	// Bytes is the sum of the frames' original lengths.
	Bytes uint64
	// Sizes summarizes the frames' original lengths, in bytes.
	Sizes stats.Five
	// IATs summarizes the inter-arrival times, in nanoseconds: n packets have
	// n-1, each the time since the latest packet before it in this direction,
	// or 0 where time runs backwards.
	IATs stats.Five
	// Flags counts the packets with each TCP control bit: FIN, SYN, RST, PSH,
	// ACK, URG, ECE, CWR.
	Flags [8]uint64
}

// A Reason says why a flow finished (IPFIX flowEndReason, 136).
type Reason uint8

const (
	Idle    Reason = iota // idle for longer than the idle timeout
	Reuse                 // its ports were reused by a TCP SYN
	End                   // the capture ended
	Evicted               // a bound of flows or memory was reached (lack of resources)
	Active                // older than the active timeout
	Closed                // closed by FIN or RST, and its ports were used again
)

// String returns "idle", "reuse", "end", "evicted", "active" or "closed", and "" for
// what is no reason.
func (r Reason) String() string {
	names := [...]string{"idle", "reuse", "end", "evicted", "active", "closed"}
	if int(r) >= len(names) {
		return ""
	}
	return names[r]
}

// SrcIP returns the address of the source.
func (f *Flow) SrcIP() netip.Addr { return f.Src.IP(f.V6) }

// DstIP returns the address of the destination.
func (f *Flow) DstIP() netip.Addr { return f.Dst.IP(f.V6) }

// StartTime returns the time of the first packet, in UTC.
func (f *Flow) StartTime() time.Time { return time.Unix(0, int64(f.Start)).UTC() }

// Nanoseconds returns the duration of the flow: Last - Start. It does not
// overflow where a time.Duration, which ends at 292 years, would.
func (f *Flow) Nanoseconds() uint64 { return f.Last.since(f.Start) }

// Duration returns the duration of the flow, at most 292 years.
func (f *Flow) Duration() time.Duration {
	return time.Duration(min(f.Nanoseconds(), uint64(maxTime)))
}
