package decode

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// udpPacket is an IPv4 packet with a UDP header from a port to another, in front
// of a payload.
func udpPacket(src, dst int, payload ...any) []byte {
	inside := join(payload...)
	return ipv4Packet(17, fmt.Sprintf("%04x %04x %04x 0000", src, dst, 8+len(inside)), inside)
}

// Headers of tunnels.
const (
	vxlanHeader  = "08 000000 000123 00"                        // RFC 7348, 5: I is set
	geneveHeader = "00 00 6558 000123 00"                       // RFC 8926, 3.4: no options, Ethernet
	l2tpHeader   = "0002 0001 0002"                             // RFC 2661, 3.1: data, version 2, tunnel 1, session 2
	teredoOrigin = "0000 b45f 3fffffee"                         // RFC 4380, 5.1.1
	teredoAuth   = "0001 00 00 0102030405060708 00"             // RFC 4380, 5.1.1: no identifier, no value
	teredoLong   = "0001 02 03 aabb ccddee 0102030405060708 00" // the same with both
)

// gtpuPacket is a G-PDU with optional fields and extension headers before a
// packet (3GPP TS 29.281, 5.1).
func gtpuPacket(flags string, more string, payload []byte) []byte {
	b := join(flags, "ff 0000 00000042", more, payload)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)-8))
	return b
}

