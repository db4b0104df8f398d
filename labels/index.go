package labels

import (
	"math/bits"
	"net/netip"
	"slices"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// An index finds the rules that may match a flow without looking at the others.
// Each rule stands at the keys of what it asks for most narrowly: prefixes of one
// end, numbers of few ports, or none of these; and at each key in a tree of times.
// A flow is looked for at the keys that it can have: its two addresses, cut to the
// lengths that prefixes have, with each of its two ports and with none.
//
// What costs then depends on how many rules a flow nearly matches, and hardly on
// how many there are. Only rules that ask neither for addresses nor for few ports
// nor for times are looked at one after the other.
type index struct {
	from, to int64 // no rule is before or after
	nodes    map[key]*tree
	seen     []uint64 // a bit for what the hash of a key can be; see mayHave
	lengths  [2][]prefixLength
	ports    bool // some key has a port
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

// A prefixLength is a length that prefixes have.
type prefixLength struct {
	bits   uint16
	hi, lo uint64 // mask
}

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
	lengths := [2]map[int]bool{{}, {}}
	for number, r := range rules {
		for _, k := range r.keys() {
			if k.bits != anywhere {
				lengths[k.bits>>8][int(k.bits&255)] = true
			}
			x.ports = x.ports || k.port != anyPort
			t := x.nodes[k]
			if t == nil {
				t = &tree{}
				x.nodes[k] = t
			}
			windows := r.Windows
			if windows == nil {
				windows = []Window{{always, never}}
			}
			for _, w := range windows {
				x.from, x.to = min(x.from, w.From), max(x.to, w.To)
				t.entries = append(t.entries, treeEntry{from: w.From, to: w.To, rule: int32(number)})
			}
		}
	}
	for family := range lengths {
		for n := range lengths[family] {
			hi, lo := maskOf(n, family == 1)
			x.lengths[family] = append(x.lengths[family], prefixLength{uint16(family<<8 | n), hi, lo})
		}
		slices.SortFunc(x.lengths[family], func(a, b prefixLength) int { return int(b.bits) - int(a.bits) })
	}
	size := max(1<<bits.Len(uint(len(x.nodes)*16)), 4096)
	x.seen = make([]uint64, min(size, 1<<24)/64)
	for k, t := range x.nodes {
		h := k.hash(x)
		x.seen[h>>6] |= 1 << (h & 63)
		t.build()
	}
	return x
}

// maskOf returns the bits of an address that a prefix of a length has.
func maskOf(n int, v6 bool) (hi, lo uint64) {
	if !v6 {
		return 0, uint64(^uint32(0) << (32 - n))
	}
	if n <= 64 {
		return ^uint64(0) << (64 - n), 0
	}
	return ^uint64(0), ^uint64(0) << (128 - n)
}

func (k *key) hash(x *index) uint64 {
	h := (k.hi ^ uint64(uint32(k.port))<<32 ^ uint64(k.bits)) * 0x9e3779b97f4a7c15
	h = (h ^ h>>32 ^ k.lo) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>29) * 0x94d049bb133111eb
	return h >> 32 & uint64(len(x.seen)*64-1)
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
	matches     func(rule int32) bool
}

// find looks for the lowest rule that matches a flow.
func (x *index) find(f *flowtable.Flow, s *search) {
	if s.last < x.from || s.start >= x.to {
		return
	}
	x.at(key{bits: anywhere}, f, s)
	family := 0
	if f.V6 {
		family = 1
	}
	for i := range x.lengths[family] {
		p := &x.lengths[family][i]
		src := key{hi: f.Src.Hi & p.hi, lo: f.Src.Lo & p.lo, bits: p.bits}
		dst := key{hi: f.Dst.Hi & p.hi, lo: f.Dst.Lo & p.lo, bits: p.bits}
		x.at(src, f, s)
		if dst != src {
			x.at(dst, f, s)
		}
	}
}

// at looks at a key with the ports of a flow, and with none.
func (x *index) at(k key, f *flowtable.Flow, s *search) {
	k.port = anyPort
	x.look(&k, s)
	if !x.ports || !hasPorts(f.Protocol) {
		return
	}
	k.port = int32(f.SrcPort)
	x.look(&k, s)
	if f.DstPort != f.SrcPort {
		k.port = int32(f.DstPort)
		x.look(&k, s)
	}
}

// look looks at a key. Most that a flow has are of no rule, which one bit tells:
// it takes a fifth of the time of the map.
func (x *index) look(k *key, s *search) {
	if h := k.hash(x); x.seen[h>>6]>>(h&63)&1 == 0 {
		return
	}
	if t := x.nodes[*k]; t != nil {
		t.search(0, len(t.entries), s)
	}
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
		if e.rule < s.best && e.to > s.start && s.matches(e.rule) {
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
