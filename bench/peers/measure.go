//go:build linux || darwin

package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/flowfast/flowfast/bench/process"
)

// A Result is one run of a program. With an error, the usage is what the
// program had reached, without its children.
type Result struct {
	process.Usage
	Counts
	Err error
}

var errMemory = errors.New("stopped: the machine is out of memory")

// measure runs a program on a job in a new folder, which it removes. The file
// has been read twice before, so that it comes from memory.
func measure(ctx context.Context, j Job, limit time.Duration, path string, arguments func(Job) ([]string, error), counts func(Job) (Counts, error)) (r Result) {
	fail := func(err error) Result {
		r.Counts, r.Err = unknown, err
		return r
	}
	dir, err := os.MkdirTemp("", "flowfast-peers-")
	if err != nil {
		return fail(err)
	}
	defer os.RemoveAll(dir)
	j.Dir = dir
	args, err := arguments(j)
	if err != nil {
		return fail(err)
	}
	for range 2 {
		if err := readAll(j.Capture); err != nil {
			return fail(err)
		}
	}
	forgetPeak()
	if r.Usage, err = run(ctx, j, limit, path, args); err != nil {
		return fail(err)
	}
	// An exit status of 0 is not enough: some say what went wrong and end with it.
	r.Counts, err = counts(j)
	switch {
	case errors.Is(err, exec.ErrNotFound): // the program that counts
		r.Counts = unknown
	case err != nil:
		r.Err = fmt.Errorf("left no counts: %w%s", err, lastLine(j.log()))
	case r.Packets == 0:
		r.Err = fmt.Errorf("has read no packet%s", lastLine(j.log()))
	}
	return r
}

// forgetPeak makes the peak of this process what it has now, since a child's
// begins with it. Only Linux can (proc(5), clear_refs), elsewhere small peaks
// are hidden by this one.
func forgetPeak() {
	debug.FreeOSMemory()
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// floor returns the resident memory of this process in bytes, 0 if unknown:
// smaller peaks of children can't be seen.
func floor() int64 {
	forgetPeak()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return field(string(b), "VmHWM") * 1024
}

func readAll(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 1<<20))
	return err
}

// run runs a program until it ends, until a time limit, or until it has taken
// the memory of the machine. It stops its children with it.
func run(ctx context.Context, j Job, limit time.Duration, path string, args []string) (process.Usage, error) {
	ctx, cancelTimeout := context.WithTimeoutCause(ctx, limit, fmt.Errorf("stopped: longer than %v", limit))
	defer cancelTimeout()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	out, err := os.Create(j.log())
	if err != nil {
		return process.Usage{}, err
	}
	defer out.Close()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = j.Dir
	cmd.Env = append(os.Environ(), "TMPDIR="+j.Dir, "LC_ALL=C")
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

	go watchMemory(ctx, cancel)
	usage, err := process.Run(cmd)
	if err == nil {
		return usage, nil
	}
	if state := cmd.ProcessState; state != nil {
		usage = reached(usage, state)
	}
	if ctx.Err() != nil {
		return usage, context.Cause(ctx)
	}
	return usage, fmt.Errorf("%w%s", err, lastLine(j.log()))
}

// reached adds to a wall time what a program had used when it was stopped.
func reached(u process.Usage, state *os.ProcessState) process.Usage {
	u.User, u.System = state.UserTime(), state.SystemTime()
	if r, ok := state.SysUsage().(*syscall.Rusage); ok {
		u.Peak = int64(r.Maxrss)
		if runtime.GOOS == "linux" {
			u.Peak *= 1024 // getrusage(2) counts kibibytes there
		}
	}
	return u
}

// lastLine returns the last line that a program wrote, after a colon.
func lastLine(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return ""
	}
	const tail = 500
	b, _ := io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-tail), tail))
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return ""
	}
	return ": " + string(b[bytes.LastIndexByte(b, '\n')+1:])
}

// watchMemory cancels when less than a sixteenth of the memory of the machine
// is left. Without Linux's /proc it does nothing.
func watchMemory(ctx context.Context, cancel context.CancelCauseFunc) {
	ticks := time.NewTicker(100 * time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		b, err := os.ReadFile("/proc/meminfo")
		if err != nil {
			return
		}
		available := field(string(b), "MemAvailable")
		if available > 0 && available < field(string(b), "MemTotal")/16 {
			cancel(errMemory)
			return
		}
	}
}

// field returns the number after a name in a text of /proc, 0 if it has none.
func field(text, name string) int64 {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			n, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return n
		}
	}
	return 0
}