func TestProtocols(t *testing.T) {
	eth4 := func(proto byte, payload ...any) []byte { return ethernetIPv4(ipv4Packet(proto, payload...)) }
	eth6 := func(proto byte, payload ...any) []byte { return ethernetIPv6(ipv6Packet(proto, payload...)) }
	icmp := func(kind string) []byte { return eth4(1, kind, "0000 a1b2 0002") }
	icmpv6 := func(kind string) []byte { return eth6(58, kind, "0000 a1b2 0002") }
	at := func(ports string) string {
		src, dst, _ := strings.Cut(ports, " > ")
		return fmt.Sprintf(" 10.0.0.1:%s > 192.0.2.2:%s", src, dst)
	}
	at6 := func(ports string) string {
		src, dst, _ := strings.Cut(ports, " > ")
		return fmt.Sprintf(" [2001:db8::1]:%s > [2001:db8::2]:%s", src, dst)
	}
	quoted := ipv4Packet(6, tcpHeader)
	ah := "11 04 0000 00a1b2c3 00000001 00000000 00000000 00000000" // RFC 4302, 2: UDP follows

	testRowsWith(t, decoderOf("all", "none"), []row{
		// RFC 792; Community ID: a message with an answer has its type and the answer's.
		{"echo", 1, icmp("08 00"), 0, "icmp" + at("8 > 0") + " id a1b2"},
		{"echo reply: the other way round", 1, icmp("00 00"), 0, "icmp" + at("0 > 8") + " id a1b2"},
		{"router advertisement", 1, icmp("09 00"), 0, "icmp" + at("9 > 10")},
		{"router solicitation", 1, icmp("0a 00"), 0, "icmp" + at("10 > 9")},
		{"timestamp", 1, icmp("0d 00"), 0, "icmp" + at("13 > 14") + " id a1b2"},
		{"timestamp reply", 1, icmp("0e 00"), 0, "icmp" + at("14 > 13") + " id a1b2"},
		{"information request", 1, icmp("0f 00"), 0, "icmp" + at("15 > 16") + " id a1b2"},
		{"information reply", 1, icmp("10 00"), 0, "icmp" + at("16 > 15") + " id a1b2"},
		{"address mask request", 1, icmp("11 00"), 0, "icmp" + at("17 > 18") + " id a1b2"},
		{"address mask reply", 1, icmp("12 00"), 0, "icmp" + at("18 > 17") + " id a1b2"},
		{"a code in a message with an answer has no say", 1, icmp("08 05"), 0, "icmp" + at("8 > 0") + " id a1b2"},
		{"destination unreachable: type and code, one way", 1, icmp("03 01"), 0, "icmp" + at("3 > 1") + " one way"},
		{"time exceeded", 1, icmp("0b 00"), 0, "icmp" + at("11 > 0") + " one way"},
		{"an ICMP error that quotes TCP is an ICMP flow", 1, eth4(1, "0303 0000 0000 0000", quoted), 0, "icmp" + at("3 > 3") + " one way"},
		{"ICMP of 8 captured bytes", 1, eth4(1, "0800 0000 0001 0002 00"), 1, "icmp" + at("8 > 0") + " id 1"},
		{"ICMP of 7 captured bytes is truncated", 1, icmp("08 00"), 1, "truncated"},
		{"ICMP of 7 bytes on the wire is malformed", 1, eth4(1, "0800 0000 0001 00"), 0, "malformed"},
		{"ICMPv6 in IPv4 keeps its own types", 1, eth4(58, "8000 0000 0001 0002"), 0, "icmpv6" + at("128 > 129") + " id 1"},

		{"echo request, v6", 1, icmpv6("80 00"), 0, "icmpv6" + at6("128 > 129") + " id a1b2"},
		{"echo reply, v6", 1, icmpv6("81 00"), 0, "icmpv6" + at6("129 > 128") + " id a1b2"},
		{"listener query", 1, icmpv6("82 00"), 0, "icmpv6" + at6("130 > 131")},
		{"listener report", 1, icmpv6("83 00"), 0, "icmpv6" + at6("131 > 130")},
		{"listener done", 1, icmpv6("84 00"), 0, "icmpv6" + at6("132 > 0") + " one way"},
		{"router solicitation, v6", 1, icmpv6("85 00"), 0, "icmpv6" + at6("133 > 134")},
		{"router advertisement, v6", 1, icmpv6("86 00"), 0, "icmpv6" + at6("134 > 133")},
		{"neighbor solicitation", 1, icmpv6("87 00"), 0, "icmpv6" + at6("135 > 136")},
		{"neighbor advertisement", 1, icmpv6("88 00"), 0, "icmpv6" + at6("136 > 135")},
		{"redirect", 1, icmpv6("89 00"), 0, "icmpv6" + at6("137 > 0") + " one way"},
		{"node information query", 1, icmpv6("8b 01"), 0, "icmpv6" + at6("139 > 140")},
		{"node information response", 1, icmpv6("8c 00"), 0, "icmpv6" + at6("140 > 139")},
		{"listener report of version 2", 1, icmpv6("8f 00"), 0, "icmpv6" + at6("143 > 0") + " one way"},
		{"home agent discovery request", 1, icmpv6("90 00"), 0, "icmpv6" + at6("144 > 145") + " id a1b2"},
		{"home agent discovery reply", 1, icmpv6("91 00"), 0, "icmpv6" + at6("145 > 144") + " id a1b2"},
		{"packet too big", 1, icmpv6("02 00"), 0, "icmpv6" + at6("2 > 0") + " one way"},

		// RFC 9260, 3.1: ports, verification tag, checksum.
		{"SCTP", 1, eth4(132, "80e8 0007 00000001 00000000"), 0, "sctp" + at("33000 > 7")},
		{"SCTP of 11 captured bytes is truncated", 1, eth4(132, "80e8 0007 00000001 00000000"), 1, "truncated"},
		{"SCTP of 11 bytes on the wire is malformed", 1, eth4(132, "80e8 0007 00000001 000000"), 0, "malformed"},
		// RFC 4340, 5.1: ports, data offset, CCVal and CsCov, checksum, type, sequence number.
		{"DCCP", 1, eth6(33, "80e8 0007 04 00 0000 00 000000"), 0, "dccp" + at6("33000 > 7")},
		{"DCCP of 11 captured bytes is truncated", 1, eth6(33, "80e8 0007 04 00 0000 00 000000"), 1, "truncated"},
		// RFC 3828, 3.1: ports, checksum coverage, checksum.
		{"UDP-Lite that covers all", 1, eth4(136, "80e8 0007 0000 0000"), 0, "udplite" + at("33000 > 7")},
		{"UDP-Lite that covers its header", 1, eth4(136, "80e8 0007 0008 0000"), 0, "udplite" + at("33000 > 7")},
		{"UDP-Lite that covers less is malformed", 1, eth4(136, "80e8 0007 0007 0000"), 0, "malformed"},
		{"UDP-Lite of 7 captured bytes is truncated", 1, eth4(136, "80e8 0007 0000 0000"), 1, "truncated"},
		// RFC 4303, 2: SPI, sequence number.
		{"ESP by its SPI, one way", 1, eth4(50, "00a1b2c3 00000001"), 0, "esp" + at("161 > 45763") + " one way"},
		{"ESP of 7 captured bytes is truncated", 1, eth4(50, "00a1b2c3 00000001"), 1, "truncated"},
		{"IGMP by the addresses", 1, eth4(2, "1600 0000 e0000001"), 0, "protocol 2" + at("0 > 0")},
		{"OSPF needs no byte of its own", 1, eth6(89, "0301"), 2, "protocol 89" + at6("0 > 0")},
		{"no next header", 1, eth6(59), 0, "protocol 59" + at6("0 > 0")},

		{"AH is looked through to UDP", 1, eth4(51, ah, udpHeader), 0, udp4},
		{"AH is looked through to ESP", 1, eth4(51, with(bytesOf(ah), 0, "32"), "00000007 00000001"), 0, "esp" + at("0 > 7") + " one way"},
		{"AH before no next header is AH, by its SPI, one way", 1, eth4(51, with(bytesOf(ah), 0, "3b")), 0, "ah" + at("161 > 45763") + " one way"},
		{"AH before UDP cut is truncated", 1, eth4(51, ah, udpHeader), 1, "truncated"},
		{"AH before malformed UDP is malformed", 1, eth4(51, ah, udpHeader[:7]), 0, "malformed"},
		{"mobility before no next header is mobility", 1, eth6(135, "3b 00 0000 0000 0000"), 0, "protocol 135" + at6("0 > 0")},
		{"destination options before no next header have no flow", 1, eth6(60, "3b 00 0104 00000000"), 0, "protocol 59" + at6("0 > 0")},
		{"GRE is looked through to ICMP", 1, eth4(47, "0000 0800", ipv4Packet(1, "0800 0000 0001 0001")), 0, "icmp" + at("8 > 0") + " id 1"},
		{"GRE with ERSPAN of an unknown version is GRE", 1, eth4(47, "1000 88be 00000001 3000 0000 00000000", ethernetIPv4(quoted)), 0, "protocol 47" + at("0 > 0")},
		{"GRE with ARP is GRE", 1, eth4(47, "0000 6558", ethernetFrame("0806", make([]byte, 28))), 0, "protocol 47" + at("0 > 0")},
		{"IP in IP with a malformed packet is malformed", 1, eth4(4, with(quoted, 0, "75")), 0, "malformed"},
		{"a UDP tunnel is a UDP flow", 1, ethernetIPv4(udpPacket(49320, 4789, vxlanHeader, ethernetIPv4(quoted))), 0, "udp 10.0.0.1:49320 > 192.0.2.2:4789"},

		{"first fragment of ICMP", 1, ethernetIPv4(ipv4Fragment(1, 0x2000, "0800 0000 0001 0002")), 0, "icmp" + at("8 > 0") + " id 1 first of 1/1234"},
		{"later fragment of ICMP", 1, ethernetIPv4(ipv4Fragment(1, 0x00b9, "0800 0000 0001 0002")), 0, "fragment 10.0.0.1 > 192.0.2.2 of 1/1234"},
		{"first fragment of a protocol without ports", 1, ethernetIPv4(ipv4Fragment(89, 0x2000, "00")), 0, "protocol 89" + at("0 > 0") + " first of 89/1234"},
		{"later fragment of it", 1, ethernetIPv4(ipv4Fragment(89, 0x00b9, "00")), 0, "fragment 10.0.0.1 > 192.0.2.2 of 89/1234"},
		{"first fragment of GRE without more", 1, ethernetIPv4(ipv4Fragment(47, 0x2000, "0000 0001")), 0, "protocol 47" + at("0 > 0") + " first of 47/1234"},
	})
	testRowsWith(t, decoderOf("icmp", "none"), []row{
		{"TCP is another protocol if it is not asked for", 1, eth4(6, tcpHeader), 0, "other protocol"},
		{"nothing is needed of it", 1, eth4(6, tcpHeader), 19, "other protocol"},
		{"UDP too", 1, eth4(17, udpHeader), 7, "other protocol"},
		{"whatever its length says", 1, eth4(17, with(udpHeader, 4, "0007")), 0, "other protocol"},
		{"its later fragments too", 1, ethernetIPv4(ipv4Fragment(17, 0x00b9, tcpHeader)), 0, "other protocol"},
		{"SCTP too", 1, eth4(132, make([]byte, 12)), 0, "other protocol"},
		{"ICMP is not", 1, icmp("08 00"), 0, "icmp" + at("8 > 0") + " id a1b2"},
		{"ARP is not IP", 1, ethernetFrame("0806", make([]byte, 28)), 0, "not IP"},
		{"IPv4 cut is truncated", 1, icmp("08 00"), 9, "truncated"},
	})
	testRowsWith(t, decoderOf("ah,gre", "none"), []row{
		{"AH before what is not asked for is AH", 1, eth4(51, ah, udpHeader), 0, "ah" + at("161 > 45763") + " one way"},
		{"however short that is", 1, eth4(51, ah, udpHeader), 8, "ah" + at("161 > 45763") + " one way"},
		{"AH cut is truncated", 1, eth4(51, ah, udpHeader), 9, "truncated"},
		{"the last of two in a row counts", 1, eth4(47, "0000 0800", ipv4Packet(51, ah, udpHeader)), 0, "ah" + at("161 > 45763") + " one way"},
		{"GRE with TCP is GRE, by the addresses above it", 1, with(eth4(47, "0000 0800", ipv4Packet(6, tcpHeader)), 14+12, "01010101 02020202"), 0, "protocol 47 1.1.1.1:0 > 2.2.2.2:0"},
	})
}

