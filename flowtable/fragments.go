package flowtable

import (
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/slab"
)

const (
	// fragmentTime is how long after a first fragment its others still count.
	fragmentTime = uint64(30 * time.Second)
	// maxFragments is the most first fragments remembered, the newest ones: a
	// flood of them can't take more than 6 MB, and as much again where they are of
	// tunnels, or where orphans come with them.
	maxFragments = 1 << 16
)

// A fragments remembers what the first fragments of datagrams said: later ones
// have no ports (RFC 791, 3.2; RFC 8200, 4.5).
type fragments struct {
	index index
	items slab.Slab[firstFragment]
	// The flows of what stands in first fragments of tunnels, by the reference of
	// these.
	inside  map[uint32]inside
	orphans orphans
	oldest  uint32 // list in the order of arrival
	newest  uint32
}

type firstFragment struct {
	id               key // source and destination in this order; identification
	encapsulation    uint64
	time             Time
	next             uint32 // towards the newest
	seq              uint32
	srcPort, dstPort uint16
	proto            uint8
	controlAt        uint16 // decode.Packet.At; 0 once the control bits have come
	headerEnd        uint16 // decode.Packet.HeaderEnd, right once they have
	oneWay           bool
	hasInside        bool
}

// An inside is what of its key the flow of a packet has for itself that a first
// fragment carries.
type inside struct {
	src, dst      decode.Addr
	v6            bool
	encapsulation uint64
}

// fragmentKey returns the key of the datagram that a fragment is part of.
func fragmentKey(p *decode.Packet) key {
	rest := uint64(p.FragID)<<32 | uint64(p.FragProto)<<1
	if p.V6 {
		rest |= 1
	}
	return key{p.Src, p.Dst, rest}
}

func (f *fragments) find(k *key, encapsulation uint64, hash uint32) uint32 {
	if f.oldest == 0 {
		return 0
	}
	s := f.index.segment(hash)
	mask := len(s.slots) - 1
	for i := int(hash) & mask; s.slots[i].ref != 0; i = (i + 1) & mask {
		if e := s.slots[i]; e.hash == hash {
			if first := f.items.At(e.ref); first.id == *k && first.encapsulation == encapsulation {
				return e.ref
			}
		}
	}
	return 0
}

// remember takes in a first fragment and the packet that it is, or carries.
func (f *fragments) remember(h *hasher, p, carried *decode.Packet, at Time) {
	k := fragmentKey(p)
	f.orphans.claim(datagram{k, p.Encapsulation}, at)
	hash, _ := h.hash(&k, p.Encapsulation)
	ref := f.find(&k, p.Encapsulation, hash)
	if ref == 0 {
		if f.index.used == maxFragments {
			f.forgetOldest(h)
		}
		if f.index.directory == nil {
			f.index = newIndex()
		}
		ref = f.items.Take()
		f.items.At(ref).next = 0
		if f.oldest == 0 {
			f.oldest = ref
		} else {
			f.items.At(f.newest).next = ref
		}
		f.newest = ref
		f.index.insert(hash, ref)
	}
	e := f.items.At(ref)
	e.id, e.time, e.proto, e.srcPort, e.dstPort = k, at, carried.Proto, carried.SrcPort, carried.DstPort
	e.oneWay, e.encapsulation = carried.OneWay, p.Encapsulation
	e.controlAt, e.headerEnd, e.seq = p.At, p.HeaderEnd, p.Seq
	if e.hasInside = carried != p; e.hasInside {
		if f.inside == nil {
			f.inside = map[uint32]inside{}
		}
		f.inside[ref] = inside{carried.Src, carried.Dst, carried.V6, carried.Encapsulation}
	}
}

func (f *fragments) forgetOldest(h *hasher) {
	ref := f.oldest
	e := f.items.At(ref)
	hash, _ := h.hash(&e.id, e.encapsulation)
	f.index.remove(hash, ref)
	f.oldest = e.next
	if e.hasInside {
		delete(f.inside, ref)
	}
	f.items.Put(ref)
}

// resolve gives a later fragment the ports and protocol of its first one, and the
// class Counted; without a first one it becomes an orphan. One that makes the
// front of a TCP header whole has its control bits.
func (f *fragments) resolve(h *hasher, p *decode.Packet, at Time) {
	k := fragmentKey(p)
	hash, _ := h.hash(&k, p.Encapsulation)
	ref := f.find(&k, p.Encapsulation, hash)
	if ref == 0 || at.since(f.items.At(ref).time) > fragmentTime {
		p.Class = decode.OrphanFragment
		f.orphans.add(datagram{k, p.Encapsulation}, at)
		return
	}
	e := f.items.At(ref)
	p.Class, p.Proto, p.SrcPort, p.DstPort = decode.Counted, e.proto, e.srcPort, e.dstPort
	p.OneWay = e.oneWay
	if e.hasInside {
		in := f.inside[ref]
		p.Src, p.Dst, p.V6, p.Encapsulation = in.src, in.dst, in.v6, in.encapsulation
	}
	if e.controlAt != 0 {
		if raw, flags, end, ok := p.Control(e.controlAt); ok {
			p.RawFlags, p.Flags, e.headerEnd = raw, flags, end
			e.controlAt = 0 // of fragments that overlap, the first one counts
		}
	}
	p.Seq, p.Ack, p.HeaderEnd = e.seq, 0, e.headerEnd
}
