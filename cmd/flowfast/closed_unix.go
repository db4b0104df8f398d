//go:build unix

package main

import (
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// mayBeClosed reports whether standard output may have been closed when the process
// began. Go's runtime then opens the null device in its place, for reading too, before
// any code of the program runs; a shell does not do so for > /dev/null, but other
// programs do (subprocess.DEVNULL in Python), and nothing tells these two apart.
func mayBeClosed(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	null, errNull := os.Stat(os.DevNull)
	if err != nil || errNull != nil {
		return err != nil
	}
	flags, err := unix.FcntlInt(f.Fd(), syscall.F_GETFL, 0)
	return err == nil && flags&syscall.O_ACCMODE == syscall.O_RDWR && os.SameFile(info, null)
}
