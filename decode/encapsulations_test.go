package decode

import (
	"math"
	"strings"
	"testing"
)

// encapsulatedRows are one frame for each encapsulation of
// docs/encapsulations.md. What becomes of them is tshark 4.0's word, but for the
// rows on captured and repeated headers.
func encapsulatedRows() []row {
	tcp, tcpV6 := ipv4Packet(6, tcpHeader), ipv6Packet(6, tcpHeader)
	frame := ethernetIPv4(tcp)
	gre := func(payload ...any) []byte { return ethernetIPv4(ipv4Packet(47, payload...)) }
	ip := func(proto byte, payload ...any) []byte { return ethernetIPv4(ipv4Packet(proto, payload...)) }
	wlan := "0801 0000 02005e000001 02005e000002 02005e000003 1000 aaaa03 000000"
	isl := func(head string, payload ...any) []byte { return join(head, "02005e000002", join(payload...)) }
	snap := "0030 aaaa03 000000 0800" // of a frame with the length of a TCP header in IPv4
	checkValue := make([]byte, 16)
	fragment := func(proto byte, payload ...any) []byte { return ethernetIPv4(ipv4Fragment(proto, 0x2000, payload...)) }
	return []row{
		{"802.1ah", 1, ethernetFrame("88e7 00000123", frame), 0, tcp4},
		{"802.1ah behind a B-tag", 1, ethernetFrame("88a8 0005 88e7 00000123", frame), 0, tcp4},
		{"802.1ah with a tagged frame", 1, ethernetFrame("88e7 00000123", macs, "8100 0006 86dd", tcpV6), 0, tcp6},
		{"802.1ah takes no length", 1, ethernetFrame("88e7 00000123", macs, snap, tcp), 0, "not IP"},
		{"16 I-tags", 1, ethernetFrame("", repeat("88e7 00000123"+macs, 16, "0800", tcp)), 0, tcp4},
		{"17 I-tags are too many", 1, ethernetFrame("", repeat("88e7 00000123"+macs, 17, "0800", tcp)), 0, "malformed"},
		{"VN-tag", 1, ethernetFrame("8926 00010002 0800", tcp), 0, tcp4},
		{"VN-tag with a length", 1, ethernetFrame("8926 00010002", snap, tcp), 0, tcp4},
		{"VN-tag cut", 1, ethernetFrame("8926 00010002 0800", tcp), 41, "truncated"},
		{"E-tag", 1, ethernetFrame("893f 0001 0002 0000 0800", tcp), 0, tcp4},
		{"Cisco metadata", 1, ethernetFrame("8909 01 01 0001 0005 0800", tcp), 0, tcp4},
		{"HSR", 1, ethernetFrame("892f 002c 0001 0800", tcp), 0, tcp4},
		{"HSR with a tag", 1, ethernetFrame("892f 002c 0001 8100 0005 0800", tcp), 0, tcp4},
		{"HSR supervision is not IP", 1, ethernetFrame("892f 002c 0001 88fb 0000 0001 1706", macs), 0, "not IP"},
		{"PRP trailer", 1, ethernetFrame("0800", tcp, make([]byte, 6), "0001 a034 88fb"), 0, tcp4},
		{"802.1CB", 1, ethernetFrame("f1c1 0000 0001 0800", tcp), 0, tcp4},
		{"MACsec with integrity only", 1, ethernetFrame("88e5 00 00 00000001 0800", tcp, checkValue), 0, tcp4},
		{"MACsec with a channel identifier", 1, ethernetFrame("88e5 20 00 00000001 0102030405060708 0800", tcp, checkValue), 0, tcp4},
		{"MACsec, changed", 1, ethernetFrame("88e5 04 00 00000001 0800", tcp, checkValue), 0, "not IP"},
		{"MACsec, encrypted", 1, ethernetFrame("88e5 2c 00 00000001 0102030405060708 0800", tcp, checkValue), 0, "not IP"},
		{"TRILL", 1, ethernetFrame("22f3 0000 0001 0002", frame), 0, tcp4},
		{"TRILL with options", 1, ethernetFrame("22f3 0040 0001 0002 00000000", frame), 0, tcp4},
		{"FabricPath", 1, ethernetFrame("8903 0042", frame), 0, tcp4},
		{"NSH with Ethernet", 1, ethernetFrame("894f 0fc6 0103 00002aff", checkValue, frame), 0, tcp4},
		{"NSH with IPv4", 1, ethernetFrame("894f 0fc2 0201 00002aff", tcp), 0, tcp4},
		{"NSH with IPv6 and metadata", 1, ethernetFrame("894f 0fc3 0202 00002aff 00000000", tcpV6), 0, tcp6},
		{"NSH with NSH with MPLS", 1, ethernetFrame("894f 0fc2 0204 00002aff 0fc2 0205 00002aff 00010140", tcp), 0, tcp4},
		{"NSH of an unknown protocol", 1, ethernetFrame("894f 0fc2 0206 00002aff", tcp), 0, "not IP"},
		{"17 NSH headers are too many", 1, ethernetFrame("894f", repeat("0fc2 0204 00002aff", 16, "0fc2 0201 00002aff", tcp)), 0, "malformed"},
		{"ISL", 1, isl("01000c000000", "0050 aaaa03 00000c 000a 0000 0000", frame, "00000000"), 0, tcp4},
		{"ISL of a priority, without a length", 1, isl("01000c000003", "0000 aaaa03 00000c 000a 0000 0000", frame, "00000000"), 0, tcp4},
		{"ISL with Token Ring is not IP", 1, isl("01000c000010", "0050 aaaa03 00000c 000a 0000 0000", frame, "00000000"), 0, "not IP"},
		{"sent to ISL's address with an EtherType", 1, isl("01000c000000", "0800", tcp), 0, tcp4},
		{"batman-adv 15, unicast", 1, ethernetFrame("4305 40 0f 32 00 02005e000003", frame), 0, tcp4},
		{"batman-adv 15, broadcast", 1, ethernetFrame("4305 01 0f 32 00 00000001 02005e000003", frame), 0, tcp4},
		{"batman-adv 15, four addresses", 1, ethernetFrame("4305 42 0f 32 00 02005e000003 02005e000004 01 00", frame), 0, tcp4},
		{"batman-adv 14, unicast", 1, ethernetFrame("4305 03 0e 32 01 02005e000003", frame), 0, tcp4},
		{"batman-adv 14, broadcast", 1, ethernetFrame("4305 04 0e 32 00 00000001 02005e000003", frame), 0, tcp4},
		{"batman-adv, originator message", 1, ethernetFrame("4305 00 0f 32 00", frame), 0, "not IP"},
		{"802.11 behind an EtherType", 1, ethernetFrame("2452", wlan, "0800", tcp), 0, tcp4},
		{"17 802.11 frames behind EtherTypes are too many", 1, ethernetFrame("2452", repeat(wlan+"2452", 16, wlan, "0800", tcp)), 0, "malformed"},

		{"ERSPAN type I", 1, gre("0000 88be", frame), 0, tcp4},
		{"ERSPAN type II", 1, gre("1000 88be 00000001 1005 0007 00000000", frame), 0, tcp4},
		{"ERSPAN type II with a key", 1, gre("3000 88be 00000005 00000001 1005 0007 00000000", frame), 0, tcp4},
		{"ERSPAN type III", 1, gre("1000 22eb 00000001 2005 0007 00000000 0000 0000", frame), 0, tcp4},
		{"ERSPAN type III with a platform header", 1, gre("1000 22eb 00000001 2005 0007 00000000 0000 0001 0000000000000000", frame), 0, tcp4},
		{"ERSPAN type III without a sequence number", 1, gre("0000 22eb 2005 0007 00000000 0000 0000", frame), 0, tcp4},
		{"ERSPAN type III without Ethernet", 1, gre("1000 22eb 00000001 2005 0007 00000000 0000 0800", tcp), 0, "other protocol"},
		{"ERSPAN of version 3", 1, gre("1000 88be 00000001 3005 0007 00000000", frame), 0, "other protocol"},
		{"GRE with NSH", 1, gre("0000 894f 0fc2 0201 00002aff", tcp), 0, tcp4},
		{"GRE with OSI", 1, gre("0000 00fe cc", tcp), 0, tcp4},
		{"GRE with source routes", 1, gre("4000 0800 0000 0000 0800 00 04 c0000202 0000 00 00", tcp), 0, tcp4},
		{"GRE with source routes cut", 1, gre("4000 0800 0000 0000 0800 00 04 c0000202 0000 00 00"), 1, "truncated"},
		{"EtherIP", 1, ip(97, "3000", frame), 0, tcp4},
		{"EtherIP the other way round", 1, ip(97, "0300", frame), 0, tcp4},
		{"EtherIP in IPv6", 1, ethernetIPv6(ipv6Packet(97, "3000", frame)), 0, tcp4},
		{"17 EtherIP headers are too many", 1, func() []byte {
			b := frame
			for range 16 {
				b = ip(97, "3000", b)
			}
			return b
		}(), 0, "malformed"},
		{"PIM register", 1, ip(103, "2100 0000 00000000", tcp), 0, tcp4},
		{"PIM register with IPv6", 1, ethernetIPv6(ipv6Packet(103, "2100 0000 00000000", tcpV6)), 0, tcp6},
		{"PIM register cut", 1, ip(103, "2100 0000 00000000", tcp), 41, "truncated"},
		{"PIM hello", 1, ip(103, "2000 0000 00010002 0069"), 0, "other protocol"},

		{"MPLS associated channel with IPv4", 1, ethernetFrame("8847 00010140 10000021", tcp), 0, tcp4},
		{"MPLS associated channel with IPv6", 1, ethernetFrame("8847 00010140 10000057", tcpV6), 0, tcp6},
		{"MPLS generic associated channel with IPv4", 1, ethernetFrame("8847 0000d140 10000021", tcp), 0, tcp4},
		{"MPLS associated channel with BFD", 1, ethernetFrame("8847 00010140 10000007", tcp), 0, "not IP"},
		{"MPLS, Ethernet of Cisco's address with a rare tag", 1, ethernetFrame("8847 00010140", "00000c000001 02005e000002 8926 00010002 0800", tcp), 0, tcp4},
		{"MPLS, control word and a rare tag", 1, ethernetFrame("8847 00010140 00000000", macs, "8926 00010002 0800", tcp), 0, tcp4},
		{"MPLS, Ethernet of Cisco's address with a length", 1, ethernetFrame("8847 00010140", "00000c000001 02005e000002 0030 aaaa03 000000 0800", tcp), 0, tcp4},
		{"MPLS, control word and a length", 1, ethernetFrame("8847 00010140 00000000", macs, "0030 aaaa03 000000 0800", tcp), 0, tcp4},
		{"MPLS in a fragment, Ethernet of Cisco's address with a length", 1,
			fragment(137, "00010140", "00000c000001 02005e000002 0430 aaaa03 000000 0800", tcp), 0, tcp4},
		{"MACsec in a fragment: the check value is in another", 1, fragment(143, macs, "88e5 00 00 00000001 0800", tcp), 0, tcp4},
		{"a bridged frame in a fragment: the check sequence is in another", 1,
			fragment(143, macs, "0430 aaaa03 0080c2 0001 0000", frame[:14+20+16]), 0, strings.TrimSuffix(tcp4, " whole")},
		{"a later fragment of a tunnel's datagram ends with a fragment around", 1,
			fragment(41, ipv6Packet(44, "06 00 0571 00000007", make([]byte, 32))[:48]), 0,
			"fragment 2001:db8::1 > 2001:db8::2 of 6/7"},
		{"LLC with OSI", 1, ethernetFrame("002c fefe03 cc", tcp), 0, tcp4},
		{"LLC with OSI with PPP", 1, ethernetFrame("002e fefe03 cf 0021", tcp), 0, tcp4},
		{"LLC with OSI of IS-IS", 1, ethernetFrame("002c fefe03 83", tcp), 0, "not IP"},
		{"PPP with OSI", 1, ethernetFrame("8864 11 00 0001 002b 0023 cc", tcp), 0, tcp4},
		{"PPP with LLC", 1, ethernetFrame("8864 11 00 0001 0032 004b aaaa03 000000 0800", tcp), 0, tcp4},
	}
}

