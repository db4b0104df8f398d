package decode

// batman reads a batman-adv header of compatibility version 14 or 15 (Linux,
// batadv_packet.h) and the Ethernet frame behind it:
//
//	type 1 | version 1 | time to live 1 | 1 | unicast: destination 6
//	                                        | broadcast: sequence number 4, originator 6
//	                                        | unicast with four addresses: destination 6, source 6, 2
//
// Other types carry no packets, or pieces of them.
func (p *Packet) batman(b []byte, n int) Class {
	if len(b) < 2 {
		return short(n, 2)
	}
	size := 0
	switch uint16(b[1])<<8 | uint16(b[0]) {
	case 0x0f40, 0x0e03:
		size = 10
	case 0x0f01, 0x0e04:
		size = 14
	case 0x0f42:
		size = 18
	default:
		return p.unknown()
	}
	if len(b) < size {
		return short(n, size)
	}
	return p.bridged(b[size:], n-size)
}
