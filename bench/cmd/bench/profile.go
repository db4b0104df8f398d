//go:build linux || darwin

package main

import (
	"errors"
	"os"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/flowfast/flowfast"
)

// profileRows writes a CPU profile of whole jobs on a capture, with one and
// with two workers in turn, until so many seconds have passed.
func profileRows(c *cost, args []string) error {
	seconds, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return err
	}
	out, err := os.Create(args[1])
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		out.Close()
		return err
	}
	for began := time.Now(); err == nil && time.Since(began).Seconds() < seconds; {
		for workers := 1; workers <= 2 && err == nil; workers++ {
			var run *flowfast.Run
			run, err = flowfast.Open(flowfast.Options{Workers: workers}, args[2])
			if err == nil {
				err = rows(run)
			}
		}
	}
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}
