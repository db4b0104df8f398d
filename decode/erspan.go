package decode

import "encoding/binary"

// erspan reads the header of a mirrored frame, of type II or III; the type I has
// none (draft-foschiano-erspan-03, 4):
//
//	version 4 bits, VLAN 12 | class of service 3 bits, 2 more, truncated 1, session 10 |
//	II: reserved 12 bits, index 20
//	III: time 4 | group 2 | P 1 bit, frame type 5, hardware 6, direction 1, granularity 2, O 1 |
//	     O: platform 8
//
// The VLAN is that of the frame where the mirror took it off.
func (p *Packet) erspan(b []byte, n int) Class {
	const typeII, typeIII, platform, frameType = 1, 2, 0x01, 0x7c00
	if len(b) < 8 {
		return short(n, 8)
	}
	size := 8
	switch b[0] >> 4 {
	case typeII:
	case typeIII:
		size = 12
		if len(b) < size {
			return short(n, size)
		}
		if binary.BigEndian.Uint16(b[10:])&frameType != 0 { // no Ethernet
			return p.unknown()
		}
		if b[11]&platform != 0 {
			size += 8
		}
	default:
		return p.unknown()
	}
	if len(b) < size {
		return short(n, size)
	}
	p.wrap(TunnelEnds, uint64(binary.BigEndian.Uint16(b[2:])&0x3ff))
	return p.bridged(b[size:], n-size)
}
