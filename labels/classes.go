package labels

import (
	"math/bits"
	"net/netip"
	"slices"
	"sort"

	"github.com/flowfast/flowfast/decode"
)

// Classes divide the addresses of one family: two are of one class if they are in the
// same prefixes of the rules. Prefixes do not overlap but in whole, so that a class is
// the narrowest prefix that an address is in, by its number from 1, or none, 0.
type classes struct {
	prefixes []key   // that of class n is number n-1; without ports
	around   []int32 // the class of the next wider prefix
	starts   []decode.Addr
	class    []int32 // of the addresses from each of starts to before the next one
	// Most addresses are in no prefix: some has a bit, for what the upper bits of an
	// address are, where not all of them are in none. Of the bits that are set, spans
	// has which starts are to be looked at, and rank how many are before those of a word.
	some  [1 << upperBits / 64]uint64
	rank  [1 << upperBits / 64]int32
	spans []classSpan
	v6    bool
}

// A classSpan is which starts the class of an address is found by: the first that is
// behind it is the number low at least and high at most.
type classSpan struct{ low, high int32 }

const upperBits = 16

// newClasses returns the classes of one family of addresses.
func newClasses(rules []*Rule, v6 bool) classes {
	c := classes{v6: v6}
	seen := map[netip.Prefix]bool{}
	var all []netip.Prefix
	for _, r := range rules {
		for _, a := range []*addresses{r.src, r.dst, r.between[0], r.between[1]} {
			if a == nil {
				continue
			}
			for _, p := range a.prefixes {
				if p.Addr().Is6() == v6 && !seen[p] {
					seen[p] = true
					all = append(all, p)
				}
			}
		}
	}
	slices.SortFunc(all, func(a, b netip.Prefix) int { // the wider of two first
		if n := a.Addr().Compare(b.Addr()); n != 0 {
			return n
		}
		return a.Bits() - b.Bits()
	})
	c.begin(decode.Addr{}, 0)
	var open []span // prefixes around the one at hand
	var classOf []int32
	closeUntil := func(next decode.Addr, end bool) {
		for n := len(open) - 1; n >= 0 && (end || compare(open[n].last, next) < 0); n-- {
			outer := int32(0)
			if n > 0 {
				outer = classOf[n-1]
			}
			if behind, ok := after(open[n].last, v6); ok {
				c.begin(behind, outer)
			}
			open, classOf = open[:n], classOf[:n]
		}
	}
	for i, p := range all {
		s := spanOf(p)
		closeUntil(s.first, false)
		k := key{hi: s.first.Hi, lo: s.first.Lo, bits: uint16(p.Bits()), port: anyPort}
		if v6 {
			k.bits |= 256
		}
		outer := int32(0)
		if n := len(classOf); n > 0 {
			outer = classOf[n-1]
		}
		c.prefixes, c.around = append(c.prefixes, k), append(c.around, outer)
		c.begin(s.first, int32(i+1))
		open, classOf = append(open, s), append(classOf, int32(i+1))
	}
	closeUntil(decode.Addr{}, true)
	if len(all) > 0 {
		c.summarize()
	}
	return c
}

// begin says that addresses from one on are of a class.
func (c *classes) begin(from decode.Addr, class int32) {
	if n := len(c.starts); n > 0 && c.starts[n-1] == from {
		c.class[n-1] = class
		return
	}
	c.starts, c.class = append(c.starts, from), append(c.class, class)
}

// after returns the address behind another one, false for the last.
func after(a decode.Addr, v6 bool) (decode.Addr, bool) {
	lo, carry := bits.Add64(a.Lo, 1, 0)
	hi, over := bits.Add64(a.Hi, 0, carry)
	return decode.Addr{Hi: hi, Lo: lo}, over == 0 && (v6 || lo <= 1<<32-1)
}

