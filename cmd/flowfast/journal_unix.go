//go:build unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

// isJournal tells whether what is written to a file goes to the journal of systemd
// (systemd.exec(5), JOURNAL_STREAM).
func isJournal(f *os.File) bool {
	var s syscall.Stat_t
	return syscall.Fstat(int(f.Fd()), &s) == nil && os.Getenv("JOURNAL_STREAM") == fmt.Sprintf("%d:%d", s.Dev, s.Ino)
}
