// Package features counts what flows tell besides the counts that every flow
// has: what only some columns need. Features come in groups; a flow has the
// state of those groups that are asked for, and nothing else.
//
// What a feature means, with its unit, stands with the columns of package
// export; here stands how it is counted.
package features

import (
	"github.com/flowfast/flowfast/decode"
)

// A Set is groups of features.
type Set uint32

// The groups.
const (
	Sizes     Set = 1 << iota // moments of the frames' original lengths
	Intervals                 // moments of the times between packets of a direction, and of the flow
	Gaps                      // moments of the times since the flow's packet before, by direction
	Payload                   // transport payload and headers
	TCP                       // windows, options, handshake, retransmissions
	IP                        // TTL, DSCP, ECN
	Periods                   // active and idle periods
	Bulks                     // bulk transfers and subflows
	First                     // the first packets, one by one
	Entropy                   // of the first bytes of payload
	Link                      // addresses, VLANs and MPLS label of the first packet
	Quantiles                 // of sizes and intervals, those asked for
	Spans                     // when the first and the latest packet came, by direction and of the flow
	Shape                     // third and fourth moments too, of the groups that have moments
)

// Details are the groups that need the details of each packet's headers.
const Details = Payload | TCP | IP | Bulks | Entropy

// A Packet is a packet of a flow as features need it.
type Packet struct {
	Time  int64  // nanoseconds since the Unix epoch
	Size  uint32 // original length of the frame in bytes
	Seq   uint32
	Flags uint8 // TCP control bits, FIN in the lowest
	// Details are there for the groups in Details, Bytes, the captured payload,
	// for Entropy, and Link for Link.
	Details *decode.Details
	Bytes   []byte
	Link    *decode.Link
}

const (
	fin = decode.FIN
	syn = decode.SYN
	rst = decode.RST
	psh = decode.PSH
	ack = decode.ACK
)

// A Flow is the features of a finished flow. Only the groups that were asked
// for are set. Of arrays of two, the first is forward, the second backward; of
// three, the last is of both.
type Flow struct {
	// Alone tells that a Store has set the features to those of one packet. Who
	// changes them afterwards makes it false: rows rely on it.
	Alone     bool
	Sizes     [3]Moments // bytes
	Intervals [3]Moments // nanoseconds
	Seen      [3]Span    // with Spans, and with Intervals
	Gaps      [2]Moments // nanoseconds
	Payload   Load
	TCP       Transport
	IP        [2]Header
	Periods   Activity
	Bulks     Bulk
	First     []Early // lent as the flow is, as are Quantiles
	Entropy   [2]float64
	Link      decode.Link
	Quantiles [2]Order
}

// An Order is the quantiles of a direction that were asked for, in that order:
// of sizes in bytes, of intervals in nanoseconds.
type Order struct{ Sizes, Intervals []float64 }
