package decode

import (
	"encoding/binary"
	"testing"
)

// TestRareLinkTypes has the frames of link types that few captures have; the cases
// of the conformance suite hold them against tshark.
func TestRareLinkTypes(t *testing.T) {
	tcpPacket := ethernetIPv4(ipv4Packet(6, tcpHeader))[14:]
	snapIP := join("aaaa03 000000 0800", tcpPacket)
	ethernet := ethernetIPv4(ipv4Packet(6, tcpHeader))
	pktap := make([]byte, 108)
	binary.LittleEndian.PutUint32(pktap, 108)
	binary.LittleEndian.PutUint32(pktap[4:], 1)
	binary.LittleEndian.PutUint32(pktap[8:], linkEthernet)
	pflog := make([]byte, 48)
	pflog[0], pflog[1] = 45, 2
	for _, test := range []struct {
		name     string
		linkType uint32
		frame    []byte
	}{
		{"Token Ring", linkTokenRing, join("1040 02005e000001 02005e000002", snapIP)},
		{"Token Ring with a route", linkTokenRing, join("1040 02005e000001 82005e000002 0630 00110020", snapIP)},
		{"FDDI", linkFDDI, join("50 02005e000001 02005e000002", snapIP)},
		{"ARCnet, RFC 1051", linkARCnet, join("01 02 f0", tcpPacket)},
		{"ARCnet, RFC 1201", linkARCnet, join("01 02 d4 00 0001", tcpPacket)},
		{"SLIP", linkSLIP, join("00000000000000000000000000000000", tcpPacket)},
		{"PPP over Ethernet", linkPPPEther, join("1100 0001 002a 0021", tcpPacket)},
		{"RFC 2684, LLC", linkRFC1483, snapIP},
		{"RFC 2684, ISO", linkRFC1483, join("fefe03 cc", tcpPacket)},
		{"Frame Relay", linkFrameRelay, join("1841 03 cc", tcpPacket)},
		{"Frame Relay, Cisco", linkFrameRelay, join("1841 0800", tcpPacket)},
		{"Frame Relay, SNAP", linkFrameRelay, join("1841 03 00 80 000000 0800", tcpPacket)},
		{"ENC", linkENC, join("02000000 00000001 00000000", tcpPacket)},
		{"PFLOG", linkPFLOG, join(pflog, tcpPacket)},
		{"IP over Fibre Channel", linkIPFC, join("1000020000000001 1000020000000002", snapIP)},
		{"NFLOG", linkNFLOG, join("02000000 08000100 08000000 2c000900", tcpPacket)},
		{"IPNET", linkIPNET, join("01020000 00000028 0000000000000000 0000000000000000", tcpPacket)},
		{"PKTAP", linkPKTAP, join(pktap, ethernet)},
		{"upper PDU", linkUpperPDU, join("000c0002 6970 00000000", tcpPacket)},
		{"netANALYZER", linkNetAnalyzer, join("00000000", ethernet, "00000000")},
		{"mPacket", linkMPacket, join("55555555555555d5", ethernet, "00000000")},
		{"Juniper Ethernet", linkJuniperEther, join("4d4743 00", ethernet)},
		{"DSA", linkDSA, join(ethernet[:12], "c0000000 0800", tcpPacket)},
		{"Broadcom's tag in front", linkDSABroadcomFront, join("00000000", ethernet)},
		{"MPLS", linkMPLS, join("00064140", tcpPacket)},
		{"ERF, Ethernet", linkERF, join("0000000000000000 02 04 0000 0000 0000 0000", ethernet, "00000000")},
	} {
		var p Packet
		if class := p.Decode(test.linkType, test.frame, uint32(len(test.frame))); class != Counted || p.SrcPort != 49320 || p.DstPort != 443 || p.Flags != 24 {
			t.Errorf("%s: %v, %d > %d, flags %d", test.name, class, p.SrcPort, p.DstPort, p.Flags)
		}
		for cut := range test.frame { // whatever is cut away, it is read within its bounds
			p.Decode(test.linkType, test.frame[:cut], uint32(len(test.frame)))
			p.Decode(test.linkType, test.frame[:cut], uint32(cut))
		}
	}
}

// TestFrameLen wants the lengths that tshark 4.0 gives as frame.len. It does not open
// captures of the types 205, 206, 175 and 176, which have the headers of others.
func TestFrameLen(t *testing.T) {
	erf := join("0000000000000000 82 04 0088 0000 004d 0000000000000000", make([]byte, 110))
	for _, test := range []struct {
		linkType      uint32
		frame         []byte
		wireLen, want uint32
	}{
		{linkEthernet, erf, 200, 200},
		{linkPrism, erf, 200, 200},
		{linkSunATM, erf, 200, 196},
		{linkSunATM, erf[:2], 2, 0},
		{linkERF, erf, 200, 77},
		{linkERF, erf[:15], 200, 200},
		{linkERFEthernet, erf, 200, 77},
		{linkPPPDir, erf, 200, 199},
		{linkPPPDir, nil, 0, 0},
		{linkCiscoHDLCDir, erf, 200, 199},
		{linkFrameRelayDir, erf, 200, 199},
		{linkCooked2, erf, 200, 200},
		{linkPKTAP, erf, 200, 200},
	} {
		if got := FrameLen(test.linkType, test.frame, test.wireLen); got != test.want {
			t.Errorf("link type %d, %d of %d bytes: %d, want %d", test.linkType, len(test.frame), test.wireLen, got, test.want)
		}
	}
}
