package flowfast

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/flowfast/flowfast/decode"
)

// Endpoints are a list of addresses and ports. A packet matches if its source or its
// destination does; an end matches if it has one of the addresses, one of the ports,
// or both of an address with a port. The addresses and ports are those of the packet's
// flow: a later fragment has those of its datagram, and a packet in a tunnel that is
// looked into has the inner ones. Ports are those of TCP, UDP, UDP-Lite, SCTP and DCCP.
//
// The time for a packet hardly depends on the length of the list. Endpoints do not
// change, and may be used by several runs at once.
type Endpoints struct {
	ports [1 << 16 / 64]uint64 // a bit for each
	v4    []span[uint32]       // sorted and disjoint
	below []uint32             // number of v4 below each multiple of 1<<16
	v6    []span[decode.Addr]  // sorted and disjoint
	pairs map[pair]struct{}
}

// A span is from one address to another one, both included.
type span[T any] struct{ first, last T }

// A pair is an address with a port.
type pair struct{ hi, lo, port uint64 }

func newPair(a decode.Addr, port uint16, v6 bool) pair {
	p := pair{a.Hi, a.Lo, uint64(port)}
	if v6 {
		p.port |= 1 << 16
	}
	return p
}

// ParseEndpoints reads a list, which has one of these on each line: an address, a
// prefix, a port, a range of ports, an address with a port.
//
//	192.0.2.1
//	2001:db8::/32
//	443
//	8000-8099
//	192.0.2.1:53
//	[2001:db8::1]:53    # whose zone is none
//
// A # begins a comment; empty lines are skipped. An empty list is an error. Errors
// begin with the name and the number of the line.
func ParseEndpoints(r io.Reader, name string) (*Endpoints, error) {
	e := &Endpoints{pairs: map[pair]struct{}{}}
	lines := bufio.NewScanner(r)
	number, filled := 0, 0
	for lines.Scan() {
		number++
		text, _, _ := strings.Cut(lines.Text(), "#")
		if number == 1 {
			text = strings.TrimPrefix(text, "\ufeff") // some editors begin a file so
		}
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if err := e.add(text); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		filled++
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%s:%d: %w", name, number+1, errLine)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	case filled == 0:
		return nil, fmt.Errorf("%s: no line has an address or a port", name)
	}
	e.sort()
	return e, nil
}

var errLine = errors.New("want an address, a prefix, a port, a range of ports, or an address with a port, " +
	"such as 192.0.2.1, 2001:db8::/32, 443, 8000-8099, 192.0.2.1:53 or [2001:db8::1]:53")

func badLine(text string) error { return fmt.Errorf("%.60q: %w", text, errLine) }

// add takes in a line.
func (e *Endpoints) add(text string) error {
	if first, last, isRange := strings.Cut(text, "-"); strings.Trim(text, "0123456789-") == "" {
		if !isRange {
			last = first
		}
		from, errFrom := strconv.ParseUint(first, 10, 16)
		to, errTo := strconv.ParseUint(last, 10, 16)
		if errFrom != nil || errTo != nil || from > to {
			return badLine(text)
		}
		for port := from; port <= to; port++ {
			e.ports[port/64] |= 1 << (port % 64)
		}
		return nil
	}
	if strings.Contains(text, "/") {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return badLine(text)
		}
		if whole := prefix.Masked(); whole != prefix {
			return fmt.Errorf("%v has bits beyond the prefix: want %v", prefix, whole)
		}
		e.addPrefix(prefix)
		return nil
	}
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		e.addPrefix(netip.PrefixFrom(a, a.BitLen()))
		return nil
	}
	p, err := netip.ParseAddrPort(text)
	if err != nil || p.Addr().Zone() != "" {
		return badLine(text)
	}
	e.pairs[newPair(addrOf(p.Addr()), p.Port(), p.Addr().Is6())] = struct{}{}
	return nil
}

