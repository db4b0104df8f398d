//go:build linux || darwin

package peers

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/process"
	"github.com/flowfast/flowfast/bench/workload"
)

func peer(t *testing.T, name string) *Peer {
	t.Helper()
	for _, p := range Peers {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no peer %s", name)
	return nil
}

// TestCounts reads what the programs have written for captures that both sides
// know: the texts are theirs, shortened.
func TestCounts(t *testing.T) {
	for _, test := range []struct {
		peer, file, text string
		want             Counts
	}{
		{"softflowd", "log", "Number of active flows: 0\nPackets processed: 11000\nFragments: 0\nFlows expired: 1298 (0 forced)\n", Counts{11000, 1298}},
		{"nfpcapd", "log", "Ident: 'none' Flows: 10, Packets: 20, Bytes: 3\nIdent: 'none' Flows: 9000, Packets: 360000, Bytes: 18251778\n" +
			"Terminating flow processng\nTotal: Processed: 360020, skipped: 0, short caplen: 0, unknown: 0\n", Counts{360020, 9010}},
		{"ndpiReader", "log", "\tIP packets:            11000         of 11001 packets total\n\tUnique flows:          1298         \n\tTCP Packets:           8216\n", Counts{11000, 1298}},
		{"tcptrace", "log", "11000 packets seen, 8216 TCP packets traced, 2784 UDP packets traced\n603 TCP connections traced:\n" +
			"     total packets:             1\n695 UDP connections traced:\n", Counts{11000, 1298}},
		{"tshark", "log", "UDP Conversations\n" +
			"2001:db8:1::1:42867 <-> 2001:db8:ffff::de:443     111 145 kB    16 2753 bytes   127 148 kB   0.361333000   0.3748\n" +
			"10.0.94.13:39260 <-> 198.51.100.23:5222    0 0 bytes   1 74 bytes   1 74 bytes   0.814666000   0.0000\n", Counts{128, 2}},
		{"tshark", "log", "10.0.94.13:39260 <-> 198.51.100.23:5222    2 120   1 74   3 194   0.814666000   0.0000\n", Counts{3, 1}},
		{"tshark", "log", "nothing\n", Counts{0, 0}},
		{"pmacctd", "flows.csv", "SRC_IP,DST_IP,SRC_PORT,DST_PORT,TCP_FLAGS,PROTOCOL,PACKETS,BYTES\n10.0.0.1,10.0.0.2,5,53,0,udp,2,124\n10.0.0.2,10.0.0.1,53,5,0,udp,1,62\n", Counts{3, 2}},
		{"NFStream", "flows.csv", "id,bidirectional_packets,application_name\n0,4,\"a,b\"\n1,3.0,\n", Counts{7, 2}},
		{"netflower", "flows.csv", "tot_fwd_pkts,tot_bwd_pkts\n1,2\n", Counts{3, 1}},
		{"cicflowmeter", "out/capture.csv", "tot_fwd_pkts,tot_bwd_pkts\n1,2\n3,4\n", Counts{10, 2}},
	} {
		j := Job{Dir: t.TempDir()}
		path := j.path(test.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(test.text), 0o666); err != nil {
			t.Fatal(err)
		}
		got, err := peer(t, test.peer).counts(j)
		if err != nil || got != test.want {
			t.Errorf("%s, %q: got %v, %v, want %v", test.peer, test.text, got, err, test.want)
		}
	}
}

func TestRacount(t *testing.T) {
	const text = "racount   records     total_pkts     src_pkts\n    sum   4501        360000         182261\n"
	if got, err := racountCounts([]byte(text)); err != nil || got != (Counts{360000, 4501}) {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := racountCounts(nil); err == nil {
		t.Errorf("nothing: got %v", got)
	}
}

func TestFlowfastSummary(t *testing.T) {
	j := Job{Dir: t.TempDir()}
	if err := os.WriteFile(j.path("summary.json"), []byte(`{"packets": 5, "classes": {"counted": 4}, "flows": 2}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if got, err := flowfastCounts(j); err != nil || got != (Counts{5, 2}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestNoCounts: a program that left nothing, or something else than expected,
// is not said to have counted.
func TestNoCounts(t *testing.T) {
	for _, p := range Peers {
		if got, err := p.counts(Job{Dir: t.TempDir()}); err == nil {
			t.Errorf("%s, no files: got %v", p.Name, got)
		}
		j := Job{Dir: t.TempDir()}
		for _, name := range []string{"log", "flows.csv"} {
			if err := os.WriteFile(j.path(name), []byte("10.0.0.1:1 <-> 10.0.0.2:2\n"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := p.counts(j); err == nil {
			t.Errorf("%s, other text: got %v", p.Name, got)
		}
	}
}

func TestScale(t *testing.T) {
	for _, test := range []struct {
		name string
		top  float64
		most int
		want float64
	}{
		{"benign", 1, 0, 1},
		{"benign", 1, 1_100_000, 1},
		{"benign", 1, 1_099_999, 0.5},
		{"benign", 1, 500_000, 0.2},
		{"flood", 1, 100_000, 0.01},
		{"flood", 0.01, 100_000, 0.01},
		{"flood", 0.01, 99_999, 0.005},
		{"flood1", 1, 0, 1},
		{"flood2000", 1, 10, 1}, // the same at any scale
	} {
		if got := scaleOf(test.name, test.top, test.most); got != test.want {
			t.Errorf("%s, scale %g, at most %d packets: got %g, want %g", test.name, test.top, test.most, got, test.want)
		}
	}
}

// TestMost: a capture of any workload at full size leaves each peer something
// to do, and no more than it takes.
func TestMost(t *testing.T) {
	for _, p := range Peers {
		for _, name := range workload.Names() {
			most := p.mostOf(name)
			n := workload.Packets(name, scaleOf(name, 1, most))
			if most > 0 && n > most || n < 2_000 {
				t.Errorf("%s, %s: %d packets, of at most %d", p.Name, name, n, most)
			}
		}
	}
	p := &Peer{most: 10, flood: 5}
	for name, want := range map[string]int{"benign": 10, "flood": 5, "dos": 5, "flood30": 5} {
		if got := p.mostOf(name); got != want {
			t.Errorf("most of %s: got %d, want %d", name, got, want)
		}
	}
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range Peers {
		if seen[p.Name] {
			t.Errorf("two peers %s", p.Name)
		}
		seen[p.Name] = true
		if p.Get == "" || p.Computes == "" || strings.Contains(p.Computes, "|") || p.Columns < 1 || p.Columns >= 47 {
			t.Errorf("%s: not told what it is", p.Name)
		}
		got := command(Found{Peer: p, Path: "/x/" + p.program})
		if !strings.HasPrefix(got, p.program+" ") || strings.Contains(got, os.TempDir()) {
			t.Errorf("%s: command %q", p.Name, got)
		}
	}
}

func TestAbsent(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, p := range []*Peer{
		{program: "no-such-program"},
		{program: python}, // no virtual environment
	} {
		if found, err := p.Find(t.Context(), t.TempDir()); err == nil {
			t.Errorf("%s: found %v", p.program, found)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	write := func(name, script string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	write("fine", `echo "Fine version 1.20.3-x of 2023.4"; exit 1`)
	write("mute", `exit 0`)
	t.Setenv("PATH", dir)
	if f, err := (&Peer{program: "fine"}).Find(t.Context(), ""); err != nil || f.Version != "1.20.3" || f.Path != filepath.Join(dir, "fine") {
		t.Errorf("fine: %+v, %v", f, err)
	}
	if _, err := (&Peer{program: "mute"}).Find(t.Context(), ""); err == nil {
		t.Error("a program without a version is found")
	}
	if _, err := (&Peer{program: "fine", needs: []string{"no-such-program"}}).Find(t.Context(), ""); err == nil {
		t.Error("found without a program that it needs")
	}
}

// sh measures a shell script as a peer.
func sh(t *testing.T, ctx context.Context, limit time.Duration, script string) Result {
	capture := filepath.Join(t.TempDir(), "capture")
	if err := os.WriteFile(capture, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	arguments := func(j Job) ([]string, error) { return []string{"-c", script}, nil }
	counts := func(j Job) (Counts, error) { return logCounts(j, `p(\d+)`, `f(\d+)`) }
	r := measure(ctx, Job{Capture: capture}, limit, "/bin/sh", arguments, counts)
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("%s: leaves %v, %v", script, left, err)
	}
	return r
}

func TestMeasure(t *testing.T) {
	r := sh(t, t.Context(), time.Minute, `echo p5; echo f3 >&2; echo x > file`)
	if r.Err != nil || r.Counts != (Counts{5, 3}) || r.Peak == 0 {
		t.Errorf("got %+v", r)
	}
	r = sh(t, t.Context(), time.Minute, `echo one; echo two`)
	if r.Err == nil || !strings.HasSuffix(r.Err.Error(), "two") {
		t.Errorf("without counts: got %+v", r)
	}
	r = sh(t, t.Context(), time.Minute, `echo p0; echo f0`)
	if r.Err == nil {
		t.Errorf("nothing read: got %+v", r)
	}
	r = sh(t, t.Context(), time.Minute, `echo one; echo two; exit 3`)
	if r.Err == nil || !strings.Contains(r.Err.Error(), "status 3") || !strings.HasSuffix(r.Err.Error(), "two") || r.Counts != unknown {
		t.Errorf("a program that fails: got %+v", r)
	}
}

// TestStopped: a program that takes too long is stopped with its children, and
// what it had reached is told.
func TestStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(path, 0o666); err != nil {
		t.Fatal(err)
	}
	fifo, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer fifo.Close()
	r := sh(t, t.Context(), 200*time.Millisecond, `(sleep 20; echo late) > `+path+` & wait`)
	if b, err := io.ReadAll(fifo); err != nil || len(b) > 0 { // ends when nobody can write any more
		t.Errorf("a child has written %q, %v", b, err)
	}
	if r.Err == nil || !strings.Contains(r.Err.Error(), "longer than 200ms") || r.Wall == 0 || r.Peak == 0 {
		t.Errorf("got %+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := sh(t, ctx, time.Minute, `sleep 100`); !errors.Is(r.Err, context.Canceled) {
		t.Errorf("cancelled: got %v", r.Err)
	}
}

func TestField(t *testing.T) {
	const text = "MemTotal:       24605000 kB\nMemFree:          205000 kB\nHugePages_Total:       3\n"
	for name, want := range map[string]int64{"MemTotal": 24605000, "MemFree": 205000, "HugePages_Total": 3, "Mem": 0, "MemAvailable": 0} {
		if got := field(text, name); got != want {
			t.Errorf("%s: got %d, want %d", name, got, want)
		}
	}
}

func TestMedian(t *testing.T) {
	run := func(n int64) Result {
		return Result{Usage: process.Usage{Wall: time.Duration(n), User: time.Duration(10 - n), Peak: n * n}, Counts: Counts{7, 7}}
	}
	r := median([]Result{run(3), run(1), run(2)})
	if r.Wall != 2 || r.CPU() != 8 || r.Peak != 4 || r.Counts != (Counts{7, 7}) {
		t.Errorf("got %+v", r)
	}
	failed := Result{Err: io.EOF}
	if r := median([]Result{run(1), failed, run(2)}); r.Err != io.EOF {
		t.Errorf("one failed: got %+v", r)
	}
}

func TestGroup(t *testing.T) {
	line := func(name string, wall, cpu, start, peak int, c Counts, err error) Line {
		return Line{
			Found:  Found{Peer: &Peer{Name: name, pauses: name == "argus"}},
			Result: Result{process.Usage{Wall: time.Duration(wall) * time.Second, User: time.Duration(cpu) * time.Second, Peak: int64(peak) << 20}, c, err},
			Start:  process.Usage{User: time.Duration(start) * time.Second},
		}
	}
	g := Group{"benign", 0.5, 1_000_000, []Line{
		line("flowfast -j 1", 4, 4, 0, 10, Counts{1_000_000, 9}, nil),
		line("flowfast -j 2", 2, 5, 0, 20, Counts{1_000_000, 9}, nil),
		line("slow", 40, 41, 1, 40, Counts{500_000, -1}, nil),
		line("argus", 40, 4, 4, 5, Counts{1_000_000, 8}, nil),
		line("broken", 600, 500, 0, 64, unknown, errors.New("stopped:\nlonger | than")),
	}}
	var out strings.Builder
	g.Write(&out)
	const want = `| benign | 0.5 | 1000000 | flowfast -j 1 | 4.00 | 4.00 | 4000 | 10 | all | 9 | | | |
| benign | 0.5 | 1000000 | flowfast -j 2 | 2.00 | 5.00 | 5000 | 20 | all | 9 | | | |
| benign | 0.5 | 1000000 | slow | 40.00 | 41.00 | 40000 | 40 | 50.0 % | ? | 0.1 | 0.05 | 0.25 |
| benign | 0.5 | 1000000 | argus | 40.00 | 4.00 | – | 5 | all | 8 | – | – | 2.0 |
| benign | 0.5 | 1000000 | broken | 600.00 | 500.00 | – | 64 | stopped: longer / than | | | | |
`
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}
