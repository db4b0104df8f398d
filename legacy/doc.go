// Package legacy computes the flow rows of CICFlowMeter, the Java program by
// Lashkari et al., as its commit 98a5eba computes them, defects included, for
// comparing with tables that were made with it.
//
// A packet has a way of its own through the package, which shares nothing with the
// rest of flowfast:
//
//	scan     finds the headers of a frame, as jNetPcap 1.4.r1425 does
//	packet   takes from them what counts, as PacketReader does
//	Meter    finds or starts its flow, closes it, as FlowGenerator does
//	Flow     adds the packet to its flow, as BasicFlow does
//	CSV      turns a flow into a row, as FlowFeature and dumpFlowBasedFeaturesEx do
//
// [Original] is that way as a run of flowfast goes it, in place of flow tables: what is
// read, chosen and told is the run's business.
//
// Two things are not kept: the order of the flows that are still open at the end,
// there that of a Java hash table, here that of their first packets; and that
// the original opens no other captures than pcap.
//
// What may surprise is told where it happens. In short: frames are read as
// Ethernet whatever their link type is, and as IPv4 if that fails; IPv6 and
// flows of one packet are left out; everything but TCP and UDP has the protocol
// 0 and the ports 0; a flow ends 120 seconds after its first packet, but only when
// a packet of its own comes after that; lengths are those of payloads.
package legacy
