package intake

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowfast/flowfast/decode"
)

// linkTypes counts the packets of unknown link types.
type linkTypes struct{ seen []strangeType }

type strangeType struct {
	number  uint32
	packets uint64
}

// see takes in the link type of a packet without IP header.
func (l *linkTypes) see(number uint32) {
	if decode.KnownLinkType(number) {
		return
	}
	l.seen[l.find(number)].packets++
}

// merge takes in what another has seen, and empties it.
func (l *linkTypes) merge(o *linkTypes) {
	for _, s := range o.seen {
		i := l.find(s.number)
		l.seen[i].packets += s.packets
	}
	o.seen = o.seen[:0]
}

// find returns the place of a link type, which is made if need be.
func (l *linkTypes) find(number uint32) int {
	i := slices.IndexFunc(l.seen, func(s strangeType) bool { return s.number == number })
	if i < 0 {
		i = len(l.seen)
		l.seen = append(l.seen, strangeType{number: number})
	}
	return i
}

// unknown returns an error if link types were declared and all are unknown. Which
// ones a meter knows is its own business.
func (in *Intake) unknown(declared []uint32) error {
	if in.options.Flows.Meter != nil || len(declared) == 0 || slices.ContainsFunc(declared, decode.KnownLinkType) {
		return nil
	}
	names := make([]string, len(declared))
	for i, number := range declared {
		names[i] = linkTypeText(number)
	}
	return fmt.Errorf("unknown link type %s", strings.Join(names, "; "))
}

// linkTypeText returns the number of a link type, and its name if it has one. In
// the word that a pcap header has for it, bits 16 to 25 are reserved; where libpcap
// knew them as a class, NetBSD's 0x0224, the number means an address family.
func linkTypeText(number uint32) string {
	const class, netBSD = 0xffff0000, 0x02240000
	switch reserved := number & class; {
	case reserved == netBSD:
		return fmt.Sprintf("%d in the class %#08x of the reserved bits: raw packets of that address family on NetBSD", number&^class, reserved)
	case reserved != 0:
		return fmt.Sprintf("%d with the reserved bits %#08x", number&^class, reserved)
	}
	if name := decode.LinkTypeName(number); name != "" {
		return fmt.Sprintf("%d, %s", number, name)
	}
	return fmt.Sprint(number)
}
