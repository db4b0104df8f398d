package testnet

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/flowfast/flowfast/ioutil"
)

const inside = "FLOWFAST_TEST_NAMESPACE"

// Inside reports whether the test is in a namespace of its own. If not it has run
// there, in a process of its own whose outcome is the test's, and there is nothing
// left to do. Programs are what the test needs.
func Inside(t *testing.T, programs ...string) bool {
	t.Helper()
	return InsideFor(t, 2*time.Minute, programs...)
}

// InsideFor is Inside for a test that takes longer, but no more than that.
func InsideFor(t *testing.T, limit time.Duration, programs ...string) bool {
	t.Helper()
	if os.Getenv(inside) != "" {
		// No packets but the test's.
		for _, which := range []string{"all", "default"} {
			_ = os.WriteFile("/proc/sys/net/ipv6/conf/"+which+"/disable_ipv6", []byte("1"), 0)
		}
		return true
	}
	for _, p := range append(programs, "ip") {
		if Program(p) == "" {
			t.Skipf("needs the program %s", p)
		}
	}
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout="+limit.String())
	cmd.Env = append(os.Environ(), inside+"=root")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() != 0 {
		cmd.Env = append(os.Environ(), inside+"=user")
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Start()
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EINVAL) {
		t.Skipf("needs network namespaces: root, or user namespaces (%v)", err)
	}
	if err == nil {
		err = cmd.Wait()
	}
	switch said := out.String(); {
	case err != nil:
		t.Errorf("%v\n%s", err, said)
	case strings.Contains(said, "--- SKIP"):
		t.Skip(said)
	case !strings.Contains(said, "--- PASS: "+t.Name()+" "):
		t.Errorf("it did not run:\n%s", said)
	default:
		t.Log(said)
	}
	return false
}

// Program returns the path of a program, "" if it is not there.
func Program(name string) string {
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	if err != nil {
		return ""
	}
	return path
}

// IP runs ip with arguments, one string of them for each run.
func IP(t *testing.T, runs ...string) {
	t.Helper()
	for _, args := range runs {
		if out, err := exec.Command(Program("ip"), strings.Fields(args)...).CombinedOutput(); err != nil {
			text := "ip " + args + ": " + strings.TrimSpace(string(out))
			if strings.Contains(text, "not supported") || strings.Contains(text, "Unknown device type") || strings.Contains(text, "not permitted") {
				t.Skip(text)
			}
			t.Fatal(text)
		}
	}
}

// Pair makes two interfaces that are joined by a cable, with room for frames of any
// size.
func Pair(t *testing.T, a, b string) {
	t.Helper()
	IP(t, "link add "+a+" mtu 65535 type veth peer name "+b+" mtu 65535", "link set "+a+" up", "link set "+b+" up")
}

// Disk returns a folder on a disk of its own, of so many bytes, which the test has a
// namespace for.
func Disk(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "")
	if err == nil {
		err = unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+strconv.Itoa(size))
	}
	if errors.Is(err, unix.EPERM) {
		t.Skipf("needs a disk of its own: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, 0) })
	return dir
}

// Frames returns the frames of a capture.
func Frames(t *testing.T, file string) []ioutil.Record {
	t.Helper()
	c, err := ioutil.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var all []ioutil.Record
	records := make([]ioutil.Record, 64)
	for {
		n, err := c.Read(records)
		for _, r := range records[:n] {
			r.Data = bytes.Clone(r.Data)
			all = append(all, r)
		}
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Send sends frames through an interface, slowly enough for queues, and returns how
// many it has taken.
func Send(t *testing.T, iface string, frames []ioutil.Record) (sent int) {
	t.Helper()
	socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(socket)
	ifr, err := unix.NewIfreq(iface)
	if err == nil {
		err = unix.IoctlIfreq(socket, unix.SIOCGIFINDEX, ifr)
	}
	if err != nil {
		t.Fatalf("%s: %v", iface, err)
	}
	to := &unix.SockaddrLinklayer{Ifindex: int(ifr.Uint32())}
	// What is sent before it runs is lost.
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(5 * time.Millisecond) {
		if err := unix.IoctlIfreq(socket, unix.SIOCGIFFLAGS, ifr); err != nil || ifr.Uint16()&unix.IFF_RUNNING != 0 {
			break
		}
	}
	for i, f := range frames {
		if i%200 == 199 {
			time.Sleep(2 * time.Millisecond)
		}
		if err := unix.Sendto(socket, f.Data, 0, to); err == nil {
			sent++
		}
	}
	return sent
}

// A Dump is a capture that tcpdump takes.
type Dump struct {
	t    *testing.T
	file string
	cmd  *exec.Cmd
}

// Record has tcpdump take a capture, with more arguments for it.
func Record(t *testing.T, iface string, args ...string) *Dump {
	t.Helper()
	d := &Dump{t: t, file: filepath.Join(t.TempDir(), "dump.pcap")}
	args = append([]string{"-i", iface, "-Z", "root", "-U", "-B", "65536", "--time-stamp-precision=nano", "-w", d.file}, args...)
	d.cmd = exec.Command(Program("tcpdump"), args...)
	said, err := d.cmd.StderrPipe()
	if err == nil {
		err = d.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(said)
	for {
		line, err := lines.ReadString('\n')
		if strings.Contains(line, "listening on") {
			break
		}
		if err != nil && os.Getenv(inside) == "user" {
			t.Skip("needs root: tcpdump does not begin where it can't give up privileges")
		}
		if err != nil {
			t.Fatalf("tcpdump does not begin: %s", line)
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	t.Cleanup(func() { _ = d.cmd.Process.Kill() })
	return d
}

// End waits until the capture has not grown for longer than tcpdump lets packets wait,
// a second, ends it and returns its name.
func (d *Dump) End() string {
	d.t.Helper()
	size, same := int64(-1), 0
	for same < 26 {
		time.Sleep(50 * time.Millisecond)
		info, err := os.Stat(d.file)
		if err != nil {
			d.t.Fatal(err)
		}
		if same++; info.Size() != size {
			size, same = info.Size(), 0
		}
	}
	_ = d.cmd.Process.Signal(os.Interrupt)
	if err := d.cmd.Wait(); err != nil {
		d.t.Errorf("tcpdump: %v", err)
	}
	return d.file
}
