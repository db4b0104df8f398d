package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/internal/testnet"
	"github.com/flowfast/flowfast/internal/testpcap"
	"github.com/flowfast/flowfast/ioutil"
	"github.com/flowfast/flowfast/live"
)

// quick are flags with which rows come soon after their packets.
var quick = []string{"-t", "0.2", "--disorder", "0.1", "--flush", "0.1"}

// datagramsOf returns a frame for each port from one on, each of a flow of its own.
func datagramsOf(first, n int) (frames []ioutil.Record) {
	for port := range n {
		frames = append(frames, ioutil.Record{Data: testpcap.UDP(uint16(first + port))})
	}
	return frames
}

// wholeRows returns the ports of the rows in the files of JSON Lines below a folder,
// which are to be whole and those of the manifest.
func wholeRows(t *testing.T, dir string) (ports []int) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	var m filesFile
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	var listed, there []string
	for _, f := range m.Files {
		listed = append(listed, string(f.Path))
	}
	for _, name := range filesBelow(t, dir) {
		if strings.HasSuffix(name, ".tmp") {
			continue
		}
		there = append(there, name)
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			var row struct {
				Port int `json:"src_port"`
			}
			if err := json.Unmarshal(line, &row); err != nil || line[len(line)-1] != '\n' {
				t.Fatalf("%s: %v: %q", name, err, line)
			}
			ports = append(ports, row.Port)
		}
	}
	slices.Sort(listed)
	if !slices.Equal(listed, there) {
		t.Errorf("the manifest has %q, the folder %q", listed, there)
	}
	slices.Sort(ports)
	return ports
}

// inRows waits until the files below a folder have so many rows.
func inRows(t *testing.T, dir string, n int) {
	t.Helper()
	waitFor(t, fmt.Sprint(n, " rows"), func() bool {
		names, _ := filepath.Glob(filepath.Join(dir, "*.jsonl"))
		rows := 0
		for _, name := range names {
			b, _ := os.ReadFile(name)
			rows += bytes.Count(b, []byte("\n"))
		}
		return rows == n
	})
}

// While a disk is full rows are lost, and counted; files are written again when it is
// not.
func TestLiveDiskFull(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	retryAfter = 100 * time.Millisecond
	dir := testnet.Disk(t, 1<<20)
	testnet.IP(t, "link set lo up")
	testnet.Pair(t, "va", "vb")
	l := startLive(t, slices.Concat(quick, []string{"--rotate", "1h", "vb", filepath.Join(dir, "%s.jsonl")})...)
	testnet.Send(t, "va", datagramsOf(1, 10))
	l.until(t, `flowfast_flows_ended_total{reason="idle"}`, "10")
	if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	l.until(t, "flowfast_rows_written_total", "10")
	testnet.Send(t, "va", datagramsOf(101, 5)) // in a file that is there
	l.until(t, `flowfast_flows_ended_total{reason="idle"}`, "15")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 2<<20), 0o666); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	testnet.Send(t, "va", datagramsOf(111, 80))
	l.until(t, "flowfast_rows_lost_total", "85")
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	time.Sleep(retryAfter)
	testnet.Send(t, "va", datagramsOf(201, 10))
	l.until(t, `flowfast_flows_ended_total{reason="idle"}`, "105")
	if status := l.stop(t, syscall.SIGTERM); status != exitBad {
		t.Errorf("exit status %d, want %d", status, exitBad)
	}
	if said := l.said.String(); !strings.Contains(said, "no space left") || !strings.Contains(said, "85 rows could not be written") {
		t.Errorf("said %s", said)
	}
	if rows := wholeRows(t, dir); len(rows) != 20 || rows[9] != 10 || rows[10] != 201 {
		t.Errorf("rows of %v", rows)
	}
}

