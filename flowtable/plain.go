package flowtable

import (
	"math"
	"math/bits"
	"slices"

	"github.com/flowfast/flowfast/decode"
)

// TakesPlain tells whether AddFrames and AddPlain may be of use for frames of a link
// type: the keys are the usual ones, and features ask at most for what link headers say.
// Where keys have something of the encapsulation, frames with a tag are not taken.
func (b *Batch) TakesPlain(linkType uint32) bool { return b.plain && linkType == decode.LinkEthernet }

// AddPlain is Add for a frame that is plain, see [decode.Plain], if the batch
// takes such frames: the headers go from the frame to where tables read them,
// with nothing between. It returns false if it has done nothing.
func (b *Batch) AddPlain(linkType uint32, frame []byte, at Time, length uint32, fine bool) bool {
	if !b.TakesPlain(linkType) || uint(len(frame)) > math.MaxInt32 {
		return false
	}
	if b.hasher.Encapsulation != 0 && (len(frame) < 14 || !untagged(frame)) {
		return false
	}
	number := b.next()
	b.one[0] = Frame{Time: int64(at), CapLen: uint32(len(frame)), OrigLen: length}
	if n, _ := b.readFrames(b.packets[number:number+1], b.one[:], frame); n == 0 {
		b.packets = b.packets[:number]
		return false
	}
	if b.hasher.seeded {
		b.hash(b.packets[number:])
	}
	if fine {
		b.packets[number].key.rest |= fineTime
	}
	if b.features != 0 {
		b.links.add(linkType, frame)
	}
	b.count(number, at, b.halves[0])
	return true
}

// A Frame is a frame that lies in memory with others, when it was stamped, and how
// many bytes of it were captured and were on the wire.
type Frame = struct {
	Time    int64
	At      uint32 // where it begins
	CapLen  uint32
	OrigLen uint32
}

// MaxFrames is the most that AddFrames is given.
const MaxFrames = 32

// AddFrames adds frames of Ethernet that lie in memory, up to one that is not plain,
// and returns how many it has added: it is AddPlain for many of them, of a batch that
// takes plain frames. Nothing is added if the memory faults.
func (b *Batch) AddFrames(mem []byte, frames []Frame, fine bool) int {
	first := len(b.packets)
	if b.hasher.Encapsulation != 0 {
		frames = frames[:countUntagged(mem, frames)]
	}
	b.packets = slices.Grow(b.packets, len(frames))
	packets := b.packets[first : first+len(frames)]
	n, inOrder := b.readFrames(packets, frames, mem)
	if n == 0 {
		return 0
	}
	packets = packets[:n]
	if b.features != 0 {
		b.links.of = b.links.of[:first] // what was added when the memory faulted
		b.links.addLast(mem, frames[:n])
	}
	if fine {
		for i := range packets {
			packets[i].key.rest |= fineTime
		}
	}
	b.packets = b.packets[:first+n]
	b.Classes[decode.Counted] += uint64(n)
	if b.hasher.seeded {
		b.hash(packets)
	}
	b.stampLast(n, inOrder)
	b.shareLast(n)
	return n
}

// countUntagged returns how many frames there are up to one that has a tag.
func countUntagged(mem []byte, frames []Frame) int {
	for i := range frames {
		f := &frames[i]
		if f.CapLen < decode.PlainIPv4Len || !untagged(mem[f.At:f.At+decode.PlainIPv4Len]) {
			return i
		}
	}
	return len(frames)
}

// count counts the packet with a number as one of a flow.
func (b *Batch) count(number int, at Time, half uint32) {
	b.Classes[decode.Counted]++
	b.stamp(number, at)
	b.latestOfFlow = max(b.latestOfFlow, at)
	b.share(uint16(number), half)
}

