package block

import (
	"encoding/binary"
	"errors"
	"math/bits"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// The columns of a chunk. Zig-zag numbers are signed varints. Differences of 32-bit
// numbers are taken modulo 2^32.
const (
	colGap     = iota // uvarint: packets of the capture between this one and the one before
	colTime           // zig-zag: time after that of the packet before, in units
	colKey            // uvarint: number of the key in the chunk, from 1; 0 for a new one
	colNew            // new keys: a byte with 1 for IPv6, the protocol, the ports (2 and 2 bytes), the addresses (4 or 16 bytes each), the digest of the encapsulation (8) if the key has one
	colMarks          // a byte: see the marks
	colFlags          // a byte: TCP control bits as they stand
	colLen            // uvarint: original length
	colSeq            // zig-zag: sequence number after the last one of the key and direction, if there are numbers
	colAck            // zig-zag: acknowledgment number, so too
	colFirst          // 8 bytes: both numbers, where the key and direction had none yet
	colLate           // uvarint, twice: see [Capture.Late], and how long before the latest flow packet in front, in nanoseconds, if the packet is late
	colHeaders        // details, if features need them: a byte of details' marks, header length, TTL, TOS, window (2 bytes)
	colPayload        // zig-zag: original length less payload, so too
	colOptions        // maximum segment size (2 bytes), shift count of the window scale, of segments with options
	colLink           // uvarint: number of the link header in the chunk, from 1; 0 for a new one
	colNewLink        // new link headers: two addresses (6 bytes each), whether there are (1), the identifiers of tags (2 each) and their number (1), the MPLS label (4)
	colBytes          // uvarint and bytes: captured payload, if features need it
	numColumns
)

// Marks of a packet.
const (
	markFromB = 1 << iota
	markWhole
	markFine
	markNoFlags
	markLater
	markNumbers // there are sequence numbers
	markLate
)

// Marks of details.
const (
	markSegment = 1 << iota
	markSACK
	markOptions
)

// numbers are the last sequence and acknowledgment numbers of a key and direction.
type numbers struct {
	seq, ack uint32
	any      bool
}

// A keyed is a key in a chunk.
type keyed struct {
	a, b          decode.Addr
	portA, portB  uint16
	proto         uint8
	v6            bool
	encapsulation uint64
	numbers       [2]numbers
}

func (k *keyed) is(t *flowtable.Taken) bool {
	return k.a == t.A && k.b == t.B && k.portA == t.PortA && k.portB == t.PortB && k.proto == t.Proto && k.v6 == t.V6 && k.encapsulation == t.Encapsulation
}

// A chunk is packets on their way into bytes.
type chunk struct {
	needs   features.Set
	n       int
	first   int64 // time
	from    uint64
	at      uint64 // position of the last packet
	coarse  bool   // all times are whole microseconds
	columns [numColumns][]byte
	times   []int64
	keys    []keyed
	slots   []keySlot
	links   []decode.Link
}

// A keySlot has the number of a key, from 1, at a place by the low bits of its hash.
// That the high ones stand here spares a look at the key, which is in no cache. Slots of
// all buckets are to be in one: they are small.
type keySlot struct{ tag, number uint16 }

// newChunk returns a chunk for so many packets, 32,768 at most.
func newChunk(needs features.Set, most int) *chunk {
	return &chunk{needs: needs, slots: make([]keySlot, 1<<bits.Len(uint(2*most-1)))}
}

// reset empties the chunk; what comes next has positions from at on.
func (c *chunk) reset(at uint64) {
	for i := range c.columns {
		c.columns[i] = c.columns[i][:0]
	}
	if len(c.keys) > 0 {
		clear(c.slots)
	}
	c.n, c.from, c.at, c.coarse = 0, at, at, true
	c.times, c.keys, c.links = c.times[:0], c.keys[:0], c.links[:0]
}

// size returns about how many bytes the chunk has.
func (c *chunk) size() int {
	return len(c.columns[colBytes]) + len(c.columns[colNew]) + 16*c.n
}

// add adds the packet at a position of the capture. A late one was stamped so many
// nanoseconds before the latest packet in front of it, and before the latest of a flow.
func (c *chunk) add(t *flowtable.Taken, position uint64, late, lateOfFlow uint64) {
	at := int64(t.Time)
	if c.n == 0 {
		c.first = at
	}
	c.n++
	c.columns[colGap] = binary.AppendUvarint(c.columns[colGap], position-c.at)
	c.at = position + 1
	c.times = append(c.times, at)
	c.coarse = c.coarse && at%1000 == 0 && at > -1<<62 && at < 1<<62 // beyond, differences overflow
	number := c.key(t)
	d := 0
	marks := mark(t.FromB, markFromB) | mark(t.Whole, markWhole) | mark(t.Fine, markFine) | mark(t.NoFlags, markNoFlags) |
		mark(t.Later, markLater) | mark(late > 0, markLate) | mark(t.Seq|t.Ack != 0, markNumbers)
	if t.FromB {
		d = 1
	}
	c.columns[colMarks] = append(c.columns[colMarks], marks)
	c.columns[colFlags] = append(c.columns[colFlags], t.RawFlags)
	c.columns[colLen] = binary.AppendUvarint(c.columns[colLen], uint64(t.Len))
	if marks&markNumbers != 0 {
		last := &c.keys[number].numbers[d]
		if last.any {
			c.columns[colSeq] = binary.AppendVarint(c.columns[colSeq], int64(int32(t.Seq-last.seq)))
			c.columns[colAck] = binary.AppendVarint(c.columns[colAck], int64(int32(t.Ack-last.ack)))
		} else {
			c.columns[colFirst] = binary.LittleEndian.AppendUint32(c.columns[colFirst], t.Seq)
			c.columns[colFirst] = binary.LittleEndian.AppendUint32(c.columns[colFirst], t.Ack)
		}
		*last = numbers{t.Seq, t.Ack, true}
	}
	if late > 0 {
		c.columns[colLate] = binary.AppendUvarint(binary.AppendUvarint(c.columns[colLate], late), lateOfFlow)
	}
	if c.needs&features.Details != 0 {
		c.details(t)
	}
	if c.needs&features.Link != 0 {
		c.link(t.Link)
	}
	if c.needs&features.Entropy != 0 {
		c.columns[colBytes] = append(binary.AppendUvarint(c.columns[colBytes], uint64(len(t.Payload))), t.Payload...)
	}
}

func mark(set bool, m uint8) uint8 {
	if set {
		return m
	}
	return 0
}

// key adds the key of a packet and returns its number, from 0.
func (c *chunk) key(t *flowtable.Taken) int {
	mask := uint32(len(c.slots) - 1)
	i, tag := t.Hash&mask, uint16(t.Hash>>16)
	for ; c.slots[i].number != 0; i = (i + 1) & mask {
		if s := c.slots[i]; s.tag == tag && c.keys[s.number-1].is(t) {
			c.columns[colKey] = binary.AppendUvarint(c.columns[colKey], uint64(s.number))
			return int(s.number - 1)
		}
	}
	c.keys = append(c.keys, keyed{
		a: t.A, b: t.B, portA: t.PortA, portB: t.PortB, proto: t.Proto, v6: t.V6, encapsulation: t.Encapsulation,
	})
	c.slots[i] = keySlot{tag, uint16(len(c.keys))}
	c.columns[colKey] = append(c.columns[colKey], 0)
	to := append(c.columns[colNew], mark(t.V6, 1)|mark(t.Encapsulation != 0, 2), t.Proto)
	to = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(to, t.PortA), t.PortB)
	for _, a := range [2]decode.Addr{t.A, t.B} {
		if t.V6 {
			to = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(to, a.Hi), a.Lo)
		} else {
			to = binary.LittleEndian.AppendUint32(to, uint32(a.Lo))
		}
	}
	if t.Encapsulation != 0 {
		to = binary.LittleEndian.AppendUint64(to, t.Encapsulation)
	}
	c.columns[colNew] = to
	return len(c.keys) - 1
}

