//go:build !linux

package slab

// preferHuge does nothing: other systems have no such advice.
func preferHuge[T any]([]T) {}
