package conformance

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// TestLegacyReference compares every column of the profile cicflowmeter-legacy
// with what reference/legacy.py computes from the bytes of a capture, on all
// captures, and those of the reference with the original's. No capture is
// excepted but that of a format which the original can't read.
func TestLegacyReference(t *testing.T) {
	shared(t) // skips where there is no Python
	captures, originalRows := originals(t)
	flowfast := built(t)
	entries, err := os.ReadDir(captures)
	if err != nil {
		t.Fatal(err)
	}
	entries = slices.DeleteFunc(entries, func(e os.DirEntry) bool { return e.Name() == "ORIGIN.md" })
	folder := t.ArtifactDir()
	args := []string{"reference/legacy.py", "--output", folder}
	for _, entry := range entries {
		args = append(args, withoutZstd(t, filepath.Join(captures, entry.Name())))
	}
	output(t, "python3", args...)

	ours, theirs := 0, 0
	for _, entry := range entries {
		name := entry.Name()
		t.Run(name, func(t *testing.T) {
			if strings.HasSuffix(name, ".snoop") {
				t.Skip("the original and the reference read no snoop")
			}
			want := tableIn(t, filepath.Join(folder, name+".csv"))
			got := table(t, output(t, flowfast, "-q", "--profile", "cicflowmeter-legacy", filepath.Join(captures, name), "-"))
			if len(got) == 0 {
				got = want[:1] // what is no capture has no header
			}
			for _, d := range legacyDifferences(want, got) {
				t.Error(d)
			}
			ours += len(got) - 1
			if original := filepath.Join(originalRows, name+".csv"); exists(original) {
				rows := tableIn(t, original)
				for _, d := range legacyDifferences(rows, want) {
					t.Errorf("the reference beside the original: %s", d)
				}
				theirs += len(rows) - 1
			}
		})
	}
	t.Logf("%d rows of %d captures, %d rows of the original", ours, len(entries), theirs)
	if ours == 0 || theirs == 0 {
		t.Error("nothing was compared")
	}
}

// withoutZstd returns the path of a capture that Python's library can read.
func withoutZstd(t *testing.T, path string) string {
	packed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(packed, []byte("\x28\xb5\x2f\xfd")) {
		return path
	}
	d, err := zstd.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	plain, err := io.ReadAll(d)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(path, plain, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func tableIn(t *testing.T, path string) [][]string {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return table(t, f)
}

func table(t *testing.T, r io.Reader) [][]string {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// legacyDifferences describes how the rows of got differ from those wanted, in
// any order. The first line of each is the header.
func legacyDifferences(want, got [][]string) (differences []string) {
	header := want[0]
	if !slices.Equal(got[0], header) {
		return []string{fmt.Sprintf("columns %q, want %q", got[0], header)}
	}
	flow := func(row []string) string { return row[0] + " " + row[slices.Index(header, "Timestamp")] }
	differ := func(want, got []string) (columns []string) {
		for i, column := range header {
			// What is counted has no point, what is computed has one.
			if integer.MatchString(want[i]) != integer.MatchString(got[i]) || !agree(column, want[i], got[i], 0) {
				columns = append(columns, fmt.Sprintf("%s %s, want %s", column, got[i], want[i]))
			}
		}
		return columns
	}
	left := map[string][][]string{}
	for _, row := range got[1:] {
		left[flow(row)] = append(left[flow(row)], row)
	}
	take := func(key string, i int) []string {
		row := left[key][i]
		left[key] = slices.Delete(left[key], i, i+1)
		return row
	}
	var lonely [][]string
	for _, row := range want[1:] {
		key := flow(row)
		i := slices.IndexFunc(left[key], func(other []string) bool { return len(differ(row, other)) == 0 })
		if i < 0 {
			lonely = append(lonely, row)
			continue
		}
		take(key, i)
	}
	for _, row := range lonely {
		key := flow(row)
		if len(left[key]) == 0 {
			differences = append(differences, fmt.Sprintf("missing: %s", strings.Join(row, ",")))
			continue
		}
		differences = append(differences, fmt.Sprintf("%s: %s", key, strings.Join(differ(row, take(key, 0)), "; ")))
	}
	for _, rows := range left {
		for _, row := range rows {
			differences = append(differences, fmt.Sprintf("not expected: %s", strings.Join(row, ",")))
		}
	}
	return differences
}

func TestLegacyDifferences(t *testing.T) {
	header := []string{"Flow ID", "Timestamp", "N", "Mean"}
	rows := func(lines ...string) [][]string {
		table := [][]string{header}
		for _, line := range lines {
			table = append(table, strings.Split(line, ","))
		}
		return table
	}
	for _, test := range []struct {
		name        string
		want, got   [][]string
		differences []string
	}{
		{"in another order, in other words", rows("a,1,2,2.5", "a,1,3,1.0E-5"), rows("a,1,3,1e-05", "a,1,2,2.5000000024"), nil},
		{"no number", rows("a,1,2,NaN", "a,1,2,Infinity"), rows("a,1,2,Infinity", "a,1,2,NaN"), nil},
		{"another number", rows("a,1,2,2.5"), rows("a,1,2,2.5000000026"), []string{"a 1: Mean 2.5000000026, want 2.5"}},
		{"another count", rows("a,1,2,2.5"), rows("a,1,3,2.5"), []string{"a 1: N 3, want 2"}},
		{"a count with a point", rows("a,1,2,0"), rows("a,1,2.0,0.0"), []string{"a 1: N 2.0, want 2; Mean 0.0, want 0"}},
		{"text is no number", rows("1,1,2,0"), rows("1.0,1,2,0"), []string{"missing: 1,1,2,0", "not expected: 1.0,1,2,0"}},
		{"twice and once", rows("a,1,2,0", "a,1,2,0"), rows("a,1,2,0"), []string{"missing: a,1,2,0"}},
		{"once and twice", rows("a,1,2,0"), rows("a,1,2,0", "a,1,2,0"), []string{"not expected: a,1,2,0"}},
		{"another header", rows(), [][]string{{"Flow ID"}}, []string{`columns ["Flow ID"], want ["Flow ID" "Timestamp" "N" "Mean"]`}},
	} {
		if got := legacyDifferences(test.want, test.got); !slices.Equal(got, test.differences) {
			t.Errorf("%s: %q, want %q", test.name, got, test.differences)
		}
	}
}