func (c *chunk) details(t *flowtable.Taken) {
	h := t.Headers
	options := h.MSS != 0 || h.WindowScale != -1
	to := append(c.columns[colHeaders], mark(h.Segment, markSegment)|mark(h.SACKPermitted, markSACK)|mark(options, markOptions), h.HeaderLen, h.TTL, h.TOS)
	c.columns[colHeaders] = binary.LittleEndian.AppendUint16(to, h.Window)
	c.columns[colPayload] = binary.AppendVarint(c.columns[colPayload], int64(t.Len)-int64(h.Payload))
	if options {
		c.columns[colOptions] = append(binary.LittleEndian.AppendUint16(c.columns[colOptions], h.MSS), uint8(h.WindowScale))
	}
}

// link adds the number of a link header; a chunk has few of them, the last ones most
// often.
func (c *chunk) link(l *decode.Link) {
	for i := len(c.links) - 1; i >= max(0, len(c.links)-64); i-- {
		if c.links[i] == *l {
			c.columns[colLink] = binary.AppendUvarint(c.columns[colLink], uint64(i+1))
			return
		}
	}
	c.links = append(c.links, *l)
	c.columns[colLink] = append(c.columns[colLink], 0)
	to := append(append(c.columns[colNewLink], l.Src[:]...), l.Dst[:]...)
	to = append(to, mark(l.HasSrc, 1)|mark(l.HasDst, 2))
	for _, id := range l.VLANs {
		to = binary.LittleEndian.AppendUint16(to, id)
	}
	c.columns[colNewLink] = binary.LittleEndian.AppendUint32(append(to, l.NumVLANs), uint32(l.MPLS))
}

