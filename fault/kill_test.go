//go:build linux

package fault

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A batch is a run over a folder of captures, and what it leaves undisturbed.
type batch struct {
	args        []string
	undisturbed tree
	ending      ending
	*disturbance
}

// newBatch makes the captures in a folder and runs over them undisturbed.
func newBatch(t *testing.T, dir string, jobs string) *batch {
	t.Helper()
	dozen(t, subfolder(t, dir, "in"))
	b := &batch{args: []string{"-q", "-r", "-t", "1", "-j", jobs, "in", "out"}}
	b.disturbance = newDisturbance(7, func() {
		subfolder(t, dir, "out")
		b.ending = run(t, command(dir, b.args...))
		b.ending.want(t, 1, "damaged.pcap.gz: offset ") // and nothing else
		if strings.Count(b.ending.err, "\n") != 1 {
			t.Errorf("said:\n%s", b.ending.err)
		}
		again := readTree(t, filepath.Join(dir, "out"))
		if b.undisturbed != nil {
			again.wantSame(t, b.undisturbed)
		}
		b.undisturbed = again
		removeAll(t, dir, "out")
	})
	if n := len(b.undisturbed); n != 12+1 {
		t.Errorf("%d files, want those of 12 captures and a manifest: %q", n, b.undisturbed.names())
	}
	return b
}

// resume runs on to the end, after which all must be as if nothing had been.
func (b *batch) resume(t *testing.T, dir string) {
	t.Helper()
	run(t, command(dir, slices.Concat(b.args, []string{"--resume"})...)).want(t, b.ending.status)
	readTree(t, filepath.Join(dir, "out")).wantSame(t, b.undisturbed)
}

// TestKilled kills a run over a folder at random moments, some of them again
// when they are resumed, and lets it go on to its end.
func TestKilled(t *testing.T) {
	dir := folder(t)
	b := newBatch(t, dir, "2")
	complete, left := 0, 0 // outputs and temporary files, over all moments
	for i := range moments {
		out := subfolder(t, dir, "out")
		args := b.args
		for range 1 + i%4/3 {
			if e := b.send(t, command(dir, args...), syscall.SIGKILL); e.killer == 0 {
				e.want(t, b.ending.status)
			}
			now := readTree(t, out)
			temporary := len(now.wantWhole(t, b.undisturbed))
			left += temporary
			complete += len(now) - temporary
			args = slices.Concat(b.args, []string{"--resume"})
		}
		b.resume(t, dir)
		removeAll(t, dir, "out")
		if t.Failed() {
			t.Fatalf("at moment %d of %d", i, moments)
		}
	}
	t.Logf("killed %d times: %d outputs were complete, %d temporary files left", moments, complete, left)
	if left == 0 {
		t.Error("no run was killed in the middle")
	}
}

// TestStoppedFolder is the same with signals that let it end in order: each
// capture in progress has a partial output until it is resumed. Half of the
// resumed runs are killed first.
func TestStoppedFolder(t *testing.T) {
	dir := folder(t)
	b := newBatch(t, dir, "2")
	const rounds = 12
	partials := 0
	for i := range rounds {
		s := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}[i%2]
		out := subfolder(t, dir, "out")
		e := b.send(t, command(dir, b.args...), s)
		if e.status != 128+int(s) && e.status != b.ending.status {
			t.Errorf("exit status %d after signal %d; said:\n%s", e.status, s, e.err)
		}
		now := readTree(t, out)
		for _, name := range now.names() {
			if whole, ok := strings.CutSuffix(name, ".partial"); ok {
				partials++
				readTable(t, filepath.Join(out, name))
				if _, ok := now[whole]; ok {
					t.Errorf("there is both %s and %s", whole, name)
				}
				delete(now, name)
			}
		}
		if temporary := now.wantWhole(t, b.undisturbed); len(temporary) > 0 {
			t.Errorf("temporary files %q", temporary)
		}
		if i%4 > 1 {
			b.send(t, command(dir, slices.Concat(b.args, []string{"--resume"})...), syscall.SIGKILL)
		}
		b.resume(t, dir)
		removeAll(t, dir, "out")
		if t.Failed() {
			t.Fatalf("at moment %d of %d", i, rounds)
		}
	}
	t.Logf("stopped %d times: %d partial outputs", rounds, partials)
	if partials == 0 {
		t.Error("no run was stopped in the middle of a capture")
	}
}

// TestResumeNothing resumes what is complete, and what never began.
func TestResumeNothing(t *testing.T) {
	dir := folder(t)
	b := newBatch(t, dir, "1")
	subfolder(t, dir, "out")
	b.resume(t, dir)
	b.resume(t, dir)
}
