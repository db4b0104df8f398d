package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/pflag"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/labels"
)

// someCapture returns a capture of so many packets, each a flow of its own.
func someCapture(packets, from int) []byte {
	le := binary.LittleEndian
	b := oneCapture()[:24]
	for k := range packets {
		b = le.AppendUint32(le.AppendUint32(b, uint32(from+k)), uint32(k*17))
		b = le.AppendUint32(le.AppendUint32(b, frameLen), frameLen)
		b = append(b, frame...)
		binary.BigEndian.PutUint16(b[len(b)-frameLen+34:], uint16(1000+k+from))
	}
	return b
}

// writeTree writes files below a folder.
func writeTree(t *testing.T, folder string, files map[string][]byte) {
	t.Helper()
	for name, b := range files {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// smallParts makes parts, and what shares them, small.
func smallParts(t *testing.T) {
	least, most, share, small, size := groupLeast, groupMost, groupShare, smallCapture, partSize
	t.Cleanup(func() { groupLeast, groupMost, groupShare, smallCapture, partSize = least, most, share, small, size })
	groupLeast, groupMost, groupShare, smallCapture, partSize = 4000, 12_000, 2, 2000, 8000
}

// mixedTree writes small and large captures, some of them broken.
func mixedTree(t *testing.T, folder string) {
	t.Helper()
	tree := map[string][]byte{
		"large.pcap":     someCapture(200, 5),
		"broken/01.pcap": append(someCapture(9, 1), slices.Repeat([]byte{0xff}, 16)...),
		"broken/02.pcap": nil,
		"broken/03.pcap": someCapture(9, 1),
	}
	tree["broken/03.pcap"][20] = 147 // a link type that nobody knows
	for i := range 30 {
		tree[fmt.Sprintf("%d/cap%02d.pcap", i/10, i)] = someCapture(3+i*7%40, i)
	}
	writeTree(t, folder, tree)
}

// datasetOf is a command that makes a dataset.
func datasetOf(in, out string, jobs int, resume bool) *command {
	c := &command{
		inputs: []string{in}, output: out, recursive: true, dataset: true, jobs: jobs, resume: resume,
		columns: export.Columns(), memory: 1 << 30,
		flags: pflag.NewFlagSet("", 0), given: func(string) bool { return false },
	}
	c.format, _ = export.FormatNamed(datasetFormat)
	return c
}

// splitOf is one of three splits, by flow, each with a folder.
func splitOf(in, out string, jobs int, resume bool) *command {
	c := datasetOf(in, out, jobs, resume)
	splits, err := labels.ParseSplits("train=0.6,val=0.3,test=0.1")
	if err != nil {
		panic(err)
	}
	c.splits.folders, c.splits.shares.Splits, c.finished.Splits = true, splits, splits
	c.columns = export.WithSplit(c.columns, splits.Names())
	return c
}

// bothDatasets runs a test with and without folders of splits.
func bothDatasets(t *testing.T, test func(t *testing.T, of func(in, out string, jobs int, resume bool) *command)) {
	t.Run("parts", func(t *testing.T) { test(t, datasetOf) })
	t.Run("splits", func(t *testing.T) { test(t, splitOf) })
}

const undisturbed = 1 << 40

// A dataset that was stopped, wherever that is, and then resumed is the same files as
// one that was not disturbed, for any number of workers.
func TestResumeDataset(t *testing.T) { bothDatasets(t, resumeDataset) }

func resumeDataset(t *testing.T, datasetOf func(in, out string, jobs int, resume bool) *command) {
	smallParts(t)
	in, dir := t.TempDir(), t.TempDir()
	mixedTree(t, in)
	first := filepath.Join(dir, "first")
	datasetOf(in, first, 1, false).stoppedAfter(t, undisturbed)
	want := files(t, first)
	if parts := len(want) - 3; parts < 5 {
		t.Fatalf("%d files, want a manifest, two descriptions and at least 5 parts", len(want))
	}
	for asked, stopped := int64(0), true; stopped; asked += 1 + asked/8 {
		out := filepath.Join(dir, "out")
		stopped = false
		for _, r := range datasetOf(in, out, 1+int(asked%2), false).stoppedAfter(t, asked) {
			stopped = stopped || r.stopped
		}
		for name, text := range files(t, out) {
			if strings.HasPrefix(filepath.Base(name), "part-") && text != want[name] {
				t.Errorf("stopped after %d: %s is not whole", asked, name)
			}
		}
		datasetOf(in, out, 2, true).stoppedAfter(t, undisturbed)
		if got := files(t, out); !maps.Equal(got, want) {
			t.Errorf("stopped after %d and resumed: got %q, want %q", asked, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
	}
}

// A dataset that grows and shrinks is each time that of a run that does all anew, and
// most of its parts are left as they are.
func TestDatasetGrows(t *testing.T) { bothDatasets(t, datasetGrows) }

func datasetGrows(t *testing.T, datasetOf func(in, out string, jobs int, resume bool) *command) {
	smallParts(t)
	in, dir := t.TempDir(), t.TempDir()
	mixedTree(t, in)
	out := filepath.Join(dir, "out")
	datasetOf(in, out, 2, false).stoppedAfter(t, undisturbed)
	for step, change := range []func() error{
		func() error { writeTree(t, in, map[string][]byte{"0/aaa.pcap": someCapture(90, 3)}); return nil },
		func() error { return os.Remove(filepath.Join(in, "0", "aaa.pcap")) },
		func() error { return os.Remove(filepath.Join(in, "0", "cap05.pcap")) },
		func() error { writeTree(t, in, map[string][]byte{"large.pcap": someCapture(7, 3)}); return nil },
		func() error { return os.RemoveAll(filepath.Join(in, "1")) },
		func() error { writeTree(t, in, map[string][]byte{"broken/02.pcap": someCapture(7, 3)}); return nil },
		func() error { return nil },
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		read := len(datasetOf(in, out, 2, true).stoppedAfter(t, undisturbed))
		fresh := filepath.Join(dir, fmt.Sprint("fresh", step))
		all := len(datasetOf(in, fresh, 2, false).stoppedAfter(t, undisturbed))
		if got, want := files(t, out), files(t, fresh); !maps.Equal(got, want) {
			t.Errorf("step %d: got %q, want %q", step, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
		if read > all/2 {
			t.Errorf("step %d: %d of %d captures were read again", step, read, all)
		}
	}
}

// A dataset whose process is killed and that is then resumed is the same files as one
// that was not disturbed.
func TestKilledDataset(t *testing.T) {
	const variable = "FLOWFAST_TEST_DATASET"
	if folder := os.Getenv(variable); folder != "" {
		smallParts(t)
		for { // until it is killed
			datasetOf(filepath.Join(folder, "in"), filepath.Join(folder, "out"), 2, false).stoppedAfter(t, undisturbed)
		}
	}
	if runtime.GOOS == "windows" {
		t.Skip("a killed process leaves files open there")
	}
	smallParts(t)
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	mixedTree(t, in)
	datasetOf(in, filepath.Join(dir, "first"), 2, false).stoppedAfter(t, undisturbed)
	want := files(t, filepath.Join(dir, "first"))
	for k := range 8 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilledDataset$")
		child.Env = append(os.Environ(), variable+"="+dir)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		for begun := false; !begun; time.Sleep(time.Millisecond) {
			_, err := os.Stat(filepath.Join(out, manifestName))
			begun = err == nil
		}
		time.Sleep(time.Duration(rand.IntN(1+k*10)) * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait()
		datasetOf(in, out, 2, true).stoppedAfter(t, undisturbed)
		if got := files(t, out); !maps.Equal(got, want) {
			t.Errorf("killed and resumed: got %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
		}
	}
}

// oneTable reads a folder into one file in another, and returns what came of its
// captures, and the file.
func oneTable(t *testing.T, in, dir, format string, jobs int) ([]result, string) {
	t.Helper()
	c := datasetOf(in, filepath.Join(dir, fmt.Sprint(jobs, ".", format)), jobs, false)
	c.dataset, c.oneTable = false, true
	c.format, _ = export.FormatNamed(format)
	p, err := c.plan()
	if err != nil {
		t.Fatal(err)
	}
	results := c.all(t.Context(), p, nil, func(*result) {})
	b, err := os.ReadFile(c.output)
	if err != nil {
		t.Fatal(err)
	}
	return results, string(b)
}

// Many small captures take little more room in a dataset than in one file, and one
// file has the rows of all, in order, for any number of workers.
func TestSmallCaptures(t *testing.T) {
	in, dir := t.TempDir(), t.TempDir()
	tree := map[string][]byte{}
	for i := range 300 {
		tree[fmt.Sprintf("%d/cap%03d.pcap", i/100, i)] = someCapture(1+i*7%40, i)
	}
	writeTree(t, in, tree)
	out := filepath.Join(dir, "out")
	datasetOf(in, out, 2, false).stoppedAfter(t, undisturbed)
	var whole, parts int
	for name, text := range files(t, out) {
		if strings.HasSuffix(name, ".parquet") {
			parts += len(text)
			if strings.Contains(text, "first quartile of") {
				t.Errorf("%s has the definitions of columns", name)
			}
		}
	}
	for _, format := range []string{"csv", datasetFormat} { // TestSeries has others
		var first string
		for _, jobs := range []int{1, 5} {
			_, text := oneTable(t, in, dir, format, jobs)
			if jobs == 1 {
				first = text
			} else if text != first {
				t.Errorf("%s: other bytes with %d workers", format, jobs)
			}
			if format == datasetFormat {
				whole = len(text)
			} else {
				inOrder(t, text)
			}
		}
	}
	if parts > whole+whole/20 {
		t.Errorf("the parts have %d bytes, one file %d", parts, whole)
	}
}

// A capture whose turn has not come keeps no more rows than a few.
func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		q := newTurns(&out, 0)
		first, second := turn{turns: q}, turn{turns: q, number: 1}
		go func() {
			for range 20 {
				if _, err := second.Write(make([]byte, waiting/5)); err != nil {
					t.Error(err)
				}
			}
			second.end()
		}()
		synctest.Wait() // until it waits
		if len(second.rows) > waiting || len(second.rows) < waiting/2 {
			t.Errorf("%d bytes are kept, want %d at most", len(second.rows), waiting)
		}
		if _, err := first.Write([]byte("first")); err != nil {
			t.Error(err)
		}
		first.end()
		synctest.Wait()
		if !bytes.HasPrefix(out.Bytes(), []byte("first\x00")) || out.Len() != 5+20*(waiting/5) {
			t.Errorf("%d bytes", out.Len())
		}
	})
}

// inOrder wants the rows of someCapture's captures in the order of their names.
func inOrder(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if !strings.HasPrefix(lines[0], "src_ip,") || !strings.HasSuffix(lines[0], ",capture") {
		t.Errorf("header %q", lines[0])
	}
	n := 1
	for i := range 300 {
		for range 1 + i*7%40 {
			if want := fmt.Sprintf(",%d/cap%03d.pcap", i/100, i); n >= len(lines) || !strings.HasSuffix(lines[n], want) {
				t.Fatalf("line %d is not one of %s", n+1, want)
			}
			n++
		}
	}
	if n != len(lines) {
		t.Errorf("%d lines, want %d", len(lines), n)
	}
}

// Large captures have batches of their own, so that the bytes of a table do not depend
// on the number of workers.
func TestSeries(t *testing.T) {
	smallParts(t)
	in, dir := t.TempDir(), t.TempDir()
	mixedTree(t, in)
	for _, format := range []string{"parquet", "arrow", "arrows", "csv.gz", "jsonl"} {
		var first string
		for _, jobs := range []int{1, 2, 3, 8} {
			results, text := oneTable(t, in, dir, format, jobs)
			errs := 0
			for i := range results {
				errs += len(errorsOf(&results[i]))
			}
			if len(results) != 34 || errs != 2 {
				t.Errorf("%d results with %d errors, want 34 with 2", len(results), errs)
			}
			if jobs == 1 {
				first = text
			} else if text != first {
				t.Errorf("%s: other bytes with %d workers", format, jobs)
			}
		}
	}
}

// What can't be written is said once, and of no capture that it is done.
func TestSeriesUnwritten(t *testing.T) {
	smallParts(t)
	in, out := t.TempDir(), t.TempDir()
	mixedTree(t, in)
	if err := os.MkdirAll(filepath.Join(out, partFolder, partName(2, 0), "x"), 0o777); err != nil {
		t.Fatal(err)
	}
	said, failedParts := map[string]int{}, 0
	for _, r := range datasetOf(in, out, 2, false).stoppedAfter(t, undisturbed) {
		for _, err := range errorsOf(&r) {
			if strings.Contains(err.Error(), partName(2, 0)) {
				said[err.Error()]++
			}
		}
		if r.failed != nil {
			failedParts++
			if r.status() != failed {
				t.Errorf("%s: %s", r.job.inputs[0], r.status())
			}
		}
	}
	if len(said) != 1 || failedParts < 2 {
		t.Errorf("%d captures without output; said %v", failedParts, said)
	}
}
