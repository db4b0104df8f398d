package flowtable

import (
	"unsafe"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/slab"
)

// Encapsulations are the digests of the encapsulation of flows, by the number of
// their record: the part of the key that tables keep only if it is asked for. nil
// is none, and all flows have the digest 0 then.
type encapsulations struct{ of slab.Slab[uint64] }

func newEncapsulations(k Keys) *encapsulations {
	if k.Encapsulation == 0 {
		return nil
	}
	return &encapsulations{}
}

func (e *encapsulations) get(ref uint32) uint64 {
	if e == nil {
		return 0
	}
	return *e.of.At(ref)
}

func (e *encapsulations) set(ref uint32, digest uint64) {
	if e != nil {
		e.of.Cover(ref)
		*e.of.At(ref) = digest
	}
}

func (e *encapsulations) uncover(ref uint32) {
	if e != nil {
		e.of.Uncover(ref)
	}
}

// cost is what one takes, in bytes.
func (e *encapsulations) cost() int {
	if e == nil {
		return 0
	}
	return int(unsafe.Sizeof(uint64(0)))
}

// bytes is what all have taken.
func (e *encapsulations) bytes() int {
	if e == nil {
		return 0
	}
	return e.of.Bytes()
}

// noteEncapsulation keeps the digest of the packet with a number, if digests are
// of the key.
func (b *Batch) noteEncapsulation(number uint16, d *decode.Packet) {
	if b.hasher.Encapsulation == 0 {
		return
	}
	for len(b.encapsulations) <= int(number) {
		b.encapsulations = append(b.encapsulations, 0)
	}
	b.encapsulations[number] = d.Encapsulation
}

// encapsulation returns the digest of the packet with a number.
func (b *Batch) encapsulation(number int) uint64 {
	if number >= len(b.encapsulations) {
		return 0
	}
	return b.encapsulations[number]
}
