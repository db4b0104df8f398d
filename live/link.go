package live

// Link types, by their LINKTYPE_ numbers (https://www.tcpdump.org/linktypes.html).
const (
	linkEthernet = 1
	linkCHDLC    = 104
	linkWiFi     = 105
	linkRaw      = 101
	linkSLL      = 113
	linkPrism    = 119
	linkRadiotap = 127
	linkAVS      = 163
	linkSLL2     = 276
)

// linkTypes are the link types of kinds of interfaces (ARPHRD_, linux/if_arp.h), as
// libpcap has them. Frames of others are cooked.
var linkTypes = map[uint16]uint32{
	1:     linkEthernet, // ARPHRD_ETHER
	23:    linkEthernet, // ARPHRD_METRICOM
	772:   linkEthernet, // ARPHRD_LOOPBACK
	513:   linkCHDLC,    // ARPHRD_CISCO
	801:   linkWiFi,     // ARPHRD_IEEE80211
	802:   linkPrism,    // ARPHRD_IEEE80211_PRISM
	803:   linkRadiotap, // ARPHRD_IEEE80211_RADIOTAP
	15:    linkRaw,      // ARPHRD_DLCI
	256:   linkRaw,      // ARPHRD_SLIP
	257:   linkRaw,      // ARPHRD_CSLIP
	258:   linkRaw,      // ARPHRD_SLIP6
	259:   linkRaw,      // ARPHRD_CSLIP6
	264:   linkRaw,      // ARPHRD_ADAPT
	518:   linkRaw,      // ARPHRD_RAWHDLC
	519:   linkRaw,      // ARPHRD_RAWIP
	768:   linkRaw,      // ARPHRD_TUNNEL
	776:   linkRaw,      // ARPHRD_SIT
	65534: linkRaw,      // ARPHRD_NONE: tun, WireGuard
}

// ethernetHeader is what a frame has besides what the MTU counts; slack is room for
// two VLAN tags in it.
const (
	ethernetHeader = 14
	slack          = 8
)

// longest returns the most bytes of a frame of a link type on an interface of an
// MTU.
func longest(linkType uint32, mtu int) uint32 {
	switch linkType {
	case linkRaw, linkSLL, linkSLL2:
		return uint32(mtu)
	}
	return uint32(mtu) + ethernetHeader + slack
}
