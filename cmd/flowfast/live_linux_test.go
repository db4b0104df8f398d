package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/testnet"
	"github.com/flowfast/flowfast/internal/testpcap"
	"github.com/flowfast/flowfast/ioutil"
)

// A liveRun is the command at work.
type liveRun struct {
	said   bytes.Buffer
	out    bytes.Buffer
	status chan int
}

func startLive(t *testing.T, args ...string) *liveRun {
	t.Helper()
	l := &liveRun{status: make(chan int, 1)}
	go func() {
		l.status <- run(append([]string{"live", "--metrics", "9911", "--progress", "none"}, args...), streams{strings.NewReader(""), &l.out, &l.said})
	}()
	l.figure(t, "flowfast_flows_open") // it has begun
	return l
}

// get returns what the command serves.
func (l *liveRun) get(t *testing.T, path string) (status int, text string) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get("http://127.0.0.1:9911" + path)
		if err == nil {
			b, err := io.ReadAll(answer.Body)
			answer.Body.Close()
			if err == nil {
				return answer.StatusCode, string(b)
			}
		}
		if time.Now().After(until) {
			t.Fatalf("%s: %v; exit status %d, said %s", path, err, len(l.status), l.said.String())
		}
	}
}

// figure returns the value of a metric.
func (l *liveRun) figure(t *testing.T, name string) string {
	t.Helper()
	_, text := l.get(t, "/metrics")
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("no metric %s in\n%s", name, text)
	return ""
}

// until waits until a metric has a value.
func (l *liveRun) until(t *testing.T, name, value string) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); l.figure(t, name) != value; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s is %s, want %s", name, l.figure(t, name), value)
		}
	}
}

// end ends the command with a signal, and wants it to be content.
func (l *liveRun) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if status := l.stop(t, signal); status != exitOK {
		t.Errorf("exit status %d, said %s", status, l.said.String())
	}
}

// stop ends the command with a signal and returns its exit status.
func (l *liveRun) stop(t *testing.T, signal syscall.Signal) int {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), signal); err != nil {
		t.Fatal(err)
	}
	select {
	case status := <-l.status:
		return status
	case <-time.After(30 * time.Second):
		t.Fatal("a signal does not end it")
		return 0
	}
}

// A timedRow is a row of a table: what does not depend on when packets were stamped,
// and the columns that do.
type timedRow struct {
	text  string
	times []string
}

// timed returns the rows of a table in order of their text, and then of their times.
func timed(t *testing.T, file string) (names []string, rows []timedRow) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	full, _ := export.FindProfile("full")
	isTime := map[string]bool{}
	for _, c := range full.Columns {
		isTime[c.Name] = c.Unit == "seconds" || strings.Contains(c.Name, "iat_") || c.Name == "start_time"
	}
	for i, row := range all {
		var r timedRow
		var kept []string
		for j, name := range all[0] {
			switch {
			case name == "flow_id": // made of the time, too
			case isTime[name] && i == 0:
				names = append(names, name)
			case isTime[name]:
				r.times = append(r.times, row[j])
			default:
				kept = append(kept, name+"="+row[j])
			}
		}
		r.text = strings.Join(kept, " ")
		rows = append(rows, r)
	}
	rows = rows[1:]
	slices.SortFunc(rows, func(a, b timedRow) int {
		return cmp.Or(cmp.Compare(a.text, b.text), slices.Compare(a.times, b.times))
	})
	return names, rows
}

// sameRows wants the rows of two tables to be the same, with times that differ by a
// millisecond at most, and returns how many there are and the largest difference.
func sameRows(t *testing.T, got, want string) (n int, most time.Duration) {
	t.Helper()
	names, rows := timed(t, got)
	_, wanted := timed(t, want)
	if len(wanted) == 0 || len(rows) != len(wanted) {
		t.Errorf("%d rows, want %d", len(rows), len(wanted))
	}
	for i := range min(len(rows), len(wanted)) {
		if rows[i].text != wanted[i].text {
			t.Errorf("got  %s\nwant %s", rows[i].text, wanted[i].text)
			break
		}
		for j, value := range rows[i].times {
			d := time.Duration(1e9 * math.Abs(inFloat(t, value)-inFloat(t, wanted[i].times[j])))
			if most = max(most, d); d > time.Millisecond {
				t.Errorf("%s is %s, want %s: %s", names[j], value, wanted[i].times[j], rows[i].text)
				return len(rows), most
			}
		}
	}
	return len(rows), most
}

