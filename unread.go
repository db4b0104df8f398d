package flowfast

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/flowfast/flowfast/decode"
)

// An Unread is packets of which a header carries what is not read.
type Unread struct {
	// Kind and Number are what the header says it carries: "EtherType" and 0x0806.
	Kind   string `json:"kind"`
	Number uint16 `json:"number"`
	// Name is that of the number, "" if it has none.
	Name string `json:"name"`
	// Packets is how many there are.
	Packets uint64 `json:"packets"`
	// Option is the option of the command that gives them flows, "" if none does.
	Option string `json:"option"`

	of decode.Unread
}

// mostUnread is how many entries [Summary.Unread] has at most.
const mostUnread = 16

// commonest returns the entries with the most packets.
func commonest(packets map[decode.Unread]uint64) []Unread {
	list := []Unread{}
	for what, n := range packets {
		if what != (decode.Unread{}) {
			list = append(list, Unread{Kind: what.Kind.String(), Number: what.Number, Name: what.Name(), Packets: n, Option: what.Option(), of: what})
		}
	}
	return sortUnread(list)
}

func sortUnread(list []Unread) []Unread {
	slices.SortFunc(list, func(a, b Unread) int {
		return cmp.Or(cmp.Compare(b.Packets, a.Packets), cmp.Compare(a.of.Kind, b.of.Kind), cmp.Compare(a.Number, b.Number))
	})
	return list[:min(len(list), mostUnread)]
}

// SumUnread returns the sums of the entries of two runs.
func SumUnread(a, b []Unread) []Unread {
	list := append([]Unread{}, a...)
	for _, u := range b {
		i := slices.IndexFunc(list, func(have Unread) bool { return have.Kind == u.Kind && have.Number == u.Number })
		if i < 0 {
			list = append(list, u)
		} else {
			list[i].Packets += u.Packets
		}
	}
	return sortUnread(list)
}

// WhyUncounted returns, in one line, what packets that are not counted are, if
// less than half of them are counted: "8 of 8 packets: EtherType 0x88cc (LLDP)". It
// is "" otherwise. Packets that were left out do not count.
func WhyUncounted(c Classes, unread []Unread) string {
	const named = 3
	packets := c.Sum() - c.LeftOut
	if c.Counted >= packets-c.Counted {
		return ""
	}
	type reason struct {
		packets uint64
		text    string
	}
	var reasons []reason
	for _, u := range unread {
		text := fmt.Sprint(u.of)
		if u.Option != "" {
			text += ", see " + u.Option
		}
		reasons = append(reasons, reason{u.Packets, text})
	}
	for _, r := range []reason{
		{c.OrphanFragment, "later fragments without the first"},
		{c.Malformed, "malformed, lengths or versions in headers contradict each other"},
		{c.Truncated, "truncated, the snap length cut the headers"},
	} {
		if r.packets > 0 {
			reasons = append(reasons, r)
		}
	}
	slices.SortStableFunc(reasons, func(a, b reason) int { return cmp.Compare(b.packets, a.packets) })
	var parts []string
	for _, r := range reasons[:min(len(reasons), named)] {
		parts = append(parts, fmt.Sprintf("%d of %d packets: %s", r.packets, packets, r.text))
	}
	return strings.Join(parts, "; ")
}

// tunnelPorts are the usual ports of tunnels in UDP.
var tunnelPorts = [...]uint16{4789, 8472, 6081, 2152, 1701, 3544}

// tunnelPackets count the packets of UDP flows with each of those ports.
type tunnelPackets [len(tunnelPorts)]atomic.Uint64

// see takes in a flow of UDP; several goroutines may call it.
func (t *tunnelPackets) see(f *Flow) {
	if f.Protocol == decode.UDP {
		t.seeUDP(f)
	}
}

func (t *tunnelPackets) seeUDP(f *Flow) {
	i := slices.Index(tunnelPorts[:], f.DstPort)
	if i < 0 {
		i = slices.Index(tunnelPorts[:], f.SrcPort)
	}
	if i >= 0 {
		t[i].Add(f.Fwd.Packets + f.Bwd.Packets)
	}
}

// commonest returns the tunnels that have packets, but for those that are looked into.
func (t *tunnelPackets) commonest(into decode.Tunnels) []Unread {
	list := []Unread{}
	for i, port := range tunnelPorts {
		what := decode.Unread{Kind: decode.UDPPort, Number: port}
		if n := t[i].Load(); n > 0 && into&decode.TunnelAt(port) == 0 {
			list = append(list, Unread{Kind: what.Kind.String(), Number: port, Name: what.Name(), Packets: n, Option: what.Option(), of: what})
		}
	}
	return sortUnread(list)
}

// WhyTunnelled returns, in one line, which tunnels in UDP the packets are of, if more
// than half of all are of such: "8 of 8 packets: UDP port 4789 (VXLAN), see --decap
// vxlan". It is "" otherwise.
func WhyTunnelled(packets uint64, tunnels []Unread) string {
	var sum uint64
	var parts []string
	for _, u := range tunnels {
		sum += u.Packets
		parts = append(parts, fmt.Sprintf("%d of %d packets: %v, see %s", u.Packets, packets, u.of, u.Option))
	}
	if sum <= packets/2 {
		return ""
	}
	return strings.Join(parts, "; ")
}