func TestTunnels(t *testing.T) {
	tcp, tcpV6 := ipv4Packet(6, tcpHeader), ipv6Packet(6, tcpHeader)
	with4 := func(src, dst int, payload ...any) []byte { // its addresses differ from those inside
		return with(ethernetIPv4(udpPacket(src, dst, payload...)), 14+12, "01010101 02020202")
	}
	outer := func(src, dst int) string { return fmt.Sprintf("udp 1.1.1.1:%d > 2.2.2.2:%d", src, dst) }
	arp := ethernetFrame("0806 0001 0800 06 04 0001", make([]byte, 20))
	nested := tcp
	for range 15 {
		nested = udpPacket(49320, 4789, vxlanHeader, ethernetIPv4(nested))
	}
	testRowsWith(t, decoderOf("tcp,udp", "all"), []row{
		{"VXLAN", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(tcp)), 0, tcp4},
		{"VXLAN of Linux", 1, with4(49320, 8472, vxlanHeader, ethernetIPv6(tcpV6)), 0, tcp6},
		{"VXLAN over IPv6", 1, ethernetIPv6(ipv6Packet(17, "c0a8 12b5 0046 0000", vxlanHeader, ethernetIPv4(tcp))), 0, tcp4},
		{"VXLAN over IPv6, a jumbogram", 1, ethernetIPv6(ipv6Packet(17, "c0a8 12b5 0000 0000", vxlanHeader, ethernetIPv4(tcp))), 0, tcp4},
		{"VXLAN with a tag inside", 1, with4(49320, 4789, vxlanHeader, ethernetFrame("8100 0064 0800", tcp)), 0, tcp4},
		{"VXLAN with a group policy: other bits have no say", 1, with4(49320, 4789, "88 000001 000123 00", ethernetIPv4(tcp)), 0, tcp4},
		{"VXLAN without I is UDP", 1, with4(49320, 4789, "00 000000 000123 00", ethernetIPv4(tcp)), 0, outer(49320, 4789)},
		{"VXLAN's port as source is UDP", 1, with4(4789, 49320, vxlanHeader, ethernetIPv4(tcp)), 0, outer(4789, 49320)},
		{"VXLAN with ARP is UDP", 1, with4(49320, 4789, vxlanHeader, arp), 0, outer(49320, 4789)},
		{"VXLAN with ICMP is UDP if ICMP is not asked for", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(ipv4Packet(1, "0800 0000 0001 0001"))), 0, outer(49320, 4789)},
		{"VXLAN with a packet that contradicts itself is UDP", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(with(tcp, 0, "75"))), 0, outer(49320, 4789)},
		{"VXLAN with a later fragment", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(ipv4Fragment(6, 0x00b9, "00"))), 0, "fragment 10.0.0.1 > 192.0.2.2 of 6/1234"},
		{"GTP-U in a fragment, longer than that", 1, ethernetIPv4(ipv4Fragment(17, 0x2000, "c0a8 0868 0430 0000 30 ff 0428 00000001", tcp)), 0, tcp4},
		{"L2TP in a fragment, longer than that", 1, ethernetIPv4(ipv4Fragment(17, 0x2000, "c0a8 06a5 0430 0000 4002 0428 0001 0002 ff03 0021", tcp)), 0, tcp4},
		{"Teredo in a fragment, longer than that", 1, ethernetIPv4(ipv4Fragment(17, 0x2000, "c0a8 0dd8 0430 0000", with(tcpV6, 4, "0400"))), 0, strings.TrimSuffix(tcp6, " whole")},
		{"VXLAN shorter than its header is UDP", 1, with4(49320, 4789, "08 000000 000123"), 0, outer(49320, 4789)},
		{"VXLAN by the length of UDP, too", 1, with(with4(49320, 4789, vxlanHeader, ethernetIPv4(tcp)), 14+20+4, "000f"), 0, outer(49320, 4789)},
		{"VXLAN with the header cut is truncated", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(tcp)), 55, "truncated"},
		{"VXLAN with TCP cut is truncated", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(tcp)), 5, "truncated"},
		{"VXLAN in fragments: the first one has the flow inside", 1, with(with4(49320, 4789, vxlanHeader, ethernetIPv4(tcp)), 14+6, "2000"), 0, tcp4},
		{"VXLAN in fragments with ARP: the first one is UDP's", 1, with(with4(49320, 4789, vxlanHeader, arp), 14+6, "2000"), 0, outer(49320, 4789) + " first of 17/1234"},
		{"15 VXLAN in VXLAN: 16 IP headers", 1, ethernetIPv4(nested), 0, tcp4},
		{"one more is too many: the last one counts as UDP", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(nested)), 0, "udp 10.0.0.1:49320 > 192.0.2.2:4789"},

		{"Geneve", 1, with4(49320, 6081, geneveHeader, ethernetIPv4(tcp)), 0, tcp4},
		{"Geneve with IPv4 and options", 1, with4(49320, 6081, "02 40 0800 000123 00 0103 8001 00000000", tcp), 0, tcp4},
		{"Geneve with IPv6", 1, with4(49320, 6081, "00 00 86dd 000123 00", tcpV6), 0, tcp6},
		{"Geneve of version 1 is UDP", 1, with4(49320, 6081, with(bytesOf(geneveHeader), 0, "40"), ethernetIPv4(tcp)), 0, outer(49320, 6081)},
		{"Geneve's control message is UDP", 1, with4(49320, 6081, with(bytesOf(geneveHeader), 1, "80"), ethernetIPv4(tcp)), 0, outer(49320, 6081)},
		{"Geneve with more options than bytes is UDP", 1, with4(49320, 6081, with(bytesOf(geneveHeader), 0, "3f"), ethernetIPv4(tcp)), 0, outer(49320, 6081)},
		{"Geneve with options cut is truncated", 1, with4(49320, 6081, "02 40 0800 000123 00 0103 8001 00000000", tcp), 41, "truncated"},
		{"Geneve with ARP is UDP", 1, with4(49320, 6081, geneveHeader, arp), 0, outer(49320, 6081)},
		{"Geneve's port as source is UDP", 1, with4(6081, 49320, geneveHeader, ethernetIPv4(tcp)), 0, outer(6081, 49320)},

		{"GTP-U", 1, with4(49320, 2152, gtpuPacket("30", "", tcp)), 0, tcp4},
		{"GTP-U with IPv6", 1, with4(2152, 2152, gtpuPacket("30", "", tcpV6)), 0, tcp6},
		{"GTP-U with a sequence number", 1, with4(2152, 2152, gtpuPacket("32", "0007 00 00", tcp)), 0, tcp4},
		{"GTP-U with a number of no meaning where an extension's type stands", 1, with4(2152, 2152, gtpuPacket("32", "0007 00 85", tcp)), 0, tcp4},
		{"GTP-U with an extension header", 1, with4(2152, 2152, gtpuPacket("34", "0000 00 85  01 1009 00", tcp)), 0, tcp4},
		{"GTP-U with two, one of eight bytes", 1, with4(2152, 2152, gtpuPacket("36", "0001 00 85  01 1009 c0  02 0000 00000000 00", tcp)), 0, tcp4},
		{"GTP-U with an extension header of no length is UDP", 1, with4(2152, 2152, gtpuPacket("34", "0000 00 85  00 1009 00", tcp)), 0, outer(2152, 2152)},
		{"GTP-U with an extension header cut is truncated", 1, with4(2152, 2152, gtpuPacket("34", "0000 00 85  01 1009 00", tcp)), 41, "truncated"},
		{"GTP-U's echo request is UDP", 1, with4(2152, 2152, "32 01 0004 00000000 0007 0000"), 0, outer(2152, 2152)},
		{"GTP-U of another version is UDP", 1, with4(2152, 2152, gtpuPacket("50", "", tcp)), 0, outer(2152, 2152)},
		{"GTP' is UDP", 1, with4(2152, 2152, gtpuPacket("20", "", tcp)), 0, outer(2152, 2152)},
		{"GTP-U longer than UDP is UDP", 1, with4(2152, 2152, with(gtpuPacket("30", "", tcp), 2, "0029")), 0, outer(2152, 2152)},
		{"GTP-U with neither version of IP is UDP", 1, with4(2152, 2152, gtpuPacket("30", "", ethernetIPv4(tcp))), 0, outer(2152, 2152)},
		{"GTP-U's port as source is UDP", 1, with4(2152, 49320, gtpuPacket("30", "", tcp)), 0, outer(2152, 49320)},

		{"L2TP", 1, with4(1701, 1701, l2tpHeader, "ff03 0021", tcp), 0, tcp4},
		{"L2TP, the answer to another port", 1, with4(1701, 49320, l2tpHeader, "ff03 0021", tcp), 0, tcp4},
		{"L2TP, PPP without address", 1, with4(49320, 1701, l2tpHeader, "0057", tcpV6), 0, tcp6},
		{"L2TP with a length", 1, with4(1701, 1701, "4002 0034 0001 0002 ff03 0021", tcp), 0, tcp4},
		{"L2TP with sequence numbers", 1, with4(1701, 1701, "0802 0001 0002 0007 0000 ff03 0021", tcp), 0, tcp4},
		{"L2TP with an offset", 1, with4(1701, 1701, "0202 0001 0002 0003 000000 ff03 0021", tcp), 0, tcp4},
		{"L2TP with all three and priority", 1, with4(1701, 1701, "4b02 003b 0001 0002 0007 0000 0001 00 ff03 0021", tcp), 0, tcp4},
		{"L2TP's control message is UDP", 1, with4(1701, 1701, "c802 000c 0001 0000 0001 0001"), 0, outer(1701, 1701)},
		{"L2TP of version 3 is UDP", 1, with4(1701, 1701, "0003 0000 00000001 ff03 0021", tcp), 0, outer(1701, 1701)},
		{"L2TP longer than UDP is UDP", 1, with4(1701, 1701, "4002 0035 0001 0002 ff03 0021", tcp), 0, outer(1701, 1701)},
		{"L2TP shorter than its header is UDP", 1, with4(1701, 1701, "4002 0007 0001 0002 ff03 0021", tcp), 0, outer(1701, 1701)},
		{"L2TP with an offset beyond the end is UDP", 1, with4(1701, 1701, "0202 0001 0002 0100 ff03 0021", tcp), 0, outer(1701, 1701)},
		{"L2TP with nothing in it is UDP", 1, with4(1701, 1701, l2tpHeader), 0, outer(1701, 1701)},
		{"L2TP with LCP is UDP", 1, with4(1701, 1701, l2tpHeader, "ff03 c021 01010008 03c2 2305"), 0, outer(1701, 1701)},
		{"L2TP cut is truncated", 1, with4(1701, 1701, l2tpHeader, "ff03 0021", tcp), 46, "truncated"},

		{"Teredo", 1, with4(49320, 3544, tcpV6), 0, tcp6},
		{"Teredo, the answer", 1, with4(3544, 49320, tcpV6), 0, tcp6},
		{"Teredo with an origin", 1, with4(3544, 49320, teredoOrigin, tcpV6), 0, tcp6},
		{"Teredo with authentication", 1, with4(49320, 3544, teredoAuth, tcpV6), 0, tcp6},
		{"Teredo with both", 1, with4(3544, 49320, teredoLong, teredoOrigin, tcpV6), 0, tcp6},
		{"Teredo with both in the wrong order is UDP", 1, with4(3544, 49320, teredoOrigin, teredoAuth, tcpV6), 0, outer(3544, 49320)},
		{"Teredo with IPv4 is UDP", 1, with4(49320, 3544, tcp, make([]byte, 8)), 0, outer(49320, 3544)},
		{"Teredo longer than UDP is UDP", 1, with4(49320, 3544, with(tcpV6, 4, "0015")), 0, outer(49320, 3544)},
		{"Teredo's bubble is UDP", 1, with4(49320, 3544, ipv6Packet(59)), 0, outer(49320, 3544)},
		{"Teredo with ICMPv6 is UDP if ICMPv6 is not asked for", 1, with4(49320, 3544, ipv6Packet(58, "8500 0000 0000 0000")), 0, outer(49320, 3544)},
		{"Teredo cut is truncated", 1, with4(49320, 3544, tcpV6), 21, "truncated"},

		{"GRE in VXLAN", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(ipv4Packet(47, "0000 0800", tcp))), 0, tcp4},
		{"VXLAN in GRE", 1, ethernetIPv4(ipv4Packet(47, "0000 0800", with4(49320, 4789, vxlanHeader, ethernetIPv4(tcp))[14:])), 0, tcp4},
		{"another port is UDP", 1, with4(49320, 4790, vxlanHeader, ethernetIPv4(tcp)), 0, outer(49320, 4790)},
	})
	testRowsWith(t, decoderOf("all", "vxlan,teredo"), []row{
		{"a tunnel that is not asked for is UDP", 1, with4(49320, 6081, geneveHeader, ethernetIPv4(tcp)), 0, outer(49320, 6081)},
		{"VXLAN with ICMP", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(ipv4Packet(1, "0800 0000 0001 0001"))), 0, "icmp 10.0.0.1:8 > 192.0.2.2:0 id 1"},
		{"VXLAN with OSPF has no ports", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(ipv4Packet(89))), 0, "protocol 89 10.0.0.1:0 > 192.0.2.2:0"},
		{"VXLAN with GRE that carries ARP is GRE", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(ipv4Packet(47, "0000 6558", arp))), 0, "protocol 47 10.0.0.1:0 > 192.0.2.2:0"},
		{"Teredo's bubble is UDP even so", 1, with4(49320, 3544, ipv6Packet(59)), 0, outer(49320, 3544)},
	})
	testRowsWith(t, decoderOf("tcp,gre", "vxlan"), []row{
		{"a tunnel is looked through though UDP is not asked for", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(tcp)), 0, tcp4},
		{"with ARP it is another protocol", 1, with4(49320, 4789, vxlanHeader, arp), 0, "other protocol"},
		{"with a malformed packet too", 1, with4(49320, 4789, vxlanHeader, ethernetIPv4(with(tcp, 0, "75"))), 0, "other protocol"},
		{"in GRE it is GRE", 1, ethernetIPv4(ipv4Packet(47, "0000 0800", udpPacket(49320, 4789, vxlanHeader, arp))), 0, "protocol 47 10.0.0.1:0 > 192.0.2.2:0"},
		{"a later fragment may be one of a tunnel", 1, ethernetIPv4(ipv4Fragment(17, 0x00b9, "00")), 0, "fragment 10.0.0.1 > 192.0.2.2 of 17/1234"},
	})
}

