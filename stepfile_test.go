package flowfast

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/testpcap"
)

// TestStepBackOfJoined wants the name of the one of three files, two of which overlap,
// that is not in the order of time itself, spooled or not.
func TestStepBackOfJoined(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	for _, backward := range []int{0, 1, 2} {
		dir := t.TempDir()
		var names []string
		for i, from := range []int{0, 50, 1000} { // seconds
			capture := []byte(testpcap.Header)
			for k := range 100 {
				at := from + k
				if i == backward && k == 70 {
					at -= 5
				}
				capture = append(capture, testpcap.Record(start.Add(time.Duration(at)*time.Second), uint16(k))...)
			}
			names = append(names, filepath.Join(dir, string(rune('a'+i))))
			if err := os.WriteFile(names[i], testpcap.Gzipped(capture), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for _, files := range []int{0, 1} {
			for workers := 1; workers <= 2; workers++ {
				run, err := Open(Options{Workers: workers}, names...)
				if err != nil {
					t.Fatal(err)
				}
				run.intake.OverlapFiles = files
				if err := run.Write(t.Context(), new(strings.Builder), export.CSV{}); err != nil {
					t.Fatal(err)
				}
				want := names[backward] + ": time steps back by 4s at packet "
				if said := run.Summary().Warnings; len(said) == 0 || !strings.HasPrefix(said[0], want) {
					t.Errorf("room for %d files, %d workers: %q, want %q", files, workers, said, want)
				}
			}
		}
	}
}
