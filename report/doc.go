// Package report counts what a person wants to see of a run, and renders it as one
// page of HTML that needs no network.
//
// A [Collector] takes in packets, with what [Collector.Packets] does for the option
// Packets of a run, and flows in the order of their rows. [Rows] put what it counts of
// a flow in front of its row, and a [Writer] takes that off again, so that the rows
// are still formatted by several goroutines and the page is the same for any number of
// them. Memory is bounded whatever the capture:
//
//	over time      at most 240 bins, which grow with the time they cover
//	distributions  bins by a factor of 10^(1/5) (Renard series R5, ISO 3)
//	ports          one counter for each of the 65,536 of a protocol
//	hosts, pairs   the frequent ones (Misra and Gries, 1982), see heavy
//	fan-out        HyperLogLog with 2^11 registers for each frequent source
//
// Whatever is not exact has its bound beside it on the page.
package report