// append appends the chunk as bytes.
func (c *chunk) append(dst []byte) []byte {
	unit := int64(1)
	if c.coarse {
		unit = 1000
	}
	last := c.first
	for _, at := range c.times {
		c.columns[colTime] = binary.AppendVarint(c.columns[colTime], (at-last)/unit)
		last = at
	}
	dst = binary.AppendUvarint(dst, uint64(c.n))
	dst = binary.AppendUvarint(dst, uint64(unit))
	dst = binary.AppendVarint(dst, c.first)
	dst = binary.AppendUvarint(dst, c.from)
	for i := range c.columns {
		dst = binary.AppendUvarint(dst, uint64(len(c.columns[i])))
	}
	for i := range c.columns {
		dst = append(dst, c.columns[i]...)
	}
	return dst
}

// A cursor reads a column; bad is set where that is too short, and zeros come then.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) uvarint() uint64 {
	if len(c.b) > 0 && c.b[0] < 0x80 {
		v := c.b[0]
		c.b = c.b[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.b, c.bad = nil, true
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) varint() int64 {
	v := c.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.b, c.bad = nil, true
		return nil
	}
	b := c.b[:n]
	c.b = c.b[n:]
	return b
}

func (c *cursor) uint8() uint8 {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() uint16 {
	if b := c.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// A page is a chunk that is read, packet by packet.
type page struct {
	needs   features.Set
	left    int
	unit    int64
	time    int64
	at      uint64
	columns [numColumns]cursor
	keys    []keyed
	links   []decode.Link
	headers decode.Details
}

var errChunk = errors.New("columns that contradict each other")

// open begins to read a chunk.
func (p *page) open(b []byte) error {
	head := cursor{b: b}
	n, unit := head.uvarint(), head.uvarint()
	p.time, p.at = head.varint(), head.uvarint()
	var lengths [numColumns]uint64
	for i := range lengths {
		lengths[i] = head.uvarint()
	}
	for i := range lengths {
		p.columns[i] = cursor{b: head.bytes(lengths[i])}
	}
	// Each packet has a byte of marks at least.
	if head.bad || len(head.b) > 0 || n > uint64(len(p.columns[colMarks].b)) || unit != 1 && unit != 1000 {
		return errChunk
	}
	p.left, p.unit = int(n), int64(unit)
	p.keys, p.links = p.keys[:0], p.links[:0]
	return nil
}

// close returns an error if the packets that were read were not all there was.
func (p *page) close() error {
	for i := range p.columns {
		if p.columns[i].bad || len(p.columns[i].b) > 0 {
			return errChunk
		}
	}
	return nil
}

// next sets t to the next packet, which is lent until the page is opened again.
func (p *page) next(t *flowtable.Taken) (position, late, lateOfFlow uint64) {
	p.left--
	position = p.at + p.columns[colGap].uvarint()
	p.at = position + 1
	p.time += p.columns[colTime].varint() * p.unit
	k := p.key()
	t.A, t.B, t.PortA, t.PortB, t.Proto, t.V6, t.Encapsulation = k.a, k.b, k.portA, k.portB, k.proto, k.v6, k.encapsulation
	marks, d := p.columns[colMarks].uint8(), 0
	t.FromB, t.Whole, t.Fine, t.NoFlags, t.Later = marks&markFromB != 0, marks&markWhole != 0, marks&markFine != 0, marks&markNoFlags != 0, marks&markLater != 0
	if t.FromB {
		d = 1
	}
	t.RawFlags = p.columns[colFlags].uint8()
	t.Len = uint32(p.columns[colLen].uvarint())
	t.Time, t.Seq, t.Ack = flowtable.Time(p.time), 0, 0
	if marks&markNumbers != 0 {
		last := &k.numbers[d]
		if last.any {
			t.Seq, t.Ack = last.seq+uint32(p.columns[colSeq].varint()), last.ack+uint32(p.columns[colAck].varint())
		} else {
			t.Seq, t.Ack = p.columns[colFirst].uint32(), p.columns[colFirst].uint32()
		}
		*last = numbers{t.Seq, t.Ack, true}
	}
	if marks&markLate != 0 {
		late, lateOfFlow = p.columns[colLate].uvarint(), p.columns[colLate].uvarint()
	}
	if p.needs != 0 {
		p.more(t)
	}
	return position, late, lateOfFlow
}

// key returns the key of the next packet.
func (p *page) key() *keyed {
	if n := p.columns[colKey].uvarint(); n > 0 {
		if n > uint64(len(p.keys)) {
			p.columns[colKey].bad = true
			return &keyed{}
		}
		return &p.keys[n-1]
	}
	c := &p.columns[colNew]
	is := c.uint8()
	k := keyed{v6: is&1 != 0, proto: c.uint8(), portA: c.uint16(), portB: c.uint16()}
	for _, a := range [2]*decode.Addr{&k.a, &k.b} {
		if k.v6 {
			a.Hi, a.Lo = c.uint64(), c.uint64()
		} else {
			a.Lo = uint64(c.uint32())
		}
	}
	if is&2 != 0 {
		k.encapsulation = c.uint64()
	}
	p.keys = append(p.keys, k)
	return &p.keys[len(p.keys)-1]
}

// more reads what features need.
func (p *page) more(t *flowtable.Taken) {
	h := &p.headers
	*h = decode.Details{WindowScale: -1}
	t.Headers = h
	if p.needs&features.Details != 0 {
		c := &p.columns[colHeaders]
		is := c.uint8()
		h.Segment, h.SACKPermitted = is&markSegment != 0, is&markSACK != 0
		h.HeaderLen, h.TTL, h.TOS, h.Window = c.uint8(), c.uint8(), c.uint8(), c.uint16()
		h.Payload = uint32(int64(t.Len) - p.columns[colPayload].varint())
		if is&markOptions != 0 {
			h.MSS, h.WindowScale = p.columns[colOptions].uint16(), int8(p.columns[colOptions].uint8())
		}
	}
	t.Link, t.Payload = p.link(), nil
	if p.needs&features.Entropy != 0 {
		c := &p.columns[colBytes]
		t.Payload = c.bytes(c.uvarint())
	}
}

// noLink is that of packets whose link headers nobody asked for.
var noLink decode.Link

func (p *page) link() *decode.Link {
	if p.needs&features.Link == 0 {
		return &noLink
	}
	if n := p.columns[colLink].uvarint(); n > 0 {
		if n > uint64(len(p.links)) {
			p.columns[colLink].bad = true
			return &noLink
		}
		return &p.links[n-1]
	}
	c := &p.columns[colNewLink]
	var l decode.Link
	copy(l.Src[:], c.bytes(6))
	copy(l.Dst[:], c.bytes(6))
	is := c.uint8()
	l.HasSrc, l.HasDst = is&1 != 0, is&2 != 0
	for i := range l.VLANs {
		l.VLANs[i] = c.uint16()
	}
	if l.NumVLANs = c.uint8(); int(l.NumVLANs) > len(l.VLANs) {
		c.bad, l.NumVLANs = true, 0
	}
	l.MPLS = int32(c.uint32())
	p.links = append(p.links, l)
	return &p.links[len(p.links)-1]
}
