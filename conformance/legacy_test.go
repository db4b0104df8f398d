package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/legacy"
)

// originals returns the folder with the captures and the one with the rows of
// the original, CICFlowMeter at commit 98a5eba, run in the time zone UTC.
func originals(t *testing.T) (captures, rows string) {
	return sharedFolder(t, "captures"), sharedFolder(t, "peer-rows", "cicflowmeter")
}

// TestLegacy compares the rows of package legacy with the original's: as sets,
// because the original ends with flows in the order of a hash table, but as
// text, to the last digit. No capture is excepted.
func TestLegacy(t *testing.T) {
	captures, rows := originals(t)
	files, _ := filepath.Glob(filepath.Join(rows, "*.csv"))
	if len(files) == 0 {
		t.Fatal("no tables in " + rows)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".csv")
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := slices.Collect(strings.Lines(string(text)))
			got := slices.Collect(strings.Lines(string(legacyRows(t, filepath.Join(captures, name)))))
			if got[0] != want[0] {
				t.Fatalf("header:\n%swant:\n%s", got[0], want[0])
			}
			missing, extra := without(want, got), without(got, want)
			if len(missing)+len(extra) == 0 {
				return
			}
			t.Errorf("%d of %d rows missing, %d of %d rows extra", len(missing), len(want)-1, len(extra), len(got)-1)
			for _, row := range missing[:min(len(missing), 5)] {
				t.Errorf("missing: %s", row)
			}
			for _, row := range extra[:min(len(extra), 5)] {
				t.Errorf("extra:   %s", row)
			}
		})
	}
}

// legacyRows returns the table of a capture, or of what could be read of it.
func legacyRows(t *testing.T, path string) []byte {
	run, err := flowfast.Open(flowfast.Options{Meter: legacy.Original{}}, path)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := run.Write(t.Context(), &b, legacy.Rows{}); err != nil {
		t.Log(err)
	}
	return b.Bytes()
}

// without returns the rows of a that are not in b, counting each of them as
// often as it is there.
func without(a, b []string) (rest []string) {
	left := map[string]int{}
	for _, row := range b {
		left[row]++
	}
	for _, row := range a {
		if left[row] == 0 {
			rest = append(rest, row)
		} else {
			left[row]--
		}
	}
	return rest
}
