package main

import "golang.org/x/sys/unix"

// peakMemory returns the most memory that this process had resident, in bytes,
// 0 if the system does not tell.
func peakMemory() int64 {
	var use unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &use) != nil {
		return 0
	}
	return use.Maxrss // bytes here, unlike elsewhere
}
