package trial

import (
	"encoding/binary"
	"math"
	"unsafe"

	"github.com/cespare/xxhash/v2"
	"github.com/flowfast/flowfast/decode"
)

// A key is a five-tuple with its endpoints in order, so that both directions
// have the same one: addresses, ports, protocol, version.
type key [38]byte

// keyOf returns the key of a packet, and whether the packet goes from the
// second endpoint to the first.
func keyOf(p *decode.Packet) (k key, swapped bool) {
	a, b, ports := p.Src, p.Dst, uint32(p.SrcPort)|uint32(p.DstPort)<<16
	swapped = a.Hi > b.Hi || a.Hi == b.Hi && (a.Lo > b.Lo || a.Lo == b.Lo && p.SrcPort > p.DstPort)
	if swapped {
		a, b, ports = b, a, ports<<16|ports>>16
	}
	le := binary.LittleEndian
	le.PutUint64(k[0:], a.Hi)
	le.PutUint64(k[8:], a.Lo)
	le.PutUint64(k[16:], b.Hi)
	le.PutUint64(k[24:], b.Lo)
	le.PutUint32(k[32:], ports)
	k[36] = p.Proto
	if p.V6 {
		k[37] = 1
	}
	return k, swapped
}

// A flow is a slot of the table. Direction 0 is that of its first packet.
type flow struct {
	key     key
	used    bool
	swapped bool // direction 0 goes from the second endpoint to the first

	bytes                  [2]uint64
	last                   [2]int64 // latest times, in nanoseconds
	iatMin, iatMax, iatSum [2]int64
	packets                [2]uint32
	sizeMin, sizeMax       [2]uint32
	flags                  [2][8]uint32
}

var _ [208]struct{} = [unsafe.Sizeof(flow{})]struct{}{}

// update counts a packet in direction d.
func (f *flow) update(d int, nanos int64, size uint32, flags uint8) {
	if f.packets[d] == 0 {
		f.sizeMin[d], f.iatMin[d] = math.MaxUint32, math.MaxInt64
	} else {
		iat := max(0, nanos-f.last[d])
		f.iatMin[d] = min(f.iatMin[d], iat)
		f.iatMax[d] = max(f.iatMax[d], iat)
		f.iatSum[d] += iat
	}
	f.last[d] = max(f.last[d], nanos)
	f.packets[d]++
	f.bytes[d] += uint64(size)
	f.sizeMin[d] = min(f.sizeMin[d], size)
	f.sizeMax[d] = max(f.sizeMax[d], size)
	for i := range f.flags[d] {
		f.flags[d][i] += uint32(flags >> i & 1)
	}
}

const firstSlots = 1 << 10

// A Table holds the flows of a capture. At most three quarters of its slots
// are used; their number is a power of two.
type Table struct {
	slots []flow
	used  int
}

func newTable() *Table { return &Table{slots: make([]flow, firstSlots)} }

// Flows returns the number of flows.
func (t *Table) Flows() int { return t.used }

func (t *Table) add(p *decode.Packet, nanos int64, size uint32) {
	k, swapped := keyOf(p)
	f := t.find(&k)
	if !f.used {
		if t.used >= len(t.slots)/4*3 {
			t.grow()
			f = t.find(&k)
		}
		t.used++
		f.key, f.used, f.swapped = k, true, swapped
	}
	d := 0
	if swapped != f.swapped {
		d = 1
	}
	f.update(d, nanos, size, p.Flags)
}

// find returns the slot of a key, or the free one that it belongs into.
func (t *Table) find(k *key) *flow {
	mask := uint64(len(t.slots) - 1)
	for i := xxhash.Sum64(k[:]) & mask; ; i = (i + 1) & mask {
		f := &t.slots[i]
		if !f.used || f.key == *k {
			return f
		}
	}
}

// grow copies all flows into twice as many slots.
func (t *Table) grow() {
	old := t.slots
	t.slots = make([]flow, 2*len(old))
	for i := range old {
		if old[i].used {
			*t.find(&old[i].key) = old[i]
		}
	}
}