// tunnelSeeds returns frames that only a Decoder with choices reads to their end.
func tunnelSeeds() []row {
	tcp, tcpV6 := ipv4Packet(6, tcpHeader, "00"), ipv6Packet(6, tcpHeader, "00")
	return []row{
		{"icmp", LinkEthernet, ethernetIPv4(ipv4Packet(1, "0800 0000 0001 0001 61")), 0, ""},
		{"icmpv6", LinkEthernet, ethernetIPv6(ipv6Packet(58, "8700 0000 00000000", src6)), 0, ""},
		{"sctp", LinkEthernet, ethernetIPv4(ipv4Packet(132, "80e8 0007 00000001 00000000 0b00 0004")), 0, ""},
		{"esp", LinkEthernet, ethernetIPv4(ipv4Packet(50, "00a1b2c3 00000001 00")), 0, ""},
		{"udplite", LinkEthernet, ethernetIPv4(ipv4Packet(136, "80e8 0007 0008 0000 00")), 0, ""},
		{"dccp", LinkEthernet, ethernetIPv6(ipv6Packet(33, "80e8 0007 04 00 0000 00 000000 00")), 0, ""},
		{"ah", LinkEthernet, ethernetIPv6(ipv6Packet(51, "3b 04 0000 00a1b2c3 00000001 00000000 00000000 00000000")), 0, ""},
		{"mobility", LinkEthernet, ethernetIPv6(ipv6Packet(135, "3b 00 0000 0000 0000")), 0, ""},
		{"fragment of gre", LinkEthernet, ethernetIPv4(ipv4Fragment(47, 0x2000, "0000 0001")), 0, ""},
		{"fragment of icmp", LinkEthernet, ethernetIPv4(ipv4Fragment(1, 0x2001, "00")), 0, ""},
		{"gre with ospf", LinkEthernet, ethernetIPv4(ipv4Packet(47, "0000 0800", ipv4Packet(89, "00"))), 0, ""},
		{"vxlan", LinkEthernet, ethernetIPv4(udpPacket(49320, 4789, vxlanHeader, ethernetIPv4(tcp))), 0, ""},
		{"vxlan with arp", LinkEthernet, ethernetIPv4(udpPacket(49320, 8472, vxlanHeader, ethernetFrame("0806", make([]byte, 28)))), 0, ""},
		{"geneve", LinkEthernet, ethernetIPv4(udpPacket(49320, 6081, "02 40 86dd 000123 00 0103 8001 00000000", tcpV6)), 0, ""},
		{"gtpu", LinkEthernet, ethernetIPv4(udpPacket(2152, 2152, gtpuPacket("36", "0001 00 85  01 1009 c0  02 0000 00000000 00", tcp))), 0, ""},
		{"l2tp", LinkEthernet, ethernetIPv4(udpPacket(1701, 49320, "4b02 003c 0001 0002 0007 0000 0001 00 ff03 0021", tcp)), 0, ""},
		{"teredo", LinkEthernet, ethernetIPv4(udpPacket(3544, 49320, teredoLong, teredoOrigin, tcpV6)), 0, ""},
		{"vxlan in geneve", LinkEthernet, ethernetIPv4(udpPacket(1, 6081, geneveHeader, ethernetIPv4(udpPacket(2, 4789, vxlanHeader, ethernetIPv4(ipv4Packet(1, "0000 0000 0001 0001")))))), 0, ""},
	}
}

