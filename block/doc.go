// Package block holds packets of flows on their way from one machine to another: what
// the flow rules, and the columns that were asked for, need of each packet of a
// capture whose key has a hash in one bucket.
//
// # Format
//
// A block is bytes of its own, so that several may stand one behind the other in a
// file or a stream. Numbers are little-endian, a checksum is the CRC-32C of the bytes
// before it (RFC 9260, appendix A).
//
//	8  magic: "FFBLOCK" and the version of the format, 2
//	8  length of all that follows
//	4  length of the header; the header, a JSON object, see [Header]; 4 checksum
//	4  length of the trace; the trace, see [Capture.Stepped]; 4 checksum
//	   chunks: 4 length; a zstd frame (RFC 8878); 4 checksum
//	4  zero, after the last chunk
//
// A chunk is packets in the order of the capture, as columns one behind the other: the
// number of packets, the unit of times in nanoseconds, the first time, the position
// before the first packet, and the length of each column, all of them varints
// (encoding/binary); then the columns. What they hold stands with the type columns.
// Nothing in a chunk refers to another one.
package block
