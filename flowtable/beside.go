package flowtable

import (
	"unsafe"

	"github.com/flowfast/flowfast/internal/slab"
)

// Beside are what tables keep of flows only if it is asked for, by the number of their
// record. nil is none, and all flows have the zero T then.
type beside[T any] struct{ of slab.Slab[T] }

func newBeside[T any](asked bool) *beside[T] {
	if !asked {
		return nil
	}
	return &beside[T]{}
}

func (e *beside[T]) get(ref uint32) (t T) {
	if e == nil {
		return t
	}
	return *e.of.At(ref)
}

func (e *beside[T]) set(ref uint32, t T) {
	if e != nil {
		e.of.Cover(ref)
		*e.of.At(ref) = t
	}
}

func (e *beside[T]) uncover(ref uint32) {
	if e != nil {
		e.of.Uncover(ref)
	}
}

// cost is what one takes, in bytes.
func (e *beside[T]) cost() int {
	if e == nil {
		return 0
	}
	var t T
	return int(unsafe.Sizeof(t))
}

// bytes is what all have taken.
func (e *beside[T]) bytes() int {
	if e == nil {
		return 0
	}
	return e.of.Bytes()
}
