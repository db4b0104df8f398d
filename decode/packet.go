package decode

import (
	"encoding/binary"
	"net/netip"
)

// Class says what became of a packet. Every packet has exactly one.
type Class uint8

const (
	// Counted: the packet belongs to a TCP or UDP flow, or that of another protocol
	// that is wanted, and its ports are known.
	Counted Class = iota
	// OtherProtocol: IP, but no protocol that is wanted.
	OtherProtocol
	// NotIP: no IP header was found (ARP, LLDP, an unknown EtherType, …).
	NotIP
	// OrphanFragment: a later IP fragment whose first fragment was not seen.
	// Decode never returns it: who remembers first fragments decides.
	OrphanFragment
	// Truncated: the snap length cut the packet before what is needed.
	Truncated
	// Malformed: lengths or versions in the headers contradict each other.
	Malformed
	// LeftOut: a choice of the user left the packet out. Decode never returns it.
	LeftOut
	// Fragment: a later IP fragment, not yet matched with its first. It is an
	// intermediate answer, to be turned into Counted or OrphanFragment.
	Fragment

	// NumClasses is the number of classes, for arrays indexed by Class.
	NumClasses = int(Fragment) + 1
)

var classNames = [NumClasses]string{
	Counted:        "counted",
	OtherProtocol:  "other protocol",
	NotIP:          "not IP",
	OrphanFragment: "orphan fragment",
	Truncated:      "truncated",
	Malformed:      "malformed",
	LeftOut:        "left out",
	Fragment:       "fragment",
}

// String returns the name that the run's summary uses.
func (c Class) String() string {
	if int(c) < NumClasses {
		return classNames[c]
	}
	return "unknown class"
}

// An Addr is an IPv4 or IPv6 address as two machine words in big-endian order.
// An IPv4 address stands in the low 32 bits of Lo, with Hi = 0; Packet.V6
// tells the two apart.
type Addr struct{ Hi, Lo uint64 }

// IP returns the address in the form the edges of the program use.
func (a Addr) IP(v6 bool) netip.Addr {
	if !v6 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(a.Lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], a.Hi)
	binary.BigEndian.PutUint64(b[8:], a.Lo)
	return netip.AddrFrom16(b)
}

// Less reports whether a comes before b in the order of their bytes.
func (a Addr) Less(b Addr) bool { return a.Hi < b.Hi || a.Hi == b.Hi && a.Lo < b.Lo }

// A Packet is what the headers of one packet say. It is reused: Decode resets
// it first, and it holds no reference to the frame.
type Packet struct {
	Src, Dst Addr   // of the IP header directly above the transport header
	Seq, Ack uint32 // TCP; of a Fragment, its first 8 bytes as far as they were captured
	FragID   uint32 // identification, for FirstFragment and Fragment
	// Ports of TCP, UDP, UDP-Lite, SCTP and DCCP. Of ICMP and ICMPv6, the type
	// and its counterpart, below the halves of the identifier if they have one, or
	// the type and the code if it has no counterpart: see Ports; of ESP and AH,
	// the upper and the lower half of the security parameters index; 0 of others.
	SrcPort, DstPort uint16
	Proto            uint8 // the flow's protocol when Counted, FragProto when Fragment; see Decoder.settle
	FragProto        uint8 // the fragment key's protocol, for FirstFragment and Fragment
	Flags            uint8 // FIN SYN RST PSH ACK URG ECE CWR from bit 0; 0 for UDP
	RawFlags         uint8 // as they stand; Flags is 0 where the data offset is below 5
	Class            Class
	// InFragments is how many first fragments of tunnels' datagrams the packet
	// stands in, see Decoder.Around.
	InFragments uint8
	// At is, of a Fragment, where it begins in the datagram, in bytes; of a
	// FirstFragment that has the front of a TCP header alone, where the data offset
	// and the control bits stand that are lacking, and 0 of any other packet.
	At uint16
	// HeaderEnd is, of a FirstFragment with a TCP header, where that ends in the
	// datagram, in bytes: in one that lacks the data offset, where the least ends.
	HeaderEnd uint16
	// Encapsulation is a digest of those parts of the encapsulation that
	// Decoder.Encapsulation asks for, the same for both directions if the parts
	// are; 0 for none.
	Encapsulation uint64
	V6            bool // Src and Dst are IPv6 addresses
	Whole         bool // TCP, no fragment, and the IP length leaves at least its header
	FirstFragment bool // Counted, at offset 0 with more fragments to come
	OneWay        bool // what the ports stand for goes one way: the reverse is no packet of the flow

	// Where Details looks: the captured bytes of the frame from the IP header on
	// and from what follows it on, and how many of the latter are of the datagram,
	// on the wire.
	network, transport, size int32

	fragmented bool  // the bytes at hand are a part of a datagram
	front      uint8 // bytes of a Fragment that Seq and Ack have
	headers    uint8 // IP headers met
	frames     uint8 // Ethernet and PPI headers met inside others

	// Unread is, of a packet that is NotIP or OtherProtocol, what the last header
	// carries that is not read, where that header says so in a number.
	Unread Unread

	decoder *Decoder // while headers are read, and nil if that looks for TCP and UDP alone
}
