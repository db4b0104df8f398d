package decode

import "encoding/binary"

// ipv4 reads an IPv4 header (RFC 791, 3.1):
//
//	version 4 bits, header length 4 | type of service 1 | total length 2 |
//	identification 2 | reserved 1 bit, don't fragment 1, more fragments 1, fragment offset 13 |
//	time to live 1 | protocol 1 | checksum 2 | source 4 | destination 4 | options
//
// An IPv6 header in its place is read as that, whatever announced it.
func (p *Packet) ipv4(b []byte, n int) Class {
	if len(b) < 20 {
		return p.shortIPv4(b, n)
	}
	size := 20
	if b[0] != 0x45 {
		if b[0]>>4 == version6 {
			return p.ipv6(b, n)
		}
		size = int(b[0]&0xf) * 4
		if b[0]>>4 != version4 || size < 20 {
			return Malformed
		}
	}
	if p.headers++; p.headers > 1 {
		if p.headers > maxHeaders {
			return Malformed
		}
		p.enter()
	}
	if total := int(binary.BigEndian.Uint16(b[2:])); total < size {
		// 0 is segmentation offload: the length is that of the frame.
		if total != 0 || n < size {
			return Malformed
		}
	} else if total < n {
		n = total // what follows is padding
	}
	p.V6 = false
	p.network = int32(cap(b))
	p.Src = Addr{Lo: uint64(binary.BigEndian.Uint32(b[12:]))}
	p.Dst = Addr{Lo: uint64(binary.BigEndian.Uint32(b[16:]))}
	proto, fragment := b[9], binary.BigEndian.Uint16(b[6:])&0x3fff
	id := uint32(binary.BigEndian.Uint16(b[4:]))
	b = b[:min(len(b), n)]
	if size > 20 {
		if len(b) < size {
			return short(n, size)
		}
		p.sourceRoute(b[20:size])
	}
	p.fragmented, p.FirstFragment = false, false
	if fragment != 0 {
		p.fragmented = true
		p.FragID, p.FragProto = id, proto
		if fragment&0x1fff != 0 {
			return p.laterFragment(fragment<<3, b[min(size, len(b)):], n-size)
		}
		p.FirstFragment = true
		p.atFragment()
		p.transport = int32(cap(b) - size)
	}
	if len(b) < size {
		return short(n, size)
	}
	b, n = b[size:], n-size
	if proto == protoTCP {
		return p.tcp(b, n)
	}
	return p.protocol(proto, b, n)
}

// shortIPv4 is the class of an IPv4 header with less than 20 bytes captured.
func (p *Packet) shortIPv4(b []byte, n int) Class {
	if len(b) > 0 {
		switch b[0] >> 4 {
		case version6:
			return p.ipv6(b, n)
		case version4:
		default:
			return Malformed
		}
	}
	return short(n, 20)
}

// sourceRoute takes the destination from a source route, if the options hold one
// that is not used up: while a packet travels along it, the header's destination
// is only the next stop (RFC 791, 3.1).
func (p *Packet) sourceRoute(options []byte) {
	const end, nop, loose, strict = 0, 1, 131, 137
	for len(options) >= 2 {
		kind, size := options[0], int(options[1])
		if kind == end {
			return
		}
		if kind == nop {
			options = options[1:]
			continue
		}
		if size < 2 || size > len(options) {
			return
		}
		if kind == loose || kind == strict {
			// kind 1 | size 1 | pointer 1 | addresses
			if size < 7 || options[2] < 4 || options[2]&3 != 0 || int(options[2]) > size {
				return
			}
			p.Dst.Lo = uint64(binary.BigEndian.Uint32(options[size-4:]))
			return
		}
		options = options[size:]
	}
}
