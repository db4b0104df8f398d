package decode

import "encoding/binary"

// cooked reads the header that Linux makes for captures on any device, version 1
// (LINKTYPE_LINUX_SLL):
//
//	packet type 2 | ARPHRD_ type 2 | address length 2 | address 8 | protocol 2
func (p *Packet) cooked(b []byte, n int) Class {
	if len(b) < 16 {
		return short(n, 16)
	}
	device := binary.BigEndian.Uint16(b[2:])
	return p.cookedPayload(device, binary.BigEndian.Uint16(b[14:]), b[16:], n-16)
}

// cooked2 reads its version 2 (LINKTYPE_LINUX_SLL2):
//
//	protocol 2 | reserved 2 | interface 4 | ARPHRD_ type 2 | packet type 1 |
//	address length 1 | address 8
func (p *Packet) cooked2(b []byte, n int) Class {
	if len(b) < 20 {
		return short(n, 20)
	}
	device := binary.BigEndian.Uint16(b[8:])
	return p.cookedPayload(device, binary.BigEndian.Uint16(b), b[20:], n-20)
}

// Device types (ARPHRD_) whose packets are not what the protocol field says, and
// the protocols that Linux made up for frames without an EtherType.
const (
	deviceGRE      = 778
	deviceRadiotap = 803
	deviceNetlink  = 824

	cookedEthernet = 3
	cookedLLC      = 4
	cookedPPP      = 7
	cookedMax      = 1536 // Linux takes 0x0600 itself for one of them
)

func (p *Packet) cookedPayload(device, protocol uint16, b []byte, n int) Class {
	switch {
	case device == deviceNetlink:
		return NotIP
	case protocol > cookedMax && device == deviceGRE:
		return p.grePayload(protocol, b, n)
	case protocol > cookedMax:
		return p.etherType(protocol, b, n)
	case device == deviceRadiotap:
		return p.radiotap(b, n)
	case protocol == cookedEthernet:
		return p.bridged(b, n)
	case protocol == cookedLLC:
		return p.llc(b, n)
	case protocol == cookedPPP:
		return p.pppHDLC(b, n)
	}
	return NotIP
}
