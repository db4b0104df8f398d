package main

import (
	"bytes"
	"os"
	"strconv"
)

// peakMemory returns the most memory that this process had resident, in bytes,
// 0 if the system does not tell. Parts of captures that are mapped count while
// they are in memory. (getrusage is no use: its maximum is inherited from the
// process that started this one.)
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, after, ok := bytes.Cut(status, []byte("\nVmHWM:"))
	if !ok {
		return 0
	}
	line, _, _ := bytes.Cut(after, []byte("kB"))
	kib, _ := strconv.ParseInt(string(bytes.TrimSpace(line)), 10, 64)
	return kib << 10
}
