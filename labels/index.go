package labels

import (
	"net/netip"
	"slices"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// An index finds the rules that may match a flow without looking at the others.
// Each rule stands at the keys of what it asks for most narrowly: prefixes of one
// end, numbers of few ports, or none of these; and at each key in a tree of times.
// A flow is looked for at the keys that it can have: the prefixes of rules that its two
// addresses are in, with each of its two ports and with none.
//
// Most flows are like one before. So each goroutine keeps, in a [memory], which rules
// there are but for their times for flows of one protocol whose addresses and ports are
// in the same classes: no rule tells addresses or ports of one class apart. A flow then
// costs two or four looks at tables for its classes, one at the memory, and a search
// among the few rules that are left. Only rules that ask neither for addresses nor for
// few ports are in a tree for all flows.
type index struct {
	from, to  int64 // no rule is before or after
	nodes     map[key]*tree
	anywhere  *tree // of the rules that ask neither for addresses nor for few ports; nil for none
	addresses [2]classes
	ports     portClasses
}

// A key is a prefix and a port.
type key struct {
	hi, lo uint64
	bits   uint16 // of the prefix, with 256 for IPv6; anywhere for none
	port   int32  // anyPort for none
}

const (
	anywhere = 512
	anyPort  = -1
	manyKeys = 64 // ports that a rule may stand at
)

// A tree is the windows of rules, sorted by their beginning. Seen as a balanced
// tree whose root is in the middle, each has besides the latest end and the lowest
// rule of what is below it.
type tree struct {
	entries []treeEntry
}

type treeEntry struct {
	from, to int64
	rule     int32
	lowest   int32
	latest   int64
}

func newIndex(rules []*Rule) *index {
	x := &index{from: never, to: always, nodes: map[key]*tree{}}
	for number, r := range rules {
		windows := r.Windows
		if windows == nil {
			windows = []Window{{always, never}}
		}
		for _, w := range windows {
			x.from, x.to = min(x.from, w.From), max(x.to, w.To)
		}
		for _, k := range r.keys() {
			t := x.nodes[k]
			if t == nil {
				t = &tree{}
				x.nodes[k] = t
			}
			for _, w := range windows {
				t.entries = append(t.entries, treeEntry{from: w.From, to: w.To, rule: int32(number)})
			}
		}
	}
	for _, t := range x.nodes {
		t.build()
	}
	x.anywhere = x.nodes[key{bits: anywhere, port: anyPort}]
	x.addresses[0], x.addresses[1] = newClasses(rules, false), newClasses(rules, true)
	x.ports = newPortClasses(rules)
	return x
}

// keys returns where a rule stands.
func (r *Rule) keys() []key {
	ports := []int32{anyPort}
	for _, set := range []numberSet{r.srcPorts, r.dstPorts, r.ports} {
		if n := set.size(); set != nil && n <= manyKeys && (len(ports) > n || ports[0] == anyPort) {
			ports = nil
			for _, p := range set {
				for port := int32(p.first); port <= int32(p.last); port++ {
					ports = append(ports, port)
				}
			}
		}
	}
	var best []netip.Prefix
	least := 1.0
	for _, a := range []*addresses{r.src, r.dst, r.between[0], r.between[1]} {
		if a == nil || len(a.prefixes)*len(ports) > maxPrefixes {
			continue
		}
		share := 0.0 // of all addresses
		for _, p := range a.prefixes {
			n := p.Bits()
			if p.Addr().Is6() {
				n /= 2 // a /64 is as narrow as an IPv4 address
			}
			share += 1 / float64(uint64(1)<<min(n, 62))
		}
		if share < least {
			best, least = a.prefixes, share
		}
	}
	var all []key
	for _, port := range ports {
		if best == nil {
			all = append(all, key{bits: anywhere, port: port})
		}
		for _, p := range best {
			at := words(p.Addr())
			k := key{hi: at.Hi, lo: at.Lo, bits: uint16(p.Bits()), port: port}
			if p.Addr().Is6() {
				k.bits |= 256
			}
			if !slices.Contains(all, k) || len(all) > 1024 { // twice does no harm
				all = append(all, k)
			}
		}
	}
	return all
}

// build sorts the entries.
func (t *tree) build() {
	slices.SortFunc(t.entries, func(a, b treeEntry) int {
		if a.from != b.from {
			if a.from < b.from {
				return -1
			}
			return 1
		}
		return int(a.rule) - int(b.rule)
	})
	t.sum(0, len(t.entries))
}

// sum completes the entries from one to before another, and returns their latest
// end and lowest rule.
func (t *tree) sum(from, to int) (latest int64, lowest int32) {
	if from >= to {
		return always, 1<<31 - 1
	}
	middle := int(uint(from+to) >> 1)
	e := &t.entries[middle]
	e.latest, e.lowest = e.to, e.rule
	for _, part := range [2][2]int{{from, middle}, {middle + 1, to}} {
		latest, lowest := t.sum(part[0], part[1])
		e.latest, e.lowest = max(e.latest, latest), min(e.lowest, lowest)
	}
	return e.latest, e.lowest
}

// A search is one flow on its way through an index.
type search struct {
	start, last int64
	best        int32 // the lowest rule that matches so far
	matches     func(e *treeEntry) bool
}

// at calls a function with the rules that stand at the keys that a flow has, but for
// those of x.anywhere.
func (x *index) at(f *flowtable.Flow, with func(t *tree)) {
	ports := []int32{anyPort}
	if decode.HasPorts(f.Protocol) {
		if ports = append(ports, int32(f.SrcPort)); f.DstPort != f.SrcPort {
			ports = append(ports, int32(f.DstPort))
		}
	}
	look := func(k key) {
		for _, k.port = range ports {
			if t := x.nodes[k]; t != nil && t != x.anywhere {
				with(t)
			}
		}
	}
	c := &x.addresses[family(f.V6)]
	look(key{bits: anywhere})
	src := c.prefixesOf(f.Src)
	for _, p := range src {
		look(p)
	}
	for _, p := range c.prefixesOf(f.Dst) {
		if !slices.Contains(src, p) {
			look(p)
		}
	}
}

// find looks for the lowest rule that matches a flow, as far as a search says what
// matches.
func (x *index) find(f *flowtable.Flow, s *search) {
	if s.last < x.from || s.start >= x.to {
		return
	}
	look := func(t *tree) { t.search(0, len(t.entries), s) }
	if x.anywhere != nil {
		look(x.anywhere)
	}
	x.at(f, look)
}

// in returns the lowest rule of a tree that matches a flow, if that is lower than best.
func (s *search) in(t *tree, f *flowtable.Flow, best int32) int32 {
	s.start, s.last, s.best = int64(f.Start), int64(f.Last), best
	t.search(0, len(t.entries), s)
	return s.best
}

// search tries the rules whose windows meet the flow, as long as they are lower than
// the best so far.
func (t *tree) search(from, to int, s *search) {
	for from < to {
		middle := int(uint(from+to) >> 1)
		e := &t.entries[middle]
		if e.lowest >= s.best || e.latest <= s.start {
			return
		}
		t.search(from, middle, s)
		if e.from > s.last {
			return // so do all behind it
		}
		if e.rule < s.best && e.to > s.start && s.matches(e) {
			s.best = e.rule
		}
		from = middle + 1
	}
}

// anyOf returns an address of the set, and whether it is IPv6.
func (a *addresses) anyOf() (decode.Addr, bool) {
	if len(a.v4) > 0 {
		return a.v4[0].first, false
	}
	return a.v6[0].first, true
}
