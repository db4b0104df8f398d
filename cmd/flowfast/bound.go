package main

import (
	"math"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"

	"github.com/flowfast/flowfast"
)

// share is the part of the memory there is that is used if the user names no
// bound, in percent. The rest is for other programs, for the captures in the
// page cache, and for decompressors' windows.
const share = 70

// keepToMemory sets the bound of memory: the user's, or one that the control
// group and the machine allow. The garbage collector keeps to it too.
func (c *command) keepToMemory() {
	if c.memory == 0 {
		c.memory = size(max(available()/100*share, c.leastMemory()))
	}
	if int64(c.memory) < debug.SetMemoryLimit(-1) { // GOMEMLIMIT can be lower
		debug.SetMemoryLimit(int64(c.memory))
	}
}

// available returns the bytes of memory that this process can have.
func available() int64 {
	most := uint64(math.MaxInt64)
	for _, limit := range []func() (uint64, error){memlimit.FromCgroup, memlimit.FromSystem} {
		if bytes, err := limit(); err == nil {
			most = min(most, bytes)
		}
	}
	return int64(most)
}

// leastMemory returns the least memory that a job takes, in bytes.
func (c *command) leastMemory() int64 { return flowfast.MinMemory + int64(c.besides()) }

// besides returns what a job takes for what comes of its flows, in bytes.
func (c *command) besides() int {
	n := c.format.Memory() + c.page.memory()
	if c.dataset || c.oneTable { // a capture has a page beside that of those before it
		n += c.page.memory()
	}
	return n
}

// atOnce returns how many of a number of jobs are done at the same time, and
// the bound of memory of each, without what writing its rows takes.
func (c *command) atOnce(jobs int) (n, memory int) {
	n = max(min(c.jobs, jobs, int(int64(c.memory)/c.leastMemory())), 1)
	return n, int(c.memory)/n - c.besides()
}
