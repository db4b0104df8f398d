package decode

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// describe says what the tests look at.
func describe(p *Packet) string {
	src, dst := p.Src.IP(p.V6), p.Dst.IP(p.V6)
	switch p.Class {
	case Counted:
		names := map[uint8]string{1: "icmp", 6: "tcp", 17: "udp", 33: "dccp", 50: "esp", 51: "ah", 58: "icmpv6", 132: "sctp", 136: "udplite"}
		s := cmp.Or(names[p.Proto], fmt.Sprint("protocol ", p.Proto))
		srcPort, dstPort, identifier := Ports(p.Proto, p.SrcPort, p.DstPort)
		s += fmt.Sprintf(" %v > %v", netip.AddrPortFrom(src, srcPort), netip.AddrPortFrom(dst, dstPort))
		if identifier != 0 {
			s += fmt.Sprintf(" id %x", identifier)
		}
		if p.Proto == protoTCP {
			s += fmt.Sprintf(" flags %02x", p.Flags)
		}
		if p.Whole {
			s += " whole"
		}
		if p.OneWay {
			s += " one way"
		}
		if p.FirstFragment {
			s += fmt.Sprintf(" first of %d/%x", p.FragProto, p.FragID)
		}
		return s
	case Fragment:
		return fmt.Sprintf("fragment %v > %v of %d/%x", src, dst, p.FragProto, p.FragID)
	}
	return p.Class.String()
}

// What describe says of the headers built by the helpers.
const (
	tcp4 = "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 18 whole"
	tcp6 = "tcp [2001:db8::1]:49320 > [2001:db8::2]:443 flags 18 whole"
	udp4 = "udp 10.0.0.1:49320 > 192.0.2.2:53"
	udp6 = "udp [2001:db8::1]:49320 > [2001:db8::2]:53"
)

// with returns a copy of a frame with some of its bytes replaced.
func with(frame []byte, at int, text string) []byte {
	b := append([]byte(nil), frame...)
	copy(b[at:], bytesOf(text))
	return b
}

// repeat puts the same header n times before a payload.
func repeat(header string, n int, payload ...any) []byte {
	var b []byte
	for range n {
		b = append(b, bytesOf(header)...)
	}
	return append(b, join(payload...)...)
}

// row is one frame and what becomes of it.
type row struct {
	name     string
	linkType uint32
	frame    []byte
	cut      int // bytes that the snap length cut
	want     string
}

func testRows(t *testing.T, rows []row) {
	t.Helper()
	testRowsWith(t, nil, rows)
}

func testRowsWith(t *testing.T, d *Decoder, rows []row) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			frame := row.frame[:len(row.frame)-row.cut]
			var p Packet
			class := d.Decode(&p, row.linkType, frame, uint32(len(row.frame)))
			if got := describe(&p); got != row.want || class != p.Class {
				t.Errorf("link type %d, %d of %d bytes\n%x\n got %s\nwant %s", row.linkType, len(frame), len(row.frame), frame, got, row.want)
			}
		})
	}
}

