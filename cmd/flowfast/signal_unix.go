//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// A closed pipe as standard output would end the process in the middle of a
// Write. So Write returns an error, and the run is closed in order.
func init() { signal.Ignore(syscall.SIGPIPE) }
