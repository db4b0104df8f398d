//go:build linux

package fault

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	library "github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// A summary is what --summary writes, as far as it is looked at here.
type summary struct {
	library.Summary
	Written bool
	Errors  []string
}

// readSummary reads a summary, in which the classes must add up.
func readSummary(t *testing.T, path string) summary {
	t.Helper()
	var s summary
	if err := json.Unmarshal(read(t, path), &s); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if s.Classes.Sum() != s.Packets {
		t.Errorf("%s: %d packets, but the classes %+v", path, s.Packets, s.Classes)
	}
	return s
}

// A table is what an output holds.
type table struct {
	rows    uint64
	packets uint64 // of all rows
}

// readTable reads an output, which must be the header and whole rows.
func readTable(t *testing.T, path string) table {
	t.Helper()
	text, whole := strings.CutSuffix(string(read(t, path)), "\n")
	header, rows, _ := strings.Cut(text, "\n")
	columns := strings.Split(header, ",")
	forward, backward := slices.Index(columns, "fwd_tot_pkt"), slices.Index(columns, "bwd_tot_pkt")
	if !whole || header != strings.TrimSuffix(string(export.CSV{}.AppendHeader(nil)), "\n") || forward < 0 || backward < 0 {
		t.Fatalf("%s: begins %.200q, want the header; whole lines: %v", path, header, whole)
	}
	var sum table
	if rows == "" {
		return sum
	}
	for row := range strings.SplitSeq(rows, "\n") {
		fields := strings.Split(row, ",")
		if len(fields) != len(columns) {
			t.Fatalf("%s: row %d has %d fields, want %d: %q", path, sum.rows, len(fields), len(columns), row)
		}
		for _, column := range []int{forward, backward} {
			n, err := strconv.ParseUint(fields[column], 10, 64)
			if err != nil {
				t.Fatalf("%s: row %d: %v", path, sum.rows, err)
			}
			sum.packets += n
		}
		sum.rows++
	}
	return sum
}

// wantOf wants the rows of all that a summary counts.
func (tb table) wantOf(t *testing.T, path string, s summary) {
	t.Helper()
	if tb.rows != s.Flows || tb.packets != s.Classes.Counted {
		t.Errorf("%s: %d rows of %d packets, the summary has %d flows of %d counted packets",
			path, tb.rows, tb.packets, s.Flows, s.Classes.Counted)
	}
}

// A tree is the files under a folder and what they hold.
type tree map[string]string

func readTree(t *testing.T, dir string) tree {
	t.Helper()
	files := tree{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if files[name] = ""; entry.Type().IsRegular() { // a pipe has no content
			files[name] = string(read(t, path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// names returns the names of the files, in order.
func (f tree) names() []string { return slices.Sorted(maps.Keys(f)) }

// wantNames wants files of just these names.
func wantNames(t *testing.T, dir string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if got := readTree(t, dir).names(); !slices.Equal(got, want) {
		t.Errorf("%s holds %q, want %q", dir, got, want)
	}
}

// manifest is the file in which -r notes what is complete.
const manifest = "flowfast-manifest.json"

// wantWhole wants every file under a final name to be that of an undisturbed
// run, and returns the names of the temporary ones. A manifest notes less in
// the course of a run than at its end.
func (f tree) wantWhole(t *testing.T, undisturbed tree) (temporary []string) {
	t.Helper()
	for _, name := range f.names() {
		want, known := undisturbed[name]
		switch {
		case isTemporary(name):
			temporary = append(temporary, name)
		case filepath.Base(name) == manifest && json.Valid([]byte(f[name])):
		case !known:
			t.Errorf("%s: of %d bytes, is none of an undisturbed run", name, len(f[name]))
		case f[name] != want:
			t.Errorf("%s: has %d bytes, and is not the same as the %d of an undisturbed run", name, len(f[name]), len(want))
		}
	}
	return temporary
}

// wantSame wants the very files of an undisturbed run.
func (f tree) wantSame(t *testing.T, undisturbed tree) {
	t.Helper()
	if got, want := f.names(), undisturbed.names(); !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	for name, want := range undisturbed {
		if got := f[name]; got != want {
			t.Errorf("%s: %d bytes that are not those of an undisturbed run, %d", name, len(got), len(want))
		}
	}
}

func isTemporary(path string) bool {
	name := filepath.Base(path)
	return strings.HasPrefix(name, ".") && strings.Contains(name, ".flowfast-") && strings.HasSuffix(name, ".tmp")
}

// temporaries returns the temporary files of a folder.
func temporaries(dir string) []string {
	found, _ := filepath.Glob(filepath.Join(dir, ".*.flowfast-*.tmp"))
	return found
}

// grown reports whether a temporary file of the folder holds any rows.
func grown(dir string) bool {
	return slices.ContainsFunc(temporaries(dir), func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.Size() > 0
	})
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
}
