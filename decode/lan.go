package decode

import "encoding/binary"

// tokenRing reads a Token Ring header (IEEE 802.5, 3.2) of an LLC frame:
//
//	access control 1 | frame control 1 | destination 6 | source 6 | routing | LLC
//
// The routing information is there if the source's first bit is set; its length
// is in the lower five bits of its first byte.
func (p *Packet) tokenRing(b []byte, n int) Class {
	const llcFrame, routed = 0x40, 0x80
	if len(b) < 14 {
		return short(n, 14)
	}
	if b[1]&0xc0 != llcFrame {
		return NotIP
	}
	size := 14
	if b[8]&routed != 0 {
		if len(b) < 15 {
			return short(n, 15)
		}
		if size += int(b[14] & 0x1f); size == 14 {
			return Malformed
		}
	}
	if len(b) < size {
		return short(n, size)
	}
	return p.llc(b[size:], n-size)
}

// fddi reads an FDDI header (ANSI X3.139, 7) of an asynchronous LLC frame:
//
//	frame control 1 | destination 6 | source 6 | LLC
func (p *Packet) fddi(b []byte, n int) Class {
	const asynchronousLLC = 0x50
	if len(b) < 13 {
		return short(n, 13)
	}
	if b[0]&0xf0 != asynchronousLLC {
		return NotIP
	}
	return p.llc(b[13:], n-13)
}

// arcnet reads an ARCnet header, in which the protocol stands at an offset
// (https://www.tcpdump.org/linktypes/LINKTYPE_ARCNET_BSD.html):
//
//	source 1 | destination 1 | offset 2, with Linux | protocol 1 | RFC 1201, 2:
//	split flag 1 | sequence number 2
//
// RFC 1051 has no split flag. Frames after the first of a split packet have no
// header of IP. With a split flag of 255 (RFC 1201, 2.3) the header is four bytes
// longer.
func (p *Packet) arcnet(b []byte, n, at int) Class {
	const simpleIP, splitIP, exception = 0xf0, 0xd4, 0xff
	if len(b) < at+1 {
		return short(n, at+1)
	}
	protocol := b[at]
	b, n = b[at+1:], n-at-1
	switch protocol {
	case simpleIP:
		return p.ipv4(b, n)
	case splitIP:
		if len(b) >= 4 && b[0] == exception && at == 2 {
			b, n = b[4:], n-4
		}
		if len(b) < 3 {
			return short(n, 3)
		}
		if flag := b[0]; flag == 0 || flag&1 != 0 {
			return p.ipv4(b[3:], n-3)
		}
	}
	return NotIP
}

// ipfc reads the header of IP over Fibre Channel (RFC 2625, 3.1): two addresses of
// eight bytes, and LLC.
func (p *Packet) ipfc(b []byte, n int) Class {
	if len(b) < 16 {
		return short(n, 16)
	}
	return p.llc(b[16:], n-16)
}

// typed reads a header of a fixed size with an EtherType at an offset: of IP over
// InfiniBand (40 bytes of global route header, then RFC 4391, 6: type 2 | reserved
// 2), IP over IEEE 1394 as Apple writes it (two addresses of 8 bytes | type 2),
// Ethernet with a tag of 4 bytes behind the addresses.
func (p *Packet) typed(b []byte, n, at, size int) Class {
	if len(b) < size {
		return short(n, size)
	}
	t := binary.BigEndian.Uint16(b[at:])
	if t <= maxLength {
		return p.ieee8023(t, b[size:], n-size)
	}
	return p.etherType(t, b[size:], n-size)
}

// marvell reads an Ethernet header with a tag of Marvell's switches in place of a
// VLAN tag, at an offset: 12, or 16 behind an EtherType of its own (EDSA;
// https://www.tcpdump.org/linktypes/LINKTYPE_DSA_TAG_DSA.html):
//
//	mode 2 bits | tagged 1 | device 5 | port 5, 3 flags | priority 3, flag 1, VLAN 12 | EtherType
func (p *Packet) marvell(b []byte, n, at int) Class {
	if len(b) < at+6 {
		return short(n, at+6)
	}
	if id := binary.BigEndian.Uint16(b[at+2:]) & 0xfff; id != 0 && b[at]&0x20 != 0 {
		p.wrap(VLANTags, uint64(id))
	}
	return p.typed(b, n, at+4, at+6)
}

// ax25 reads an AX.25 header (AX.25 Link Access Protocol 2.2, 3) of an information
// frame, numbered or not:
//
//	destination 7 | source 7 | repeaters 7 each | control 1 | protocol 1
//
// The last bit of the last address is set.
func (p *Packet) ax25(b []byte, n int) Class {
	const address, most, unnumbered, ip = 7, 10, 0x03, 0xcc
	size := 0
	for last := false; !last; {
		if size += address; size > most*address {
			return Malformed
		}
		if len(b) < size {
			return short(n, size)
		}
		last = b[size-1]&1 != 0
	}
	if len(b) < size+2 {
		return short(n, size+2)
	}
	if control := b[size]; control != unnumbered && control&1 != 0 || b[size+1] != ip {
		return NotIP
	}
	return p.ipv4(b[size+2:], n-size-2)
}

// kiss reads the byte in front of an AX.25 frame that tells a host's port and what the
// frame is (https://www.tcpdump.org/linktypes/LINKTYPE_AX25_KISS.html), 0 for data.
func (p *Packet) kiss(b []byte, n int) Class {
	if len(b) < 1 {
		return short(n, 1)
	}
	if b[0]&0xf != 0 {
		return NotIP
	}
	return p.ax25(b[1:], n-1)
}

// symantec reads the header of a Symantec firewall's capture of version 2, as Wireshark
// does: 44 bytes, with an EtherType behind the first six.
func (p *Packet) symantec(b []byte, n int) Class {
	const size = 44
	if len(b) < size {
		return short(n, size)
	}
	if binary.BigEndian.Uint16(b[4:]) != 0 { // version 3
		return NotIP
	}
	return p.etherType(binary.BigEndian.Uint16(b[6:]), b[size:], n-size)
}
