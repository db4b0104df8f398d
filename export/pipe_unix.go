//go:build unix

package export

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openDirect opens what is no regular file. The system's own wait for the reader of
// a named pipe can't be ended, so it is asked again and again.
func openDirect(ctx context.Context, name string, mode fs.FileMode) (*os.File, error) {
	if mode&fs.ModeNamedPipe == 0 {
		return os.OpenFile(name, os.O_WRONLY, 0)
	}
	const most = 50 * time.Millisecond
	for pause := time.Millisecond; ; pause = min(2*pause, most) {
		fd, err := unix.Open(name, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		switch err {
		case nil:
			if err := unix.SetNonblock(fd, false); err != nil { // or a slow reader would be an error
				unix.Close(fd)
				return nil, err
			}
			return os.NewFile(uintptr(fd), name), nil
		case unix.EINTR:
			continue
		case unix.ENXIO: // nobody reads it
		default:
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for a reader: %w", context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}
