package ioutil

import (
	"encoding/binary"
	"fmt"
	"math/bits"
)

// A pcapng file is a row of blocks (draft-ietf-opsawg-pcapng, 3.1), in the byte
// order of the section header before them:
//
//	0       4       8               length-4  length
//	| type  | length| body ...      | length |
//
// The length includes all of that. Where it is no multiple of 4, padding that
// it forgot is taken to be there, as Wireshark does.
const (
	blockSection   = 0x0a0d0d0a // the same in both byte orders
	blockInterface = 1
	blockPacket    = 2 // obsolete
	blockSimple    = 3
	blockEnhanced  = 6

	blockMin      = 12
	maxBlock      = maxCapLen + 1<<20
	maxDeclared   = 1 << 20 // bytes of an interface description, all of whose options are looked at
	maxInterfaces = 1 << 20 // in a section: 12 MiB, and 40 more if each has a clock of its own
)

// Fixed parts of the blocks with packets, from the block's start to the frame.
const (
	simpleHeader   = 12
	enhancedHeader = 28
)

// A pcapng is the state of reading a pcapng file: what the current section
// declares, and the time of the packet before.
type pcapng struct {
	bigEndian  bool
	interfaces []iface // of the current section, in order
	clocks     []clock // of those interfaces
	time       int64   // of the packet before, whatever its interface and section
	fine       bool    // of the clock that time is from

	declarations int  // blocks that declared something
	lent         bool // copies of this state are read by others
}

// An iface is what an interface description block says.
type iface struct {
	snapLen  uint32 // 0: no limit
	clock    uint32 // its place among pcapng.clocks
	linkType uint16
	fcs      uint8 // bytes of the frame check sequence behind each frame
}

func (ng *pcapng) uint32(b []byte) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if ng.bigEndian {
		v = bits.ReverseBytes32(v)
	}
	return v
}

func (ng *pcapng) uint16(b []byte) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if ng.bigEndian {
		v = bits.ReverseBytes16(v)
	}
	return v
}

func (ng *pcapng) uint64(b []byte) uint64 {
	v := binary.LittleEndian.Uint64(b)
	if ng.bigEndian {
		v = bits.ReverseBytes64(v)
	}
	return v
}

// readPcapng reads blocks from the window; see parse. A block that declares
// something ends the batch before it and is left behind at once, so that it is
// never read twice.
func (c *Capture) readPcapng(recs []Record, end int) int {
	ng := &c.ng
	buf, pos, touch := c.buf, c.pos, c.touch
	time, fine := ng.time, ng.fine
	n := 0
	for n < len(recs) && pos < end {
		if pos >= touch {
			touch = c.touchAhead(pos, end)
		}
		rest := buf[pos:]
		if len(rest) < blockMin {
			c.need = blockMin
			break
		}
		if binary.LittleEndian.Uint32(rest) == blockSection {
			if n > 0 {
				break
			}
			if err := ng.readByteOrder(rest); err != nil {
				c.failAt(pos, err)
				break
			}
		}
		kind, length := ng.uint32(rest), ng.uint32(rest[4:])
		if pcapHeader(rest) && (c.base > 0 || pos > 0) {
			c.failAt(pos, fmt.Errorf("a pcap header: concatenated captures of two formats, which --join reads from their own files"))
			break
		}
		if length < blockMin || length > maxBlock {
			if kind == 0 && length == 0 && !c.shrunk(pos) {
				if n == 0 {
					c.pos = pos
					c.endInFill(0, fmt.Errorf("length 0 of a block of type 0: want %d to %d", blockMin, maxBlock))
					return 0
				}
				break
			}
			if !c.shrunk(pos) {
				c.failAt(pos, fmt.Errorf("length %d of a block of type %#x: want %d to %d", length, kind, blockMin, maxBlock))
			}
			break
		}
		size := int(length+3) &^ 3
		if kind == blockInterface && size > maxDeclared {
			c.failAt(pos, fmt.Errorf("length %d of a block of type %#x: want %d at most", length, kind, maxDeclared))
			break
		}
		if len(rest) < size {
			switch {
			case c.ring == nil || size <= longBlock:
				c.need = size
			case n == 0:
				c.pos, c.touch = pos, touch
				return c.readLongBlock(&recs[0], kind, length)
			}
			break
		}
		block := rest[:size]
		if again := ng.uint32(block[size-4:]); again != length {
			if !c.shrunk(pos) {
				c.failAt(pos, fmt.Errorf("length %d at the start of a block of type %#x, but %d at its end", length, kind, again))
			}
			break
		}
		switch kind {
		case blockEnhanced, blockPacket, blockSimple:
			r := &recs[n]
			r.Time, r.Fine = time, fine
			if err := ng.packet(r, kind, block, size); err != nil {
				c.failAt(pos, err)
				c.pos, c.touch, ng.time, ng.fine = pos, touch, time, fine
				return n
			}
			r.Offset = c.base + int64(pos)
			time, fine = r.Time, r.Fine
			n++
		case blockSection, blockInterface:
			if n > 0 {
				c.pos, c.touch, ng.time, ng.fine = pos, touch, time, fine
				return n
			}
			if err := c.declaration(kind, block); err != nil {
				c.failAt(pos, err)
				return 0
			}
			c.pos = pos + size
		}
		pos += size
	}
	c.pos, c.touch, ng.time, ng.fine = pos, touch, time, fine
	return n
}

