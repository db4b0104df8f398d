package decode

// etherIP reads an EtherIP header (RFC 3378, 4: version 4 bits, reserved 12) and
// the Ethernet frame behind it. Some stacks have the two bytes of the header the
// other way round (OpenBSD's gif among them), so the version is not asked.
func (p *Packet) etherIP(b []byte, n int) Class {
	const size = 2
	if len(b) < size {
		return short(n, size)
	}
	return p.bridged(b[size:], n-size)
}
