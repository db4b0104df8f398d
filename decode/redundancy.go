package decode

// hsr reads the tag of a ring without a pause (IEC 62439-3, 5.6):
//
//	path 4 bits, size 12 | sequence number 2 | EtherType 2
//
// The trailer of its sibling PRP (4.1.10.2) stands behind what IP counts as its
// own, and needs no reading.
func (p *Packet) hsr(b []byte, n int) Class { return p.tagged(6, false, b, n) }

// rTag reads a redundancy tag (IEEE 802.1CB, 7.8):
//
//	reserved 2 | sequence number 2 | EtherType 2
func (p *Packet) rTag(b []byte, n int) Class { return p.tagged(6, false, b, n) }
