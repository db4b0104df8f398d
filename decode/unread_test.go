package decode

import "testing"

// What is not read is named by the last number that a header gives, with the
// option that would read it.
func TestUnread(t *testing.T) {
	for _, test := range []struct {
		name     string
		linkType uint32
		frame    []byte
		want     string
		option   string
	}{
		{"ARP", linkEthernet, join(bytesOf("02005e100001 02005e100002 0806"), make([]byte, 28)), "EtherType 0x0806 (ARP)", ""},
		{"behind a tag", linkEthernet, join(bytesOf("02005e100001 02005e100002 8100 0005 88cc"), make([]byte, 28)), "EtherType 0x88cc (LLDP)", ""},
		{"nobody's", linkEthernet, join(bytesOf("02005e100001 02005e100002 7777"), make([]byte, 28)), "EtherType 0x7777", ""},
		{"spanning tree", linkEthernet, join(bytesOf("0180c2000000 02005e100002 0026 42 42 03"), make([]byte, 35)), "LLC service 0x42 (spanning tree)", ""},
		{"SNAP", linkEthernet, join(bytesOf("0180c2000000 02005e100002 0026 aa aa 03 00000c 2000"), make([]byte, 30)), "EtherType 0x2000 (CDP)", ""},
		{"ICMP", linkEthernet, ethernetIPv4(ipv4Packet(1, make([]byte, 20))), "protocol 1 (ICMP)", "--protocols icmp"},
		{"ICMPv6", linkEthernet, ethernetIPv6(ipv6Packet(58, make([]byte, 20))), "protocol 58 (ICMPv6)", "--protocols icmpv6"},
		{"ICMP in IP", linkEthernet, ethernetIPv4(ipv4Packet(4, ipv4Packet(1, make([]byte, 20)))), "protocol 1 (ICMP)", "--protocols icmp"},
		{"without a name", linkEthernet, ethernetIPv4(ipv4Packet(200, make([]byte, 20))), "protocol 200", "--protocols 200"},
		{"a later fragment", linkEthernet, ethernetIPv4(ipv4Fragment(1, 0x00b9, make([]byte, 20))), "protocol 1 (ICMP)", "--protocols icmp"},
		{"GRE", linkEthernet, ethernetIPv4(ipv4Packet(47, "0000 88cc", make([]byte, 20))), "GRE type 0x88cc (LLDP)", ""},
		{"PPP", linkPPP, join(bytesOf("ff03 c021"), make([]byte, 20)), "PPP protocol 0xc021 (LCP)", ""},
		{"Cisco HDLC", linkCiscoHDLC, join(bytesOf("0f00 8035"), make([]byte, 20)), "EtherType 0x8035 (RARP)", ""},
		{"a link type", 147, make([]byte, 20), "link type 147 (USER0)", ""},
		{"cooked", linkCooked, join(make([]byte, 14), bytesOf("0806"), make([]byte, 28)), "EtherType 0x0806 (ARP)", ""},
	} {
		var p Packet
		if c := p.Decode(test.linkType, test.frame, uint32(len(test.frame))); c != NotIP && c != OtherProtocol {
			t.Errorf("%s: %v", test.name, c)
		}
		u := p.Why(test.linkType, test.frame)
		if u.String() != test.want || u.Option() != test.option {
			t.Errorf("%s: %q, %q; want %q, %q", test.name, u, u.Option(), test.want, test.option)
		}
	}
}
