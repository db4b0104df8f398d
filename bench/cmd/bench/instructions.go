//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
)

const (
	countBudget = 3 * time.Minute  // for all commands
	countMost   = 30 * time.Second // for one
	// callgrindLeast is the scale below which callgrind, which takes seconds
	// whatever the scale, is left out.
	callgrindLeast = 0.01
)

// A counter counts the instructions that a command executes as a user.
type counter struct {
	name string // of the tool, "" if there is none
	why  string // the tool is not used, or stopped being used
	args []string
	env  []string
	// read finds the number in what the tool prints.
	read func([]byte) (uint64, error)
	// small and large are the packets of two captures; the difference between
	// them is free of what a command costs to start.
	small, large func(packets int) int
	left         time.Duration // for all commands
	most         time.Duration // for one
}

// newCounter returns a counter that works here, or one that says why none does.
func newCounter(ctx context.Context, scale float64) *counter {
	perf := &counter{
		name:  "perf",
		args:  []string{"perf", "stat", "-x,", "-e", "instructions:u", "--"},
		read:  readPerf,
		small: func(packets int) int { return packets / 10 },
		large: func(packets int) int { return packets },
		left:  countBudget,
		most:  countMost,
	}
	_, err := perf.count(exec.CommandContext(ctx, "true"))
	if err == nil {
		return perf
	}
	callgrind := &counter{
		name: "callgrind",
		args: []string{"valgrind", "--tool=callgrind", "--callgrind-out-file=" + os.DevNull},
		// Valgrind runs one thread at a time and confuses the signals of Go.
		env:   []string{"GODEBUG=asyncpreemptoff=1", "GOMAXPROCS=1"},
		read:  readCallgrind,
		small: func(int) int { return 10_000 },
		large: func(int) int { return 40_000 },
		left:  countBudget,
		most:  countMost,
	}
	if scale < callgrindLeast {
		return &counter{why: fmt.Sprintf("perf: %v; callgrind is left out below scale %g", err, callgrindLeast)}
	}
	if _, err2 := callgrind.count(exec.CommandContext(ctx, "true")); err2 != nil {
		return &counter{why: fmt.Sprintf("perf: %v; callgrind: %v", err, err2)}
	}
	return callgrind
}

// forWorkers makes a counter one for many workers, each of which has pieces and
// chunks of its own: what a piece costs when it is used for the first time is free
// if the small capture has more pieces than there are.
func (c *counter) forWorkers() *counter {
	if c.name == "callgrind" {
		c.small = func(int) int { return 100_000 }
		c.large = func(int) int { return 200_000 }
		c.left, c.most = 4*time.Minute, 90*time.Second
	}
	return c
}

// about says in a sentence how instructions were counted, or why not.
func (c *counter) about() string {
	switch {
	case c.name == "":
		return "Instructions were not counted: " + c.why + "."
	case c.why != "":
		return "Instructions: " + c.name + ", which was given up: " + c.why + "."
	case c.name == "callgrind":
		return fmt.Sprintf("Instructions: callgrind, the difference between captures of %d and %d packets.", c.small(0), c.large(0))
	}
	return "Instructions: perf, in user mode, the difference between a tenth of the capture and all of it."
}

// count runs a command under the tool.
func (c *counter) count(cmd *exec.Cmd) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), min(c.most, c.left))
	defer cancel()
	began := time.Now()
	defer func() { c.left -= time.Since(began) }()
	tool := exec.CommandContext(ctx, c.args[0], append(c.args[1:len(c.args):len(c.args)], cmd.Args...)...)
	tool.Env = append(os.Environ(), c.env...)
	tool.WaitDelay = time.Second
	var stderr bytes.Buffer
	tool.Stderr = &stderr
	err := tool.Run()
	if ctx.Err() != nil {
		return 0, errors.New("no time left")
	}
	if err != nil {
		return 0, err
	}
	return c.read(stderr.Bytes())
}

// readPerf finds the count in what perf stat -x, prints:
//
//	1234567,,instructions:u,812345,100.00,,
func readPerf(b []byte) (uint64, error) {
	for line := range strings.Lines(string(b)) {
		fields := strings.Split(line, ",")
		if len(fields) < 3 || fields[2] != "instructions:u" {
			continue
		}
		n, err := strconv.ParseUint(fields[0], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("instructions:u %s", fields[0])
		}
		return n, nil
	}
	return 0, errors.New("no count of instructions:u")
}

var collected = regexp.MustCompile(`(?m)^==\d+== Collected : (\d+)`)

// readCallgrind finds the count in what callgrind prints:
//
//	==123== Collected : 1234567
func readCallgrind(b []byte) (uint64, error) {
	found := collected.FindSubmatch(b)
	if found == nil {
		return 0, errors.New("nothing collected")
	}
	return strconv.ParseUint(string(found[1]), 10, 64)
}

// count counts instructions per packet of measurements on a workload.
func (r *runner) count(name string, ms []*measurement) error {
	if r.counter == nil {
		r.counter = newCounter(r.ctx, r.scale)
	}
	c := r.counter
	if c.name == "" || c.why != "" {
		return nil
	}
	packets, all := workload.Packets(name, r.scale), workload.Packets(name, 1)
	small, err := r.capture(r.dir, name, float64(c.small(packets))/float64(all), 1)
	if err != nil {
		return err
	}
	defer small.leave()
	large, err := r.capture(r.dir, name, float64(c.large(packets))/float64(all), 1)
	if err != nil {
		return err
	}
	defer large.leave()
	for _, m := range ms {
		few, err := c.count(m.command(small.path))
		if err != nil {
			c.why = name + ", " + m.name + ": " + err.Error()
			break
		}
		many, err := c.count(m.command(large.path))
		if err != nil {
			c.why = name + ", " + m.name + ": " + err.Error()
			break
		}
		m.instructions = (float64(many) - float64(few)) / float64(large.packets-small.packets)
	}
	return r.ctx.Err()
}
