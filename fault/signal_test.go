//go:build linux

package fault

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// moments is how many times a run is disturbed.
const moments = 50

// A disturbance sends a signal to a process at a random moment.
type disturbance struct {
	random *rand.Rand
	within time.Duration // how long the process takes undisturbed
}

// newDisturbance takes the time of a run, the shortest of a few: later, too many
// would have ended.
func newDisturbance(seed uint64, undisturbed func()) *disturbance {
	d := &disturbance{rand.New(rand.NewPCG(seed, 0)), time.Hour}
	for range 3 {
		began := time.Now()
		undisturbed()
		d.within = min(d.within, time.Since(began))
	}
	return d
}

// send starts a process, disturbs it and waits for its end. The moment may be
// one at which it has not begun or has ended: what must hold then is known.
func (d *disturbance) send(t *testing.T, cmd *exec.Cmd, s syscall.Signal) ending {
	t.Helper()
	wait := start(t, cmd)
	time.Sleep(time.Duration(d.random.Int64N(int64(d.within))))
	_ = cmd.Process.Signal(s) // has ended if that is an error
	return wait()
}

// rowsOf are the names that an output and its early end have.
const (
	rowsName    = "rows.csv"
	partialName = "rows.csv.partial"
)

// TestSignals sends SIGINT and SIGTERM at random moments of a run.
func TestSignals(t *testing.T) {
	plain := capture(t, "dos", 0.006, 1)
	packed := filepath.Join(folder(t), "dos.pcap.zst")
	write(t, packed, zstandard(t, read(t, plain)))
	ways := []struct {
		args []string
		d    *disturbance
	}{
		{args: []string{"-j", "2", plain}},
		{args: []string{"-j", "1", plain}},
		{args: []string{"-j", "2", packed}},
	}
	calm := folder(t)
	for i := range ways {
		w := &ways[i]
		w.args = append([]string{"-q", "-t", "0.1", "--summary", "s.json"}, append(w.args, rowsName)...)
		w.d = newDisturbance(uint64(i), func() { run(t, command(calm, w.args...)).want(t, 0) })
	}
	undisturbed := string(read(t, filepath.Join(calm, rowsName)))

	ends := map[string]int{}
	for i := range moments {
		w, s := ways[i%len(ways)], []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2]
		dir := folder(t)
		e := w.d.send(t, command(dir, w.args...), s)
		ends[wantStopped(t, dir, undisturbed, e, s)]++
		if i%5 > 0 {
			continue
		}
		run(t, command(dir, w.args...)).want(t, 0)
		wantNames(t, dir, rowsName, "s.json")
	}
	t.Logf("%v", ends)
	if ends["partial"] == 0 {
		t.Errorf("none of %d runs was stopped in the middle: %v", moments, ends)
	}
}

// wantStopped looks at what a run has left that was sent a signal, and says how
// far it had come: it had not "begun", it left a "partial" output, or a "whole"
// one.
func wantStopped(t *testing.T, dir, undisturbed string, e ending, s syscall.Signal) string {
	t.Helper()
	left := readTree(t, dir)
	rows, whole := left[rowsName]
	_, partial := left[partialName]
	stopped := e.status == 128+int(s)
	if e.status != 0 && !stopped {
		t.Fatalf("exit status %d after signal %d; said:\n%s", e.status, s, e.err)
	}
	for _, name := range left.names() {
		if !slices.Contains([]string{rowsName, partialName, "s.json"}, name) {
			t.Errorf("left %s", name)
		}
	}
	if whole && rows != undisturbed {
		t.Errorf("%s: %d bytes, not the %d of an undisturbed run", rowsName, len(rows), len(undisturbed))
	}
	switch {
	case whole && partial:
		t.Errorf("both a whole output and a partial one")
	case whole:
		return "whole" // the signal came in the last moment if the status tells of it
	case !stopped:
		t.Errorf("exit status 0 without an output")
	case partial:
		s := readSummary(t, filepath.Join(dir, "s.json"))
		path := filepath.Join(dir, partialName)
		readTable(t, path).wantOf(t, path, s)
		return "partial"
	case e.killer != 0:
		return "not begun" // the signal came before the program could know of it
	default:
		if s := readSummary(t, filepath.Join(dir, "s.json")); s.Packets > 0 {
			t.Errorf("%d packets were read, but there is no output", s.Packets)
		}
		return "begun"
	}
	return "wrong"
}

// TestPartialOfPipe stops a run whose input is silent: the rows of what came
// are there.
func TestPartialOfPipe(t *testing.T) {
	const packets, header, record = 10_000, 24, 76
	b := read(t, capture(t, "flood40000", 1, 1))[:header+packets*record]
	for _, jobs := range []string{"1", "2"} {
		dir := folder(t)
		in := newFifo(t, dir)
		defer in.close()
		cmd := command(dir, "-j", jobs, "--summary", "s.json", "in.pcap", rowsName)
		wait := start(t, cmd)
		in.give(t, cmd, b)
		poll(cmd, func() bool { return in.empty() })
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		wait().want(t, 143)
		os.Remove(in.path)
		wantNames(t, dir, partialName, "s.json")
		s := readSummary(t, filepath.Join(dir, "s.json"))
		path := filepath.Join(dir, partialName)
		readTable(t, path).wantOf(t, path, s)
		if s.Written {
			t.Error("the summary says that the output is written")
		}
	}
}

// TestTwoSignals sends more than one signal to a run that can't go on, since
// nobody takes its rows: the second one ends it.
func TestTwoSignals(t *testing.T) {
	for _, jobs := range []string{"1", "2"} {
		cmd := command(folder(t), "-j", jobs, capture(t, "flood40000", 1, 1), "-")
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		cmd.Stdout = w
		wait := start(t, cmd)
		w.Close()
		poll(cmd, func() bool { return full(r) })
		sent := 0
		poll(cmd, func() bool { // until it has ended: two at once may count as one
			_ = cmd.Process.Signal(syscall.SIGTERM)
			sent++
			time.Sleep(5 * time.Millisecond)
			return sent == 5000
		})
		if sent == 5000 {
			_ = cmd.Process.Kill()
		}
		if e := wait(); e.status != 143 || sent < 2 {
			t.Errorf("exit status %d after %d signals, want 143 after two or more", e.status, sent)
		}
	}
}

// TestTwoSignalsOfFile has the second signal come while rows of what was read
// are being written.
func TestTwoSignalsOfFile(t *testing.T) {
	input := capture(t, "flood60000", 1, 1)
	calm := folder(t)
	args := []string{"-q", input, rowsName}
	d := newDisturbance(1, func() { run(t, command(calm, args...)).want(t, 0) })
	undisturbed := readTree(t, calm)
	ends := map[int]int{}
	for range 20 {
		dir := folder(t)
		cmd := command(dir, args...)
		wait := start(t, cmd)
		time.Sleep(time.Duration(d.random.Int64N(int64(d.within))))
		_ = cmd.Process.Signal(syscall.SIGINT)
		time.Sleep(time.Duration(d.random.Int64N(int64(d.within / 8))))
		_ = cmd.Process.Signal(syscall.SIGTERM)
		e := wait()
		ends[e.status]++
		if !slices.Contains([]int{0, 130, 143}, e.status) {
			t.Errorf("exit status %d; said:\n%s", e.status, e.err)
		}
		left := readTree(t, dir)
		if _, ok := left[partialName]; ok {
			readTable(t, filepath.Join(dir, partialName))
			delete(left, partialName)
		}
		left.wantWhole(t, undisturbed) // a temporary file may be left
	}
	t.Logf("exit statuses: %v", ends)
}