// readFrames makes packets of frames that lie in memory, with their hashes, up to one
// that is not plain, and returns how many there were, and true if none was stamped before
// another in front of it. The halves that share keys out go to b.halves.
func (b *Batch) readFrames(packets []packet, frames []Frame, mem []byte) (n int, inOrder bool) {
	// Slices that end where they can't grow take fewer registers.
	packets, mem = packets[:len(packets):len(packets)], mem[:len(mem):len(mem)]
	frames = frames[:len(packets):len(packets)]
	h, halves := b.hasher, &b.halves
	latest := int64(b.latest)
	inOrder = true
	for n = range packets {
		const need, tag = decode.PlainIPv4Len, decode.PlainTagLen
		f, p := &frames[n], &packets[n]
		p.time, p.len = Time(f.Time), f.OrigLen
		if f.Time < latest {
			inOrder = false
		}
		latest = f.Time
		if f.CapLen < need {
			return n, inOrder
		}
		at, wire := uint64(f.At), max(int64(f.CapLen), int64(f.OrigLen))
		b := (*decode.PlainIPv4)(mem[at : at+need : at+need])
		if b.Tagged() {
			if f.CapLen < need+tag {
				return n, inOrder
			}
			at, wire = at+tag, wire-tag
			b = (*decode.PlainIPv4)(mem[at : at+need : at+need])
		}
		size := b.Payload(wire)
		if size < 0 {
			if !readIPv6(packets, frames, n, mem) {
				return n, inOrder
			}
			sum := h.mix6(&p.key, p.key.rest&keyMask)
			p.hash, halves[n&(MaxFrames-1)] = uint32(sum)&h.mask, uint32(sum>>32)
			continue
		}
		says, t := decode.Plain(decode.UDP<<decode.PlainProto), b.Transport()
		switch b.Proto() {
		case decode.TCP:
			if says = t.TCP(); !t.Usual(size) {
				if says = t.UnusualTCP(size); says == 0 {
					return n, inOrder
				}
			}
			p.seq, p.ack = t.Numbers()
		case decode.UDP:
			if !t.UDP(size) {
				return n, inOrder
			}
			p.seq, p.ack = 0, 0
		default:
			return n, inOrder
		}
		// The ends change places without a branch: which way a packet goes can't be
		// foreseen. Where that of the source is above the other, the words are above
		// themselves with the ends changed.
		addrs, ports := b.Addrs(), t.Ports()
		back, backPorts := bits.RotateLeft64(addrs, 32), bits.RotateLeft32(ports, 16)
		_, less := bits.Sub64(uint64(backPorts), uint64(ports), 0)
		_, less = bits.Sub64(back, addrs, less)
		reverse := -less
		addrs ^= (addrs ^ back) & reverse
		ports ^= (ports ^ backPorts) & uint32(reverse)
		p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi = addrs>>32, 0, addrs&math.MaxUint32, 0
		rest := uint64(ports)<<32 | uint64(says) | ofFlow | reverse&fromB
		p.key.rest = rest
		sum := h.mix4(addrs, rest&keyMask)
		p.hash, halves[n&(MaxFrames-1)] = uint32(sum)&h.mask, uint32(sum>>32)
	}
	return len(packets), inOrder
}

// readIPv6 is readFrames for frame number n, of IPv6, but for its hash. What it asks of
// TCP and UDP stands in both: a call there takes 20 instructions a packet. It returns
// false if that is not plain.
func readIPv6(packets []packet, frames []Frame, n int, mem []byte) bool {
	f, p := &frames[n], &packets[n]
	frame, wire := mem[f.At:int(f.At)+int(f.CapLen)], max(int64(f.CapLen), int64(f.OrigLen))
	if (*decode.PlainIPv4)(frame).Tagged() {
		frame, wire = frame[decode.PlainTagLen:], wire-decode.PlainTagLen
	}
	if len(frame) < decode.PlainIPv6Len {
		return false
	}
	b := (*decode.PlainIPv6)(frame)
	size := b.Payload(wire)
	says, t := decode.Plain(decode.UDP<<decode.PlainProto), b.Transport()
	switch b.Proto() {
	case decode.TCP:
		if says = t.TCP(); !t.Usual(size) {
			if says = t.UnusualTCP(size); says == 0 {
				return false
			}
		}
		p.seq, p.ack = t.Numbers()
	case decode.UDP:
		if !t.UDP(size) {
			return false
		}
		p.seq, p.ack = 0, 0
	default:
		return false
	}
	const v6 = 1
	src, dst := b.Addrs()
	rest, ports := uint64(says)|v6|ofFlow, t.Ports()
	if above(src, uint16(ports>>16), dst, uint16(ports)) {
		src, dst, ports = dst, src, bits.RotateLeft32(ports, 16)
		rest |= fromB
	}
	p.key.a.Lo, p.key.a.Hi, p.key.b.Lo, p.key.b.Hi = src.Lo, src.Hi, dst.Lo, dst.Hi
	p.key.rest = rest | uint64(ports)<<32
	return true
}

// hash gives packets, which are being added, the seeded hashes of their keys.
func (b *Batch) hash(packets []packet) {
	for i := range packets {
		k := packets[i].key.masked()
		packets[i].hash, b.halves[i] = b.hasher.hash(&k, 0)
	}
}

// stampLast takes in the times of the last n packets, which are those of flows.
func (b *Batch) stampLast(n int, inOrder bool) {
	first := len(b.packets) - n
	last := b.packets[first:]
	if !inOrder {
		for i := range last {
			b.stamp(first+i, last[i].time)
			b.latestOfFlow = max(b.latestOfFlow, last[i].time)
		}
		return
	}
	b.latest = last[n-1].time
	b.latestOfFlow = b.latest
	if first == 0 {
		b.earliest = last[0].time
	}
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
	if len(b.shares) == 1 {
		numbers := slices.Grow(b.shares[0], n)
		to := numbers[len(numbers) : len(numbers)+n]
		for i := range to {
			to[i] = uint16(first + i)
		}
		b.shares[0] = numbers[:len(numbers)+n]
		return
	}
	for i, half := range b.halves[:n] {
		b.share(uint16(first+i), half)
	}
}
