//go:build unix

package export

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestCreatePipe wants the wait for the reader of a named pipe to end with the
// context, and a reader to get what is written even if that had ended before.
func TestCreatePipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
	if _, err := Create(ctx, name); !errors.Is(err, why) || err.Error() != name+": waiting for a reader: enough" {
		t.Errorf("error %v, want %v", err, why)
	}
	r, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := Create(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("rows")); err != nil {
		t.Error(err)
	}
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
	if b, err := io.ReadAll(r); string(b) != "rows" || err != nil {
		t.Errorf("read %q (%v)", b, err)
	}
}
