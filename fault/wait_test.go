//go:build linux

package fault

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// soon is how long after a signal a run may take that only waits.
const soon = 2 * time.Second

// mkfifo makes a named pipe that everybody may open.
func mkfifo(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	chmod(t, path, 0o666)
}

// sleeps reports whether all threads of a process sleep, for a while: it waits for
// something.
func sleeps(cmd *exec.Cmd) bool {
	for range 20 {
		stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", cmd.Process.Pid))
		if len(stats) == 0 {
			return false
		}
		for _, name := range stats {
			b, err := os.ReadFile(name)
			if err == nil && !strings.Contains(string(b), ") S ") {
				return false
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return true
}

// TestSignalWhileOpening sends a signal to a run that waits for the other end of a
// named pipe.
func TestSignalWhileOpening(t *testing.T) {
	small := capture(t, "flood300", 1, 1)
	for _, test := range []struct {
		args []string
		left []string // besides the pipe
	}{
		{args: []string{small, "pipe"}},
		{args: []string{"-j", "1", small, "pipe"}},
		{args: []string{"--format", "parquet", small, "pipe"}},
		{args: []string{"--profile", "cicflowmeter-legacy", small, "pipe"}},
		{args: []string{small, "link"}, left: []string{"link"}},
		{args: []string{"--summary", "pipe", small, "rows.csv"}, left: []string{"rows.csv"}},
		{args: []string{"pipe", "rows.csv"}},
		{args: []string{"--profile", "cicflowmeter-legacy", "pipe", "rows.csv"}},
	} {
		for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			dir := folder(t)
			mkfifo(t, filepath.Join(dir, "pipe"))
			if slices.Contains(test.left, "link") {
				if err := os.Symlink("pipe", filepath.Join(dir, "link")); err != nil {
					t.Fatal(err)
				}
			}
			cmd := command(dir, append([]string{"-q"}, test.args...)...)
			wait := start(t, cmd)
			if !poll(cmd, func() bool { return sleeps(cmd) }) {
				t.Fatalf("%q: does not wait", test.args)
			}
			began := time.Now()
			if err := cmd.Process.Signal(s); err != nil {
				t.Fatal(err)
			}
			wait().want(t, 128+int(s), "flowfast: stopped by a signal (")
			if took := time.Since(began); took > soon {
				t.Errorf("%q: ended %v after the signal", test.args, took)
			}
			os.Remove(filepath.Join(dir, "pipe"))
			wantNames(t, dir, test.left...)
		}
	}
}

// TestLateReader wants a named pipe that is read later to get all, at the speed of
// its reader.
func TestLateReader(t *testing.T) {
	dir := folder(t)
	input := capture(t, "flood40000", 1, 1)
	run(t, command(dir, "-q", "--summary", "s.json", input, "named.csv")).want(t, 0)
	for _, jobs := range []string{"1", "2"} {
		mkfifo(t, filepath.Join(dir, "pipe"))
		cmd := command(dir, "-q", "-j", jobs, input, "pipe")
		wait := start(t, cmd)
		poll(cmd, func() bool { return sleeps(cmd) })
		late := exec.Command("sh", "-c", "{ sleep 0.2; cat; } <pipe >"+jobs+".csv")
		late.Dir = dir
		if b, err := late.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		wait().want(t, 0)
		os.Remove(filepath.Join(dir, "pipe"))
		if left := readTree(t, dir); left[jobs+".csv"] != left["named.csv"] {
			t.Errorf("-j %s: %d bytes came, want %d", jobs, len(left[jobs+".csv"]), len(left["named.csv"]))
		}
	}
}

// A compiler stands in for tcpdump. It begins with what it was told to do first,
// then notes its number and that of a process of its own, and goes on for ever.
type compiler struct{ dir string }

func newCompiler(t *testing.T, first string) *compiler {
	t.Helper()
	c := &compiler{folder(t)}
	script := "#!/bin/sh\n" + first + "\nsleep 1000 &\necho $$ $! >" + c.dir + "/new && mv " + c.dir + "/new " + c.dir + "/pids\nwhile :; do :; done\n"
	write(t, filepath.Join(c.dir, "tcpdump"), []byte(script))
	chmod(t, filepath.Join(c.dir, "tcpdump"), 0o755)
	return c
}

// command returns the command with its arguments and this compiler.
func (c *compiler) command(dir string, args ...string) *exec.Cmd {
	cmd := command(dir, args...)
	cmd.Env = append(os.Environ(), "PATH="+c.dir+":"+os.Getenv("PATH"))
	return cmd
}

// pids returns the numbers of its two processes, once they are there.
func (c *compiler) pids(t *testing.T, cmd *exec.Cmd) (own, child int) {
	t.Helper()
	poll(cmd, func() bool {
		b, _ := os.ReadFile(filepath.Join(c.dir, "pids"))
		n, _ := fmt.Sscan(string(b), &own, &child)
		return n == 2
	})
	if child == 0 {
		t.Fatal("the compiler was not started")
	}
	t.Cleanup(func() { // if they are left
		for _, pid := range []int{own, child} {
			if runs(pid) {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
	return own, child
}

// runs reports whether a process has not ended.
func runs(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// wantEnded wants a process to have ended before a time.
func wantEnded(t *testing.T, pid int, before time.Time) {
	t.Helper()
	for runs(pid) {
		if time.Now().After(before) {
			t.Errorf("process %d still runs", pid)
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// TestSignalWhileCompiling sends a signal while tcpdump compiles a filter: for the
// first link type that it is tried with, and for one that a capture has.
func TestSignalWhileCompiling(t *testing.T) {
	const once = `d=$(dirname "$0"); if mkdir "$d/first" 2>/dev/null; then echo '1,6 0 0 262144' | tr , '\n'; exit; fi`
	small := capture(t, "flood300", 1, 1)
	raw := folder(t)
	b := slices.Clone(read(t, small))
	b[20] = 101 // link type
	write(t, filepath.Join(raw, "raw.pcap"), b)
	for _, test := range []struct {
		first string
		args  []string
	}{
		{"", []string{small, "rows.csv"}},
		{once, []string{filepath.Join(raw, "raw.pcap"), "rows.csv"}},
		{once, []string{"-j", "1", filepath.Join(raw, "raw.pcap"), "rows.csv"}},
	} {
		dir, c := folder(t), newCompiler(t, test.first)
		cmd := c.command(dir, append([]string{"-q", "--filter", "udp"}, test.args...)...)
		wait := start(t, cmd)
		own, child := c.pids(t, cmd)
		limit := time.Now().Add(soon)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		e := wait()
		e.want(t, 143)
		if want := "flowfast: stopped by a signal (terminated)\n"; e.err != want {
			t.Errorf("said %q, want %q", e.err, want)
		}
		if time.Now().After(limit) {
			t.Errorf("ended more than %v after the signal", soon)
		}
		wantEnded(t, own, limit)
		wantEnded(t, child, limit)
		wantNames(t, dir)
	}
}

// TestKilledWhileCompiling wants no tcpdump to be left at work for nobody.
func TestKilledWhileCompiling(t *testing.T) {
	c := newCompiler(t, "")
	cmd := c.command(folder(t), "-q", "--filter", "udp", capture(t, "flood300", 1, 1), "rows.csv")
	wait := start(t, cmd)
	own, _ := c.pids(t, cmd)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if e := wait(); e.killer != syscall.SIGKILL {
		t.Errorf("ended with status %d, want to be killed", e.status)
	}
	wantEnded(t, own, time.Now().Add(soon))
}

// TestSignalWhileReadingArguments sends a signal while the list of a filter, or the key,
// comes from a pipe that nobody writes to.
func TestSignalWhileReadingArguments(t *testing.T) {
	for _, flag := range []string{"--anonymize", "--filter"} {
		dir := folder(t)
		mkfifo(t, filepath.Join(dir, "pipe"))
		cmd := command(dir, "-q", flag, "@pipe", capture(t, "flood300", 1, 1), "rows.csv")
		wait := start(t, cmd)
		poll(cmd, func() bool { return sleeps(cmd) })
		began := time.Now()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		if e := wait(); e.status != 143 || time.Since(began) > soon {
			t.Errorf("%s: ended with %d after %v", flag, e.status, time.Since(began))
		}
		os.Remove(filepath.Join(dir, "pipe"))
		wantNames(t, dir)
	}
}
