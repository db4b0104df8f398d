//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// Without these two a closed pipe and a limit on file sizes would end the
// process in the middle of a Write. With them Write returns an error.
func init() { signal.Ignore(syscall.SIGPIPE, syscall.SIGXFSZ) }
