package ioutil

import (
	"fmt"
	"io"
	"os"
	"unsafe"
)

// A mapped file that shrinks, or that its disk fails to give, raises a fault
// where its bytes are touched. Read catches the faults in its own reading,
// shortens the window to what there is and delivers that before the error.
// A page's bytes behind the new end read as zeros without a fault, so the packet
// across the end may come with a tail of zeros.

// endOfMapping returns why a mapped window can't grow: io.EOF if the whole file
// was mapped and still is there.
func (w *window) endOfMapping() error {
	if w.fault == nil && w.stat != nil {
		w.shorten(len(w.mem), w.pos)
	}
	if w.fault != nil {
		return w.fault
	}
	return io.EOF
}

// shorten ends the window at the given place, or where the file ends now if
// that comes earlier, but not before what is parsed, and notes why.
func (w *window) shorten(end, parsed int) {
	if w.stat != nil {
		if info, err := w.stat(); err == nil && info.Size() < int64(len(w.mem)) {
			end = min(end, int(info.Size()))
			w.fault = fmt.Errorf("the file shrank to %d bytes while it was read, from %d", info.Size(), len(w.mem))
		}
	}
	if w.fault == nil && end < len(w.mem) {
		w.fault = fmt.Errorf("the file can't be read here (bus error)")
	}
	w.buf = w.buf[:max(end, parsed)]
}

// shrunk reports whether the mapped file has become shorter. The zeros that
// stand between its new end and the end of that page look like records: a
// parser that meets zeros at pos asks.
func (w *window) shrunk(pos int) bool {
	if w.mem == nil || w.fault != nil {
		return false
	}
	w.shorten(len(w.buf), pos)
	return w.fault != nil
}

// caught ends a panic that a fault in the mapped file caused; parse has then
// read nothing and is to be called again.
func (c *Capture) caught() {
	if p := recover(); p != nil && !c.faultAt(p) {
		panic(p)
	}
}

// faultAt shortens the window if p is a fault within it.
func (w *window) faultAt(p any) bool {
	at, ok := faultIn(p, w.mem)
	if ok {
		w.shorten(at&^(os.Getpagesize()-1), w.pos)
	}
	return ok
}

// faultIn returns where in mem the fault p was, if it was one and in there.
func faultIn(p any, mem []byte) (at int, ok bool) {
	fault, ok := p.(interface{ Addr() uintptr })
	if !ok || len(mem) == 0 {
		return 0, false
	}
	offset := fault.Addr() - uintptr(unsafe.Pointer(unsafe.SliceData(mem)))
	return int(offset), offset < uintptr(len(mem))
}

// Fault turns what a consumer of packets recovered from into an error, if it
// was a fault in a mapped file while the lent bytes of the record at an offset
// were read, and ends the capture with that error; else it returns nil. Such a fault can be recovered
// from only after [debug.SetPanicOnFault]; Read does that by itself.
//
// [debug.SetPanicOnFault]: https://pkg.go.dev/runtime/debug#SetPanicOnFault
func (c *Capture) Fault(p any, offset int64) error {
	if !c.faultAt(p) {
		return nil
	}
	c.err = &FormatError{File: c.name, Offset: offset, Err: c.fault}
	return c.err
}
