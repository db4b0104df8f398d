package decode

// IP protocols that have ports (IANA, protocol-numbers).
const (
	TCP     = 6   // RFC 9293
	UDP     = 17  // RFC 768
	DCCP    = 33  // RFC 4340
	SCTP    = 132 // RFC 9260
	UDPLite = 136 // RFC 3828
)

// HasPorts reports whether the headers of an IP protocol have ports.
func HasPorts(protocol uint8) bool {
	switch protocol {
	case TCP, UDP, DCCP, SCTP, UDPLite:
		return true
	}
	return false
}

// Control bits of a TCP header (RFC 9293, 3.1; RFC 3168, 6.1).
const (
	FIN = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
	ECE
	CWR
)
