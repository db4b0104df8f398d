package ioutil

import (
	"encoding/binary"
	"fmt"
)

// The file header of snoop (RFC 1761, 2 and 3) and that of each record (4),
// big-endian:
//
//	0       8       12      16
//	| magic |   2   | link  |
//	0       4       8       12      16      20      24
//	|OrigLen|CapLen | size  | drops | secs  | usecs | frame, padding
//
// The size counts all of the record.
const (
	snoopMagic  = "snoop\x00\x00\x00"
	snoopHeader = 16
	snoopRecord = 24

	linkSunATM = 123
)

// startSnoop reads the file header.
func (c *Capture) startSnoop() error {
	if c.err = c.atLeast(snoopHeader); c.err != nil {
		return nil
	}
	b := c.buf[c.pos:]
	if version := binary.BigEndian.Uint32(b[8:]); version != 2 {
		return c.wrong(8, fmt.Errorf("snoop version %d: want 2", version))
	}
	network := binary.BigEndian.Uint32(b[12:])
	linkType, ok := snoopLinkType(network)
	if !ok {
		return c.wrong(12, fmt.Errorf("snoop datalink type %s: not read", snoopName(network)))
	}
	c.framing.linkType = linkType
	c.declare(linkType)
	c.keep(Interface{LinkType: linkType, Resolution: 1e-6})
	c.pos += snoopHeader
	if c.ring == nil && c.lookAhead(snoopRecord) { // spans ask for it, and they are of mapped files
		c.framing.since = int64(binary.BigEndian.Uint32(c.buf[c.pos+16:]))
	}
	return nil
}

// snoopLinkType returns the LINKTYPE_ number of a datalink type: those of RFC 1761, 3
// that have one, and those that Solaris added since.
func snoopLinkType(network uint32) (linkType uint32, ok bool) {
	switch network {
	case 0, 4: // IEEE 802.3, Ethernet
		return linkEthernet, true
	case 2: // IEEE 802.5
		return 6, true
	case 8:
		return 10, true // FDDI
	case 9, 14: // other, loopback: the family of addresses in front, as BSD's
		return 0, true
	case 16: // Fibre Channel
		return 122, true
	case 18: // ATM
		return linkSunATM, true
	}
	return 0, false
}

// snoopName returns the number of a datalink type that is not read, with its name in
// RFC 1761, 3 or on Solaris.
func snoopName(network uint32) string {
	names := map[uint32]string{1: "IEEE 802.4 token bus", 3: "IEEE 802.6 metro net", 5: "HDLC", 6: "character synchronous", 7: "IBM channel-to-channel", 26: "InfiniBand"}
	if name := names[network]; name != "" {
		return fmt.Sprintf("%d, %s", network, name)
	}
	return fmt.Sprint(network)
}

// snoopSize returns the length of a record.
func snoopSize(b []byte) (int, error) {
	capLen, size := binary.BigEndian.Uint32(b[4:]), binary.BigEndian.Uint32(b[8:])
	switch {
	case capLen > maxCapLen:
		return 0, fmt.Errorf("captured length %d of a record is over %d", capLen, maxCapLen)
	case size < snoopRecord+capLen:
		return 0, fmt.Errorf("length %d of a record: its header and captured length %d take %d", size, capLen, snoopRecord+capLen)
	case size > maxCapLen+maxData:
		return 0, fmt.Errorf("length %d of a record is over %d", size, maxCapLen+maxData)
	}
	return int(size), nil
}

// snoopPacket sets r to the packet of a record. Its microseconds are taken as
// those of pcap are, see [pcap.record].
func snoopPacket(r *Record, b []byte, linkType uint32) {
	secs, usecs := binary.BigEndian.Uint32(b[16:]), binary.BigEndian.Uint32(b[20:])
	r.Time = int64(secs)*second + int64(int32(usecs*1000))
	to := snoopRecord + min(int(binary.BigEndian.Uint32(b[4:])), maxData)
	r.Data = b[snoopRecord:to:to]
	r.OrigLen = min(binary.BigEndian.Uint32(b), maxOrigLen)
	if linkType == linkSunATM { // the header of Sun's driver is none of the frame's, says Wireshark
		r.OrigLen -= min(r.OrigLen, 4)
	}
	r.LinkType, r.Fine, r.FCS = linkType, false, 0
}

// likeSnoop returns the length of a record if it looks like one.
func likeSnoop(b []byte, since int64) int {
	origLen, capLen := binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	if origLen > saneLength || capLen > origLen || binary.BigEndian.Uint32(b[20:]) >= 1e6 || !near(int64(binary.BigEndian.Uint32(b[16:])), since) {
		return 0
	}
	size, err := snoopSize(b)
	if err != nil || size > snoopRecord+int(capLen)+64 { // some writers pad with more than RFC 1761 asks for
		return 0
	}
	return size
}
