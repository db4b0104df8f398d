package main

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// processor names the processor.
func processor() string {
	name, err := unix.Sysctl("machdep.cpu.brand_string")
	if err != nil {
		return runtime.GOARCH
	}
	return name
}

// memory returns the memory of the machine in bytes.
func memory() int64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return int64(n)
}

// freeMemory takes three quarters of the memory for free.
func freeMemory() int64 { return memory() / 4 * 3 }

// residentMemory returns the most memory that was resident in this process so
// far, that of mapped files with it.
func residentMemory() int64 {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Maxrss
}
