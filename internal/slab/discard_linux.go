package slab

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// leastDiscarded is how much is discarded at once at least: every time all processors
// that run the process are told of it.
const leastDiscarded = 128 << 10

// discard gives the whole pages of some memory back to the system; they are zero if they
// are touched again. It is memory without pointers, of which the garbage collector reads
// nothing and knows no more than before.
func discard(from unsafe.Pointer, size int) {
	page := os.Getpagesize()
	front := -int(uintptr(from)) & (page - 1)
	if size = (size - front) &^ (page - 1); size >= leastDiscarded {
		unix.Madvise(unsafe.Slice((*byte)(unsafe.Add(from, front)), size), unix.MADV_DONTNEED) // advice: it may fail
	}
}
