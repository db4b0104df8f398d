package ioutil

import "encoding/binary"

// Some writers put more between OrigLen and the frame and kept the ordinary
// magic: Nokia's IPSO 4 bytes, libpcap with A. Kuznetzov's patch of April 1999
// (ss990417, in Red Hat 6.1) the 8 of the modified format. Both are told from
// ordinary files by their first records, as Wireshark does. An ordinary file is
// one whose first record and the header behind it look so; of another one, the
// first three records must be faultless in one of those forms, and its header
// behind the first record must be there or the file end at that record.
var variants = [...]int{20, 24}

// chooseVariant sets the length of the record headers of a file with the
// ordinary magic.
func (c *Capture) chooseVariant(p *pcap) {
	var order binary.ByteOrder = binary.LittleEndian
	if p.bigEndian {
		order = binary.BigEndian
	}
	if c.flawless(p, order, pcapRecordLen, 2) {
		return
	}
	for _, header := range variants {
		if c.flawless(p, order, header, 4) {
			p.header = header
			return
		}
	}
}

// flawless reports whether nothing speaks against record headers of the given
// length in the first so many of them.
func (c *Capture) flawless(p *pcap, order binary.ByteOrder, header, count int) bool {
	const (
		sane = 262144
		year = 365 * 24 * 3600
	)
	first, at := int64(0), 0
	for i := range count {
		if !c.lookAhead(at + header) {
			rest := c.buf[c.pos+min(at, len(c.buf)-c.pos):]
			if header == pcapRecordLen || len(rest) == 0 {
				return len(rest) == 0 || i == 0 || c.cutHeader(rest, first, order)
			}
			return i > 1 // a file that is cut
		}
		b := c.buf[c.pos+at:]
		secs, usecs, l := int64(order.Uint32(b)), order.Uint32(b[4:]), p.lens(b)
		if i == 0 {
			first = secs
		}
		if usecs >= 1e6 || l.capLen > sane || l.capLen > l.origLen || l.origLen > 128<<20 {
			return false
		}
		if header != pcapRecordLen && (secs > first+year || secs < first-year || l.capLen == 0) {
			return false
		}
		if header == 24 {
			protocol := order.Uint16(b[20:])
			if order.Uint32(b[16:]) > 10000 || oddProtocol(protocol) || b[22] > 4 {
				return false
			}
		}
		at += header + int(l.capLen)
		if header != pcapRecordLen && !c.lookAhead(at) {
			return i > 1
		}
	}
	return true
}

// cutHeader reports whether the rest of an ordinary file seems to be the
// beginning of a record header.
func (c *Capture) cutHeader(rest []byte, first int64, order binary.ByteOrder) bool {
	const day = 24 * 3600
	if len(rest) != 4 && len(rest) != 8 { // what a variant with one record would leave
		return true
	}
	since := int64(order.Uint32(rest)) - first
	return -day < since && since < day
}

// oddProtocol reports whether a number can't be the protocol of the modified
// header: an EtherType, or one of Linux's own below 0x600.
func oddProtocol(protocol uint16) bool {
	return protocol > 0x17 && protocol < 0x600 && protocol != 0x60 && protocol != 0x200 && protocol != 0x400
}
