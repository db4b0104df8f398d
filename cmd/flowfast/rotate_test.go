package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/live"
)

// A setClock is a clock that is set by the test.
type setClock struct{ at time.Time }

func (c *setClock) now() time.Time { return c.at }

// newRotation returns files below a folder, with a clock at a time.
func newRotation(t *testing.T, pattern string, limits, keep []string, format string) (*rotating, *setClock, *[]error) {
	t.Helper()
	var rotate rotation
	var kept retention
	for _, text := range limits {
		if err := rotate.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range keep {
		if err := kept.Set(text); err != nil {
			t.Fatal(err)
		}
	}
	f, _ := export.FormatNamed(format)
	var errs []error
	c := &setClock{time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)}
	r, err := newRotating(pattern, rotate, kept, f, export.Table{Columns: export.Columns()[:2]},
		func(err error) { errs = append(errs, err) }, func() live.Counters { return live.Counters{Packets: 7} })
	if err != nil {
		t.Fatal(err)
	}
	r.now = c.now
	t.Cleanup(r.discard)
	return r, c, &errs
}

// flowsOf writes rows of flows with the given ports.
func flowsOf(t *testing.T, r *rotating, ports ...uint16) {
	t.Helper()
	b := r.rows().AppendHeader(nil)
	for _, port := range ports {
		b = r.rows().AppendRow(b, &flowfast.Flow{SrcPort: port})
	}
	if n, err := r.Write(b); n != len(b) || err != nil {
		t.Fatalf("%d of %d bytes: %v", n, len(b), err)
	}
}

// filesBelow returns what is below a folder, in order.
func filesBelow(t *testing.T, folder string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() != manifestName {
			rel, _ := filepath.Rel(folder, path)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func wantFiles(t *testing.T, folder string, want ...string) {
	t.Helper()
	if got := filesBelow(t, folder); !slices.Equal(got, want) {
		t.Fatalf("files %q, want %q", got, want)
	}
}

// Files end at whole multiples of the time, are named after its begin, and hold whole
// tables.
func TestRotateByTime(t *testing.T) {
	dir := t.TempDir()
	r, c, errs := newRotation(t, filepath.Join(dir, "%Y/%m-%d/%H%M.csv"), []string{"5m"}, nil, "csv")
	flowsOf(t, r, 1, 2)
	if names := filesBelow(t, dir); len(names) != 1 || !strings.Contains(names[0], ".tmp") {
		t.Errorf("before its end a file is there: %q", names)
	}
	c.at = time.Date(2031, 2, 3, 4, 9, 59, 0, time.UTC)
	flowsOf(t, r, 3)
	c.at = time.Date(2031, 2, 3, 4, 10, 0, 0, time.UTC)
	flowsOf(t, r, 4)
	c.at = time.Date(2031, 2, 3, 4, 31, 0, 0, time.UTC) // no rows between: no file
	r.end(time.Date(2031, 2, 3, 4, 15, 0, 0, time.UTC))
	wantFiles(t, dir, "2031/02-03/0405.csv", "2031/02-03/0410.csv")
	flowsOf(t, r, 5)
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, dir, "2031/02-03/0405.csv", "2031/02-03/0410.csv", "2031/02-03/0430.csv")
	for name, want := range map[string]string{
		"0405": "src_ip,src_port\n0.0.0.0,1\n0.0.0.0,2\n0.0.0.0,3\n",
		"0410": "src_ip,src_port\n0.0.0.0,4\n",
		"0430": "src_ip,src_port\n0.0.0.0,5\n",
	} {
		if b, err := os.ReadFile(filepath.Join(dir, "2031/02-03", name+".csv")); err != nil || string(b) != want {
			t.Errorf("%s: %v, got %q, want %q", name, err, b, want)
		}
	}
	if len(*errs) > 0 {
		t.Error(*errs)
	}
	b, err := os.ReadFile(filepath.Join(dir, manifestName))
	var m filesFile
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil || len(m.Files) != 3 {
		t.Fatalf("%v: %s", err, b)
	}
	if f := m.Files[0]; f.Path != "2031/02-03/0405.csv" || f.Rows != 3 || f.Bytes != 46 || f.Packets != 7 || m.Files[1].Packets != 0 {
		t.Errorf("the manifest has %+v", m.Files)
	}
	if r.written() != 5 {
		t.Errorf("%d rows, want 5", r.written())
	}
}

// A file ends when it has the size, and no name is taken twice, also by another run.
func TestRotateBySize(t *testing.T) {
	for _, format := range []string{"csv", "jsonl", "csv.gz", "parquet", "arrows"} {
		dir := t.TempDir()
		for run := range 2 {
			r, _, _ := newRotation(t, filepath.Join(dir, "flows."+format), []string{"1"}, nil, format)
			for range 3 {
				flowsOf(t, r, 1, 2)
				if err := r.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.close(); err != nil {
				t.Fatal(err)
			}
			if format == "csv" {
				const stem = "flows-20310203T040506Z"
				want := []string{stem + "-1.csv", stem + "-2.csv", stem + ".csv"}
				if run == 1 {
					want = []string{stem + "-1.csv", stem + "-2.csv", stem + "-3.csv", stem + "-4.csv", stem + "-5.csv", stem + ".csv"}
				}
				wantFiles(t, dir, want...)
			}
			if got := r.written(); got != 6 {
				t.Errorf("%s: %d rows, want 6", format, got)
			}
		}
		b, err := os.ReadFile(filepath.Join(dir, manifestName))
		if n := strings.Count(string(b), `"path"`); err != nil || n != len(filesBelow(t, dir)) || n == 0 {
			t.Errorf("%s: %v, the manifest has %d files of %d", format, err, n, len(filesBelow(t, dir)))
		}
	}
}

// Old files are removed, and what the manifest does not have is left alone.
func TestKeep(t *testing.T) {
	for keep, want := range map[string][]string{
		"10m": {"d03/0415.csv", "d03/0420.csv", "d03/0425.csv", "other.csv"},
		"60":  {"d03/0420.csv", "d03/0425.csv", "other.csv"}, // two files of 26 bytes
		"1":   {"d03/0425.csv", "other.csv"},
		"10d": {"d02/2350.csv", "d03/0405.csv", "d03/0410.csv", "d03/0415.csv", "d03/0420.csv", "d03/0425.csv", "other.csv"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "other.csv"), make([]byte, 1000), 0o666); err != nil {
			t.Fatal(err)
		}
		r, c, errs := newRotation(t, filepath.Join(dir, "d%d/%H%M.csv"), []string{"5m"}, []string{keep}, "csv")
		c.at = time.Date(2031, 2, 2, 23, 50, 0, 0, time.UTC)
		flowsOf(t, r, 1)
		for minute := 5; minute <= 25; minute += 5 {
			c.at = time.Date(2031, 2, 3, 4, minute, 0, 0, time.UTC)
			flowsOf(t, r, 1)
		}
		c.at = c.at.Add(time.Second)
		if err := r.close(); err != nil {
			t.Fatal(err)
		}
		wantFiles(t, dir, want...)
		if _, err := os.Stat(filepath.Join(dir, "d02")); keep != "10d" && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("keep %s: an empty folder is left", keep)
		}
		if len(*errs) > 0 {
			t.Error(*errs)
		}
	}
}

