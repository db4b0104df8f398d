package decode

// macsec reads a frame that is protected, but not encrypted (IEEE 802.1AE, 9.3
// and 9.5):
//
//	version 1 bit, ES 1, SC 1, SCB 1, E 1, C 1, association number 2 | short length 1 |
//	packet number 4 | SC: channel identifier 8 | EtherType 2 | … | check value 16
//
// E says that it is encrypted, C that it is changed. The channel is its sender's,
// and no part of the encapsulation.
func (p *Packet) macsec(b []byte, n int) Class {
	const version, channel, hidden, checkValue = 0x80, 0x20, 0x0c, 16
	if len(b) < 6 {
		return short(n, 6)
	}
	flags, size := b[0], 8
	if flags&(version|hidden) != 0 {
		return p.unknown()
	}
	if flags&channel != 0 {
		size += 8
	}
	// The first fragment of a datagram ends before it.
	if n >= size+checkValue && !p.inFragment() {
		n -= checkValue
		b = b[:min(len(b), n)]
	}
	return p.tagged(size, false, b, n)
}
