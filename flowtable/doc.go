// Package flowtable groups packets into flows: it finds or starts the flow of
// each packet and finishes the flows that have gone quiet.
//
// A flow is the TCP or UDP packets between two endpoints within an interval of
// time, in both directions (RFC 7011, 2; RFC 5103). Forward is the direction
// of its first packet. A packet starts a new flow when there is none with its
// key, when that flow has been idle for longer than the idle timeout, or when
// it is a TCP SYN that reuses the ports (see reuse.go).
//
// # Terms
//
//	key       protocol, IP version and the unordered pair of endpoints
//	batch     packets on their way to the tables, with their keys and hashes
//	share     the keys of one table, where several hold the flows of a capture
//	step      a part of a batch after which finished flows leave
//	record    a flow in memory, 64 bytes, with a link of 32
//	counts    what is counted of a flow of more than one packet, 88 bytes
//	reference the number of a record; 0 is none
//	slot      an entry of the index: 32 bits of the key's hash and a reference
//	segment   4096 slots; a full one is split, by one more bit of the hash
//	lane      a recency list: records in the order of the times they are filed
//	          under, the last packet time or an earlier one; see recency.go
//	stray     a record whose time fits no lane; they are in a heap
//	horizon   a time before which no packet is expected any more
//	finish    when the flow ended: last packet + idle timeout, or port reuse
//	evict     finish a flow early to keep to a bound; see evict.go
//
// # The way of a packet
//
// [Batch.Add] makes the packet's key and hashes it; batches of other packets may
// do so at the same time. [Gate.Admit] takes in one batch after the other: it
// follows the clock and resolves fragments. [Table.Add] takes in the packets of
// a share, and [Table.Next] gives out what has finished.
//
// # Time that runs backwards
//
// Whether a packet belongs to a flow depends on the packet's time and the
// flow's last packet time alone, never on the other flows. So a flow may be
// given up only when no packet can come for it any more. [Clock] gives the
// horizon for that: the smallest time among the last 65,536 packets at least.
// Flows that finished before the horizon leave the table, in the order in
// which they finished.
package flowtable
