package flowfast

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/flowfast/flowfast/decode"
)

// An Unread is packets that belong to no flow because a header carries what is
// not read.
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

// unreads counts what packets are not read for. There are 65,536 numbers of each
// kind at most.
type unreads struct {
	last  decode.Unread // was seen that many times since the last other one
	times uint64
	seen  map[decode.Unread]uint64
}

// see takes in what a packet is not read for. Captures have the same again and
// again, so that the map is asked only where it changes.
func (u *unreads) see(what decode.Unread) {
	if what != u.last {
		u.settle()
		u.last = what
	}
	u.times++
}

// settle makes the map complete.
func (u *unreads) settle() {
	if u.times > 0 {
		if u.seen == nil {
			u.seen = map[decode.Unread]uint64{}
		}
		u.seen[u.last] += u.times
		u.times = 0
	}
}

// merge takes in what another has seen, and empties it.
func (u *unreads) merge(o *unreads) {
	o.settle()
	u.settle()
	for what, n := range o.seen {
		u.last, u.times = what, n
		u.settle()
	}
	o.clear()
}

func (u *unreads) clear() {
	clear(u.seen)
	u.times = 0
}

// mostUnread is how many entries [Summary.Unread] has at most.
const mostUnread = 16

// commonest returns the entries with the most packets.
func (u *unreads) commonest() []Unread {
	u.settle()
	list := []Unread{}
	for what, n := range u.seen {
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
// less than half of them are counted and something was not read: "8 of 8 packets:
// EtherType 0x88cc (LLDP)". It is "" otherwise.
func WhyUncounted(packets, counted uint64, unread []Unread) string {
	const named = 3
	if counted >= packets-counted || len(unread) == 0 {
		return ""
	}
	var parts []string
	for _, u := range unread[:min(len(unread), named)] {
		text := fmt.Sprintf("%d of %d packets: %v", u.Packets, packets, u.of)
		if u.Option != "" {
			text += ", see " + u.Option
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}
