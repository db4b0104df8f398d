package flowtable

import (
	"math"
	"unsafe"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
)

// MaxBatch is the most packets of a [Batch].
const MaxBatch = 1 << 16

// A Batch is packets on their way to the tables, in the order of the capture.
// [Batch.Add] makes their keys, in several batches at once if need be;
// [Gate.Admit] then takes in one batch after the other; and tables that own
// shares of the keys read an admitted batch at the same time.
type Batch struct {
	// Classes counts the packets of each class. After Admit none is a Fragment.
	Classes [decode.NumClasses]uint64
	// Frames are what a [Meter] has read of the packets, by the same numbers; nil
	// without one.
	Frames Frames

	hasher    *hasher
	takes     func(*decode.Packet) bool // nil for all
	packets   []packet
	shares    [][]uint16 // numbers of the packets of flows, for each table
	fragments []fragment
	around    []wrapped
	steps     []Step
	first     uint64 // position of the first packet in the capture

	// For features, of each packet: its details, with its payload in payload, and what
	// its link header says.
	features features.Set
	details  []detail
	payload  []byte
	links    links

	// Times of the packets, and the latest of a packet of a flow. In a batch in
	// order no packet was stamped before another in front of it, when it was added.
	earliest, latest, latestOfFlow Time
	inOrder                        bool

	plain  bool              // the keys are the usual ones, see TakesPlain
	one    [1]Frame          // of AddPlain
	halves [MaxFrames]uint32 // of the hashes of frames that are being added

	encapsulations []uint64 // digests of the packets of flows, by their numbers, if the key has them
	placed         bool     // packets have origins
	origins        []Origin // of all packets then
}

// A packet is one packet of a capture as tables need it: a cache line, since
// in most cases another core reads it than the one that wrote it.
type packet struct {
	// key is the packet's; marks and control bits stand in its rest as well,
	// outside of keyMask.
	key      key
	time     Time
	hash     uint32
	len      uint32 // the frame's original length, in bytes
	seq, ack uint32
}

var _ [64]struct{} = [unsafe.Sizeof(packet{})]struct{}{}

// Bits of packet.key.rest that are not part of the key: marks, and from bit
// rawFlags on the TCP control bits as they stand.
const (
	ofFlow   = 1 << (16 + iota)
	fromB    // from endpoint b of the key to a
	whole    // decode.Packet.Whole
	fineTime // the time has a finer resolution than a microsecond
	noFlags  // the control bits do not count: decode.Packet.Flags is 0, but they are not
	later    // a later fragment: of the flow of its first, whatever its control bits
	rawFlags = 24
)

func (p *packet) rawFlags() uint8 { return uint8(p.key.rest >> rawFlags) }

// flags returns the control bits that count.
func (p *packet) flags() uint8 {
	if p.key.rest&noFlags != 0 {
		return 0
	}
	return p.rawFlags()
}

// A fragment is a fragment in a batch: a first one, which is Counted, or one
// of class Fragment.
type fragment struct {
	number uint16
	packet decode.Packet
}

// A wrapped is a packet in the first fragment of a tunnel's datagram.
type wrapped struct {
	number         uint16
	first, carried decode.Packet
}

// A detail is what features need of a packet.
type detail struct {
	headers  decode.Details
	from, to int // of the payload
}

// Reset empties the batch.
func (b *Batch) Reset() {
	b.Classes = [decode.NumClasses]uint64{}
	b.packets, b.fragments, b.steps = b.packets[:0], b.fragments[:0], b.steps[:0]
	b.around = b.around[:0]
	b.details, b.payload, b.encapsulations = b.details[:0], b.payload[:0], b.encapsulations[:0]
	b.links.reset()
	b.origins = b.origins[:0]
	for i := range b.shares {
		b.shares[i] = b.shares[i][:0]
	}
	b.earliest, b.latest, b.latestOfFlow = math.MaxInt64, math.MinInt64, math.MinInt64
	b.inOrder = true
	if b.Frames != nil {
		b.Frames.Reset()
	}
}

// Latest returns the latest time of a packet, the least of all times if there is
// none.
func (b *Batch) Latest() Time { return b.latest }

// First returns the position of the first packet in the capture, from 0, once the
// batch is admitted.
func (b *Batch) First() uint64 { return b.first }

// Len returns the number of packets, at most [MaxBatch].
func (b *Batch) Len() int { return len(b.packets) }

// Packet returns the time of packet number i, from 0, its frame's original length in
// bytes, and whether it belongs to a flow, which of fragments is known after
// [Gate.Admit].
func (b *Batch) Packet(i int) (at Time, length uint32, counted bool) {
	p := &b.packets[i]
	return p.time, p.len, p.key.rest&ofFlow != 0
}