// A file that can't be written is told and given up; later ones are written again.
func TestRotateAfterFailure(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a folder there can't be taken away so")
	}
	dir := t.TempDir()
	r, c, errs := newRotation(t, filepath.Join(dir, "in/%H%M%S.csv"), []string{"10s"}, nil, "csv")
	if err := os.RemoveAll(filepath.Join(dir, "in")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "in"), nil, 0o666); err != nil { // in the way
		t.Fatal(err)
	}
	flowsOf(t, r, 1, 2, 3)
	c.at = c.at.Add(time.Second)
	flowsOf(t, r, 4)
	if len(*errs) != 1 || r.lost.Load() != 4 {
		t.Fatalf("errors %v, %d rows lost, want 4", *errs, r.lost.Load())
	}
	if err := os.Remove(filepath.Join(dir, "in")); err != nil {
		t.Fatal(err)
	}
	flowsOf(t, r, 5) // too soon
	c.at = c.at.Add(retryAfter)
	flowsOf(t, r, 6)
	if err := r.close(); err == nil || !strings.Contains(err.Error(), "5 rows") {
		t.Errorf("at the end: %v", err)
	}
	wantFiles(t, dir, "in/040510.csv")
}

// A clock that is set back or forward ends no file early or late, and takes no name
// twice.
func TestRotateClockSet(t *testing.T) {
	dir := t.TempDir()
	r, c, errs := newRotation(t, filepath.Join(dir, "%H%M.csv"), []string{"5m"}, nil, "csv")
	begun := c.at
	flowsOf(t, r, 1)
	c.at = begun.Add(-time.Hour)
	flowsOf(t, r, 2) // in the same file, which ends when five minutes have gone by
	r.end(r.due)
	flowsOf(t, r, 3)
	c.at = begun.Add(time.Minute)
	flowsOf(t, r, 4) // in another one: that of an hour ago is over
	c.at = begun.Add(-time.Hour)
	r.turn()
	flowsOf(t, r, 5)
	if err := r.close(); err != nil || len(*errs) > 0 || r.written() != 5 {
		t.Errorf("%v, %v, %d rows", err, *errs, r.written())
	}
	wantFiles(t, dir, "0305-1.csv", "0305.csv", "0405-1.csv", "0405.csv")
}

