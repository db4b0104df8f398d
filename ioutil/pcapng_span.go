package ioutil

import "slices"

// readDeclarations reads the blocks before the next packet and returns a copy of
// what has been declared; nil if the capture ends there.
func (c *Capture) readDeclarations() *pcapng {
	var first [1]Record
	time, fine := c.ng.time, c.ng.fine
	if n, _ := c.Read(first[:]); n == 0 {
		return nil
	}
	c.pos = int(first[0].Offset)
	c.ng.time, c.ng.fine = time, fine // as before it
	ng := c.ng
	ng.interfaces, ng.clocks = slices.Clone(ng.interfaces), slices.Clone(ng.clocks)
	return &ng
}

// after returns where the block after that at b[at:] begins, and -1 if that one
// is not whole, is damaged, or declares or needs what others declare: only
// Enhanced Packet Blocks and blocks that are of no use here are read out of
// order.
func (ng *pcapng) after(b []byte, at int) int {
	rest := b[at:]
	if len(rest) < blockMin {
		return -1
	}
	kind, length := ng.uint32(rest), ng.uint32(rest[4:])
	size := int(length+3) &^ 3
	if length < blockMin || length > maxBlock || len(rest) < size || ng.uint32(rest[size-4:]) != length {
		return -1
	}
	switch kind {
	case blockSection, blockInterface, blockSimple, blockPacket:
		return -1
	case blockEnhanced:
		if !ng.holds(rest[:size]) {
			return -1
		}
	}
	return at + size
}

// holds reports whether packet finds nothing wrong with an Enhanced Packet Block.
func (ng *pcapng) holds(block []byte) bool {
	return len(block) >= enhancedHeader+4 && uint64(ng.uint32(block[8:])) < uint64(len(ng.interfaces)) &&
		uint64(ng.uint32(block[20:])) <= uint64(len(block)-enhancedHeader-4)
}

// record sets r to the packet of the block at b[at:], for which after returned
// a place. It returns false if it has none.
func (ng *pcapng) record(r *Record, b []byte, at int) bool {
	kind, length := ng.uint32(b[at:]), ng.uint32(b[at+4:])
	size := int(length+3) &^ 3
	if kind != blockEnhanced || ng.packet(r, kind, b[at:at+size], size) != nil {
		return false
	}
	r.Offset = int64(at)
	return true
}
