package decode

import "encoding/binary"

// isISL reports whether a frame with a length begins as Cisco's Inter-Switch Link
// has it: sent to 01-00-0c-00-00, and then the type of the frame inside, 0 for
// Ethernet.
func isISL(b []byte) bool {
	return binary.BigEndian.Uint32(b) == 0x01000c00 && b[4] == 0 && b[5]>>4 == 0
}

// isl reads an ISL header (Cisco, Inter-Switch Link and IEEE 802.1Q Frame Format,
// document 17056) and the Ethernet frame in it:
//
//	destination 5 | type 4 bits, user 4 | source 6 | length of what follows 2 | aaaa03 3 |
//	source, upper half 3 | VLAN 15 bits, BPDU 1 | index 2 | reserved 2 | frame | checksum 4
//
// A length of 0 is none.
func (p *Packet) isl(b []byte, n int) Class {
	const size = 26
	if length := int(binary.BigEndian.Uint16(b[12:])); length != 0 && length < n-14 {
		n = 14 + length
		b = b[:min(len(b), n)]
	}
	if len(b) < size {
		return short(n, size)
	}
	if id := binary.BigEndian.Uint16(b[20:]) >> 1; id != 0 {
		p.wrap(VLANTags, uint64(id))
	}
	return p.bridged(b[size:], n-size)
}
