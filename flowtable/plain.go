package flowtable

import (
	"math"
	"math/bits"

	"github.com/flowfast/flowfast/decode"
)

// A Frame is a frame that lies in memory with others, when it was stamped, and how
// many bytes of it were captured and were on the wire.
type Frame = struct {
	Time    int64
	At      int // where it begins
	CapLen  uint32
	OrigLen uint32
}

// TakesPlain tells whether AddFrames and AddPlain may be of use for frames of a link
// type: the keys are the usual ones.
func (b *Batch) TakesPlain(linkType uint32) bool {
	const ethernet = 1
	return b.plain && linkType == ethernet
}

// AddPlain is Add for a frame that is plain, see [decode.Plain], if the batch
// takes such frames: the headers go from the frame to where tables read them,
// with nothing between. It returns false if it has done nothing.
func (b *Batch) AddPlain(linkType uint32, frame []byte, at Time, length uint32, fine bool) bool {
	if !b.TakesPlain(linkType) || uint(len(frame)) > math.MaxInt32 {
		return false
	}
	b.one[0] = Frame{int64(at), 0, uint32(len(frame)), length}
	return b.AddFrames(frame, b.one[:], fine) == 1
}

// MaxFrames is the most that AddFrames is given.
const MaxFrames = 32

// AddFrames adds frames of Ethernet that lie in memory, up to one that is not plain,
// and returns how many it has added: it is AddPlain for many of them, of a batch that
// takes plain frames. Nothing is added if the memory faults.
func (b *Batch) AddFrames(mem []byte, frames []Frame, fine bool) (n int) {
	first, h, mark := len(b.packets), b.hasher, uint64(ofFlow)
	if fine {
		mark |= fineTime
	}
	for cap(b.packets)-first < len(frames) {
		b.grow()
	}
	packets := b.packets[first : first+len(frames)]
	halves := &b.halves
	latest, latestOfFlow, earliest, inOrder := b.latest, b.latestOfFlow, b.earliest, b.inOrder
	if first == 0 && len(frames) > 0 {
		earliest = Time(frames[0].Time)
	}
	for n < len(frames) && n < MaxFrames {
		f, p := &frames[n], &packets[n]
		captured, at := int(f.CapLen), f.At
		if captured < decode.PlainIPv4Size {
			break
		}
		wire := max(captured, int(min(f.OrigLen, math.MaxInt32)))
		frame := (*[decode.PlainIPv4Size]byte)(mem[at : at+decode.PlainIPv4Size : at+decode.PlainIPv4Size])
		if decode.PlainTagged(frame) {
			if captured -= decode.PlainTag; captured < decode.PlainIPv4Size {
				break
			}
			at, wire = at+decode.PlainTag, wire-decode.PlainTag
			frame = (*[decode.PlainIPv4Size]byte)(mem[at : at+decode.PlainIPv4Size : at+decode.PlainIPv4Size])
		}
		is := decode.PlainIPv4(frame, wire)
		var sum uint64
		if is.Says != 0 {
			// The ends change places without a branch: which way a packet goes can't be
			// foreseen. Where the source's is above the other, the words below are above
			// themselves with the ends changed.
			addrs, ports := bits.RotateLeft64(is.Addrs, 32), bits.RotateLeft32(is.Ports, 16)
			_, less := bits.Sub64(uint64(ports), uint64(is.Ports), 0)
			_, less = bits.Sub64(addrs, is.Addrs, less)
			addrs = is.Addrs ^ (is.Addrs^addrs)&-less
			ports = is.Ports ^ (is.Ports^ports)&-uint32(less)
			rest := uint64(ports)<<32 | uint64(is.Says)
			p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi = addrs>>32, 0, addrs&math.MaxUint32, 0
			p.key.rest = rest | mark | less*fromB
			sum = h.mix4(addrs, rest&keyMask)
		} else {
			if captured < decode.PlainIPv6Size {
				break
			}
			frame := (*[decode.PlainIPv6Size]byte)(mem[at : at+decode.PlainIPv6Size : at+decode.PlainIPv6Size])
			if is = decode.PlainIPv6(frame, wire); is.Says == 0 {
				break
			}
			src, dst := decode.PlainAddrs(frame)
			rest := uint64(is.Says) | mark
			if ports := is.Ports; above(src, uint16(ports>>16), dst, uint16(ports)) {
				src, dst, is.Ports = dst, src, bits.RotateLeft32(ports, 16)
				rest |= fromB
			}
			rest |= uint64(is.Ports) << 32
			p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi, p.key.rest = src.Lo, src.Hi, dst.Lo, dst.Hi, rest
			sum = h.mix6(&p.key, rest&keyMask)
		}
		p.hash, halves[n] = uint32(sum), uint32(sum>>32)
		p.seq, p.ack = uint32(is.Numbers>>32), uint32(is.Numbers)
		t := Time(f.Time)
		p.time, p.len = t, f.OrigLen
		if t >= latest {
			latest, latestOfFlow = t, t
		} else {
			inOrder, earliest, latestOfFlow = false, min(earliest, t), max(latestOfFlow, t)
		}
		n++
	}
	if n > 0 {
		b.packets = b.packets[:first+n]
		b.latest, b.latestOfFlow, b.earliest, b.inOrder = latest, latestOfFlow, earliest, inOrder
		b.Classes[decode.Counted] += uint64(n)
		b.shareLast(n)
	}
	return n
}

// What a Plain says stands where a packet of a batch has it.
var (
	_ [0]struct{} = [decode.PlainWhole - whole]struct{}{}
	_ [0]struct{} = [decode.PlainNoFlags - noFlags]struct{}{}
	_ [0]struct{} = [decode.PlainFlags - rawFlags]struct{}{}
)

// shareLast gives the last n packets, of which halves has the hashes, to tables.
func (b *Batch) shareLast(n int) {
	first := len(b.packets) - n
	if b.hasher.seeded || b.hasher.mask != math.MaxUint32 {
		for i := range b.packets[first:] {
			p := &b.packets[first+i]
			k := p.key.masked()
			p.hash, b.halves[i] = b.hasher.hash(&k, 0)
		}
	}
	if len(b.shares) == 1 {
		numbers := b.shares[0]
		for i := range n {
			numbers = append(numbers, uint16(first+i))
		}
		b.shares[0] = numbers
		return
	}
	for i, half := range b.halves[:n] {
		b.share(uint16(first+i), half)
	}
}
