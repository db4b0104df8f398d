package slab

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// preferHuge asks for huge pages behind new memory: tables that grow by
// gigabytes then fault once per 2 MiB and not per 4 KiB, and what they look up
// takes fewer steps to find its page. A flood of 10 million flows takes 0.95 of
// the time with one worker and 0.83 with two. (On a virtual machine whose host
// has taken free memory back, the first such run took 1.4.)
func preferHuge[T any](items []T) {
	var item T
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(items))), len(items)*int(unsafe.Sizeof(item)))
	page := unix.Getpagesize()
	skip := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	if n := (len(b) - skip) &^ (page - 1); n > 0 {
		_ = unix.Madvise(b[skip:skip+n], unix.MADV_HUGEPAGE) // advice: it may fail
	}
}
