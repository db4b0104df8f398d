package decode

import "encoding/binary"

// wifi reads an 802.11 data frame (IEEE 802.11-2016, 9.2.3 and 9.3.2.1). The
// numbers are little-endian:
//
//	version 2 bits, type 2, subtype 4 | flags 1 | duration 2 | address 1 6 | address 2 6 |
//	address 3 6 | fragment number 4 bits, sequence number 12 | address 4 6, between access points |
//	QoS control 2, in QoS frames | HT control 4, in QoS frames with the order flag
//
// padded is set where the capturing hardware put the payload on a multiple of four.
//
// Of an aggregate (A-MSDU) the first frame counts. Encrypted frames are not IP to
// us, and so are frames in fragments, which Wireshark puts together. A fragment
// number alone is no fragment yet if a SNAP header follows: some drivers put the
// frame together themselves and leave the number of the last piece.
func (p *Packet) wifi(b []byte, n int, padded bool) Class {
	const (
		toDS, fromDS, moreFragments, protected, order = 0x01, 0x02, 0x04, 0x40, 0x80

		dataFrame, noData, qos, aggregate = 0x08, 0x40, 0x80, 0x80
	)
	if len(b) < 24 {
		if len(b) > 0 && b[0]&0x0f != dataFrame {
			return NotIP
		}
		return short(n, 24)
	}
	flags, sequence := b[1], binary.LittleEndian.Uint16(b[22:])
	if b[0]&0x0f != dataFrame || b[0]&noData != 0 || flags&(protected|moreFragments) != 0 {
		return NotIP
	}
	destination, source := b[4:10], b[10:16]
	size := 24
	switch flags & (toDS | fromDS) {
	case fromDS:
		source = b[16:22]
	case toDS:
		destination = b[16:22]
	case toDS | fromDS:
		size = 30
		if len(b) < size {
			return short(n, size)
		}
		destination, source = b[16:22], b[24:30]
	}
	aggregated := false
	if b[0]&qos != 0 {
		if len(b) < size+2 {
			return short(n, size+2)
		}
		aggregated = b[size]&aggregate != 0
		size += 2
		if flags&order != 0 {
			size += 4
		}
	}
	if len(b) < size {
		return short(n, size)
	}
	if padded {
		if size = (size + 3) &^ 3; len(b) < size {
			return short(n, size)
		}
	}
	b, n = b[size:], n-size
	// A mesh control field (9.2.4.7.3) may follow: address extension mode 1 | TTL 1 |
	// sequence number 4 | 0, 1 or 2 addresses. The header's word on it is not
	// reliable; it is there if it leads to a SNAP header.
	if flags&fromDS != 0 && len(b) > 0 && b[0] <= 2 {
		mesh := 6 + 6*int(b[0])
		if len(b) < mesh+2 {
			return short(n, mesh+2)
		}
		if b[mesh] == 0xaa && b[mesh+1] == 0xaa {
			b, n = b[mesh:], n-mesh
		}
	}
	if sequence&0xf != 0 && (len(b) < 2 || b[0] != 0xaa || b[1] != 0xaa) {
		return NotIP
	}
	if aggregated && n > 4 {
		return p.firstOfAggregate(b, n)
	}
	return p.wifiPayload(b, n, destination, source, sequence)
}

// firstOfAggregate reads the first frame of an A-MSDU (IEEE 802.11-2016, 9.3.2.2):
//
//	destination 6 | source 6 | length 2, big-endian | LLC
func (p *Packet) firstOfAggregate(b []byte, n int) Class {
	if len(b) < 14 {
		return short(n, 14)
	}
	return p.ieee8023(binary.BigEndian.Uint16(b[12:]), b[14:], n-14)
}

// wifiPayload reads what an 802.11 data frame carries: LLC by the standard.
// Beside it some hardware sends whole Ethernet frames, known by the addresses
// of the 802.11 header at their front; two bytes of zero or of the sequence
// control field before the LLC header; or a plain EtherType (EPD).
func (p *Packet) wifiPayload(b []byte, n int, destination, source []byte, sequence uint16) Class {
	if len(b) < 2 {
		return short(n, 2)
	}
	if b[0] == 0xaa && b[1] == 0xaa {
		return p.llc(b, n)
	}
	if len(b) >= 12 && string(b[6:12]) == string(source) ||
		len(b) >= 6 && string(b[:6]) == string(destination) {
		return p.bridged(b, n)
	}
	switch t := binary.BigEndian.Uint16(b); {
	case t == 0 && len(b) >= 18 && string(b[6:12]) == string(destination) && string(b[12:18]) == string(source):
		return p.bridged(b[6:], n-6)
	case t == 0 || binary.LittleEndian.Uint16(b) == sequence:
		return p.llc(b[2:], n-2)
	case carried(t):
		return p.etherType(t, b[2:], n-2)
	}
	return p.llc(b, n)
}
