//go:build linux || darwin

// Package process runs a command and says what it cost, as the operating system
// accounts for it.
package process

import (
	"bytes"
	"fmt"
	"os/exec"
	"syscall"
	"time"
)

// Usage is what a command cost.
type Usage struct {
	Wall time.Duration
	// User and System are the CPU times of the command and of the children
	// that it waited for.
	User, System time.Duration
	// Peak is the most memory that was resident at a time, in bytes; of
	// several processes, the largest one's.
	Peak int64
}

// CPU returns the CPU time.
func (u Usage) CPU() time.Duration { return u.User + u.System }

// Run runs a command to its end. An error has the end of what the command wrote
// to its standard error. (A child begins with its parent's peak until it has
// one of its own, so the caller should be small.)
func Run(cmd *exec.Cmd) (Usage, error) {
	var stderr bytes.Buffer
	if cmd.Stderr == nil {
		cmd.Stderr = &stderr
	}
	began := time.Now()
	err := cmd.Run()
	u := Usage{Wall: time.Since(began)}
	if err != nil {
		b := bytes.TrimSpace(stderr.Bytes())
		return u, fmt.Errorf("%s: %w: %s", cmd.Args[0], err, b[max(0, len(b)-500):])
	}
	r := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	u.User = cmd.ProcessState.UserTime()
	u.System = cmd.ProcessState.SystemTime()
	u.Peak = int64(r.Maxrss) * maxrssUnit
	return u, nil
}
