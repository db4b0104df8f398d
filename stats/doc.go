// Package stats keeps what a flow table needs to know about one series of
// observations: how many, their sum, how often each of eight bits was set, and
// the five-number summaries of their sizes and of the intervals between them.
// It has no idea of networks.
//
// # What is promised
//
//   - Sizes are exact, however long the series.
//   - The smallest and the largest interval are exact.
//   - The quartiles of the intervals are exact for the first [ExactIntervals]
//     of them. Beyond that each is within a relative error of 1/128 of the
//     exact quartile (derivation: [intervalBin]).
//   - Two states can be merged into the state of one pass over both. Nothing in
//     the program does: packets of a flow come together, see package block. Tests
//     show how, and that it holds whatever the parts and their order.
//
// # Where the values live
//
// A [Series] is 40 bytes and is a complete state for one observation. Values
// beyond the first live in blocks of a [Pool], which the series refers to by a
// 32-bit number, so that a table of flows holds nothing for the garbage
// collector to trace:
//
//	observations   block
//	1              none
//	2..5           short: 4 pairs of an interval and a size, 32 bytes
//	6..17          medium: 16 pairs, 128 bytes
//	18..44         small log: a list of histogram bins and sizes, 192 bytes
//	45..108        large log: the same, 448 bytes
//	109 and more   long: two counting tables that grow with the number of
//	               distinct sizes and of distinct histogram bins
//
// A pool of totals, see [NewTotals], keeps no values and so has none of these.
//
// Pairs have 48 bits for an interval in nanoseconds and 16 for a size, logs 16
// for a size. A series with a value beyond that has a wide block in place of a
// short or a medium one, 192 bytes; one with such a size is long from 18
// observations on.
//
// All arithmetic on the way in is on integers. Nothing is allocated once the
// pool has grown to what the traffic needs: a freed block is used again.
//
// A Pool and the series that live in it belong to one goroutine at a time.
package stats
