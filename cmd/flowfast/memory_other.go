//go:build !linux && !darwin

package main

import "runtime"

// peakMemory returns the memory that the Go runtime has taken from the system,
// in bytes, of which it gives nothing back to be reserved by others: a stand-in
// for the peak of what was resident.
func peakMemory() int64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.Sys)
}