// What a frame is cut to stays what it was or is truncated, whatever is asked
// for; cut on the wire as well, it is what the twin says.
func TestCutAnywhereWithChoices(t *testing.T) {
	for _, seed := range append(seeds(), tunnelSeeds()...) {
		for i, c := range choices {
			d := decoderOf(c.protocols, c.tunnels)
			var whole, p Packet
			d.Decode(&whole, seed.linkType, seed.frame, uint32(len(seed.frame)))
			for size := range len(seed.frame) + 1 {
				class := d.Decode(&p, seed.linkType, seed.frame[:size:size], uint32(len(seed.frame)))
				if class != Truncated && (class != whole.Class || class == Counted && said(p) != said(whole)) {
					t.Errorf("%s: asked for %s, %s: %d of %d bytes: %s, whole: %s", seed.name, c.protocols, c.tunnels, size, len(seed.frame), describe(&p), describe(&whole))
				}
				for wireLen := size; wireLen <= len(seed.frame); wireLen += 1 + i {
					checkChoice(t, i, seed.linkType, seed.frame[:size:size], uint32(wireLen))
				}
			}
		}
	}
}

func TestChangedBytesWithChoices(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for _, seed := range append(seeds(), tunnelSeeds()...) {
		frame := make([]byte, len(seed.frame))
		for i := range 4000 {
			copy(frame, seed.frame)
			for range 1 + rng.IntN(3) {
				frame[rng.IntN(len(frame))] = byte(rng.Uint32())
			}
			size := len(frame)
			if rng.IntN(4) == 0 {
				size = rng.IntN(size + 1)
			}
			checkChoice(t, i%len(choices), seed.linkType, frame[:size:size], uint32(len(frame)))
		}
	}
}

