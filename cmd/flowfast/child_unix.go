//go:build unix && !linux

package main

import (
	"os/exec"
	"syscall"
)

// endWithThis has a command end, with what it started itself, when its context ends.
func endWithThis(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
