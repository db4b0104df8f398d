package flowfast

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowfast/flowfast/bench/workload"
	"github.com/flowfast/flowfast/export"
)

// A fullDisk takes some bytes and then fails.
type fullDisk struct {
	room   int
	failed int
}

var errFull = errors.New("full")

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.room -= len(b); d.room < 0 {
		d.failed++
		return 0, errFull
	}
	return len(b), nil
}

// TestWriterFails wants the error of a writer, whichever of its writes fails,
// no write after that, and a run that ends without all flows where more than a
// few buffers were to come.
func TestWriterFails(t *testing.T) {
	const flows = 30_000 // some 18 buffers of rows
	path := filepath.Join(t.TempDir(), "flood.pcap")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := workload.Write(f, "flood30000", 1, 1); err != nil {
		t.Fatal(err)
	}
	f.Close()
	for workers := 1; workers <= 3; workers++ {
		whole := fullDisk{room: 1 << 30}
		if err := writeTo(t, &whole, workers, path, flows); err != nil {
			t.Fatal(err)
		}
		size := 1<<30 - whole.room
		for _, room := range []int{0, 1, size / 5, size - 1} {
			d := fullDisk{room: room}
			least := 0
			if room < size/2 {
				least = flows / 2
			}
			if err := writeTo(t, &d, workers, path, flows-least); !errors.Is(err, errFull) || d.failed != 1 {
				t.Errorf("%d workers, room for %d of %d bytes: error %v, %d writes failed", workers, room, size, err, d.failed)
			}
		}
	}
}

// writeTo runs over a capture and wants no more than so many flows given out.
func writeTo(t *testing.T, d *fullDisk, workers int, path string, most int) error {
	t.Helper()
	run, err := Open(Options{Workers: workers}, path)
	if err != nil {
		t.Fatal(err)
	}
	err = run.Write(context.Background(), d, export.CSV{})
	if n := int(run.Summary().Flows); n > most {
		t.Errorf("%d workers: %d flows given out, want at most %d", workers, n, most)
	}
	return err
}
