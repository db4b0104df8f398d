package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// processor names the processor.
func processor() string {
	if name := field("/proc/cpuinfo", "model name"); name != "" {
		return name
	}
	return runtime.GOARCH
}

// memory returns the memory of the machine in bytes.
func memory() int64 { return kibibytes("/proc/meminfo", "MemTotal") }

// freeMemory returns how much of it a process can take before the system swaps.
func freeMemory() int64 { return kibibytes("/proc/meminfo", "MemAvailable") }

// residentMemory returns the resident memory of this process that is not that
// of files.
func residentMemory() int64 { return kibibytes("/proc/self/status", "RssAnon") }

// kibibytes returns a field like "MemTotal:  1024 kB" in bytes, 0 if it is not
// there.
func kibibytes(path, name string) int64 {
	n, err := strconv.ParseInt(strings.TrimSuffix(field(path, name), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}

// field returns the first field of a name in a file of /proc (proc(5)).
func field(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
