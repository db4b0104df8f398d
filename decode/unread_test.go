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
		{"ARP", LinkEthernet, join(bytesOf("02005e100001 02005e100002 0806"), make([]byte, 28)), "EtherType 0x0806 (ARP)", ""},
		{"behind a tag", LinkEthernet, join(bytesOf("02005e100001 02005e100002 8100 0005 88cc"), make([]byte, 28)), "EtherType 0x88cc (LLDP)", ""},
		{"nobody's", LinkEthernet, join(bytesOf("02005e100001 02005e100002 7777"), make([]byte, 28)), "EtherType 0x7777", ""},
		{"spanning tree", LinkEthernet, join(bytesOf("0180c2000000 02005e100002 0026 42 42 03"), make([]byte, 35)), "LLC service 0x42 (spanning tree)", ""},
		{"SNAP", LinkEthernet, join(bytesOf("0180c2000000 02005e100002 0026 aa aa 03 00000c 2000"), make([]byte, 30)), "EtherType 0x2000 (CDP)", ""},
		{"ICMP", LinkEthernet, ethernetIPv4(ipv4Packet(1, make([]byte, 20))), "protocol 1 (ICMP)", "--protocols icmp"},
		{"ICMPv6", LinkEthernet, ethernetIPv6(ipv6Packet(58, make([]byte, 20))), "protocol 58 (ICMPv6)", "--protocols icmpv6"},
		{"ICMP in IP", LinkEthernet, ethernetIPv4(ipv4Packet(4, ipv4Packet(1, make([]byte, 20)))), "protocol 1 (ICMP)", "--protocols icmp"},
		{"without a name", LinkEthernet, ethernetIPv4(ipv4Packet(200, make([]byte, 20))), "protocol 200", "--protocols 200"},
		{"a later fragment", LinkEthernet, ethernetIPv4(ipv4Fragment(1, 0x00b9, make([]byte, 20))), "protocol 1 (ICMP)", "--protocols icmp"},
		{"GRE", LinkEthernet, ethernetIPv4(ipv4Packet(47, "0000 88cc", make([]byte, 20))), "GRE type 0x88cc (LLDP)", ""},
		{"PPP", linkPPP, join(bytesOf("ff03 c021"), make([]byte, 20)), "PPP protocol 0xc021 (LCP)", ""},
		{"Cisco HDLC", linkCiscoHDLC, join(bytesOf("0f00 8035"), make([]byte, 20)), "EtherType 0x8035 (RARP)", ""},
		{"NULL of another system", linkNull, join(bytesOf("17000000"), make([]byte, 20)), "address family 23 (IPv6 on Windows, IPX on BSD)", ""},
		{"NULL of a big-endian system", linkNull, join(bytesOf("0000000a"), make([]byte, 20)), "address family 10 (IPv6 on Linux)", ""},
		{"LOOP", linkLoop, join(bytesOf("00000063"), make([]byte, 20)), "address family 99", ""},
		{"LOOP of no family", linkLoop, join(bytesOf("12345678"), make([]byte, 20)), " 0", ""},
		{"EDSA", LinkEthernet, join(bytesOf("02005e100001 02005e100002 dada 0000 c0020000 0800"), make([]byte, 28)), "EtherType 0xdada (Marvell EDSA)", ""},
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

// A port of a tunnel in UDP is named, with the option that looks into it.
func TestTunnelPorts(t *testing.T) {
	for port, want := range map[uint16][2]string{
		4789: {"UDP port 4789 (VXLAN)", "--decap vxlan"},
		8472: {"UDP port 8472 (VXLAN)", "--decap vxlan"},
		6081: {"UDP port 6081 (Geneve)", "--decap geneve"},
		2152: {"UDP port 2152 (GTP-U)", "--decap gtpu"},
		1701: {"UDP port 1701 (L2TP)", "--decap l2tp"},
		3544: {"UDP port 3544 (Teredo)", "--decap teredo"},
		53:   {"UDP port 53", ""},
	} {
		u := Unread{UDPPort, port}
		if got := [2]string{u.String(), u.Option()}; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