// A Decoder that was told nothing decodes as Packet.Decode does, and what one
// packet said is forgotten with the next.
func TestDecoderResets(t *testing.T) {
	var zero Decoder
	asked := decoderOf("all", "all")
	frames := append(seeds(), tunnelSeeds()...)
	frames = append(frames,
		row{"arp", LinkEthernet, ethernetFrame("0806", make([]byte, 28)), 0, ""},
		row{"malformed", LinkEthernet, ethernetIPv4(with(ipv4Packet(6, tcpHeader), 0, "75")), 0, ""})
	for _, seed := range frames {
		var p, q, r, fresh Packet
		n := uint32(len(seed.frame))
		p.Decode(seed.linkType, seed.frame, n)
		zero.Decode(&q, seed.linkType, seed.frame, n)
		if said(p) != said(q) {
			t.Errorf("%s: %s, with a Decoder %s", seed.name, describe(&p), describe(&q))
		}
		asked.Decode(&r, LinkEthernet, ethernetIPv4(udpPacket(1, 4789, vxlanHeader)), 100)
		asked.Decode(&r, seed.linkType, seed.frame, n)
		decoderOf("all", "all").Decode(&fresh, seed.linkType, seed.frame, n)
		if r != fresh {
			t.Errorf("%s: a used packet\n%+v\nis not a fresh one\n%+v", seed.name, r, fresh)
		}
	}
}