// Add adds a packet: its headers, its time, the frame's original length in
// bytes, and whether the time has a finer resolution than a microsecond.
func (b *Batch) Add(d *decode.Packet, at Time, length uint32, fine bool) {
	number := b.next()
	p := &b.packets[number]
	b.Classes[d.Class]++
	b.stamp(number, at)
	p.time, p.len = at, length
	p.key.rest = 0
	if fine {
		p.key.rest = fineTime
	}
	if d.FirstFragment || d.Class == decode.Fragment {
		b.fragments = append(b.fragments, fragment{uint16(number), *d})
	}
	if b.placed {
		b.origins = append(b.origins, Origin{})
	}
	if d.Class == decode.Counted {
		b.keep(uint16(number), d)
	}
}

// next makes room for the next packet and returns its number. What was there
// before is there still.
func (b *Batch) next() int {
	n := len(b.packets)
	if n < cap(b.packets) {
		b.packets = b.packets[:n+1]
	} else {
		b.grow()
	}
	return n
}

// grow makes room where next finds none. It is seldom called, and compiled in it
// keeps registers from what is done for each packet.
//
//go:noinline
func (b *Batch) grow() { b.packets = append(b.packets, packet{}) }

// stamp takes in the time of the packet with a number.
func (b *Batch) stamp(number int, at Time) {
	if at >= b.latest {
		b.latest = at
		if number == 0 {
			b.earliest = at
		}
		return
	}
	b.inOrder = false
	b.earliest = min(b.earliest, at)
}

// keep makes a packet one of a flow, unless a choice or the sample leaves that out.
func (b *Batch) keep(number uint16, d *decode.Packet) {
	if b.takes != nil && !b.takes(d) {
		b.leaveOut()
		return
	}
	p := &b.packets[number]
	half, ok := p.set(b.hasher, d)
	if !ok {
		b.leaveOut()
		return
	}
	b.noteEncapsulation(number, d)
	b.share(number, half)
	b.latestOfFlow = max(b.latestOfFlow, p.time)
}

// leaveOut makes a counted packet one that is left out.
func (b *Batch) leaveOut() {
	b.Classes[decode.Counted]--
	b.Classes[decode.LeftOut]++
}

// AddAround adds the first fragments that the packet that was added last, which d
// says, stands in: see [decode.Decoder.Around].
func (b *Batch) AddAround(d *decode.Packet, firsts []decode.Packet) {
	for i := range firsts {
		b.around = append(b.around, wrapped{uint16(len(b.packets) - 1), firsts[i], *d})
	}
}

// AddDetails adds what features need of the packet that was added last: d was
// decoded from frame, of which nothing is kept but a copy of the first payload.
// It must be called for each packet if the batch is [Batch.Detailed], and not
// otherwise.
func (b *Batch) AddDetails(d *decode.Packet, linkType uint32, frame []byte) {
	counted := d.Class == decode.Counted || d.Class == decode.Fragment
	if b.features&features.Link != 0 {
		if counted {
			b.links.add(linkType, frame)
		} else {
			b.links.none()
		}
	}
	if b.features&features.Details == 0 {
		return
	}
	b.details = append(b.details, detail{})
	if !counted {
		return
	}
	t := &b.details[len(b.details)-1]
	payload := d.Details(&t.headers, frame)
	if b.features&features.Entropy != 0 {
		t.from = len(b.payload)
		b.payload = append(b.payload, payload[:min(len(payload), features.EntropyBytes)]...)
		t.to = len(b.payload)
	}
}

// Detailed tells whether features need details of each packet: [Batch.AddDetails].
func (b *Batch) Detailed() bool { return b.features != 0 }

// endHeader takes what a later fragment, of which the details have been added, has of
// its datagram's TCP header out of the payload.
func (b *Batch) endHeader(number uint16, d *decode.Packet) {
	if d.HeaderEnd <= d.At || len(b.details) == 0 {
		return
	}
	t := &b.details[number]
	header := min(uint32(d.HeaderEnd-d.At), t.headers.Payload)
	t.headers.HeaderLen = uint8(header)
	t.headers.Payload -= header
	t.from = min(t.from+int(header), t.to)
}

// share gives a packet to the table that owns a share of the keys.
func (b *Batch) share(number uint16, half uint32) {
	s := &b.shares[uint64(half)*uint64(len(b.shares))>>32]
	*s = append(*s, number)
}

// set makes p, which has its time and length, a packet of a flow, and returns
// the half of its hash that shares keys out; false if the flow is left out.
func (p *packet) set(h *hasher, d *decode.Packet) (half uint32, ok bool) {
	marks := p.key.rest&fineTime | ofFlow | uint64(d.RawFlags)<<rawFlags
	if p.key.of(d, h.OneWay) {
		marks |= fromB
	}
	if h.Sample > 1 && h.leftOut(&p.key) {
		p.key.rest = 0
		return 0, false
	}
	p.hash, half = h.hash(&p.key, d.Encapsulation)
	if d.Whole {
		marks |= whole
	}
	if d.Flags != d.RawFlags {
		marks |= noFlags
	}
	p.key.rest |= marks
	p.seq, p.ack = d.Seq, d.Ack
	return half, true
}