// longBlock is what is kept of a longer block of a stream.
const longBlock = enhancedHeader + maxData

// readLongBlock reads the block of a stream at the window's position, of which
// only the front is kept.
func (c *Capture) readLongBlock(r *Record, kind, length uint32) int {
	ng, at := &c.ng, c.Offset()
	size := int(length+3) &^ 3
	front := c.front(longBlock, size)
	if front == nil {
		return 0
	}
	var err error
	if again := ng.uint32(c.end[:]); again != length {
		err = fmt.Errorf("length %d at the start of a block of type %#x, but %d at its end", length, kind, again)
	} else if kind == blockSection {
		err = c.declaration(kind, front)
	} else if kind == blockEnhanced || kind == blockPacket || kind == blockSimple {
		r.Time, r.Fine = ng.time, ng.fine
		if err = ng.packet(r, kind, front, size); err == nil {
			r.Offset = at
			ng.time, ng.fine = r.Time, r.Fine
			return 1
		}
	}
	if err != nil {
		c.err = &FormatError{File: c.name, Offset: at, Err: err}
	}
	return 0
}

// packet reads a block of size bytes that holds a packet into r, where the time
// of the packet before it stands. Of a long block the front is enough.
func (ng *pcapng) packet(r *Record, kind uint32, block []byte, size int) error {
	if kind == blockSimple {
		return ng.simple(r, block, size)
	}
	if size < enhancedHeader+4 {
		return errShort(kind, size)
	}
	i := ng.uint32(block[8:])
	if kind == blockPacket { // the same, but for a count of drops beside a shorter number
		i = uint32(ng.uint16(block[8:]))
	}
	if uint64(i) >= uint64(len(ng.interfaces)) {
		return fmt.Errorf("interface %d of a packet block, but the section has %d", i, len(ng.interfaces))
	}
	in := &ng.interfaces[i]
	capLen := ng.uint32(block[20:])
	if uint64(capLen) > uint64(size-enhancedHeader-4) {
		return fmt.Errorf("captured length %d in a packet block of %d bytes", capLen, size)
	}
	clock := &ng.clocks[in.clock]
	r.Time = clock.nanoseconds(uint64(ng.uint32(block[12:]))<<32 | uint64(ng.uint32(block[16:])))
	r.Fine = clock.fine
	to := enhancedHeader + min(int(capLen), maxData)
	r.Data = block[enhancedHeader:to:to]
	r.OrigLen = min(ng.uint32(block[24:]), maxOrigLen)
	r.LinkType = uint32(in.linkType)
	r.FCS = 0
	options := enhancedHeader + (int(capLen)+3)&^3
	if in.linkType != linkEthernet || in.fcs == 0 && options == size-4 {
		return nil
	}
	fcs := in.fcs
	if size <= longBlock && options < size-4 { // of a longer one the options are not held
		if own := ng.packetFCS(block[options : size-4]); own > 0 {
			fcs = own
		}
	}
	r.trim(fcs)
	return nil
}

// simple reads a simple packet block (3.4 there), which has the original length
// and no more: its interface is the section's first, its captured length is the
// lesser of the original one and the snap length, its time is that of the
// packet before.
func (ng *pcapng) simple(r *Record, block []byte, size int) error {
	if size < simpleHeader+4 {
		return errShort(blockSimple, size)
	}
	if len(ng.interfaces) == 0 {
		return fmt.Errorf("a simple packet block, but the section has no interface")
	}
	in := &ng.interfaces[0]
	origLen := ng.uint32(block[8:])
	capLen := origLen
	if in.snapLen != 0 {
		capLen = min(capLen, in.snapLen)
	}
	if uint64(capLen) > uint64(size-simpleHeader-4) {
		return fmt.Errorf("captured length %d in a simple packet block of %d bytes", capLen, size)
	}
	to := simpleHeader + min(int(capLen), maxData)
	r.Data = block[simpleHeader:to:to]
	r.OrigLen = min(origLen, maxOrigLen)
	r.LinkType = uint32(in.linkType)
	r.FCS = 0
	if in.linkType == linkEthernet {
		r.trim(in.fcs)
	}
	return nil
}