func (e *Endpoints) addPrefix(p netip.Prefix) {
	a, free := addrOf(p.Addr()), p.Addr().BitLen()-p.Bits()
	if p.Addr().Is4() {
		e.v4 = append(e.v4, span[uint32]{uint32(a.Lo), uint32(a.Lo | (1<<free - 1))})
		return
	}
	last := decode.Addr{Hi: a.Hi, Lo: a.Lo | (1<<min(free, 64) - 1)}
	if free > 64 {
		last.Hi |= 1<<(free-64) - 1
	}
	e.v6 = append(e.v6, span[decode.Addr]{a, last})
}

// sort makes the addresses ready for searches.
func (e *Endpoints) sort() {
	e.v4 = merged(e.v4, cmp.Compare[uint32])
	e.v6 = merged(e.v6, compareAddr)
	if len(e.v4) == 0 {
		return
	}
	e.below = make([]uint32, 1<<16+1)
	for _, s := range e.v4 {
		e.below[s.first>>16+1]++
	}
	for i := range e.below[1:] {
		e.below[i+1] += e.below[i]
	}
}

// merged sorts spans and makes one of those that overlap.
func merged[T any](all []span[T], compare func(a, b T) int) []span[T] {
	slices.SortFunc(all, func(a, b span[T]) int { return compare(a.first, b.first) })
	n := 0
	for _, s := range all {
		if n > 0 && compare(s.first, all[n-1].last) <= 0 {
			if compare(s.last, all[n-1].last) > 0 {
				all[n-1].last = s.last
			}
			continue
		}
		all[n] = s
		n++
	}
	return slices.Clip(all[:n])
}

func compareAddr(a, b decode.Addr) int {
	return cmp.Or(cmp.Compare(a.Hi, b.Hi), cmp.Compare(a.Lo, b.Lo))
}

// addrOf returns an address in the form of decoded packets.
func addrOf(a netip.Addr) decode.Addr {
	var d decode.Addr
	for i, b := range a.AsSlice() {
		if i > 0 && i%8 == 0 {
			d.Hi, d.Lo = d.Lo, 0
		}
		d.Lo = d.Lo<<8 | uint64(b)
	}
	return d
}

// matches reports whether a packet of a flow matches.
func (e *Endpoints) matches(p *decode.Packet) bool {
	if e.hasAddr(p.Src, p.V6) || e.hasAddr(p.Dst, p.V6) {
		return true
	}
	if !decode.HasPorts(p.Proto) {
		return false // what stands in the place of ports is something else
	}
	if e.hasPort(p.SrcPort) || e.hasPort(p.DstPort) {
		return true
	}
	return len(e.pairs) > 0 && (e.hasPair(p.Src, p.SrcPort, p.V6) || e.hasPair(p.Dst, p.DstPort, p.V6))
}

func (e *Endpoints) hasPort(port uint16) bool { return e.ports[port/64]>>(port%64)&1 != 0 }

func (e *Endpoints) hasPair(a decode.Addr, port uint16, v6 bool) bool {
	_, ok := e.pairs[newPair(a, port, v6)]
	return ok
}

func (e *Endpoints) hasAddr(a decode.Addr, v6 bool) bool {
	from, to := 0, len(e.v6)
	if v6 {
		for from < to { // the spans that begin with a or before
			if middle := (from + to) / 2; compareAddr(e.v6[middle].first, a) <= 0 {
				from = middle + 1
			} else {
				to = middle
			}
		}
		return from > 0 && compareAddr(a, e.v6[from-1].last) <= 0
	}
	if len(e.v4) == 0 {
		return false
	}
	v4 := uint32(a.Lo)
	for from, to = int(e.below[v4>>16]), int(e.below[v4>>16+1]); from < to; {
		if middle := (from + to) / 2; e.v4[middle].first <= v4 {
			from = middle + 1
		} else {
			to = middle
		}
	}
	return from > 0 && v4 <= e.v4[from-1].last
}
