package decode

import "strings"

// Name returns the name of what is not read, "" if it has none here.
func (u Unread) Name() string {
	switch u.Kind {
	case EtherType, GREType:
		return etherTypeNames[u.Number]
	case PPPProtocol:
		return pppNames[u.Number]
	case LLCService:
		return serviceNames[uint8(u.Number)]
	case AddressFamily:
		return familyNames[u.Number]
	case UDPPort:
		return tunnelTitles[TunnelAt(u.Number)]
	case LinkType:
		return LinkTypeName(uint32(u.Number))
	case IPProtocol:
		if name := ipProtocolNames[uint8(u.Number)]; name != "" {
			return name
		}
		for name, number := range protocolNames {
			if uint16(number) == u.Number {
				return strings.ToUpper(name)
			}
		}
	}
	return ""
}

// etherTypeNames are those of EtherTypes that captures of networks in use have
// (IEEE 802 numbers; RFC 9542, appendix B).
var etherTypeNames = map[uint16]string{
	0x0800: "IPv4", 0x0806: "ARP", 0x0842: "Wake-on-LAN", 0x2000: "CDP", 0x2003: "VTP", 0x2004: "DTP", 0x010b: "PVST+",
	0x22f0: "AVTP", 0x22f3: "TRILL", 0x22ea: "SRP", 0x6002: "DECnet MOP", 0x6003: "DECnet", 0x6558: "bridged Ethernet",
	0x8035: "RARP", 0x809b: "AppleTalk", 0x80f3: "AppleTalk ARP", 0x8100: "802.1Q", 0x8137: "IPX", 0x86dd: "IPv6",
	0x8808: "Ethernet flow control", 0x8809: "LACP and other slow protocols", 0x880b: "PPP", 0x8819: "CobraNet",
	0x8847: "MPLS", 0x8848: "MPLS", 0x8863: "PPPoE discovery", 0x8864: "PPPoE session", 0x886d: "Intel ANS", 0x8870: "jumbo LLC",
	0x887b: "HomePlug", 0x888e: "802.1X", 0x8892: "PROFINET", 0x8899: "Realtek", 0x889a: "HyperSCSI", 0x88a2: "ATA over Ethernet",
	0x88a4: "EtherCAT", 0x88a8: "802.1ad", 0x88ab: "Ethernet Powerlink", 0x88b5: "local experimental 1", 0x88b6: "local experimental 2",
	0x88b7: "OUI extended", 0x88b8: "GOOSE", 0x88b9: "GSE", 0x88ba: "sampled values", 0x88be: "ERSPAN", 0x88c7: "802.11r",
	0x88cc: "LLDP", 0x88cd: "SERCOS III", 0x88e1: "HomePlug AV", 0x88e3: "MRP", 0x88e5: "MACsec", 0x88e7: "802.1ah", 0x88f5: "MVRP",
	0x88f6: "MMRP", 0x88f7: "PTP", 0x88fb: "PRP", 0x8902: "CFM", 0x8903: "FabricPath", 0x8906: "FCoE", 0x8909: "Cisco metadata",
	0x8914: "FCoE initialization", 0x8915: "RoCE", 0x8917: "MIH", 0x891d: "TTEthernet", 0x8926: "VN-tag", 0x892f: "HSR",
	0x893f: "802.1BR", 0x894f: "NSH", 0x9000: "loopback test", 0x9100: "QinQ", 0x9200: "QinQ", 0xf1c1: "802.1CB", 0x6400: "EoIP",
	0x4305: "batman-adv", 0x22eb: "ERSPAN III", 0x8988: "T-tag", 0xdada: "Marvell EDSA",
}

// ipProtocolNames are those of IP protocols whose names are not those of
// --protocols in capitals (IANA, protocol-numbers).
var ipProtocolNames = map[uint8]string{
	protoHopByHop: "hop-by-hop options", 3: "GGP", protoIPv4: "IPv4", 8: "EGP", 9: "IGP", protoIPv6: "IPv6", protoICMPv6: "ICMPv6",
	protoNone: "no next header", 54: "NARP", 55: "MOBILE", 66: "RVD", 94: "IPIP", 97: "EtherIP", 98: "ENCAP", 108: "IPComp", 111: "IPX in IP",
	115: "L2TPv3", 124: "IS-IS", 133: "FC", protoUDPLite: "UDP-Lite", protoMPLS: "MPLS", 138: "MANET", protoHIP: "HIP", protoShim6: "Shim6",
	142: "ROHC", protoEthernet: "Ethernet", protoMobility: "mobility", 253: "experiment", 254: "experiment",
}

// pppNames are those of PPP protocols (IANA, ppp-numbers).
var pppNames = map[uint16]string{
	0x8021: "IPCP", 0x8057: "IPv6CP", 0x80fd: "CCP", 0x80fb: "CCP per link", 0x8281: "MPLSCP", 0xc021: "LCP", 0xc023: "PAP", 0xc025: "LQR",
	0xc223: "CHAP", 0xc227: "EAP", 0x003d: "multilink", 0x00fd: "compressed", 0x0053: "encrypted", 0x002d: "Van Jacobson, compressed",
	0x002f: "Van Jacobson, uncompressed", 0x0031: "bridging",
}

// serviceNames are those of LLC service access points.
var serviceNames = map[uint8]string{0x06: "IP", 0x42: "spanning tree", 0xe0: "IPX", 0xf0: "NetBIOS", 0xfe: "OSI", 0xff: "IPX, raw", 0xfa: "remote program load", 0xf4: "LAN management"}

// familyNames are those of address families that a loopback header can have, but does
// not where it was written: other systems number IPv6 so.
var familyNames = map[uint16]string{
	1: "local", 6: "Xerox NS on BSD", 7: "OSI on BSD", 10: "IPv6 on Linux", 16: "AppleTalk on BSD", 23: "IPv6 on Windows, IPX on BSD",
	26: "IPv6 on Solaris",
}

// tunnelTitles are the names of tunnels in UDP as people write them.
var tunnelTitles = map[Tunnels]string{VXLAN: "VXLAN", Geneve: "Geneve", GTPU: "GTP-U", L2TP: "L2TP", Teredo: "Teredo", L2TPv3: "L2TPv3"}