func TestDecoderAllocatesNothing(t *testing.T) {
	rows := append(seeds(), tunnelSeeds()...)
	d := decoderOf("all", "all")
	var p Packet
	if n := testing.AllocsPerRun(100, func() {
		for _, row := range rows {
			d.Decode(&p, row.linkType, row.frame, uint32(len(row.frame)))
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d frames, want 0", n, len(rows))
	}
}

func TestDetailsOfOtherProtocols(t *testing.T) {
	d := decoderOf("all", "all")
	for _, test := range []struct {
		rule    string
		packet  []byte
		header  uint8
		payload string
	}{
		{"ICMP 8", ipv4Packet(1, "0800 0000 0001 0001", "6162"), 8, "6162"},
		{"ICMPv6 8", ipv6Packet(58, "8000 0000 0001 0001", "6162"), 8, "6162"},
		{"SCTP 12", ipv4Packet(132, "80e8 0007 00000001 00000000", "6162"), 12, "6162"},
		{"UDP-Lite 8", ipv4Packet(136, "80e8 0007 0000 0000", "6162"), 8, "6162"},
		{"ESP 8", ipv4Packet(50, "00a1b2c3 00000001", "6162"), 8, "6162"},
		{"DCCP 0", ipv4Packet(33, "80e8 0007 04 00 0000 00 000000"), 0, "80e8 0007 04 00 0000 00 000000"},
		{"OSPF 0", ipv4Packet(89, "6162"), 0, "6162"},
		{"GRE that is a flow 0", ipv4Packet(47, "0000 0001 6162"), 0, "0000 0001 6162"},
		{"a UDP flow that was looked into 8", udpPacket(49320, 4789, vxlanHeader, ethernetFrame("0806", "6162")), 8, vxlanHeader + macs + "0806 6162"},
		{"a TCP flow inside: its own 20", udpPacket(49320, 4789, vxlanHeader, ethernetIPv4(ipv4Packet(6, tcpHeader, "6162"))), 20, "6162"},
	} {
		var p Packet
		var details Details
		d.Decode(&p, linkRaw, test.packet, uint32(len(test.packet)))
		payload := p.Details(&details, test.packet)
		if want := bytesOf(test.payload); details.HeaderLen != test.header || int(details.Payload) != len(want) || string(payload) != string(want) || details.TTL != 64 {
			t.Errorf("%s: got %+v and % x", test.rule, details, payload)
		}
	}
}

func TestChoicesText(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"tcp,udp", "tcp,udp"}, {"udp,tcp", "tcp,udp"}, {"17", "udp"}, {"all", "all"}, {"icmp,icmpv6,sctp,udplite,esp,ah,47", "icmp,gre,esp,ah,icmpv6,sctp,udplite"},
		{"255,6", "tcp,255"},
	} {
		var p Protocols
		err := p.UnmarshalText([]byte(test.text))
		if got, _ := p.MarshalText(); string(got) != test.want || err != nil {
			t.Errorf("protocols %s: got %s, %v, want %s", test.text, got, err, test.want)
		}
	}
	for _, test := range []struct{ text, want string }{
		{"all", "vxlan,geneve,gtpu,l2tp,teredo,l2tpv3"}, {"teredo,vxlan", "vxlan,teredo"}, {"none", "none"},
	} {
		var tunnels Tunnels
		err := tunnels.UnmarshalText([]byte(test.text))
		if got, _ := tunnels.MarshalText(); string(got) != test.want || err != nil {
			t.Errorf("tunnels %s: got %s, %v, want %s", test.text, got, err, test.want)
		}
	}
	for _, text := range []string{"", "tcp,", "TCP", "tcp,all", "0", "43", "44", "60", "256", "-1", "none", "tcp udp"} {
		if new(Protocols).UnmarshalText([]byte(text)) == nil {
			t.Errorf("protocols %q are taken", text)
		}
		if text != "none" && new(Tunnels).UnmarshalText([]byte(text)) == nil {
			t.Errorf("tunnels %q are taken", text)
		}
	}
	if text, _ := (Protocols{}).MarshalText(); string(text) != "tcp,udp" {
		t.Errorf("the zero Protocols are %s", text)
	}
}

