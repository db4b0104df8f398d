// Package flowfast turns packet captures into flow tables: one row for each
// bidirectional TCP or UDP flow, with its duration, its packets and bytes per
// direction, five-number summaries of packet sizes and inter-arrival times per
// direction, and its TCP flag counts.
//
// A [Run] reads one capture, or several as one stream, and gives out the
// finished flows, in the order in which they finished. It is all that the
// command flowfast uses. The way of a packet is
//
//	ioutil     lifts records out of the capture file
//	decode     reads the headers
//	flowtable  finds or starts the flow, finishes the ones gone quiet
//	stats      adds the packet to one direction of the flow
//	features   counts what only some columns need
//	export     turns a finished flow into a row
package flowfast

import "github.com/flowfast/flowfast/flowtable"

// Version is the version of the library and the command.
const Version = "0.1.0"

// A Flow is a finished flow.
type Flow = flowtable.Flow