func TestLinkLayers(t *testing.T) {
	tcp, tcpV6 := ipv4Packet(6, tcpHeader), ipv6Packet(6, tcpHeader)
	wlan := "02005e000001 02005e000002 02005e000003 1000" // addresses, sequence control
	snap := "aaaa03 000000"
	testRows(t, []row{
		{"Ethernet with IPv4", 1, ethernetIPv4(tcp), 0, tcp4},
		{"Ethernet with IPv6", 1, ethernetIPv6(tcpV6), 0, tcp6},
		{"ARP is not IP", 1, ethernetFrame("0806 0001 0800 06 04 0001", make([]byte, 20)), 0, "not IP"},
		{"LLDP is not IP", 1, ethernetFrame("88cc", make([]byte, 46)), 0, "not IP"},
		{"16 Ethernet frames inside one", 1, repeat(macs+"6558", 16, ethernetIPv4(tcp)), 0, tcp4},
		{"17 Ethernet frames inside one are too many", 1, repeat(macs+"6558", 17, ethernetIPv4(tcp)), 0, "malformed"},
		{"between a length and an EtherType is nothing", 1, ethernetFrame("05dd", tcp), 0, "not IP"},
		{"Ethernet cut in the header is truncated", 1, ethernetIPv4(tcp), 41, "truncated"},
		{"Ethernet of 13 bytes is malformed", 1, make([]byte, 13), 0, "malformed"},

		{"802.1Q", 1, ethernetFrame("8100 0064 0800", tcp), 0, tcp4},
		{"802.1ad and 802.1Q", 1, ethernetFrame("88a8 0064 8100 0065 86dd", tcpV6), 0, tcp6},
		{"0x9100 and 802.1Q", 1, ethernetFrame("9100 0064 8100 0065 0800", tcp), 0, tcp4},
		{"802.1Q cut", 1, ethernetFrame("8100 0064 0800", tcp), 41, "truncated"},
		{"802.1Q with a length", 1, ethernetFrame("8100 0064 0030", snap, "0800", tcp), 0, tcp4},
		{"802.1ad takes no length", 1, ethernetFrame("88a8 0064 0030", snap, "0800", tcp), 0, "not IP"},
		{"20 tags in a row", 1, ethernetFrame("", repeat("8100 0064", 20, "0800", tcp)), 0, tcp4},
		{"21 tags in a row are too many", 1, ethernetFrame("", repeat("8100 0064", 21, "0800", tcp)), 0, "malformed"},

		{"MPLS with IPv4", 1, ethernetFrame("8847 00010140", tcp), 0, tcp4},
		{"two MPLS labels with IPv6", 1, ethernetFrame("8847 00010040 00011140", tcpV6), 0, tcp6},
		{"MPLS with upstream labels", 1, ethernetFrame("8848 00010140", tcp), 0, tcp4},
		{"MPLS with an Ethernet frame", 1, ethernetFrame("8847 00010140", ethernetIPv4(tcp)), 0, tcp4},
		{"MPLS with a control word and an Ethernet frame", 1, ethernetFrame("8847 00010140 00000000", ethernetIPv4(tcp)), 0, tcp4},
		{"MPLS with a control word and a frame with a length", 1, ethernetFrame("8847 00010140 00000007", ethernetFrame("0030", snap, "0800", tcp)), 0, tcp4},
		{"MPLS with a frame with a length", 1, ethernetFrame("8847 00010140", ethernetFrame("0030", snap, "0800", tcp)), 0, tcp4},
		{"MPLS generic associated channel", 1, ethernetFrame("8847 0000d140", tcp), 0, "not IP"},
		{"MPLS with another first nibble", 1, ethernetFrame("8847 00010140 2000 0021", tcp), 0, "not IP"},
		{"MPLS cut in a label", 1, ethernetFrame("8847 00010040 00011140"), 1, "truncated"},
		{"MPLS without a bottom is malformed", 1, ethernetFrame("8847 00010040 00011040"), 0, "malformed"},
		{"32 MPLS labels", 1, ethernetFrame("8847", repeat("00010040", 31, "00010140", tcp)), 0, tcp4},
		{"33 MPLS labels are too many", 1, ethernetFrame("8847", repeat("00010040", 32, "00010140", tcp)), 0, "malformed"},

		{"PPPoE session with IPv4", 1, ethernetFrame("8864 11 00 0001 002a 0021", tcp), 0, tcp4},
		{"PPPoE session with IPv6", 1, ethernetFrame("8864 11 00 0001 003e 0057", tcpV6), 0, tcp6},
		{"PPPoE session, compressed protocol", 1, ethernetFrame("8864 11 00 0001 0029 21", tcp), 0, tcp4},
		{"PPPoE session with a credit tag", 1, ethernetFrame("8864 11 00 0001 0032 0106 0004 00000000 0021", tcp), 0, tcp4},
		{"PPPoE session with LCP", 1, ethernetFrame("8864 11 00 0001 000a c021 01010008 03c2 2305"), 0, "not IP"},
		{"PPPoE length too short for TCP", 1, ethernetFrame("8864 11 00 0001 0020 0021", tcp), 0, "malformed"},
		{"PPPoE discovery is not IP", 1, ethernetFrame("8863 11 09 0000 0000"), 0, "not IP"},

		{"802.3 with SNAP", 1, ethernetFrame("0030", snap, "0800", tcp), 0, tcp4},
		{"802.3 with SNAP bridge tunnel", 1, ethernetFrame("0030 aaaa03 0000f8 0800", tcp), 0, tcp4},
		{"802.3 with SNAP and a bridged frame", 1, ethernetFrame("0040 aaaa03 0080c2 0007 0000", ethernetIPv4(tcp)), 0, tcp4},
		{"802.3 with SNAP and a bridged frame with checksum", 1, ethernetFrame("0044 aaaa03 0080c2 0001 0000", ethernetIPv4(tcp), "00000000"), 0, tcp4},
		{"802.3 with SNAP of another organisation", 1, ethernetFrame("0030 aaaa03 00000c 2000", tcp), 0, "not IP"},
		{"802.3 with LLC and IP", 1, ethernetFrame("002b 060603", tcp), 0, tcp4},
		{"802.3 with LLC, numbered information", 1, ethernetFrame("002c 0606 0000", tcp), 0, tcp4},
		{"802.3 with LLC, supervisory", 1, ethernetFrame("002c 0606 0100", tcp), 0, "not IP"},
		{"802.3 with spanning tree", 1, ethernetFrame("0026 424203", make([]byte, 43)), 0, "not IP"},
		{"802.3 length too short for TCP", 1, ethernetFrame("0020", snap, "0800", tcp), 0, "malformed"},

		{"cooked v1", 113, join("0000 0001 0006 02005e0000010000 0800", tcp), 0, tcp4},
		{"cooked v1 with 802.1Q", 113, join("0000 0001 0006 02005e0000010000 8100 0064 86dd", tcpV6), 0, tcp6},
		{"cooked v1 with an Ethernet frame", 113, join("0000 0001 0006 02005e0000010000 0003", ethernetIPv4(tcp)), 0, tcp4},
		{"cooked v1 with LLC", 113, join("0000 0001 0006 02005e0000010000 0004", snap, "0800", tcp), 0, tcp4},
		{"cooked v1 with PPP", 113, join("0000 0200 0000 0000000000000000 0007 ff03 0021", tcp), 0, tcp4},
		{"cooked v1 with radiotap", 113, join("0000 0323 0006 02005e0000010000 0004 00000800 00000000 0801 0000", wlan, snap, "0800", tcp), 0, tcp4},
		{"cooked v1 with 0x0600, no EtherType to Linux, of a radiotap device", 113, join("0000 0323 0006 02005e0000010000 0600 00000800 00000000 0801 0000", wlan, snap, "0800", tcp), 0, tcp4},
		{"cooked v1 of a GRE device", 113, join("0000 030a 0004 0a00000100000000 6558", ethernetIPv4(tcp)), 0, tcp4},
		{"cooked v1 of netlink is not IP", 113, join("0000 0338 0000 0000000000000000 0800", tcp), 0, "not IP"},
		{"cooked v1 with CAN is not IP", 113, join("0000 0118 0000 0000000000000000 000c", tcp), 0, "not IP"},
		{"cooked v1 cut", 113, join("0000 0001 0006 02005e0000010000 0800"), 1, "truncated"},
		{"cooked v2", 276, join("0800 0000 00000001 0001 00 06 02005e0000010000", tcp), 0, tcp4},
		{"cooked v2 cut", 276, join("0800 0000 00000001 0001 00 06 02005e0000010000", tcp), 41, "truncated"},

		{"raw IP 12", 12, tcp, 0, tcp4},
		{"raw IP 14", 14, tcpV6, 0, tcp6},
		{"raw IP 101", 101, tcp, 0, tcp4},
		{"raw IP of neither version", 101, with(tcp, 0, "50"), 0, "not IP"},
		{"raw IP behind an HDLC header", 101, join("ff03 0021", tcp), 0, tcp4},
		{"raw IP behind one byte and an HDLC header", 101, join("01 ff03 0021", tcp), 0, tcp4},
		{"raw IP behind an ISDN driver's address", 101, join("010203040506 ff03 0021", tcp), 0, tcp4},
		{"raw IP behind ten bytes of zero", 101, join(make([]byte, 10), tcp), 0, tcp4},
		{"raw IPv4 228", 228, tcp, 0, tcp4},
		{"raw IPv6 229", 229, tcpV6, 0, tcp6},
		{"raw IPv6 in a capture of raw IPv4", 228, tcpV6, 0, tcp6},
		{"raw IPv4 in a capture of raw IPv6 is malformed", 229, tcp, 0, "malformed"},

		{"null, little-endian", 0, join("02000000", tcp), 0, tcp4},
		{"null, big-endian", 0, join("00000002", tcp), 0, tcp4},
		{"null, IPv6 on NetBSD", 0, join("18000000", tcpV6), 0, tcp6},
		{"null, IPv6 on FreeBSD", 0, join("1c000000", tcpV6), 0, tcp6},
		{"null, IPv6 on macOS", 0, join("0000001e", tcpV6), 0, tcp6},
		{"null, 16-bit family of IRIX", 0, join("0002 0000", tcp), 0, tcp4},
		{"null, EtherType of old Linux", 0, join("0000 86dd", tcpV6), 0, tcp6},
		{"null, PPP in HDLC framing", 0, join("ff03 0021", tcp), 0, tcp4},
		{"null, AppleTalk is not IP", 0, join("10000000", tcp), 0, "not IP"},
		{"loop", 108, join("00000002", tcp), 0, tcp4},
		{"loop, little-endian is nothing", 108, join("02000000", tcp), 0, "not IP"},

		{"PPP", 9, join("0021", tcp), 0, tcp4},
		{"PPP, compressed protocol", 9, join("57", tcpV6), 0, tcp6},
		{"PPP with HDLC address", 9, join("ff03 0021", tcp), 0, tcp4},
		{"PPP with MPLS", 9, join("0281 00010140", tcp), 0, tcp4},
		{"PPP in HDLC framing", 50, join("ff03 0057", tcpV6), 0, tcp6},
		{"PPP in HDLC framing, Cisco HDLC inside", 50, join("0f00 0800", tcp), 0, tcp4},
		{"PPP IPCP is not IP", 50, join("ff03 8021 01010004"), 0, "not IP"},
		{"Cisco HDLC", 104, join("0f00 0800", tcp), 0, tcp4},
		{"Cisco HDLC with IPv6", 104, join("8f00 86dd", tcpV6), 0, tcp6},
		{"Cisco HDLC with MPLS", 104, join("0f00 8847 00010140", tcp), 0, tcp4},
		{"Cisco HDLC with a bridged frame", 104, join("0f00 6558", ethernetIPv4(tcp)), 0, tcp4},
		{"Cisco SLARP is not IP", 104, join("8f00 8035 00000002", make([]byte, 14)), 0, "not IP"},

		{"802.11 to the access point", 105, join("0801 0000", wlan, snap, "0800", tcp), 0, tcp4},
		{"802.11 from the access point, QoS", 105, join("8802 0000", wlan, "0000", snap, "86dd", tcpV6), 0, tcp6},
		{"802.11 QoS with HT control", 105, join("8882 0000", wlan, "0000 00000000", snap, "0800", tcp), 0, tcp4},
		{"802.11 order flag without QoS", 105, join("0882 0000", wlan, snap, "0800", tcp), 0, tcp4},
		{"802.11 between access points", 105, join("0803 0000", wlan, "02005e000004", snap, "0800", tcp), 0, tcp4},
		{"802.11 mesh", 105, join("8803 0000", wlan, "02005e000004 0001  00 1f 00000001", snap, "0800", tcp), 0, tcp4},
		{"802.11 aggregate, first frame", 105, join("8801 0000", wlan, "8000", macs, "0030", snap, "0800", tcp, macs, "0004 aaaa0300"), 0, tcp4},
		{"802.11 with a whole Ethernet frame", 105, join("0801 0000", wlan, "02005e000003 02005e000002 0800", tcp), 0, tcp4},
		{"802.11 with a whole Ethernet frame of another sender", 105, join("0801 0000", wlan, "02005e000003 02005e000009 0800", tcp), 0, tcp4},
		{"802.11 with six bytes and a whole Ethernet frame", 105, join("0801 0000", wlan, "0000 00000000 02005e000003 02005e000002 0800", tcp), 0, tcp4},
		{"802.11 with six bytes, the first six the receiver's", 105, join("0801 0000", wlan, "02005e000003"), 0, "malformed"},
		{"802.11 with two bytes of zero", 105, join("0801 0000", wlan, "0000", snap, "0800", tcp), 0, tcp4},
		{"802.11 with the sequence control again", 105, join("0801 0000", wlan, "1000", snap, "0800", tcp), 0, tcp4},
		{"802.11 with an EtherType", 105, join("0801 0000", wlan, "86dd", tcpV6), 0, tcp6},
		{"802.11 encrypted is not IP", 105, join("0841 0000", wlan, snap, "0800", tcp), 0, "not IP"},
		{"802.11 fragment with more to come is not IP", 105, join("0805 0000", wlan, snap, "0800", tcp), 0, "not IP"},
		{"802.11 later fragment is not IP", 105, join("0801 0000 02005e000001 02005e000002 02005e000003 1100", tcpHeader), 0, "not IP"},
		{"802.11 fragment put together by the driver", 105, join("0801 0000 02005e000001 02005e000002 02005e000003 1100", snap, "0800", tcp), 0, tcp4},
		{"802.11 without data is not IP", 105, join("4801 0000", wlan), 0, "not IP"},
		{"802.11 beacon is not IP", 105, join("8000 0000", wlan, make([]byte, 12)), 0, "not IP"},
		{"802.11 acknowledgment is not IP", 105, join("d400 0000 02005e000001"), 0, "not IP"},
		{"802.11 cut", 105, join("0801 0000", wlan), 1, "truncated"},
		{"radiotap", 127, join("00 00 0800 00000000  0801 0000", wlan, snap, "0800", tcp), 0, tcp4},
		{"radiotap with time, padding and checksum", 127, join("00 00 1900 030000a0 00000020 00000000 0000000000000000 30  8801 0000", wlan, "0000 0000", snap, "0800", tcp, "00000000"), 0, tcp4},
		{"radiotap with padding flag", 127, join("00 00 0900 02000000 20  8801 0000", wlan, "0000 0000", snap, "0800", tcp), 0, tcp4},
		{"radiotap with two words of fields", 127, join("00 00 1900 03000080 00000000 00000000 0000000000000000 20  8801 0000", wlan, "0000 0000", snap, "0800", tcp), 0, tcp4},
		{"radiotap without captured data is not IP", 127, join("00 00 0900 00000004 00  0801 0000", wlan, snap, "0800", tcp), 0, "not IP"},
		{"radiotap of less than 8 bytes is malformed", 127, join("00 00 0700 00000000"), 0, "malformed"},
		{"PPI with 802.11", 192, join("00 00 0800 69000000  0801 0000", wlan, snap, "0800", tcp), 0, tcp4},
		{"PPI with Ethernet", 192, join("00 00 1000 01000000 3075 0400 00000000", ethernetIPv4(tcp)), 0, tcp4},
		{"PPI with padded fields", 192, join("00 01 1400 01000000 3075 0500 00000000 00 000000", ethernetIPv4(tcp)), 0, tcp4},
		{"PPI field longer than its header is malformed", 192, join("00 00 1000 01000000 3075 0500 00000000", ethernetIPv4(tcp)), 0, "malformed"},
		{"PPI in PPI without end is malformed", 192, repeat("00 00 0800 c0000000", 40), 0, "malformed"},

		{"an unknown link type is not IP", 147, ethernetIPv4(tcp), 0, "not IP"},
	})
}

