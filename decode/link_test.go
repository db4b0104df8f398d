package decode

import (
	"bytes"
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
	binary.LittleEndian.PutUint32(pktap[8:], LinkEthernet)
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
		{"Juniper MLPPP", linkJuniperMLPPP, join("4d4743 00 0021", tcpPacket)},
		{"Juniper MLPPP, bundle", linkJuniperMLPPP, join("4d4743 00 0001 0021", tcpPacket)},
		{"Juniper MLPPP, adaptive services", linkJuniperMLPPP, join("4d4743 00 54010000 0021", tcpPacket)},
		{"Juniper MLPPP, link services", linkJuniperMLPPP, join("4d4743 00 4001000000000000", tcpPacket)},
		{"Juniper MLFR", linkJuniperMLFR, join("4d4743 00 0001 03 cc", tcpPacket)},
		{"Juniper GGSN", linkJuniperGGSN, join("4d4743 00 02000000", tcpPacket)},
		{"Juniper ATM2, Ethernet", linkJuniperATM2, join("4d4743 00 0000000100000000", ethernet)},
		{"Juniper ATM2, LLC", linkJuniperATM2, join("4d4743 00 0000000100000000", snapIP)},
		{"Juniper ATM2, PPP", linkJuniperATM2, join("4d4743 00 0000000000000000 0021", tcpPacket)},
		{"Juniper ATM2, IP, with extensions", linkJuniperATM2, join("4d4743 80 0002 0101 0000000000000000", tcpPacket)},
		{"Juniper services", linkJuniperServices, join("4d4743 00", make([]byte, 12), tcpPacket)},
		{"Juniper ATM1, LLC", linkJuniperATM1, join("4d4743 00 00000000", snapIP)},
		{"Juniper ATM1, IP", linkJuniperATM1, join("4d4743 00 00000000", tcpPacket)},
		{"Juniper PPPoE", linkJuniperPPPoE, join("4d4743 00", ethernet)},
		{"Juniper VP", linkJuniperVP, join("4d4743 00", make([]byte, 18), tcpPacket)},
		{"Juniper ATM2, Ethernet's cookie, received", linkJuniperATM2, join("4d4743 01 0000000100000000", tcpPacket)},
		{"Juniper ATM2, OSI", linkJuniperATM2, join("4d4743 00 0000000000000000 03 cc", tcpPacket)},
		{"Juniper ATM1, OSI", linkJuniperATM1, join("4d4743 01 00000001 03 cc", tcpPacket)},
		{"Juniper ATM1, a cookie that is none of control", linkJuniperATM1, join("4d4743 00 c0000000", tcpPacket)},
		{"Juniper ST", linkJuniperST, join("4d4743 00 020000000001 020000000002 0800", ipv4Packet(50, make([]byte, 24), tcpPacket))},
		{"Juniper ST, no link header", linkJuniperST, join("4d4743 02 02000000", tcpPacket)},
		{"Juniper ES, no link header", linkJuniperES, join("4d4743 02 02000000", tcpPacket)},
		{"Juniper MFR, no link header", linkJuniperMFR, join("4d4743 02 02000000", tcpPacket)},
		{"Juniper monitor, no link header", linkJuniperMonitor, join("4d4743 02 02000000", tcpPacket)},
		{"Juniper PPPoE over ATM", linkJuniperPPPoEATM, join("4d4743 00 0800", tcpPacket)},
		{"Juniper VP, no link header", linkJuniperVP, join("4d4743 02 02000000", tcpPacket)},
		{"AX.25", linkAX25, join("8c8c8c8c8c8c60 9c9c9c9c9c9c61 03 cc", tcpPacket)},
		{"AX.25, repeated and numbered", linkAX25, join("8c8c8c8c8c8c60 9c9c9c9c9c9c60 9e9e9e9e9e9e61 00 cc", tcpPacket)},
		{"AX.25 in KISS", linkKISS, join("10 8c8c8c8c8c8c60 9c9c9c9c9c9c61 03 cc", tcpPacket)},
		{"Symantec", linkSymantec, join("000000000000 0800", make([]byte, 36), tcpPacket)},
		{"classical IP over ATM", linkCLIP, tcpPacket},
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
		{LinkEthernet, erf, 200, 200},
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

// What headers of rare link types say is no packet, or no IP, has no flow.
func TestRareLinkTypesWithout(t *testing.T) {
	tcpPacket := ipv4Packet(6, tcpHeader)
	for _, test := range []struct {
		name     string
		linkType uint32
		frame    []byte
	}{
		{"Juniper ATM1, control", linkJuniperATM1, join("4d4743 00 80000000", tcpPacket)},
		{"Juniper ATM2, control", linkJuniperATM2, join("4d4743 00 0000000000000010", tcpPacket)},
		{"Juniper ST without ESP", linkJuniperST, join("4d4743 00 020000000001 020000000002 0800", ipv4Packet(51, make([]byte, 24), tcpPacket))},
		{"Juniper ST with ARP", linkJuniperST, join("4d4743 00 020000000001 020000000002 0806", ipv4Packet(50, make([]byte, 24), tcpPacket))},
		{"Juniper ES", linkJuniperES, join("4d4743 00", tcpPacket)},
		{"Juniper PPPoE over ATM, ARP", linkJuniperPPPoEATM, join("4d4743 00 0806", tcpPacket)},
		{"Juniper ATM1, PPP", linkJuniperATM1, join("4d4743 00 00000000 0021", tcpPacket)},
		{"Juniper GGSN, MPLS", linkJuniperGGSN, join("4d4743 00 03000000", tcpPacket)},
		{"without Juniper's mark", linkJuniperPPPoE, join("4d4744 00", ethernetIPv4(tcpPacket))},
		{"AX.25, a supervisory frame", linkAX25, join("8c8c8c8c8c8c60 9c9c9c9c9c9c61 01 cc", tcpPacket)},
		{"AX.25, another protocol", linkAX25, join("8c8c8c8c8c8c60 9c9c9c9c9c9c61 03 08", tcpPacket)},
		{"KISS, a command", linkKISS, join("01 8c8c8c8c8c8c60 9c9c9c9c9c9c61 03 cc", tcpPacket)},
		{"Symantec of version 3", linkSymantec, join("00000000 0800 0800", make([]byte, 36), tcpPacket)},
	} {
		var p Packet
		if class := p.Decode(test.linkType, test.frame, uint32(len(test.frame))); class != NotIP {
			t.Errorf("%s: %v", test.name, class)
		}
	}
	var p Packet
	endless := bytes.Repeat([]byte{0x60}, 200)
	if class := p.Decode(linkAX25, endless, 200); class != Malformed {
		t.Errorf("AX.25 with addresses without an end: %v", class)
	}
}

// Decode reads every link type that KnownLinkType knows, and no other.
func TestKnownLinkTypes(t *testing.T) {
	known := 0
	for linkType := range uint32(1000) {
		if !KnownLinkType(linkType) {
			continue
		}
		known++
		var p Packet
		// Of no bytes nothing can be said, but that they are too few.
		if class := p.Decode(linkType, nil, 0); class != Malformed {
			t.Errorf("link type %d (%s): no bytes are %v", linkType, LinkTypeName(linkType), class)
		}
	}
	if known != 77 {
		t.Errorf("%d link types are known, want 77", known)
	}
}