// After kill -9 the files that are there are whole, and another run goes on.
func TestLiveKilled(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.Pair(t, "va", "vb")
	dir := t.TempDir()
	begin := func() *exec.Cmd {
		cmd := exec.Command("flowfast", slices.Concat([]string{"live", "--progress", "none", "--rotate", "1s"}, quick, []string{"vb", filepath.Join(dir, "%s.jsonl")})...)
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		listens(t)
		return cmd
	}
	cmd := begin()
	testnet.Send(t, "va", datagramsOf(1, 10))
	inRows(t, dir, 10)
	testnet.Send(t, "va", datagramsOf(101, 10))
	temporary := func() []string { // of rows
		names, _ := filepath.Glob(filepath.Join(dir, ".*.jsonl.flowfast-*.tmp"))
		return names
	}
	waitFor(t, "a file that is being written", func() bool { return len(temporary()) > 0 })
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if rows := wholeRows(t, dir); len(rows) != 10 && len(rows) != 20 { // unless its time was up just then
		t.Errorf("rows of %v", rows)
	}
	before := len(wholeRows(t, dir))
	cmd = begin()
	testnet.Send(t, "va", datagramsOf(201, 10))
	inRows(t, dir, before+10)
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if rows := wholeRows(t, dir); len(rows) != before+10 || len(temporary()) > 0 {
		t.Errorf("rows of %v, files %q", rows, temporary())
	}
}

// listens waits for a packet socket that has a ring.
func listens(t *testing.T) {
	t.Helper()
	waitFor(t, "a packet socket", func() bool {
		b, _ := os.ReadFile("/proc/net/packet")
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 5 && f[3] == "0003" && f[5] == "1" { // all protocols, running
				return true
			}
		}
		return false
	})
}

// A reader of --serve that stops reading, and one that goes and comes back, change
// nothing about the output.
func TestLiveServe(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up")
	testnet.Pair(t, "va", "vb")
	dir := t.TempDir()
	socket, summary := filepath.Join(dir, "s"), filepath.Join(dir, "summary.json")
	l := startLive(t, slices.Concat(quick, []string{"--serve", "unix:" + socket, "--rotate", "1h", "--summary", summary, "vb", filepath.Join(dir, "out/%s.jsonl")})...)
	connect := func(readers string) net.Conn {
		conn, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		l.until(t, "flowfast_served_readers", readers)
		return conn
	}
	idle := connect("1") // which never reads
	defer idle.Close()
	conn := connect("2")
	testnet.Send(t, "va", datagramsOf(1, 20))
	lines := bufio.NewReader(conn)
	wantLines(t, lines, 1, 21)
	conn.Close()
	l.until(t, "flowfast_served_readers", "1")
	testnet.Send(t, "va", datagramsOf(101, 20))
	l.until(t, `flowfast_flows_ended_total{reason="idle"}`, "40")
	conn = connect("2")
	testnet.Send(t, "va", datagramsOf(201, 20))
	wantLines(t, bufio.NewReader(conn), 201, 221)
	l.end(t, syscall.SIGTERM)
	b, err := os.ReadFile(summary)
	var r report
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil || r.Flows != 60 || r.Served == nil || r.Served.Rows != 60+40 || r.Ring == nil || r.Ring.MaxLag <= 0 {
		t.Errorf("%v, the summary is %s", err, b)
	}
	if rows := wholeRows(t, filepath.Join(dir, "out")); len(rows) != 60 {
		t.Errorf("%d rows", len(rows))
	}
	if !strings.Contains(l.said.String(), "rows served                    100\n") {
		t.Errorf("said %s", l.said.String())
	}
}

