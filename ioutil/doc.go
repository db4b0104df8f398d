// Package ioutil reads packet captures: classic pcap, pcapng, snoop and ERF, plain or in
// gzip, zstd, bzip2, xz or lz4, from a file or a stream.
//
// A [Capture] lends packets in batches. A plain file is mapped into memory and
// its packets are never copied; whatever else there is (a pipe, compressed
// data) comes through a small ring of buffers that a goroutine fills ahead of
// the reader. Both end in the same window of bytes, which one parser for each
// format reads in place, without allocating.
//
// A mapped file can be read by several goroutines at once, in [Spans], which the
// capture then joins in order.
//
// The package gives link types as the numbers in the file and knows nothing of
// what is in a packet.
package ioutil
