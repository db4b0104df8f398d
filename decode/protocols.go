package decode

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Protocols are IP protocols whose packets have flows. The zero Protocols are
// TCP and UDP.
type Protocols struct{ set [4]uint64 }

var defaultProtocols = Protocols{[4]uint64{0: 1<<protoTCP | 1<<protoUDP}}

// AllProtocols are all that have a flow if nothing else in the packet has.
var AllProtocols = Protocols{[4]uint64{^uint64(1<<protoHopByHop | 1<<protoRouting | 1<<protoFragment | 1<<protoDestination),
	^uint64(0), ^uint64(0), ^uint64(0)}}

// protocolNames are the names that Protocols are written with.
var protocolNames = map[string]uint8{
	"icmp": protoICMP, "igmp": 2, "tcp": protoTCP, "udp": protoUDP, "dccp": protoDCCP, "rsvp": 46, "gre": protoGRE,
	"esp": protoESP, "ah": protoAH, "icmpv6": protoICMPv6, "eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112,
	"sctp": protoSCTP, "udplite": protoUDPLite,
}

// ProtocolNames returns the names that Protocols can be written with, sorted.
func ProtocolNames() []string { return slices.Sorted(maps.Keys(protocolNames)) }

// ProtocolNumber returns the number of an IP protocol that is written by its number or,
// in letters of any case, by a name of [ProtocolNames].
func ProtocolNumber(text string) (number uint8, ok bool) {
	if number, ok = protocolNames[strings.ToLower(text)]; ok {
		return number, true
	}
	n, err := strconv.ParseUint(text, 10, 8)
	return uint8(n), err == nil
}

// Has reports whether the packets of an IP protocol have flows.
func (p *Protocols) Has(protocol uint8) bool {
	if p.set == [4]uint64{} {
		return defaultProtocols.in(protocol)
	}
	return p.in(protocol)
}

// in reports whether a protocol is in the set as it stands.
func (p *Protocols) in(protocol uint8) bool { return p.set[protocol>>6]>>(protocol&63)&1 != 0 }

// Without returns the protocols that are not among others, which are numbers.
func (p Protocols) Without(others ...uint8) Protocols {
	for _, number := range others {
		p.set[number>>6] &^= 1 << (number & 63)
	}
	return p
}

// Default reports whether p are TCP and UDP.
func (p *Protocols) Default() bool { return p.set == [4]uint64{} || *p == defaultProtocols }

// UnmarshalText takes "all", or names and numbers with commas between them. IPv6
// extension headers that are no protocol (hop-by-hop, routing, fragment,
// destination options) have no flows.
func (p *Protocols) UnmarshalText(text []byte) error {
	if string(text) == "all" {
		*p = AllProtocols
		return nil
	}
	var q Protocols
	for name := range strings.SplitSeq(string(text), ",") {
		number, ok := protocolNames[name]
		if !ok {
			n, err := strconv.ParseUint(name, 10, 8)
			if number = uint8(n); err != nil || !AllProtocols.Has(number) {
				return fmt.Errorf("want all, or names and numbers with commas between them: %s, or 1 to 255 but for 43, 44 and 60",
					strings.Join(ProtocolNames(), ", "))
			}
		}
		q.set[number>>6] |= 1 << (number & 63)
	}
	*p = q
	return nil
}

// MarshalText writes what UnmarshalText takes, always the same for the same
// protocols.
func (p Protocols) MarshalText() ([]byte, error) {
	if p == AllProtocols {
		return []byte("all"), nil
	}
	var names []string
	for number := range 256 {
		if !p.Has(uint8(number)) {
			continue
		}
		text := strconv.Itoa(number)
		for name, n := range protocolNames {
			if int(n) == number {
				text = name
			}
		}
		names = append(names, text)
	}
	return []byte(strings.Join(names, ",")), nil
}

// Tunnels are tunnels in UDP, and L2TPv3 over IP, that are looked through. The zero Tunnels are none.
type Tunnels uint8

// The tunnels.
const (
	VXLAN Tunnels = 1 << iota
	Geneve
	GTPU
	L2TP
	Teredo
	L2TPv3 // also over IP

	AllTunnels = VXLAN | Geneve | GTPU | L2TP | Teredo | L2TPv3
)

var tunnelNames = [...]string{"vxlan", "geneve", "gtpu", "l2tp", "teredo", "l2tpv3"}

// TunnelNames returns the names that Tunnels are written with.
func TunnelNames() []string { return slices.Clone(tunnelNames[:]) }

// UnmarshalText takes "all", "none", or names with commas between them.
func (t *Tunnels) UnmarshalText(text []byte) error {
	set, err := parseSet(string(text), tunnelNames[:])
	if err == nil {
		*t = Tunnels(set)
	}
	return err
}

// MarshalText writes what UnmarshalText takes.
func (t Tunnels) MarshalText() ([]byte, error) { return formatSet(uint8(t), tunnelNames[:]), nil }

// parseSet returns a set of names, the first in its lowest bit: of "all" of them,
// of "none", or of those in text with commas between.
func parseSet(text string, names []string) (set uint8, err error) {
	switch text {
	case "all":
		return 1<<len(names) - 1, nil
	case "none":
		return 0, nil
	}
	for name := range strings.SplitSeq(text, ",") {
		i := slices.Index(names, name)
		if i < 0 {
			return 0, fmt.Errorf("want all, none, or names with commas between them: %s", strings.Join(names, ", "))
		}
		set |= 1 << i
	}
	return set, nil
}

// formatSet writes a set as its names with commas between, "none" if it is empty.
func formatSet(set uint8, names []string) []byte {
	if set == 0 {
		return []byte("none")
	}
	var of []string
	for i, name := range names {
		if set>>i&1 != 0 {
			of = append(of, name)
		}
	}
	return []byte(strings.Join(of, ","))
}