// SIGHUP has the rules read again; a file that is wrong is told and changes nothing.
func TestLiveLabels(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up")
	testnet.Pair(t, "va", "vb")
	dir := t.TempDir()
	rules, out := filepath.Join(dir, "rules.yaml"), filepath.Join(dir, "out")
	write := func(text string) {
		if err := os.WriteFile(rules, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	rule := func(label string) string {
		return "rules:\n  - name: r\n    label: " + label + "\n    protocols: udp\n"
	}
	write(rule("one"))
	l := startLive(t, slices.Concat(quick, []string{"--labels", rules, "--rotate", "1h", "vb", filepath.Join(out, "%s.jsonl")})...)
	for i, text := range []string{rule("two"), "rules: no", rule("three") + "    where: fwd_payload_pkt > 0\n", ""} {
		testnet.Send(t, "va", datagramsOf(1+100*i, 10))
		l.until(t, `flowfast_flows_ended_total{reason="idle"}`, strconv.Itoa(10*(i+1)))
		if text == "" {
			break
		}
		write(text)
		if err := syscall.Kill(os.Getpid(), syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		l.until(t, "flowfast_rows_written_total", strconv.Itoa(10*(i+1))) // the file has ended
	}
	l.end(t, syscall.SIGTERM)
	got := map[string]int{}
	for _, name := range filesBelow(t, out) {
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(b) {
			var row struct {
				Label string `json:"label"`
			}
			if err := json.Unmarshal(line, &row); err != nil {
				t.Fatal(err)
			}
			got[row.Label]++
		}
	}
	said := l.said.String()
	if got["one"] != 10 || got["two"] != 30 {
		t.Errorf("labels %v, said %s", got, said)
	}
	for _, want := range []string{"rules.yaml:1", "fwd_payload_pkt, which is not counted in this run", "the rules stay as they were", "  two                           30 with 30 packets"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in what was said: %s", want, said)
		}
	}
}

// What systemd is told: that the run has begun, that it lives, what it waits for, and
// that it ends.
func TestLiveNotify(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up")
	socket := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", socket)
	t.Setenv("WATCHDOG_USEC", "100000")
	heard := func(want string) {
		t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		for b := make([]byte, 1000); ; {
			n, err := conn.Read(b)
			if err != nil {
				t.Fatalf("%s: %v", want, err)
			}
			if string(b[:n]) == want {
				return
			}
		}
	}
	l := startLive(t, "vb", filepath.Join(t.TempDir(), "a.csv"))
	heard("STATUS=vb: not there yet, waiting for it")
	heard("READY=1")
	testnet.Pair(t, "va", "vb")
	heard("STATUS=vb: up")
	heard("WATCHDOG=1")
	l.end(t, syscall.SIGTERM)
	heard("STOPPING=1")
}

// As another user the process has no privileges but that which an interface that comes
// later takes.
func TestLiveUser(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	if os.Geteuid() != 0 || os.Getenv("FLOWFAST_TEST_NAMESPACE") != "root" {
		t.Skip("needs root")
	}
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "flowfast")
	build := exec.Command("go", "build", "-o", program, ".") // without cgo, as released
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ there, caps string }{{"vb", "0000000000000000"}, {"vc", "0000000000002000"}} {
		if c.there == "vb" {
			testnet.Pair(t, "va", "vb")
		}
		output := filepath.Join(dir, c.there+".csv")
		cmd := exec.Command(program, "live", "--progress", "none", "--user", "nobody", c.there, output)
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "an output", func() bool {
			names, _ := filepath.Glob(filepath.Join(dir, ".*.tmp"))
			return len(names) == 1
		})
		tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", cmd.Process.Pid))
		for _, name := range tasks {
			b, err := os.ReadFile(name)
			if err != nil {
				continue // a thread that is gone
			}
			for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534\n", "Gid:\t65534\t65534\t65534\t65534\n", "Groups:\t65534 \n",
				"CapEff:\t" + c.caps, "CapPrm:\t" + c.caps, "CapInh:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1\n"} {
				if !strings.Contains(string(b), want) {
					t.Errorf("%s: no %q in %s", c.there, want, b)
				}
			}
		}
		if c.there == "vc" {
			testnet.Pair(t, "va", "vc")
		}
		listens(t)
		testnet.Send(t, "va", datagramsOf(1, 3))
		time.Sleep(100 * time.Millisecond) // the ring gives up a block after half of it
		_ = cmd.Process.Signal(os.Interrupt)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		if b, err := os.ReadFile(output); err != nil || bytes.Count(b, []byte("\n")) != 4 {
			t.Errorf("%v: %s", err, b)
		}
		testnet.IP(t, "link del va")
	}
}

// A silent wire does not look like a run that hangs, however long rows may wait.
func TestLivePulse(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up")
	ring, err := live.Open("lo", live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	source := pulsing{ring, newPulse()}
	source.SetPatience(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if n, err := source.Read(ctx, make([]flowfast.Packet, 1)); n != 0 || err != nil {
		t.Errorf("%d packets, error %v", n, err)
	}
}