// upper returns the upper bits of an address.
func (c *classes) upper(a decode.Addr) uint64 {
	if c.v6 {
		return a.Hi >> (64 - upperBits)
	}
	return a.Lo >> (32 - upperBits) & (1<<upperBits - 1)
}

// summarize completes some, rank and spans.
func (c *classes) summarize() {
	next := uint64(0) // the lowest upper bits that are not in spans
	for i, class := range c.class {
		if class == 0 {
			continue
		}
		last := uint64(1<<upperBits - 1)
		if i+1 < len(c.starts) {
			if last = c.upper(c.starts[i+1]); c.isFirst(c.starts[i+1]) {
				last--
			}
		}
		for u := max(next, c.upper(c.starts[i])); u <= last; u++ {
			low := i // all starts before it have lower upper bits
			for low > 0 && c.upper(c.starts[low]) == u {
				low--
			}
			high := i + 1
			for high < len(c.starts) && c.upper(c.starts[high]) == u {
				high++
			}
			c.some[u>>6] |= 1 << (u & 63)
			c.spans = append(c.spans, classSpan{int32(low + 1), int32(high)})
		}
		next = max(next, last+1)
	}
	set := 0
	for i, word := range c.some {
		c.rank[i] = int32(set)
		set += bits.OnesCount64(word)
	}
}

// isFirst tells if an address is the first with its upper bits.
func (c *classes) isFirst(a decode.Addr) bool {
	if c.v6 {
		return a.Lo == 0 && a.Hi&(1<<(64-upperBits)-1) == 0
	}
	return a.Lo&(1<<(32-upperBits)-1) == 0
}

// of returns the class of an address.
func (c *classes) of(a decode.Addr) uint64 {
	u := c.upper(a)
	if c.some[u>>6]&(1<<(u&63)) == 0 {
		return 0
	}
	return c.search(u, a)
}

func (c *classes) search(u uint64, a decode.Addr) uint64 {
	in := c.spans[int(c.rank[u>>6])+bits.OnesCount64(c.some[u>>6]&(1<<(u&63)-1))]
	low, high := in.low, in.high // the first start behind the address
	for low < high {
		if middle := int32(uint32(low+high) >> 1); !a.Less(c.starts[middle]) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return uint64(c.class[low-1])
}

// prefixesOf returns the prefixes that an address is in, the narrowest first.
func (c *classes) prefixesOf(a decode.Addr) []key {
	var all []key
	for n := int32(c.of(a)); n != 0; n = c.around[n-1] {
		all = append(all, c.prefixes[n-1])
	}
	return all
}

// PortClasses divide ports: two are of one class if they are in the same ranges of the
// rules. Class 0 is in none.
type portClasses struct {
	class []uint32 // by port, at most 1<<16; nil if no rule asks for ports
	some  [1 << 16 / 64]uint64
}

func newPortClasses(rules []*Rule) portClasses {
	var p portClasses
	var ends []int // where ranges begin, and where they have ended
	depth := map[int]int{}
	for _, r := range rules {
		for _, set := range []numberSet{r.ports, r.srcPorts, r.dstPorts} {
			for _, n := range set {
				ends = append(ends, int(n.first), int(n.last)+1)
				depth[int(n.first)]++
				depth[int(n.last)+1]--
			}
		}
	}
	if ends == nil {
		return p
	}
	sort.Ints(ends)
	ends = slices.Compact(ends)
	p.class = make([]uint32, 1<<16)
	in := 0
	for i, from := range ends {
		to := 1 << 16
		if i+1 < len(ends) {
			to = ends[i+1]
		}
		if in += depth[from]; in == 0 {
			continue
		}
		for port := from; port < to; port++ {
			p.class[port] = uint32(i + 1)
			p.some[port>>6] |= 1 << (port & 63)
		}
	}
	return p
}

// of returns the class of a port.
func (p *portClasses) of(port uint16) uint64 {
	if p.some[port>>6]>>(port&63)&1 == 0 {
		return 0
	}
	return uint64(p.class[port])
}
