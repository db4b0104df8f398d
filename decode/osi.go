package decode

// osi reads a packet that begins with a network layer protocol identifier
// (ISO/IEC TR 9577; RFC 6328, 3): IP and PPP have one.
func (p *Packet) osi(b []byte, n int) Class {
	if !p.nest() {
		return Malformed
	}
	if len(b) < 1 {
		return short(n, 1)
	}
	nlpid := b[0]
	b, n = b[1:], n-1
	switch nlpid {
	case nlpidIPv4:
		return p.ipv4(b, n)
	case nlpidIPv6:
		return p.ipv6(b, n)
	case nlpidPPP:
		return p.pppHDLC(b, n)
	}
	return p.unknown()
}
