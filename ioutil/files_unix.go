//go:build unix

package ioutil

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// FreeFiles returns how many more files this process may open now.
func FreeFiles() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || limit.Cur > math.MaxInt32 {
		return math.MaxInt32
	}
	open, err := os.ReadDir("/dev/fd")
	if err != nil {
		return int(limit.Cur) / 2
	}
	return max(int(limit.Cur)-len(open), 0)
}