func TestRareEncapsulations(t *testing.T) { testRows(t, encapsulatedRows()) }

// Cut anywhere, and with bytes changed, these frames are what the twin says.
func TestRareEncapsulationsAgainstTwin(t *testing.T) {
	for i, row := range encapsulatedRows() {
		for size := range len(row.frame) + 1 {
			for _, wireLen := range []int{size, (size + len(row.frame)) / 2, len(row.frame)} {
				checkTwin(t, row.linkType, row.frame[:size:size], uint32(wireLen))
				checkChoice(t, (i+size)%len(choices), row.linkType, row.frame[:size:size], uint32(wireLen))
			}
		}
		for at := range row.frame {
			for _, bit := range []byte{0x01, 0x08, 0x10, 0x40, 0xff} {
				frame := append([]byte(nil), row.frame...)
				frame[at] ^= bit
				checkTwin(t, row.linkType, frame, uint32(len(frame)))
				checkChoice(t, (i+at)%len(choices), row.linkType, frame, uint32(len(frame)))
			}
		}
		if t.Failed() {
			t.Fatal(row.name)
		}
	}
}

// Both directions of a flow have the same identifiers, and other identifiers make
// another flow.
func TestRareIdentifiers(t *testing.T) {
	frame := ethernetIPv4(ipv4Packet(6, tcpHeader))
	outer := ipv4Packet(47)[:20]
	gre := func(header string) []byte { return ethernetIPv4(join(with(outer, 2, "0000"), header, frame)) }
	for _, test := range []struct {
		name               string
		frame, same, other []byte
	}{
		{"I-SID", ethernetFrame("88e7 00000123", frame), ethernetFrame("88e7 e0000123", frame), ethernetFrame("88e7 00000124", frame)},
		{"VN-tag", ethernetFrame("8926 00010002 0800", frame[14:]), ethernetFrame("8926 80020001 0800", frame[14:]), ethernetFrame("8926 00010003 0800", frame[14:])},
		{"E-tag", ethernetFrame("893f 0001 0002 0000 0800", frame[14:]), ethernetFrame("893f e002 0001 0000 0800", frame[14:]), ethernetFrame("893f 0001 0003 0000 0800", frame[14:])},
		{"TRILL nicknames", ethernetFrame("22f3 0000 0001 0002", frame), ethernetFrame("22f3 0001 0002 0001", frame), ethernetFrame("22f3 0000 0001 0003", frame)},
		{"ERSPAN II session", gre("1000 88be 00000001 1005 0007 00000000"), gre("1000 88be 00000002 1006 e007 00000001"), gre("1000 88be 00000001 1005 0008 00000000")},
		{"ERSPAN III session", gre("1000 22eb 00000001 2005 0007 00000000 0000 0000"), gre("1000 88be 00000001 1005 0007 00000000"), gre("1000 22eb 00000001 2005 0008 00000000 0000 0000")},
	} {
		digest := func(b []byte) uint64 {
			var p Packet
			if decoderWith("tcp,udp", "none", "tunnel").Decode(&p, LinkEthernet, b, uint32(len(b))); p.Class != Counted {
				t.Errorf("%s: %s", test.name, describe(&p))
			}
			return p.Encapsulation
		}
		if a := digest(test.frame); a == 0 || a != digest(test.same) || a == digest(test.other) {
			t.Errorf("%s: digests %x, same %x, other %x", test.name, a, digest(test.same), digest(test.other))
		}
	}
}

// What stands in a slice behind the frame, however much, changes no offset.
func TestCapacityBehindTheFrame(t *testing.T) {
	if math.MaxInt == math.MaxInt32 {
		t.Skip("no slice is that large")
	}
	const size = math.MaxInt32 + 4096
	whole := make([]byte, size) // its pages are not touched
	frame := whole[:copy(whole, ethernetIPv4(ipv4Packet(17, "c0a8 12b5 0046 0000", vxlanHeader, ethernetIPv4(ipv4Packet(6, tcpHeader)))))]
	d := decoderWith("all", "all", "all")
	for _, b := range [][]byte{frame, frame[:len(frame):len(frame)], whole} {
		var p Packet
		var details Details
		d.Decode(&p, LinkEthernet, b, uint32(len(frame)))
		p.Details(&details, b)
		if got := describe(&p); got != tcp4 || details.TTL != 0x40 || details.HeaderLen != 20 || !details.Segment || details.Window != 0xffff {
			t.Errorf("capacity %d: %s, %+v", cap(b), got, details)
		}
	}
}