// What a run that was killed has left of a file goes with the next run; a file ends
// when it is told to.
func TestAfterKill(t *testing.T) {
	dir := t.TempDir()
	killed, _, _ := newRotation(t, filepath.Join(dir, "%H/%M.csv"), []string{"5m"}, nil, "csv")
	flowsOf(t, killed, 1)
	if names := filesBelow(t, dir); len(names) != 1 || !strings.HasSuffix(names[0], ".tmp") {
		t.Fatalf("files %q", names)
	}
	r, _, _ := newRotation(t, filepath.Join(dir, "%H/%M.csv"), []string{"5m"}, nil, "csv")
	wantFiles(t, dir)
	for range 2 {
		flowsOf(t, r, 2)
		r.turn()
	}
	wantFiles(t, dir, "04/05-1.csv", "04/05.csv")
}

// The manifest of captures, and one that leads elsewhere, are refused.
func TestStrangeManifest(t *testing.T) {
	for _, text := range []string{`{"captures":[]}`, `{"files":[{"path":"../other"}]}`, `{"current":"/etc/other"}`, `{`} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, manifestName), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := openFiles(dir, retention{}); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}

func TestNames(t *testing.T) {
	at := time.Date(2031, 2, 3, 4, 5, 6, 7, time.FixedZone("", 3600))
	for pattern, want := range map[string]string{
		"a.csv":              "a.csv",
		"%Y%m%dT%H%M%SZ":     "20310203T030506Z",
		"%F/%j-%s-100%%.csv": "2031-02-03/034-1927854306-100%.csv",
		"%q":                 "",
		"a%":                 "",
	} {
		if got, err := expand(pattern, at); got != want || (err != nil) != (want == "") {
			t.Errorf("%s: got %q, %v, want %q", pattern, got, err, want)
		}
	}
	for _, c := range []struct{ pattern, format, want string }{
		{"a/b.csv.gz", "csv.gz", "a/b-%Y%m%dT%H%M%SZ.csv.gz"},
		{"a/b.txt", "csv", "a/b-%Y%m%dT%H%M%SZ.txt"},
		{"a/%s.csv", "csv", "a/%s.csv"},
	} {
		if got := withTime(c.pattern, c.format); got != c.want {
			t.Errorf("%s: got %s, want %s", c.pattern, got, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	for text, want := range map[string]limits{
		"5m": {every: 5 * time.Minute}, "7d": {every: 168 * time.Hour}, "1GiB": {most: 1 << 30}, "5MB": {most: 5e6},
		"": {}, "0s": {}, "10ms": {}, "-5m": {}, "many": {}, "0": {}, "1,5GB": {},
	} {
		var got limits
		if err := got.Set(text); got != want || (err != nil) != want.none() {
			t.Errorf("%q: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	var both limits
	if both.Set("5m") != nil || both.Set("1GiB") != nil || both.Set("6m") == nil || both.Set("2GiB") == nil {
		t.Errorf("two of a kind: %+v", both)
	}
}

// What makes no sense of interfaces is told before anything is done.
func TestLiveArguments(t *testing.T) {
	for args, want := range map[string]string{
		"live":                                                    "IFACE and OUTPUT",
		"live eth0":                                               "IFACE and OUTPUT",
		"live --keep 7d eth0 a.csv":                               "--keep needs",
		"live --rotate 5m eth0 -":                                 "not standard output",
		"live --rotate 5m eth0 %q.csv":                            "%q is not a field",
		"live --rotate x eth0 a.csv":                              "want a time",
		"live --flush none eth0 a.csv":                            "end by the clock",
		"live --metrics x:y:z eth0 a.csv":                         "--metrics",
		"live --ring 1MiB eth0 a.csv":                             "2 MiB to 2 GiB",
		"live --profile cicflowmeter-legacy a b.csv":              "is for captures",
		"live --join eth0 a.csv":                                  "unknown flag",
		"live --serve 9000 eth0 a.csv":                            "want unix:PATH or tcp://",
		"live --serve unix: eth0 a.csv":                           "want unix:PATH or tcp://",
		"live --serve-format csv eth0 a.csv":                      "need --serve",
		"live --serve tcp://:9 --serve-format parquet eth0 a.csv": "can be read before its end",
		"live --serve tcp://:9 --serve-queue 1kB eth0 a.csv":      "1 MiB at least",
	} {
		var said strings.Builder
		if status := run(strings.Fields(args), streams{strings.NewReader(""), nil, &said}); status != exitUsage || !strings.Contains(said.String(), want) {
			t.Errorf("%s: exit status %d, said %q", args, status, said.String())
		}
	}
	for text, want := range map[string]string{"9100": "127.0.0.1:9100", ":9100": "127.0.0.1:9100", "0.0.0.0:1": "0.0.0.0:1", "[::1]:80": "[::1]:80"} {
		if got, err := listenAddress(text); got != want || err != nil {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
}

// An interface that can't be is an error that says so, on every system.
func TestNoLive(t *testing.T) {
	var said strings.Builder
	name := strings.Repeat("x", 16)
	if status := run([]string{"live", name, filepath.Join(t.TempDir(), "a.csv")}, streams{strings.NewReader(""), nil, &said}); status != exitBad || !strings.Contains(said.String(), fmt.Sprintf("interface %q", name)) {
		t.Errorf("exit status %d, said %q", status, said.String())
	}
}
