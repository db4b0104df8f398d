//go:build linux || darwin

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flowfast/flowfast/bench/workload"
)

// A cost is what one run of something took. A child prints it as JSON; packets
// and flows have the keys that they have in the summary of flowfast.
type cost struct {
	Packets int `json:"packets"`
	Flows   int `json:"flows"`
	// Wall and CPU are times of the part that is measured.
	Wall, CPU time.Duration
	// Mallocs is how many objects that part allocated.
	Mallocs uint64
	// Peak is the most memory that was resident in the process, in bytes.
	Peak int64
	// Bytes is how many bytes came out of a decompressor.
	Bytes int64
	// Resident is by how much open flows made the resident memory grow.
	Resident int64
	// Pauses are those of the batches of packets.
	Pauses pauses
}

// meter does the part of the work that is measured.
func (c *cost) meter(work func() error) error {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	used, began := cpuTime(), time.Now()
	err := work()
	c.Wall, c.CPU = time.Since(began), cpuTime()-used
	runtime.ReadMemStats(&after)
	c.Mallocs = after.Mallocs - before.Mallocs
	return err
}

// cpuTime returns the CPU time of this process so far.
func cpuTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// kinds are what a child can do, with the number of arguments each takes.
var kinds = map[string]struct {
	arguments int
	work      func(*cost, []string) error
}{
	"generate":   {4, generate},      // folder, workload, scale, seed
	"walk":       {2, walk},          // name, capture
	"trial":      {1, runTrial},      // capture
	"decode":     {1, decodeOnly},    // capture
	"engine":     {2, engine},        // workers, capture
	"rows":       {2, engineAndRows}, // workers, capture
	"table":      {2, tableOnly},     // passes, capture
	"compress":   {3, compress},      // format, capture, output
	"decompress": {2, decompress},    // format, input
	"profile":    {3, profileRows},   // seconds, output, capture
}

// child does one kind of work in this process and prints what it took.
func child(out io.Writer, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("a child of no kind")
	}
	kind, args := args[0], args[1:]
	k, ok := kinds[kind]
	if !ok || len(args) != k.arguments {
		return fmt.Errorf("no child %q with %d arguments", kind, len(args))
	}
	var c cost
	if err := k.work(&c, args); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return json.NewEncoder(out).Encode(&c)
}

// generate makes a capture.
func generate(c *cost, args []string) error {
	scale, err := strconv.ParseFloat(args[2], 64)
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(args[3], 10, 64)
	if err != nil {
		return err
	}
	_, _, err = workload.File(args[0], args[1], scale, seed)
	return err
}
