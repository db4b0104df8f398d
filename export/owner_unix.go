//go:build unix

package export

import (
	"io/fs"
	"os"
	"syscall"
)

// chownLike gives a file the owner and the group of an old one. Who may not do so
// keeps what is new.
func chownLike(f *os.File, old fs.FileInfo) {
	if owner, ok := old.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(owner.Uid), int(owner.Gid))
	}
}
