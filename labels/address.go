package labels

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/flowfast/flowfast/decode"
)

// Addresses are addresses and prefixes; nil are all.
type addresses struct {
	prefixes []netip.Prefix
	v4, v6   []span // sorted and disjoint
}

// A span is from one address to another one, both included.
type span struct{ first, last decode.Addr }

func words(a netip.Addr) decode.Addr {
	if a.Is4() {
		b := a.As4()
		return decode.Addr{Lo: uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return decode.Addr{Hi: binary.BigEndian.Uint64(b[:8]), Lo: binary.BigEndian.Uint64(b[8:])}
}

// parsePrefix takes an address or a prefix.
func parsePrefix(text string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return p, fmt.Errorf("address %q: want one such as 192.0.2.1, 2001:db8::1 or 192.0.2.0/24", text)
	}
	if p != p.Masked() {
		return p, fmt.Errorf("prefix %v has bits beyond its length: want %v, or an address without a length", p, p.Masked())
	}
	return p, nil
}

func newAddresses(prefixes []netip.Prefix) *addresses {
	a := &addresses{prefixes: prefixes}
	for _, p := range prefixes {
		s := spanOf(p)
		if p.Addr().Is4() {
			a.v4 = append(a.v4, s)
		} else {
			a.v6 = append(a.v6, s)
		}
	}
	a.v4, a.v6 = merged(a.v4), merged(a.v6)
	return a
}

func spanOf(p netip.Prefix) span {
	s := span{words(p.Addr()), words(p.Addr())}
	free := p.Addr().BitLen() - p.Bits()
	if free > 64 {
		s.last.Hi |= 1<<(free-64) - 1
	}
	if free >= 64 {
		s.last.Lo = ^uint64(0)
	} else {
		s.last.Lo |= 1<<free - 1
	}
	return s
}

func compare(a, b decode.Addr) int { return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lo, b.Lo)) }

// merged returns the spans sorted, with those in one that overlap.
func merged(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return compare(a.first, b.first) })
	var all []span
	for _, s := range spans {
		if n := len(all); n > 0 && compare(s.first, all[n-1].last) <= 0 {
			if compare(all[n-1].last, s.last) < 0 {
				all[n-1].last = s.last
			}
			continue
		}
		all = append(all, s)
	}
	return all
}

// has tells if an address is among them.
func (a *addresses) has(addr decode.Addr, v6 bool) bool {
	if a == nil {
		return true
	}
	spans := a.v4
	if v6 {
		spans = a.v6
	}
	return holds(spans, addr, addr)
}

// holds tells if one of the spans has all addresses from first to last.
func holds(spans []span, first, last decode.Addr) bool {
	low, high := 0, len(spans) // the first span that does not end before first
	for low < high {
		if middle := int(uint(low+high) >> 1); compare(spans[middle].last, first) < 0 {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(spans) && compare(spans[low].first, first) <= 0 && compare(last, spans[low].last) <= 0
}

// covers tells if all of b are in a.
func (a *addresses) covers(b *addresses) bool {
	if a == nil {
		return true
	}
	if b == nil {
		return false
	}
	in := func(outer, inner []span) bool {
		return !slices.ContainsFunc(inner, func(s span) bool { return !holds(outer, s.first, s.last) })
	}
	return in(a.v4, b.v4) && in(a.v6, b.v6)
}

// meets tells if a and b have addresses of one family: else no flow has one of each.
func (a *addresses) meets(b *addresses) bool {
	return a == nil || b == nil || len(a.v4) > 0 && len(b.v4) > 0 || len(a.v6) > 0 && len(b.v6) > 0
}

func (a *addresses) String() string {
	if a == nil {
		return "any"
	}
	texts := make([]string, len(a.prefixes))
	for i, p := range a.prefixes {
		if texts[i] = p.String(); p.IsSingleIP() {
			texts[i] = p.Addr().String()
		}
	}
	return strings.Join(texts, ",")
}

// A numberSet is numbers from 0 to 65535 in ranges, sorted and disjoint; nil are
// all.
type numberSet []numberRange

type numberRange struct{ first, last uint16 }

func parseRange(text string, most uint64) (numberRange, error) {
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	first, err := parseNumber(strings.TrimSpace(from), most)
	if err != nil {
		return numberRange{}, err
	}
	last, err := parseNumber(strings.TrimSpace(to), most)
	if err == nil && last < first {
		err = fmt.Errorf("range %q: the first is greater than the last", text)
	}
	return numberRange{uint16(first), uint16(last)}, err
}

// parseNumber refuses a zero in front, which YAML reads as an octal number.
func parseNumber(text string, most uint64) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > most || len(text) > 1 && text[0] == '0' {
		return 0, fmt.Errorf("%q: want a number from 0 to %d without zeros in front, or a range such as 8000-8099", text, most)
	}
	return n, nil
}

func newNumberSet(ranges []numberRange) numberSet {
	slices.SortFunc(ranges, func(a, b numberRange) int { return cmp.Compare(a.first, b.first) })
	set := numberSet{}
	for _, r := range ranges {
		if n := len(set); n > 0 && int(r.first) <= int(set[n-1].last)+1 {
			set[n-1].last = max(set[n-1].last, r.last)
			continue
		}
		set = append(set, r)
	}
	return set
}

func (s numberSet) has(n uint16) bool {
	if s == nil {
		return true
	}
	low, high := 0, len(s) // the first range that does not end before n
	for low < high {
		if middle := int(uint(low+high) >> 1); s[middle].last < n {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low < len(s) && s[low].first <= n
}

func (s numberSet) covers(o numberSet) bool {
	if s == nil {
		return true
	}
	if o == nil {
		return false
	}
	for _, r := range o {
		if !slices.ContainsFunc(s, func(outer numberRange) bool { return outer.first <= r.first && r.last <= outer.last }) {
			return false
		}
	}
	return true
}

// size is how many numbers the set has.
func (s numberSet) size() (n int) {
	for _, r := range s {
		n += int(r.last) - int(r.first) + 1
	}
	return n
}

func (s numberSet) String() string {
	texts := make([]string, len(s))
	for i, r := range s {
		if texts[i] = strconv.Itoa(int(r.first)); r.last > r.first {
			texts[i] += "-" + strconv.Itoa(int(r.last))
		}
	}
	return strings.Join(texts, ",")
}