func TestInternetProtocol(t *testing.T) {
	eth4 := func(payload ...any) []byte { return ethernetIPv4(join(payload...)) }
	eth6 := func(payload ...any) []byte { return ethernetIPv6(join(payload...)) }
	v4 := "45 00 0028 1234 0000 40 06 0000 0a000001 c0000202"
	nested := ipv4Packet(6, tcpHeader)
	for range 15 {
		nested = ipv4Packet(4, nested)
	}
	bridged := ipv4Packet(6, tcpHeader)
	for range 5 {
		bridged = ipv4Packet(47, "0000 6558", ethernetIPv4(bridged))
	}
	testRows(t, []row{
		{"IPv4 with options", 1, eth4("47 00 0030 1234 0000 40 06 0000", src4, dst4, "94040000 01010100", tcpHeader), 0, tcp4},
		{"IPv4 options cut", 1, eth4("47 00 0030 1234 0000 40 06 0000", src4, dst4, "94040000 01010100", tcpHeader), 21, "truncated"},
		{"IPv4 source route: the destination is its end", 1,
			eth4("48 00 0034 1234 0000 40 06 0000", src4, "0a000009", "01 83 0b 04 0a000008 c0000202", tcpHeader), 0, tcp4},
		{"IPv4 source route used up: the destination is the header's", 1,
			eth4("48 00 0034 1234 0000 40 06 0000", src4, dst4, "01 89 0b 0c 0a000008 0a000009", tcpHeader), 0, tcp4},
		{"IPv4 source route with the pointer at its last byte", 1,
			eth4("47 00 0030 1234 0000 40 06 0000", src4, "0a000009", "83 08 08 00 c0000202", tcpHeader), 0, tcp4},
		{"IPv4 source route behind an option of two bytes", 1,
			eth4("48 00 0034 1234 0000 40 06 0000", src4, "0a000009", "9402 83 07 04 c0000202 000000", tcpHeader), 0, tcp4},
		{"IPv4 header cut is truncated", 1, eth4(v4, tcpHeader), 21, "truncated"},
		{"IPv4 header length below 20 is malformed", 1, with(eth4(v4, tcpHeader), 14, "44"), 0, "malformed"},
		{"IPv4 version wrong for its EtherType is malformed", 1, with(eth4(v4, tcpHeader), 14, "75"), 0, "malformed"},
		{"IPv4 EtherType in front of IPv6 is read as IPv6", 1, ethernetIPv4(ipv6Packet(6, tcpHeader)), 0, tcp6},
		{"IPv6 EtherType in front of IPv4 is malformed", 1, ethernetIPv6(ipv4Packet(6, tcpHeader)), 0, "malformed"},
		{"IPv4 total length below the header's is malformed", 1, with(eth4(v4, tcpHeader), 16, "0013"), 0, "malformed"},
		{"IPv4 total length of the header alone is malformed", 1, with(eth4(v4, tcpHeader), 16, "0014"), 0, "malformed"},
		{"IPv4 total length too short for TCP is malformed", 1, with(eth4(v4, tcpHeader), 16, "0023"), 0, "malformed"},
		{"IPv4 total length 0 is segmentation offload", 1, with(eth4(v4, tcpHeader), 16, "0000"), 0, tcp4},
		{"IPv4 total length beyond the frame is let through", 1, with(eth4(v4, tcpHeader), 16, "0400"), 0, tcp4},
		{"Ethernet padding is no payload", 1, with(eth4(v4, tcpHeader, make([]byte, 6)), 16, "0020"), 0, "malformed"},
		{"IPv6 header cut is truncated", 1, eth6(ipv6Packet(6, tcpHeader)), 21, "truncated"},
		{"IPv6 payload length 0 is segmentation offload", 1, with(eth6(ipv6Packet(6, tcpHeader)), 18, "0000"), 0, tcp6},
		{"IPv6 payload length 0 behind destination options", 1, with(eth6(ipv6Packet(60, "06 00 0104 00000000", tcpHeader)), 18, "0000"), 0, tcp6},
		{"IPv6 payload length 0 behind hop-by-hop options without jumbo", 1, with(eth6(ipv6Packet(0, "06 00 0104 00000000", tcpHeader)), 18, "0000"), 0, tcp6},
		{"IPv6 payload length 0 with UDP of length 0", 1, with(eth6(ipv6Packet(17, with(udpHeader, 4, "0000"))), 18, "0000"), 0, udp6},
		{"IPv6 payload length 0 with nothing behind is malformed", 1, eth6(ipv6Packet(6)), 0, "malformed"},
		{"IPv6 payload length beyond the frame is let through", 1, with(eth6(ipv6Packet(6, tcpHeader)), 18, "0400"), 0, tcp6},

		{"IPv6 hop-by-hop", 1, eth6(ipv6Packet(0, "06 00 0502 0000 0100", tcpHeader)), 0, tcp6},
		{"IPv6 destination options, 16 bytes", 1, eth6(ipv6Packet(60, "11 01 010c", make([]byte, 12), udpHeader)), 0, udp6},
		{"IPv6 option beyond the packet is malformed", 1, eth6(ipv6Packet(60, "11 00 01ff 00000000", udpHeader)), 0, "malformed"},
		{"IPv6 routing: the destination is the header's", 1, eth6(ipv6Packet(43, "06 02 00 01 00000000 20010db8 00000000 00000000 00000009", tcpHeader)), 0, tcp6},
		{"IPv6 AH", 1, eth6(ipv6Packet(51, "06 04 0000 00000001 00000001", make([]byte, 12), tcpHeader)), 0, tcp6},
		{"IPv6 mobility", 1, eth6(ipv6Packet(135, "06 00 0000 0000 0000", tcpHeader)), 0, tcp6},
		{"IPv6 HIP", 1, eth6(ipv6Packet(139, "06 00 0000 0000 0000", tcpHeader)), 0, tcp6},
		{"IPv6 shim6", 1, eth6(ipv6Packet(140, "06 00 80 0000000001", tcpHeader)), 0, tcp6},
		{"IPv6 chain", 1, eth6(ipv6Packet(0, "2b 00 0104 00000000", "3c 00 fe 00 00000000", "33 00 0104 00000000", "11 01 0000 00000001 00000001", udpHeader)), 0, udp6},
		{"IPv6 no next header is another protocol", 1, eth6(ipv6Packet(59)), 0, "other protocol"},
		{"IPv6 extension header cut", 1, eth6(ipv6Packet(0, "06 01 010c", make([]byte, 12))), 1, "truncated"},
		{"IPv6 extension header beyond the payload is malformed", 1, eth6(ipv6Packet(0, "06 02 010c", make([]byte, 12))), 0, "malformed"},
		{"31 extension headers", 1, eth6(ipv6Packet(60, repeat("3c 00 0104 00000000", 30, "06 00 0104 00000000", tcpHeader))), 0, tcp6},
		{"32 extension headers are too many", 1, eth6(ipv6Packet(60, repeat("3c 00 0104 00000000", 31, "06 00 0104 00000000", tcpHeader))), 0, "malformed"},
		{"IPv4 with AH", 1, eth4(ipv4Packet(51, "06 04 0000 00000001 00000001", make([]byte, 12), tcpHeader)), 0, tcp4},

		{"4 in 4", 1, eth4(with(ipv4Packet(4, ipv4Packet(6, tcpHeader)), 12, "01010101 02020202")), 0, tcp4},
		{"4 in 6", 1, eth6(ipv6Packet(4, ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"6 in 4", 1, eth4(ipv4Packet(41, ipv6Packet(17, udpHeader))), 0, udp6},
		{"6 in 6", 1, eth6(with(ipv6Packet(41, ipv6Packet(6, tcpHeader)), 8, "fe80")), 0, tcp6},
		{"6 in 6 with its own extension headers", 1, eth6(ipv6Packet(43, "29 00 fe 00 00000000", ipv6Packet(0, "11 00 0104 00000000", udpHeader))), 0, udp6},
		{"GRE with IPv4", 1, eth4(ipv4Packet(47, "0000 0800", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with IPv6", 1, eth4(ipv4Packet(47, "0000 86dd", ipv6Packet(6, tcpHeader))), 0, tcp6},
		{"GRE with checksum", 1, eth4(ipv4Packet(47, "8000 0800 0000 0000", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with key", 1, eth4(ipv4Packet(47, "2000 0800 00000001", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with sequence number", 1, eth4(ipv4Packet(47, "1000 0800 00000001", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with all three", 1, eth6(ipv6Packet(47, "b000 0800 0000 0000 00000001 00000001", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with Ethernet", 1, eth4(ipv4Packet(47, "0000 6558", ethernetIPv4(ipv4Packet(6, tcpHeader)))), 0, tcp4},
		{"GRE with Ethernet, as MikroTik", 1, eth4(ipv4Packet(47, "0000 6400", ethernetIPv4(ipv4Packet(6, tcpHeader)))), 0, tcp4},
		{"GRE with MPLS", 1, eth4(ipv4Packet(47, "0000 8847 00010140", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with WCCP", 1, eth4(ipv4Packet(47, "0000 883e", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with WCCP version 2", 1, eth4(ipv4Packet(47, "0000 883e 00000000", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with PPP, as PPTP", 1, eth4(ipv4Packet(47, "3081 880b 002a0001 00000001 00000001 ff03 0021", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE with 802.11", 1, eth4(ipv4Packet(47, "0000 8200 0801 0000 02005e000001 02005e000002 02005e000003 1000 aaaa03 000000 0800", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"GRE cut", 1, eth4(ipv4Packet(47, "b000 0800 0000 0000 00000001 00000001")), 1, "truncated"},
		{"MPLS in IP", 1, eth4(ipv4Packet(137, "00010140", ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"Ethernet in IPv6", 1, eth6(ipv6Packet(143, ethernetIPv4(ipv4Packet(6, tcpHeader)))), 0, tcp4},
		{"ARP in GRE is another protocol", 1, eth4(ipv4Packet(47, "0000 6558", ethernetFrame("0806", make([]byte, 28)))), 0, "other protocol"},
		{"16 IP headers", 1, eth4(nested), 0, tcp4},
		{"17 IP headers are too many", 1, eth4(ipv4Packet(4, nested)), 0, "malformed"},
		{"Ethernet in GRE, over and over", 1, eth4(bridged), 0, tcp4},

		{"UDP tunnel is a UDP flow", 1, eth4(ipv4Packet(17, "c0a8 12b5 003a 0000  08000000 00000100", ethernetIPv4(ipv4Packet(6, tcpHeader)))), 0, "udp 10.0.0.1:49320 > 192.0.2.2:4789"},
		{"ICMP is another protocol", 1, eth4(ipv4Packet(1, "0800 0000 0001 0001")), 0, "other protocol"},
		{"ICMP error that quotes TCP is another protocol", 1, eth4(ipv4Packet(1, "0301 0000 0000 0000", ipv4Packet(6, tcpHeader))), 0, "other protocol"},
		{"SCTP is another protocol", 1, eth4(ipv4Packet(132, make([]byte, 20))), 0, "other protocol"},
		{"ESP is another protocol", 1, eth6(ipv6Packet(50, make([]byte, 20))), 0, "other protocol"},
	})
}

func TestFragments(t *testing.T) {
	later := "fragment 10.0.0.1 > 192.0.2.2 of "
	v6 := func(fragment string, payload ...any) []byte {
		return ethernetIPv6(ipv6Packet(44, fragment, join(payload...)))
	}
	testRows(t, []row{
		{"IPv4 first fragment has the ports and is not whole", 1, ethernetIPv4(ipv4Fragment(6, 0x2000, tcpHeader)), 0, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 18 first of 6/1234"},
		{"IPv4 later fragment", 1, ethernetIPv4(ipv4Fragment(17, 0x20b9, tcpHeader)), 0, later + "17/1234"},
		{"IPv4 last fragment", 1, ethernetIPv4(ipv4Fragment(6, 0x00b9, tcpHeader)), 0, later + "6/1234"},
		{"IPv4 later fragment needs no more than its header", 1, ethernetIPv4(ipv4Fragment(6, 0x00b9, tcpHeader)), 20, later + "6/1234"},
		{"IPv4 later fragment of a tunnel", 1, ethernetIPv4(ipv4Fragment(47, 0x00b9, tcpHeader)), 0, later + "47/1234"},
		{"IPv4 later fragment of ICMP is another protocol", 1, ethernetIPv4(ipv4Fragment(1, 0x00b9, tcpHeader)), 0, "other protocol"},
		{"IPv4 first fragment of ICMP is another protocol", 1, ethernetIPv4(ipv4Fragment(1, 0x2000, tcpHeader)), 0, "other protocol"},
		{"IPv4 don't fragment and the reserved bit are no fragment", 1, ethernetIPv4(ipv4Fragment(6, 0xc000, tcpHeader)), 0, tcp4},
		{"IPv4 first fragment with the front of a TCP header", 1, ethernetIPv4(ipv4Fragment(6, 0x2000, tcpHeader[:8])), 0, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 00 first of 6/1234"},
		{"IPv4 first fragment with the ports of TCP", 1, ethernetIPv4(ipv4Fragment(6, 0x2000, tcpHeader[:4])), 0, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 00 first of 6/1234"},
		{"IPv4 first fragment too short for ports is malformed", 1, ethernetIPv4(ipv4Fragment(6, 0x2000, tcpHeader[:3])), 0, "malformed"},
		{"IPv4 first fragment with TCP that the snap length cuts", 1, ethernetIPv4(ipv4Fragment(6, 0x2000, tcpHeader[:8])), 2, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 00 first of 6/1234"},
		{"IPv4 first fragment with ports that the snap length cuts", 1, ethernetIPv4(ipv4Fragment(6, 0x2000, tcpHeader[:8])), 5, "truncated"},
		{"IPv4 first fragment too short for UDP is malformed", 1, ethernetIPv4(ipv4Fragment(17, 0x2000, udpHeader[:4])), 0, "malformed"},
		{"IPv4 first fragment with AH is known by AH", 1, ethernetIPv4(ipv4Fragment(51, 0x2000, "11 01 0000 00000001 00000001", udpHeader)), 0, udp4 + " first of 51/1234"},
		{"fragmented tunnel: the flow's own header is whole", 1, ethernetIPv4(ipv4Fragment(4, 0x2000, ipv4Packet(6, tcpHeader))), 0, tcp4},
		{"fragment in a tunnel", 1, ethernetIPv4(ipv4Packet(4, ipv4Fragment(17, 0x2000, udpHeader))), 0, udp4 + " first of 17/1234"},
		{"IPv6 in a fragmented IPv4 is not whole", 1, ethernetIPv4(ipv4Fragment(41, 0x2000, ipv6Packet(6, tcpHeader))), 0, "tcp [2001:db8::1]:49320 > [2001:db8::2]:443 flags 18"},

		{"IPv6 first fragment", 1, v6("11 00 0001 0000abcd", udpHeader), 0, udp6 + " first of 17/abcd"},
		{"IPv6 later fragment", 1, v6("11 00 05a9 0000abcd", udpHeader), 0, "fragment 2001:db8::1 > 2001:db8::2 of 17/abcd"},
		{"IPv6 last fragment", 1, v6("06 00 05a8 0000abcd", udpHeader), 0, "fragment 2001:db8::1 > 2001:db8::2 of 6/abcd"},
		{"IPv6 fragment that is all", 1, v6("06 00 0000 0000abcd", tcpHeader), 0, tcp6},
		{"IPv6 later fragment of ICMPv6 is another protocol", 1, v6("3a 00 05a8 0000abcd", udpHeader), 0, "other protocol"},
		{"IPv6 first fragment with destination options is known by them", 1, v6("3c 00 0001 0000abcd", "11 00 0104 00000000", udpHeader), 0, udp6 + " first of 60/abcd"},
		{"IPv6 fragment header cut", 1, v6("11 00 05a9 0000abcd"), 1, "truncated"},
		{"IPv6 fragment of nothing is malformed", 1, v6("11 00 05a9 0000abcd"), 0, "malformed"},
	})
}

func TestTransport(t *testing.T) {
	tcp := func(header []byte) []byte { return ethernetIPv4(ipv4Packet(6, header)) }
	udp := func(header []byte) []byte { return ethernetIPv4(ipv4Packet(17, header)) }
	testRows(t, []row{
		{"TCP of 16 captured bytes", 1, tcp(tcpHeader), 4, tcp4},
		{"TCP of 15 captured bytes is truncated", 1, tcp(tcpHeader), 5, "truncated"},
		{"TCP of 16 bytes on the wire is not whole", 1, tcp(tcpHeader[:16]), 0, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 18"},
		{"TCP of 15 bytes on the wire is malformed", 1, tcp(tcpHeader[:15]), 0, "malformed"},
		{"TCP data offset beyond the IP length is not whole", 1, tcp(with(tcpHeader, 12, "60")), 0, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 18"},
		{"TCP data offset below 5 shows no flags", 1, tcp(with(tcpHeader, 12, "40")), 0, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 00 whole"},
		{"TCP bits above the eight are ignored", 1, tcp(with(tcpHeader, 12, "5fc2")), 0, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags c2 whole"},
		{"UDP of 8 captured bytes", 1, udp(join(udpHeader, "00")), 1, udp4},
		{"UDP of 7 captured bytes is truncated", 1, udp(udpHeader), 1, "truncated"},
		{"UDP of 7 bytes on the wire is malformed", 1, udp(udpHeader[:7]), 0, "malformed"},
		{"UDP length below 8 is malformed", 1, udp(with(udpHeader, 4, "0007")), 0, "malformed"},
		{"UDP length beyond the IP length is let through", 1, udp(with(udpHeader, 4, "0100")), 0, udp4},
		{"UDP length 0 over IPv4 is malformed", 1, udp(with(udpHeader, 4, "0000")), 0, "malformed"},
		{"UDP length 0 over IPv6 is a jumbogram's", 1, ethernetIPv6(ipv6Packet(17, with(udpHeader, 4, "0000"))), 0, udp6},
	})
}

func TestNumbers(t *testing.T) {
	var p Packet
	p.Decode(linkRaw, ipv4Packet(6, tcpHeader), 40)
	if p.Seq != 0x01020304 || p.Ack != 0x05060708 || p.RawFlags != 0x18 {
		t.Errorf("got sequence number %#x, acknowledgment number %#x, flags %#x", p.Seq, p.Ack, p.RawFlags)
	}
	p.Decode(linkRaw, ipv4Packet(6, with(tcpHeader, 12, "40")), 40)
	if p.RawFlags != 0x18 {
		t.Errorf("data offset 4: got raw flags %#x, want 0x18", p.RawFlags)
	}
}

// A jumbogram's length stands in the hop-by-hop header, and the frame is longer
// than an IP length can say.
func TestJumbogram(t *testing.T) {
	for _, test := range []struct{ header, want string }{
		{"06 00 c204 00010018", tcp6},
		{"06 01 00 0100 c204 00010018 0103 000000", tcp6},
		{"06 00 c204 ffffffff", tcp6},        // beyond the frame, as any length may be
		{"06 00 c204 0000ffff", "malformed"}, // too short for a jumbogram, so there is no length
		{"06 00 c104 00010018", tcp6},        // another option, so the length is the frame's
	} {
		frame := ethernetIPv6(join("60000000 0000 00 40", src6, dst6, test.header, tcpHeader))
		var p Packet
		p.Decode(LinkEthernet, frame, 14+40+0x10018)
		if got := describe(&p); got != test.want {
			t.Errorf("%s: got %s, want %s", test.header, got, test.want)
		}
	}
}

// The frame check sequence of an 802.11 frame is no payload, where the capture
// says that there is one. It shows where IP has no length of its own.
func TestFrameCheckSequence(t *testing.T) {
	wlan := "0801 0000 02005e000001 02005e000002 02005e000003 1000 aaaa03 000000 0800"
	offloaded := with(ipv4Packet(6, with(tcpHeader, 12, "60")), 2, "0000") // data offset 24
	whole, short := tcp4, "tcp 10.0.0.1:49320 > 192.0.2.2:443 flags 18"
	testRows(t, []row{
		{"radiotap without", 127, join("00 00 0900 02000000 00", wlan, offloaded, "00000000"), 0, whole},
		{"radiotap with", 127, join("00 00 0900 02000000 10", wlan, offloaded, "00000000"), 0, short},
		{"PPI without", 192, join("00 00 2000 69000000 0200 1400", make([]byte, 8), "0000", make([]byte, 10), wlan, offloaded, "00000000"), 0, whole},
		{"PPI with", 192, join("00 00 2000 69000000 0200 1400", make([]byte, 8), "0100", make([]byte, 10), wlan, offloaded, "00000000"), 0, short},
		{"PPI with, of another link type", 192, join("00 00 2000 01000000 0200 1400", make([]byte, 8), "0100", make([]byte, 10), ethernetIPv4(offloaded), "00000000"), 0, whole},
		{"SNAP without", 1, ethernetFrame("0044 aaaa03 0080c2 0007 0000", ethernetIPv4(offloaded), "00000000"), 0, whole},
		{"SNAP with", 1, ethernetFrame("0044 aaaa03 0080c2 0001 0000", ethernetIPv4(offloaded), "00000000"), 0, short},
	})
}

// A record with more captured bytes than it says were on the wire is believed.
func TestOriginalLengthTooShort(t *testing.T) {
	var p Packet
	p.Decode(linkRaw, ipv4Packet(6, tcpHeader), 5)
	if got := describe(&p); got != tcp4 {
		t.Errorf("got %s, want %s", got, tcp4)
	}
}

func TestDecodeResets(t *testing.T) {
	var p, fresh Packet
	p.Decode(LinkEthernet, ethernetIPv6(ipv6Packet(44, "06 00 0001 0000abcd", tcpHeader)), 1<<20)
	frame := ethernetIPv4(ipv4Packet(17, udpHeader))
	p.Decode(LinkEthernet, frame, uint32(len(frame)))
	fresh.Decode(LinkEthernet, frame, uint32(len(frame)))
	if p != fresh {
		t.Errorf("a used packet\n%+v\nis not a fresh one\n%+v", p, fresh)
	}
}

func TestClassNames(t *testing.T) {
	seen := map[string]bool{}
	for c := range Class(NumClasses) {
		if name := c.String(); name == "" || seen[name] {
			t.Errorf("class %d is named %q", c, name)
		} else {
			seen[name] = true
		}
	}
	if got := Class(NumClasses).String(); got != "unknown class" {
		t.Errorf("a class beyond the last is named %q", got)
	}
	for _, name := range []string{"counted", "other protocol", "not IP", "orphan fragment", "truncated", "malformed"} {
		if !seen[name] {
			t.Errorf("no class is named %q", name)
		}
	}
}

func TestAddr(t *testing.T) {
	for _, text := range []string{"0.0.0.0", "192.0.2.2", "255.255.255.255", "::", "::ffff:192.0.2.2", "2001:db8::1"} {
		want := netip.MustParseAddr(text)
		b := want.AsSlice()
		var packet []byte
		if want.Is4() {
			packet = with(ipv4Packet(6, tcpHeader), 12, fmt.Sprintf("%x", b))
		} else {
			packet = with(ipv6Packet(6, tcpHeader), 8, fmt.Sprintf("%x", b))
		}
		var p Packet
		p.Decode(linkRaw, packet, uint32(len(packet)))
		if got := p.Src.IP(p.V6); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// seeds returns one frame of every kind that the tests above know.
func seeds() []row {
	tcp, udpV6 := ipv4Packet(6, tcpHeader, "00"), ipv6Packet(17, udpHeader, "00")
	wlan := "02005e000001 02005e000002 02005e000003 1000"
	return []row{
		{"ipv4", LinkEthernet, ethernetIPv4(tcp), 0, ""},
		{"ipv6", LinkEthernet, ethernetIPv6(udpV6), 0, ""},
		{"options", LinkEthernet, ethernetIPv4(join("48 00 0034 1234 0000 40 06 0000", src4, "0a000009", "01 83 0b 04 0a000008 c0000202", tcpHeader)), 0, ""},
		{"fragment", LinkEthernet, ethernetIPv4(ipv4Fragment(17, 0x20b9, tcpHeader)), 0, ""},
		{"tags and labels", LinkEthernet, ethernetFrame("88a8 0064 8100 0065 8847 00010040 00011140", tcp), 0, ""},
		{"pppoe", LinkEthernet, ethernetFrame("8864 11 00 0001 003e 0057", udpV6), 0, ""},
		{"snap", LinkEthernet, ethernetFrame("0030 aaaa03 000000 0800", tcp), 0, ""},
		{"bridged snap", LinkEthernet, ethernetFrame("0044 aaaa03 0080c2 0001 0000", ethernetIPv4(tcp), "00000000"), 0, ""},
		{"pseudowire", LinkEthernet, ethernetFrame("8847 00010140 00000000", ethernetIPv4(tcp)), 0, ""},
		{"extensions", LinkEthernet, ethernetIPv6(ipv6Packet(0, "2b 00 0104 00000000", "3c 00 fe 00 00000000", "33 00 0104 00000000",
			"2c 01 0000 00000001 00000001", "87 00 0001 0000abcd", "11 00 0000 00000000", udpHeader)), 0, ""},
		{"jumbogram", LinkEthernet, ethernetIPv6(join("60000000 0000 00 40", src6, dst6, "06 00 c204 00010018", tcpHeader)), 0, ""},
		{"gre", LinkEthernet, ethernetIPv4(ipv4Packet(47, "b000 6558 0000 0000 00000001 00000001", ethernetIPv4(ipv4Packet(41, udpV6)))), 0, ""},
		{"pptp", LinkEthernet, ethernetIPv4(ipv4Packet(47, "3081 880b 002a0001 00000001 00000001 ff03 0021", tcp)), 0, ""},
		{"wccp", LinkEthernet, ethernetIPv4(ipv4Packet(47, "0000 883e 00000000", tcp)), 0, ""},
		{"icmp", LinkEthernet, ethernetIPv4(ipv4Packet(1, "0301 0000 0000 0000", tcp)), 0, ""},
		{"cooked", linkCooked, join("0000 0001 0006 02005e0000010000 0800", tcp), 0, ""},
		{"cooked radiotap", linkCooked, join("0000 0323 0006 02005e0000010000 0004 00000900 02000000 10 0801 0000", wlan, "aaaa03 000000 0800", tcp, "00000000"), 0, ""},
		{"cooked2", linkCooked2, join("86dd 0000 00000001 0001 00 06 02005e0000010000", udpV6), 0, ""},
		{"raw", linkRaw, join("010203040506 ff03 0021", tcp), 0, ""},
		{"ipv4 alone", linkIPv4, tcp, 0, ""},
		{"ipv6 alone", linkIPv6, udpV6, 0, ""},
		{"null", linkNull, join("02000000", tcp), 0, ""},
		{"loop", linkLoop, join("0000001c", udpV6), 0, ""},
		{"ppp", linkPPP, join("ff03 0281 00010140", tcp), 0, ""},
		{"hdlc", linkCiscoHDLC, join("0f00 0800", tcp), 0, ""},
		{"wifi", linkIEEE80211, join("8803 0000", wlan, "02005e000004 0001  00 1f 00000001 aaaa03 000000 0800", tcp), 0, ""},
		{"wifi aggregate", linkIEEE80211, join("8801 0000", wlan, "8000", macs, "0030 aaaa03 000000 0800", tcp), 0, ""},
		{"radiotap", linkRadiotap, join("00 00 1900 03000080 00000000 00000000 0000000000000000 30  8801 0000", wlan, "0000 0000 aaaa03 000000 0800", tcp, "00000000"), 0, ""},
		{"ppi", linkPPI, join("00 01 2000 69000000 0200 1400", make([]byte, 8), "01", make([]byte, 11), "0801 0000", wlan, "aaaa03 000000 0800", tcp, "00000000"), 0, ""},
	}
}

// Cut anywhere by the snap length, a frame stays what it was or is truncated. Cut
// on the wire as well, it is what the twin says.
func TestCutAnywhere(t *testing.T) {
	for _, seed := range seeds() {
		var whole, p Packet
		whole.Decode(seed.linkType, seed.frame, uint32(len(seed.frame)))
		if seed.name != "icmp" && whole.Class != Counted && whole.Class != Fragment {
			t.Errorf("%s: %s", seed.name, describe(&whole))
		}
		for size := range seed.frame {
			class := p.Decode(seed.linkType, seed.frame[:size:size], uint32(len(seed.frame)))
			if p.front, whole.front = 0, 0; class == Fragment || whole.At != 0 {
				whole.Seq, whole.Ack = p.Seq, p.Ack // as far as they are there
			}
			if class != Truncated && said(p) != said(whole) {
				t.Errorf("%s: %d of %d bytes: %s, whole: %s", seed.name, size, len(seed.frame), describe(&p), describe(&whole))
			}
			for wireLen := size; wireLen < len(seed.frame); wireLen++ {
				checkTwin(t, seed.linkType, seed.frame[:size:size], uint32(wireLen))
			}
		}
	}
}

// Bytes changed at random, a few at a time, give the packet that the twin reads.
func TestChangedBytes(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, seed := range seeds() {
		frame := make([]byte, len(seed.frame))
		for range 20000 {
			copy(frame, seed.frame)
			for range 1 + rng.IntN(4) {
				frame[rng.IntN(len(frame))] = byte(rng.Uint32())
			}
			size := len(frame)
			if rng.IntN(4) == 0 {
				size = rng.IntN(size + 1)
			}
			checkTwin(t, seed.linkType, frame[:size:size], uint32(len(frame)))
			if t.Failed() {
				return
			}
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	rows := seeds()
	var p Packet
	if n := testing.AllocsPerRun(100, func() {
		for _, row := range rows {
			p.Decode(row.linkType, row.frame, uint32(len(row.frame)))
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d frames, want 0", n, len(rows))
	}
}