// gopacketInside reads a frame with gopacket's layers, through VXLAN, Geneve and
// GTP-U, as describe gives the flow, without what is of TCP alone. It is "" where
// gopacket finds an error, fragments or nothing, and where it is known to differ:
// it asks nothing of the flags of VXLAN and of Geneve, and takes ports of tunnels
// as sources too.
func gopacketInside(linkType uint32, frame []byte) (says, names string) {
	packet := gopacket.NewPacket(frame, layers.LinkType(linkType), gopacket.NoCopy)
	if packet.ErrorLayer() != nil {
		return "", ""
	}
	var src, dst netip.Addr
	all := packet.Layers()
	for i, layer := range all {
		var next gopacket.LayerType
		if i+1 < len(all) {
			next = all[i+1].LayerType()
		}
		names += ":" + layer.LayerType().String()
		at := func(name string, srcPort, dstPort uint16) string {
			return fmt.Sprintf("%s %v > %v", name, netip.AddrPortFrom(src, srcPort), netip.AddrPortFrom(dst, dstPort))
		}
		switch layer := layer.(type) {
		case *layers.IPv4:
			if layer.Version != 4 || layer.Flags&layers.IPv4MoreFragments != 0 || layer.FragOffset != 0 || slices.ContainsFunc(layer.Options, isSourceRoute) {
				return "", names
			}
			src, _ = netip.AddrFromSlice(layer.SrcIP)
			dst, _ = netip.AddrFromSlice(layer.DstIP)
		case *layers.IPv6:
			src, _ = netip.AddrFromSlice(layer.SrcIP)
			dst, _ = netip.AddrFromSlice(layer.DstIP)
		case *layers.IPv6Fragment:
			return "", names
		case *layers.TCP:
			return at("tcp", uint16(layer.SrcPort), uint16(layer.DstPort)), names
		case *layers.IPSecESP: // gopacket reads the SPI alone
			return at("esp", uint16(layer.SPI>>16), uint16(layer.SPI)), names
		case *layers.SCTP:
			return at("sctp", uint16(layer.SrcPort), uint16(layer.DstPort)), names
		case *layers.ICMPv4:
			says = at("icmp", uint16(layer.TypeCode.Type()), pairOr(1, layer.TypeCode.Type(), layer.TypeCode.Code()))
			if slices.Contains([]uint8{0, 8, 13, 14, 15, 16, 17, 18}, layer.TypeCode.Type()) && layer.Id != 0 {
				says += fmt.Sprintf(" id %x", layer.Id)
			}
			return says, names
		case *layers.ICMPv6:
			says = at("icmpv6", uint16(layer.TypeCode.Type()), pairOr(58, layer.TypeCode.Type(), layer.TypeCode.Code()))
			if echo, ok := all[min(i+1, len(all)-1)].(*layers.ICMPv6Echo); ok && echo.Identifier != 0 {
				says += fmt.Sprintf(" id %x", echo.Identifier)
			}
			return says, names
		case *layers.UDP:
			says = at("udp", uint16(layer.SrcPort), uint16(layer.DstPort))
			if next != layers.LayerTypeVXLAN && next != layers.LayerTypeGeneve && next != layers.LayerTypeGTPv1U {
				return says, names
			}
			if layer.DstPort != 4789 && layer.DstPort != 6081 && layer.DstPort != 2152 {
				return "", names
			}
		case *layers.VXLAN:
			if !layer.ValidIDFlag {
				return "", names
			}
		case *layers.Geneve:
			if layer.Version != 0 || layer.OAMPacket {
				return "", names
			}
		}
	}
	return says, names
}

// pairOr is the type that a type of ICMP goes with, or the code.
func pairOr(proto int, kind, code uint8) uint16 {
	pairs := map[int]string{1: "8-0 0-8 10-9 9-10 13-14 14-13 15-16 16-15 17-18 18-17",
		58: "128-129 129-128 130-131 131-130 133-134 134-133 135-136 136-135 139-140 140-139 144-145 145-144"}
	for pair := range strings.FieldsSeq(pairs[proto]) {
		if other, ok := strings.CutPrefix(pair, fmt.Sprintf("%d-", kind)); ok {
			n := 0
			fmt.Sscan(other, &n)
			return uint16(n)
		}
	}
	return uint16(code)
}

// TestDecoderAgainstGopacket wants the flows that gopacket sees in the shared
// captures, in the frames of the tests here.
func TestDecoderAgainstGopacket(t *testing.T) {
	d := decoderOf("all", "vxlan,geneve,gtpu")
	compared := map[string]int{}
	compare := func(name string, linkType uint32, frame []byte, wireLen uint32) {
		want, names := gopacketInside(linkType, frame)
		if want == "" || isNetlink(linkType, frame) {
			return
		}
		var p Packet
		d.Decode(&p, linkType, frame, wireLen)
		p.Whole, p.OneWay, p.Flags = false, false, 0
		if got := strings.TrimSuffix(describe(&p), " flags 00"); got != want {
			t.Errorf("%s: %s, gopacket (%s): %s\n%s", name, got, names, want, hex.Dump(frame[:min(len(frame), 128)]))
		}
		for _, layer := range []string{"VXLAN", "Geneve", "GTPv1U", "ICMPv4", "ICMPv6", "SCTP"} {
			if strings.Contains(names, layer) {
				compared[layer]++
			}
		}
	}
	for _, seed := range append(seeds(), tunnelSeeds()...) {
		if seed.name == "radiotap" {
			continue // its padding behind the 802.11 header is no matter to gopacket
		}
		compare(seed.name, seed.linkType, seed.frame, uint32(len(seed.frame)))
	}
	t.Run("shared", func(t *testing.T) {
		for _, r := range sharedRecords(t) {
			compare(fmt.Sprintf("%s, packet %d", r.file, r.number), r.linkType, r.frame, r.wireLen)
		}
	})
	for _, layer := range []string{"VXLAN", "Geneve", "GTPv1U", "ICMPv4", "ICMPv6", "SCTP"} {
		if compared[layer] == 0 {
			t.Errorf("no packet with %s was compared", layer)
		}
	}
	t.Logf("compared: %v", compared)
}
