package main

import (
	"os/exec"
	"syscall"
)

// endWithThis has a command end, with what it started itself, when its context ends,
// and with this process, also where that is killed.
func endWithThis(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
