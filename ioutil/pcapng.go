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
	maxInterfaces = 1 << 16 // in a section; a file can name them for next to nothing
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
	time       int64   // of the packet before, whatever its interface and section
	fine       bool    // of the clock that time is from

	declarations int // blocks that declared something
}

// An iface is what an interface description block says.
type iface struct {
	clock
	linkType uint32
	snapLen  uint32 // 0: no limit
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
		if length < blockMin || length > maxBlock {
			if !c.shrunk(pos) {
				c.failAt(pos, fmt.Errorf("length %d of a block of type %#x: want %d to %d", length, kind, blockMin, maxBlock))
			}
			break
		}
		size := int(length+3) &^ 3
		if len(rest) < size {
			c.need = size
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
			if err := ng.packet(r, kind, block); err != nil {
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

// packet reads a block that holds a packet into r, where the time of the packet
// before it stands.
func (ng *pcapng) packet(r *Record, kind uint32, block []byte) error {
	if kind == blockSimple {
		return ng.simple(r, block)
	}
	if len(block) < enhancedHeader+4 {
		return errShort(kind, block)
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
	if uint64(capLen) > uint64(len(block)-enhancedHeader-4) {
		return fmt.Errorf("captured length %d in a packet block of %d bytes", capLen, len(block))
	}
	r.Time = in.nanoseconds(uint64(ng.uint32(block[12:]))<<32 | uint64(ng.uint32(block[16:])))
	r.Fine = in.fine
	r.Data = block[enhancedHeader : enhancedHeader+int(capLen) : enhancedHeader+int(capLen)]
	r.OrigLen = min(ng.uint32(block[24:]), maxOrigLen)
	r.LinkType = in.linkType
	return nil
}

// simple reads a simple packet block (3.4 there), which has the original length
// and no more: its interface is the section's first, its captured length is the
// lesser of the original one and the snap length, its time is that of the
// packet before.
func (ng *pcapng) simple(r *Record, block []byte) error {
	if len(block) < simpleHeader+4 {
		return errShort(blockSimple, block)
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
	if uint64(capLen) > uint64(len(block)-simpleHeader-4) {
		return fmt.Errorf("captured length %d in a simple packet block of %d bytes", capLen, len(block))
	}
	r.Data = block[simpleHeader : simpleHeader+int(capLen) : simpleHeader+int(capLen)]
	r.OrigLen = min(origLen, maxOrigLen)
	r.LinkType = in.linkType
	return nil
}

func errShort(kind uint32, block []byte) error {
	return fmt.Errorf("a block of type %#x has only %d bytes", kind, len(block))
}

// declaration reads a section header or an interface description.
func (c *Capture) declaration(kind uint32, block []byte) error {
	c.ng.declarations++
	if kind == blockSection {
		return c.ng.section(block)
	}
	in, err := c.ng.describe(block)
	if err != nil {
		return err
	}
	c.ng.interfaces = append(c.ng.interfaces, in)
	c.declare(in.linkType)
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
// length of the section is of no use here, since every block is visited.
func (ng *pcapng) section(block []byte) error {
	if len(block) < 28 {
		return errShort(blockSection, block)
	}
	if major, minor := ng.uint16(block[12:]), ng.uint16(block[14:]); major != 1 {
		return fmt.Errorf("pcapng version %d.%d: want 1", major, minor)
	}
	ng.interfaces = ng.interfaces[:0]
	return nil
}

// describe reads an interface description block (4.2 there).
func (ng *pcapng) describe(block []byte) (iface, error) {
	const (
		header     = 16
		optEnd     = 0
		optTsresol = 9
		optTsoffs  = 14
	)
	if len(block) < header+4 {
		return iface{}, errShort(blockInterface, block)
	}
	if len(ng.interfaces) == maxInterfaces {
		return iface{}, fmt.Errorf("over %d interfaces in a section", maxInterfaces)
	}
	in := iface{linkType: uint32(ng.uint16(block[8:])), snapLen: ng.uint32(block[12:])}
	resolution, offset := byte(6), int64(0)
	for b := block[header : len(block)-4]; len(b) >= 4; {
		code, length := ng.uint16(b), int(ng.uint16(b[2:]))
		if code == optEnd {
			break
		}
		padded := (length + 3) &^ 3
		if b = b[4:]; padded > len(b) {
			return iface{}, fmt.Errorf("option %d of an interface has %d bytes, %d are left in its block", code, length, len(b))
		}
		switch {
		case code == optTsresol && length == 1:
			resolution = b[0]
		case code == optTsoffs && length == 8:
			offset = int64(ng.uint64(b))
		}
		b = b[padded:]
	}
	in.clock = newClock(resolution, offset)
	return in, nil
}
