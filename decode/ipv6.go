package decode

import (
	"encoding/binary"
	"math"
)

// ipv6 reads an IPv6 header (RFC 8200, 3):
//
//	version 4 bits, traffic class 8, flow label 20 | payload length 2 |
//	next header 1 | hop limit 1 | source 16 | destination 16
//
// The destination is the header's, also where a routing header names a later
// one: so does Wireshark's ipv6.dst.
func (p *Packet) ipv6(b []byte, n int) Class {
	if len(b) > 0 && b[0]>>4 != version6 {
		return Malformed
	}
	if len(b) < 40 {
		return short(n, 40)
	}
	if p.headers++; p.headers > 1 {
		if p.headers > maxHeaders {
			return Malformed
		}
		p.enter()
	}
	p.V6 = true
	p.network = int32(cap(b))
	p.Src = Addr{binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint64(b[16:])}
	p.Dst = Addr{binary.BigEndian.Uint64(b[24:]), binary.BigEndian.Uint64(b[32:])}
	p.FirstFragment = false
	proto, size := b[6], int(binary.BigEndian.Uint16(b[4:]))
	b, n = b[40:], n-40
	if size == 0 && proto == protoHopByHop {
		if len(b) < 8 {
			return short(n, 8)
		}
		if need := 8 + 8*int(b[1]); len(b) < need {
			return short(n, need)
		}
		if size = jumbo(b); size == 0 {
			return Malformed
		}
	}
	// 0 without a jumbo payload option is segmentation offload: the length is that
	// of the frame.
	if size > 0 && size < n {
		n = size // what follows is padding
	}
	b = b[:min(len(b), n)]
	if proto == protoTCP {
		return p.tcp(b, n)
	}
	return p.protocol(proto, b, n)
}

// jumbo returns the payload length of a jumbogram: that of the jumbo payload
// option in the hop-by-hop header at the front of b (RFC 2675, 2), which must be
// whole. It is 0 if that is too short for a jumbogram, and -1 if there is no such
// option.
func jumbo(b []byte) int {
	const pad1, jumboPayload = 0, 0xc2
	options := b[2 : 8+8*int(b[1])]
	for len(options) >= 6 {
		if options[0] == pad1 {
			options = options[1:]
			continue
		}
		if options[0] == jumboPayload && options[1] == 4 {
			if size := binary.BigEndian.Uint32(options[2:]); size > math.MaxUint16 {
				return int(min(size, math.MaxInt32))
			}
			return 0
		}
		options = options[min(len(options), 2+int(options[1])):]
	}
	return -1
}
