package flowtable

import (
	"encoding/binary"
	"math/bits"

	"github.com/flowfast/flowfast/decode"
)

// AddPlain is Add for a frame that is plain, see [decode.PlainLayout], if the
// batch takes such frames: the headers go from the frame to where tables read
// them, with nothing between. It returns false if it has done nothing.
func (b *Batch) AddPlain(linkType uint32, frame []byte, at Time, length uint32, fine bool) bool {
	if !b.plain {
		return false
	}
	l := decode.PlainLayout(linkType, frame, length)
	if l.Proto == 0 {
		return false
	}
	p, number := b.place()
	b.Classes[decode.Counted]++
	b.stamp(number, at)
	b.latestOfFlow = max(b.latestOfFlow, at)
	p.time, p.len = at, length
	marks := uint64(ofFlow) | uint64(l.Proto)<<1
	if fine {
		marks |= fineTime
	}
	if l.TCP() {
		h := (*[16]byte)(frame[l.Transport:])
		p.seq, p.ack = binary.BigEndian.Uint32(h[4:]), binary.BigEndian.Uint32(h[8:])
		flags := h[13]
		if flags == 0 || h[12] < 5<<4 {
			marks |= noFlags
		}
		marks |= uint64(flags) << rawFlags
		if l.Size >= int(h[12]>>4)*4 {
			marks |= whole
		}
	} else {
		p.seq, p.ack = 0, 0
		marks |= noFlags
	}
	var sum uint64
	if l.V6() {
		sum = p.between6(b.hasher, (*[44]byte)(frame[l.Network:]), marks)
	} else {
		sum = p.between4(b.hasher, (*[24]byte)(frame[l.Network:]), marks)
	}
	p.hash = uint32(sum) & b.hasher.mask
	b.share(uint16(number), uint32(sum>>32))
	return true
}

// between4 sets the key of a packet to that of an IPv4 header and the ports behind
// it, with the protocol and marks, and returns its hash.
func (p *packet) between4(h *hasher, b *[24]byte, marks uint64) uint64 {
	src := uint64(binary.BigEndian.Uint32(b[12:]))<<16 | uint64(binary.BigEndian.Uint16(b[20:]))
	dst := uint64(binary.BigEndian.Uint32(b[16:]))<<16 | uint64(binary.BigEndian.Uint16(b[22:]))
	// The ends change places without a branch: which way a packet goes can't be
	// foreseen.
	_, reverse := bits.Sub64(dst, src, 0)
	change := (src ^ dst) & -reverse
	src, dst = src^change, dst^change
	marks |= reverse * fromB
	rest := marks | src<<48 | dst&0xffff<<32
	src, dst = src>>16, dst>>16
	p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi, p.key.rest = src, 0, dst, 0, rest
	return hash3(src^h.words[0], dst^h.words[1], rest&keyMask^h.words[2])
}

// between6 is between4 for an IPv6 header.
func (p *packet) between6(h *hasher, b *[44]byte, marks uint64) uint64 {
	src := decode.Addr{Hi: binary.BigEndian.Uint64(b[8:]), Lo: binary.BigEndian.Uint64(b[16:])}
	dst := decode.Addr{Hi: binary.BigEndian.Uint64(b[24:]), Lo: binary.BigEndian.Uint64(b[32:])}
	from, to := binary.BigEndian.Uint16(b[40:]), binary.BigEndian.Uint16(b[42:])
	if above(src, from, dst, to) {
		src, from, dst, to = dst, to, src, from
		marks |= fromB
	}
	rest := marks | uint64(from)<<48 | uint64(to)<<32 | 1
	p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi, p.key.rest = src.Lo, src.Hi, dst.Lo, dst.Hi, rest
	return hash5(src.Lo^h.words[0], dst.Lo^h.words[1], rest&keyMask^h.words[2], src.Hi^h.words[3], dst.Hi^h.words[4])
}
