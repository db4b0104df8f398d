//go:build linux

// Package fault runs the command as a process in a world that fails: the disk
// is full, the reader has gone, the capture shrinks, signals come. What the
// process says and what it leaves behind is looked at.
//
// Where root runs the tests, the command runs as nobody: it needs no rights.
package fault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flowfast/flowfast/bench/release"
)

var (
	flowfast string              // the command
	work     string              // folder for all that is made here
	nobody   *syscall.Credential // whom the command runs as; nil for who runs the tests
)

func TestMain(m *testing.M) {
	status, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func testMain(m *testing.M) (status int, err error) {
	if signal.Ignored(os.Interrupt) { // as a shell has it in the background; a process would inherit it
		signal.Notify(make(chan os.Signal, 1), os.Interrupt)
	}
	if work, err = os.MkdirTemp("", "flowfast-fault-"); err != nil {
		return 0, err
	}
	defer os.RemoveAll(work)
	if err := os.Chmod(work, 0o755); err != nil {
		return 0, err
	}
	flowfast = filepath.Join(work, "flowfast")
	if err := release.Command(context.Background(), flowfast); err != nil {
		return 0, err
	}
	if os.Geteuid() == 0 {
		nobody = &syscall.Credential{Uid: 65534, Gid: 65534}
		if err := command(work, "--version").Run(); err != nil {
			fmt.Fprintln(os.Stderr, "the command runs as root, since it can't as nobody:", err)
			nobody = nil
		}
	}
	return m.Run(), nil
}

// readSources reads the sources that the command is built from and these tests
// are not, so that go test knows when an earlier result is out of date.
var readSources = sync.OnceFunc(func() {
	files, _ := filepath.Glob("../cmd/flowfast/*")
	for _, file := range files {
		_, _ = os.ReadFile(file)
	}
})

// command returns the command with its arguments, to be run in a folder.
func command(dir string, args ...string) *exec.Cmd { return program(dir, flowfast, args...) }

// program returns another program, as the same user.
func program(dir, name string, args ...string) *exec.Cmd {
	readSources()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: nobody, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// An ending is how a process came to its end.
type ending struct {
	status   int            // exit status; 128 and the signal's number if one killed it
	killer   syscall.Signal // 0 if none did
	out, err string
}

// run runs a process to its end.
func run(t *testing.T, cmd *exec.Cmd) ending {
	t.Helper()
	wait := start(t, cmd)
	return wait()
}

// start starts a process and returns what waits for its end.
func start(t *testing.T, cmd *exec.Cmd) (wait func() ending) {
	t.Helper()
	var out, err bytes.Buffer
	if cmd.Stdout == nil {
		cmd.Stdout = &out
	}
	cmd.Stderr = &err
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	const patience = 2 * time.Minute // hundreds of times what a run takes: it hangs
	guard := time.AfterFunc(patience, func() {
		t.Errorf("%q: has not ended after %v", cmd.Args, patience)
		_ = cmd.Process.Kill()
	})
	return func() ending {
		t.Helper()
		failed := cmd.Wait()
		guard.Stop()
		var exit *exec.ExitError
		if failed != nil && !errors.As(failed, &exit) {
			t.Fatalf("%q: %v", cmd.Args, failed)
		}
		e := ending{status: cmd.ProcessState.ExitCode(), out: out.String(), err: err.String()}
		if s := cmd.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
			e.killer, e.status = s.Signal(), 128+int(s.Signal())
		}
		if strings.Contains(e.err, "goroutine ") || strings.Contains(e.err, "panic:") {
			t.Errorf("%q: a crash:\n%s", cmd.Args, e.err)
		}
		return e
	}
}

// want wants an exit status, and certain text within standard error.
func (e ending) want(t *testing.T, status int, text ...string) {
	t.Helper()
	if e.status != status || e.killer != 0 {
		t.Errorf("exit status %d (killed by signal %d), want %d; said:\n%s", e.status, e.killer, status, e.err)
	}
	for _, part := range text {
		if !strings.Contains(e.err, part) {
			t.Errorf("said:\n%swant %q in it", e.err, part)
		}
	}
}

// poll asks until the answer is yes, and reports whether it was before the
// process had ended. What another process does can't be waited for otherwise.
func poll(cmd *exec.Cmd, yes func() bool) bool {
	for {
		if yes() {
			return true
		}
		// Of a process that has ended but was not waited for, state Z is left.
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if err != nil || bytes.Contains(status, []byte("\nState:\tZ")) {
			return yes()
		}
		time.Sleep(200 * time.Microsecond)
	}
}

// folder returns a new folder, which the command may write to.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(work, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	chmod(t, dir, 0o777)
	return dir
}

// subfolder makes a folder that the command may write to.
func subfolder(t *testing.T, elements ...string) string {
	t.Helper()
	dir := filepath.Join(elements...)
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	chmod(t, dir, 0o777)
	return dir
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func removeAll(t *testing.T, elements ...string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(elements...)); err != nil {
		t.Fatal(err)
	}
}

// full reports whether a pipe has no room for a page more.
func full(pipe *os.File) bool {
	return waiting(pipe) > asked(pipe, func(fd int) (int, error) {
		return unix.FcntlInt(uintptr(fd), unix.F_GETPIPE_SZ, 0)
	})-os.Getpagesize()
}

// waiting returns how many bytes stand in a pipe.
func waiting(pipe *os.File) int {
	return asked(pipe, func(fd int) (int, error) { return unix.IoctlGetInt(fd, unix.TIOCINQ) })
}

// asked asks the system about a file. (Fd would make the file a blocking one.)
func asked(f *os.File, ask func(fd int) (int, error)) (n int) {
	c, err := f.SyscallConn()
	if err == nil {
		err = errors.Join(c.Control(func(fd uintptr) { n, err = ask(int(fd)) }), err)
	}
	if err != nil {
		panic(err) // it is a pipe, and open
	}
	return n
}
