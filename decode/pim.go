package decode

// pim reads a PIM register, in which a router sends a multicast packet to the
// rendezvous point (RFC 7761, 4.9.3):
//
//	version 4 bits, type 4 | reserved 1 | checksum 2 | border 1 bit, null 1, reserved 30 | packet
//
// Other messages are PIM's own.
func (p *Packet) pim(b []byte, n int) Class {
	const register, size = 0x21, 8
	if len(b) < size+1 || b[0] != register {
		if len(b) > 0 && b[0] == register && n > size {
			return Truncated
		}
		return p.other(protoPIM, b, n)
	}
	version := b[size] >> 4
	if version != 4 && version != 6 {
		return p.other(protoPIM, b, n)
	}
	p.pass(protoPIM, b, n)
	b, n = b[size:], n-size
	if version == 6 {
		return p.ipv6(b, n)
	}
	return p.ipv4(b, n)
}
