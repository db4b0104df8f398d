package flowfast

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"
	"time"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/testpcap"
)

// TestSpooling merges captures of which few may be open at a time: the rows are those
// without a bound, which is kept, and packets are spooled again where they must be.
func TestSpooling(t *testing.T) {
	names := testpcap.Tangled(t, 60)
	o := Options{IdleTimeout: 500 * time.Millisecond, Workers: 1}
	rows := func(o Options, files int) string {
		t.Helper()
		run, err := Open(o, names...)
		if err != nil {
			t.Fatal(err)
		}
		run.intake.OverlapFiles = files
		var b bytes.Buffer
		if err := run.Write(t.Context(), &b, export.CSV{}); err != nil {
			t.Fatal(err)
		}
		steps := run.Summary().StepsBack
		return fmt.Sprint(steps, b.String())
	}
	want := rows(o, 0)
	if bytes.Count([]byte(want), []byte("\n")) < 1000 {
		t.Fatal("few rows")
	}
	for _, files := range []int{2, 3, 7, 30, 1000} {
		for o.Workers = 1; o.Workers <= 3; o.Workers++ {
			if rows(o, files) != want {
				t.Errorf("room for %d files, %d workers: other rows", files, o.Workers)
			}
		}
	}
	o.Workers, o.MaxMemory = 1, MinMemory // room for 16 of them
	if rows(o, 1000) != want {
		t.Error("little memory: other rows")
	}
}

// TestSpoolingFails has no folder for a spool: what was read before has rows, and the
// error says what was to be done.
func TestSpoolingFails(t *testing.T) {
	names := testpcap.Tangled(t, 20)
	missing := filepath.Join(t.TempDir(), "missing")
	t.Setenv("TMPDIR", missing)
	t.Setenv("TMP", missing)
	run, err := Open(Options{Workers: 1}, names...)
	if err != nil {
		t.Fatal(err)
	}
	run.intake.OverlapFiles = 5
	var b bytes.Buffer
	err = run.Write(t.Context(), &b, export.CSV{})
	if !errors.Is(err, fs.ErrNotExist) || run.Summary().Packets == 0 {
		t.Errorf("%d packets, error %v, want some, and that there is no folder", run.Summary().Packets, err)
	}
}