func errShort(kind uint32, size int) error {
	return fmt.Errorf("a block of type %#x has only %d bytes", kind, size)
}

// declaration reads a section header or an interface description.
func (c *Capture) declaration(kind uint32, block []byte) error {
	c.ng.declarations++
	if kind == blockSection {
		return c.ng.section(block)
	}
	in, about, err := c.ng.describe(block)
	if err != nil {
		return err
	}
	c.ng.interfaces = append(c.ng.interfaces, in)
	c.keep(about)
	c.declare(uint32(in.linkType))
	return nil
}

// readByteOrder reads the byte-order magic of a section header (4.1 there).
func (ng *pcapng) readByteOrder(b []byte) error {
	switch magic := binary.LittleEndian.Uint32(b[8:]); magic {
	case 0x1a2b3c4d:
		ng.bigEndian = false
	case 0x4d3c2b1a:
		ng.bigEndian = true
	default:
		return fmt.Errorf("byte-order magic % x of a section header: want 1a 2b 3c 4d or 4d 3c 2b 1a", b[8:12])
	}
	return nil
}

// section begins a section: its interfaces are numbered from 0 again. The
// length of the section is of no use here, since every block is visited, and its
// options are not looked at: of a long block the front is enough.
func (ng *pcapng) section(block []byte) error {
	if len(block) < 28 {
		return errShort(blockSection, len(block))
	}
	if major, minor := ng.uint16(block[12:]), ng.uint16(block[14:]); major != 1 {
		return fmt.Errorf("pcapng version %d.%d: want 1", major, minor)
	}
	if ng.lent { // spans of the section before may still be read
		ng.interfaces, ng.clocks = nil, nil
	}
	ng.interfaces, ng.clocks = ng.interfaces[:0], ng.clocks[:0]
	return nil
}

// describe reads an interface description block (4.2 there).
func (ng *pcapng) describe(block []byte) (in iface, about Interface, err error) {
	const (
		header         = 16
		optEnd         = 0
		optName        = 2
		optDescription = 3
		optTsresol     = 9
		optFCSLen      = 13
		optTsoffs      = 14
	)
	if len(block) < header+4 {
		return in, about, errShort(blockInterface, len(block))
	}
	if len(ng.interfaces) == maxInterfaces {
		return in, about, fmt.Errorf("over %d interfaces in a section", maxInterfaces)
	}
	in = iface{linkType: ng.uint16(block[8:]), snapLen: ng.uint32(block[12:])}
	about = Interface{LinkType: uint32(in.linkType), SnapLen: in.snapLen}
	resolution, offset, hasFCS := byte(6), int64(0), false
	for b := block[header : len(block)-4]; len(b) >= 4; {
		code, length := ng.uint16(b), int(ng.uint16(b[2:]))
		if code == optEnd {
			break
		}
		padded := (length + 3) &^ 3
		if b = b[4:]; padded > len(b) {
			return in, about, fmt.Errorf("option %d of an interface has %d bytes, %d are left in its block", code, length, len(b))
		}
		switch {
		case code == optName:
			about.Name = shortText(b[:length])
		case code == optDescription:
			about.Description = shortText(b[:length])
		case code == optTsresol && length == 1:
			resolution = b[0]
		case code == optTsoffs && length == 8:
			offset = int64(ng.uint64(b))
		case code == optFCSLen && length == 1 && !hasFCS:
			in.fcs, hasFCS = ifaceFCS(b[0]), true
		}
		b = b[padded:]
	}
	clock := newClock(resolution, offset)
	in.clock, about.Resolution = ng.place(clock), clock.resolution()
	return in, about, nil
}

// place returns the place of a clock among those of the section. Most interfaces
// have that of one shortly before.
func (ng *pcapng) place(c clock) uint32 {
	const back = 8
	for i := len(ng.clocks) - 1; i >= max(0, len(ng.clocks)-back); i-- {
		if ng.clocks[i] == c {
			return uint32(i)
		}
	}
	ng.clocks = append(ng.clocks, c)
	return uint32(len(ng.clocks) - 1)
}
