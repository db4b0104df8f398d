package flowtable

import (
	"encoding/binary"
	"math"
	"math/bits"

	"github.com/flowfast/flowfast/decode"
)

// AddPlain is Add for a frame that is plain, see [decode.Plain], if the batch
// takes such frames: the headers go from the frame to where tables read them,
// with nothing between. It returns false if it has done nothing.
func (b *Batch) AddPlain(linkType uint32, frame []byte, at Time, length uint32, fine bool) bool {
	if !b.plain {
		return false
	}
	if ip := decode.PlainUntagged(linkType, frame); ip != nil {
		return b.addIPv4(ip, max(len(frame), int(min(length, math.MaxInt32)))-14, at, length, fine)
	}
	ip, n, v6, ok := decode.PlainFrame(linkType, frame, length)
	switch {
	case !ok:
		return false
	case v6:
		return b.addIPv6((*[decode.PlainIPv6Size]byte)(ip), n, at, length, fine)
	}
	return b.addIPv4((*[decode.PlainIPv4Size]byte)(ip), n, at, length, fine)
}

// addIPv4 is AddPlain for an IPv4 packet of which n bytes were on the wire.
func (b *Batch) addIPv4(ip *[decode.PlainIPv4Size]byte, n int, at Time, length uint32, fine bool) bool {
	is := decode.PlainIPv4(ip, n)
	if is.Says == 0 {
		return false
	}
	// The ends change places without a branch: which way a packet goes can't be
	// foreseen.
	_, reverse := bits.Sub64(is.Dst, is.Src, 0)
	change := (is.Src ^ is.Dst) & -reverse
	src, dst := is.Src^change, is.Dst^change
	number := b.next()
	p := &b.packets[number]
	rest := uint64(is.Says) | ofFlow | reverse*fromB | src<<48 | dst&0xffff<<32
	if fine {
		rest |= fineTime
	}
	src, dst = src>>16, dst>>16
	p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi, p.key.rest = src, 0, dst, 0, rest
	h := b.hasher
	sum := avalanche(tail(front3(src^h.words[0], dst^h.words[1]), rest&keyMask^h.words[2])) // hash3
	p.hash = uint32(sum) & h.mask
	p.seq, p.ack = uint32(is.Numbers>>32), uint32(is.Numbers)
	p.time, p.len = at, length
	b.count(number, at, uint32(sum>>32))
	return true
}

// What a Plain says stands where a packet of a batch has it.
var (
	_ [0]struct{} = [decode.PlainWhole - whole]struct{}{}
	_ [0]struct{} = [decode.PlainNoFlags - noFlags]struct{}{}
	_ [0]struct{} = [decode.PlainFlags - rawFlags]struct{}{}
)

// count counts the packet with a number as one of a flow.
func (b *Batch) count(number int, at Time, half uint32) {
	b.Classes[decode.Counted]++
	b.stamp(number, at)
	b.latestOfFlow = max(b.latestOfFlow, at)
	b.share(uint16(number), half)
}

// addIPv6 is addIPv4 for IPv6.
func (b *Batch) addIPv6(ip *[decode.PlainIPv6Size]byte, n int, at Time, length uint32, fine bool) bool {
	is := decode.PlainIPv6(ip, n)
	if is.Says == 0 {
		return false
	}
	src := decode.Addr{Hi: binary.BigEndian.Uint64(ip[8:]), Lo: binary.BigEndian.Uint64(ip[16:])}
	dst := decode.Addr{Hi: binary.BigEndian.Uint64(ip[24:]), Lo: binary.BigEndian.Uint64(ip[32:])}
	rest := uint64(is.Says) | ofFlow
	if fine {
		rest |= fineTime
	}
	if above(src, uint16(is.Src), dst, uint16(is.Dst)) {
		src, dst, is.Src, is.Dst = dst, src, is.Dst, is.Src
		rest |= fromB
	}
	number := b.next()
	p := &b.packets[number]
	rest |= is.Src<<48 | is.Dst<<32
	h := b.hasher
	sum := hash5(src.Lo^h.words[0], dst.Lo^h.words[1], rest&keyMask^h.words[2], src.Hi^h.words[3], dst.Hi^h.words[4])
	p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi, p.key.rest = src.Lo, src.Hi, dst.Lo, dst.Hi, rest
	p.hash = uint32(sum) & h.mask
	p.seq, p.ack = uint32(is.Numbers>>32), uint32(is.Numbers)
	p.time, p.len = at, length
	b.count(number, at, uint32(sum>>32))
	return true
}
