package stacks

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/flowfast/flowfast/decode"
)

// An answer is what was read of a frame.
type answer struct {
	counted bool
	flow    tuple // zero if it is not counted
	class   decode.Class
}

func (a answer) String() string {
	if !a.counted {
		return "not counted"
	}
	return fmt.Sprintf("%d %v > %v", a.flow.proto, a.flow.src, a.flow.dst)
}

// expected is what should be read of the frames of a stack. A later fragment has the
// flow of its first, if that was not cut.
func (s *stack) expected() []answer {
	all := make([]answer, len(s.frames))
	lost := false
	for i := range s.frames {
		f := &s.frames[i]
		switch {
		case f.truncated():
			all[i].class, lost = decode.Truncated, true
		case !s.counted:
			all[i].class = decode.OtherProtocol
		case f.later:
			all[i] = answer{!lost, s.flow, decode.Fragment}
		default:
			all[i] = answer{true, s.flow, decode.Counted}
		}
		if !all[i].counted {
			all[i].flow = tuple{}
		}
	}
	return all
}

// whole reports whether no frame of a stack lacks what is needed: of fragments of
// fragments that are cut the builder does not say which have lost their first.
func (s *stack) whole() bool {
	return !slices.ContainsFunc(s.frames, func(f frame) bool { return f.truncated() })
}

// A reader reads frames with package decode, and remembers first fragments.
type reader struct {
	decoder decode.Decoder
	firsts  map[datagram]tuple
}

type datagram struct {
	src, dst decode.Addr
	v6       bool
	protocol uint8
	id       uint32
}

func datagramOf(p *decode.Packet) datagram {
	return datagram{p.Src, p.Dst, p.V6, p.FragProto, p.FragID}
}

// read returns what flowfast reads of a frame.
func (r *reader) read(link uint32, frame []byte, wireLen int) answer {
	var p decode.Packet
	// The length of the slice ends what may be read.
	a := answer{class: r.decoder.Decode(&p, link, frame[:len(frame):len(frame)], uint32(wireLen))}
	switch a.class {
	case decode.Counted:
		a.counted = true
		a.flow = tuple{p.Proto, netip.AddrPortFrom(p.Src.IP(p.V6), p.SrcPort), netip.AddrPortFrom(p.Dst.IP(p.V6), p.DstPort)}
	case decode.Fragment:
		a.flow, a.counted = r.firsts[datagramOf(&p)]
	}
	if !a.counted {
		return a
	}
	if r.firsts == nil {
		r.firsts = map[datagram]tuple{}
	}
	if p.FirstFragment {
		r.firsts[datagramOf(&p)] = a.flow
	}
	for _, around := range r.decoder.Around(&p) {
		r.firsts[datagramOf(&around)] = a.flow
	}
	return a
}

// describe returns all that is to be known of a frame of a stack.
func (s *stack) describe(i int) string {
	f := &s.frames[i]
	var b strings.Builder
	fmt.Fprintf(&b, "link type %d: %s\nframe %d of %d, %d bytes, %d captured, %d needed\n%s",
		s.link.number, strings.Join(s.headers, " / "), i+1, len(s.frames), len(f.b), f.captured, f.need, hex.Dump(f.b[:f.captured]))
	return b.String()
}

// capture writes frames as a pcapng file with an interface for each link type, a
// millisecond from one to the next.
func capture(stacks []*stack, order []place) []byte {
	block := func(b []byte, kind uint32, body []byte) []byte {
		for len(body)&3 != 0 {
			body = append(body, 0)
		}
		size := le32(uint32(12 + len(body)))
		return slices.Concat(b, le32(kind), size, body, size)
	}
	b := block(nil, 0x0a0d0d0a, slices.Concat(le32(0x1a2b3c4d), le16(1), le16(0), le32(^uint32(0)), le32(^uint32(0))))
	interfaces := map[uint32]uint32{}
	out := [][]byte{}
	for _, s := range stacks {
		if _, ok := interfaces[s.link.number]; !ok {
			interfaces[s.link.number] = uint32(len(interfaces))
			b = block(b, 1, slices.Concat(le16(int(s.link.number)), le16(0), le32(0)))
		}
	}
	for i, at := range order {
		s := stacks[at.stack]
		f := &s.frames[at.frame]
		time := 1700000000_000000 + uint64(i)*1000
		body := slices.Concat(littleEndian32(interfaces[s.link.number], uint32(time>>32), uint32(time), uint32(f.captured), uint32(len(f.b))), f.b[:f.captured])
		out = append(out, block(nil, 6, body))
	}
	return append(b, slices.Concat(out...)...)
}

// A place is a frame among those of several stacks.
type place struct{ stack, frame int }

// interleave puts the frames of stacks in an order in which those of neighbours
// mix, but those of each keep theirs.
func interleave(stacks []*stack, seed uint64) []place {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x0de7))}
	var order []place
	type open struct{ stack, next int }
	var waiting []open
	next := 0
	for next < len(stacks) || len(waiting) > 0 {
		for next < len(stacks) && len(waiting) < 4 {
			waiting = append(waiting, open{next, 0})
			next++
		}
		i := g.IntN(len(waiting))
		w := &waiting[i]
		order = append(order, place{w.stack, w.next})
		if w.next++; w.next == len(stacks[w.stack].frames) {
			waiting = slices.Delete(waiting, i, i+1)
		}
	}
	return order
}
