//go:build !linux

package intake

import "time"

var started = time.Now()

// threadTime is the time that has passed, where that of the thread is not to be had.
func threadTime() time.Duration { return time.Since(started) }