// inFloat reads seconds, which it holds to a microsecond also as a date; "" stands for
// none.
func inFloat(t *testing.T, text string) float64 {
	t.Helper()
	n, err := strconv.ParseFloat(cmp.Or(text, "0"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The rows of interfaces are those of the capture that tcpdump takes at the same time.
func TestLiveRows(t *testing.T) {
	if !testnet.Inside(t, "tcpdump") {
		return
	}
	testnet.IP(t, "link set lo up")
	testnet.Pair(t, "va", "vb")
	captures, err := filepath.Glob("../../testdata/*.pcap*")
	if err != nil {
		t.Fatal(err)
	}
	shared, _ := filepath.Glob("../../../shared/captures/*")
	var frames []ioutil.Record
	for _, name := range append(captures, shared...) {
		c, err := ioutil.Open(name)
		if err != nil {
			continue // what is to be refused
		}
		ethernet := slices.Equal(c.LinkTypes(), []uint32{1})
		c.Close()
		if info, err := os.Stat(name); err != nil || !ethernet || info.Size() > 1<<20 || strings.Contains(name, "fuzz") {
			continue
		}
		frames = append(frames, testnet.Frames(t, name)...)
	}
	frames = frames[:min(len(frames), 60_000)]
	for _, c := range []struct {
		iface string
		args  []string
	}{
		{"vb", []string{"--profile", "full"}},
		{"vb", []string{"--profile", "full", "--snaplen", "70", "-j", "1"}},
		{"any", []string{"--protocols", "all", "--decap", "all", "--key", "all"}},
		{"vb", []string{"--filter", "tcp port 80 or vlan"}},
	} {
		dir := t.TempDir()
		rows, want := filepath.Join(dir, "rows.csv"), filepath.Join(dir, "want.csv")
		args, filter := slices.Clone(c.args), ""
		if c.iface == "any" { // the test's own requests are at the loopback
			filter = "not host 127.0.0.1"
			args = append(args, "--filter", filter)
		}
		dump := testnet.Record(t, c.iface, "-p", filter)
		l := startLive(t, append(args, c.iface, rows)...)
		sent := testnet.Send(t, "va", frames)
		capture := dump.End()
		l.end(t, syscall.SIGTERM)
		again := slices.Clone(c.args)
		if i := slices.Index(again, "--snaplen"); i >= 0 {
			again = slices.Delete(again, i, i+2)
			capture = cutTo70(t, capture)
		}
		var said bytes.Buffer
		if status := run(append(again, "-q", capture, want), streams{nil, io.Discard, &said}); status != exitOK {
			t.Fatalf("%v: exit status %d, said %s", again, status, said.String())
		}
		n, most := sameRows(t, rows, want)
		t.Logf("%v: %d of %d frames sent, %d rows, times within %v", c, sent, len(frames), n, most)
	}
}

// cutTo70 returns a capture with the frames of another cut to 70 bytes.
func cutTo70(t *testing.T, capture string) string {
	t.Helper()
	b, err := os.ReadFile(capture)
	if err != nil {
		t.Fatal(err)
	}
	out := bytes.Clone(b[:24])
	for at := 24; at+16 <= len(b); {
		n := int(uint32(b[at+8]) | uint32(b[at+9])<<8 | uint32(b[at+10])<<16 | uint32(b[at+11])<<24)
		head := bytes.Clone(b[at : at+16])
		most := min(n, 70)
		head[8], head[9], head[10], head[11] = byte(most), 0, 0, 0
		out = append(append(out, head...), b[at+16:at+16+most]...)
		at += 16 + n
	}
	name := filepath.Join(t.TempDir(), "cut.pcap")
	if err := os.WriteFile(name, out, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// Files are whole and in the manifest after a signal; metrics, readiness and the
// summary tell of the interface, which comes later and goes.
func TestLiveOperation(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up")
	dir := t.TempDir()
	summary, page := filepath.Join(dir, "summary.json"), filepath.Join(dir, "page.html")
	l := startLive(t, "--report", page, "--rotate", "1s", "-t", "0.2", "--disorder", "0.1", "--flush", "0.1", "--summary", summary, "vb", filepath.Join(dir, "out/%s.jsonl"))
	if status, text := l.get(t, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("ready without an interface: %d %s", status, text)
	}
	testnet.Pair(t, "va", "vb")
	l.until(t, "flowfast_interfaces_missing", "0")
	if status, text := l.get(t, "/readyz"); status != http.StatusOK {
		t.Errorf("not ready: %d %s", status, text)
	}
	if status, _ := l.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("not healthy: %d", status)
	}
	var frames []ioutil.Record
	for port := range uint16(30) {
		frames = append(frames, ioutil.Record{Data: testpcap.UDP(port + 1)})
	}
	testnet.Send(t, "va", frames[:10])
	l.until(t, "flowfast_rows_written_total", "10") // the wire is silent: the clock ends flows and files
	testnet.IP(t, "link del vb")
	l.until(t, "flowfast_interfaces_missing", "1")
	testnet.Pair(t, "va", "vb")
	l.until(t, "flowfast_interfaces_missing", "0")
	testnet.Send(t, "va", frames[10:])
	l.end(t, syscall.SIGINT)
	if names := filesBelow(t, filepath.Join(dir, "out")); len(names) < 2 || slices.ContainsFunc(names, func(n string) bool { return !strings.HasSuffix(n, ".jsonl") }) {
		t.Errorf("files %q", names)
	}
	b, err := os.ReadFile(summary)
	var r report
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil || r.Packets != 30 || r.Flows != 30 || r.Ring == nil || r.Ring.Packets != 30 || r.Ring.Dropped != 0 {
		t.Errorf("%v, the summary is %s", err, b)
	}
	html, err := os.ReadFile(page)
	if err != nil || !strings.Contains(string(html), "<dt>packets</dt><dd>30<") || !strings.Contains(string(html), "<dt>flows</dt><dd>30<") {
		t.Errorf("%v, the page has not 30 packets in 30 flows", err)
	}
	for _, want := range []string{"vb: not there yet", "vb: up", "vb: gone", "dropped by kernel                0"} {
		if !strings.Contains(l.said.String(), want) {
			t.Errorf("%q is not in what was said: %s", want, l.said.String())
		}
	}
}

// Rows go to standard output as they come.
func TestLiveOutput(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	testnet.IP(t, "link set lo up")
	testnet.Pair(t, "va", "vb")
	l := startLive(t, "--format", "jsonl", "vb", "-")
	testnet.Send(t, "va", []ioutil.Record{{Data: testpcap.UDP(7)}})
	l.until(t, `flowfast_packets_total{class="counted"}`, "1")
	l.end(t, syscall.SIGTERM)
	if got := l.out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, `"src_port":7,`) {
		t.Errorf("got %q", got)
	}
}
