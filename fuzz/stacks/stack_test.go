// Package stacks builds random stacks of valid headers, from the link header down
// to the transport's, and holds what flowfast reads of them against what was built
// and against tshark.
//
// The builders know nothing of package decode: each writes one header from its
// standard, and what stands inside is built before what stands around it.
package stacks

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// IP protocol numbers.
const (
	protoICMP, protoTCP, protoUDP, protoICMPv6, protoSCTP = 1, 6, 17, 58, 132
)

// A tuple is the flow of a packet, with the ends in the order of the packet.
type tuple struct {
	proto    uint8
	src, dst netip.AddrPort
}

// key returns the tuple of the flow whatever the direction.
func (t tuple) key() tuple {
	if t.dst.Compare(t.src) < 0 {
		t.src, t.dst = t.dst, t.src
	}
	return t
}

// A piece is a frame or what of it has been built, from the inside out. A stack
// with fragments has several.
type piece struct {
	b    []byte
	need int // bytes at its front without which the packet has no flow
	deep int // those without which what tunnels in UDP carry has none
	// later is set of a piece in which some IP header is that of a later fragment.
	later bool
	// tiny is set of the pieces of a datagram whose first fragment has not the
	// whole of what is needed of a TCP header.
	tiny bool
}

// A stack is what was built from a seed: its frames in their order, the names of
// its headers from the outside in, and what should be read.
type stack struct {
	link    linkType
	headers []string
	seed    uint64
	frames  []frame
	flow    tuple
	counted bool // it ends in TCP or UDP

	// Of a tunnel in UDP what it carries: its flow, and whether that is TCP's or UDP's.
	inner        tuple
	innerCounted bool
	tunnel       bool
}

// A frame is one frame of a stack.
type frame struct {
	piece
	captured int // bytes of it that the snap length left
}

// truncated reports whether the snap length cut what is needed.
func (f *frame) truncated() bool { return f.captured < f.need }

// A generator builds a stack.
type generator struct {
	*rand.Rand
	stack
	budget int  // headers that may still be added for their own sake
	frags  int  // fragmentations that may still be made
	ips    int  // IP headers so far
	exact  bool // some length inside is that of the frame: no padding may follow
	id     uint32
}

// newStack builds the stack of a seed for a link type, any if it is nil. Its
// fragments have identifications from id on, so that those of one capture differ.
func newStack(seed uint64, link *linkType, id uint32) (stack, uint32) {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0x57ac)), id: id}
	g.budget = g.IntN(7)
	if g.chance(4) {
		g.frags = 1 + g.IntN(2)
	}
	if link == nil {
		link = &linkTypes[g.IntN(len(linkTypes))]
	}
	g.link = *link
	g.name(link.name)
	for _, p := range link.build(g) {
		g.frames = append(g.frames, frame{p, len(p.b)})
	}
	if g.chance(12) {
		for i := range g.frames {
			f := &g.frames[i]
			// Around what is needed is where it matters.
			f.captured = g.IntN(len(f.b) + 1)
			if f.need > 0 && g.chance(2) {
				f.captured = min(len(f.b), f.need+g.IntN(24)-12)
			}
			f.captured = max(f.captured, uncut(link.number))
		}
		g.name("cut")
	}
	return g.stack, g.id
}

// uncut is how many bytes of a record tshark wants before it opens the file: those
// that it takes for no part of the frame.
func uncut(link uint32) int {
	switch link {
	case 123, 204:
		return 4
	case 197:
		return 16 + 2*8 + 2
	}
	return 0
}

func (g *generator) name(header string) { g.headers = append(g.headers, header) }

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.IntN(n) == 0 }

// spend reports whether there may be one more header that need not be.
func (g *generator) spend() bool {
	if g.budget <= 0 {
		return false
	}
	g.budget--
	return true
}

func (g *generator) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

// around puts a header in front of every piece, and what f returns behind it too.
func around(pieces []piece, f func(b []byte) (head, tail []byte)) []piece {
	for i := range pieces {
		p := &pieces[i]
		head, tail := f(p.b)
		p.b = slices.Concat(head, p.b, tail)
		p.need += len(head)
		p.deep += len(head)
	}
	return pieces
}

// in puts the same bytes in front of every piece.
func in(pieces []piece, head ...byte) []piece {
	return around(pieces, func([]byte) ([]byte, []byte) { return head, nil })
}

func be16(n int) []byte    { return binary.BigEndian.AppendUint16(nil, uint16(n)) }
func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
func le16(n int) []byte    { return binary.LittleEndian.AppendUint16(nil, uint16(n)) }
func le32(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }

// sum is the Internet checksum (RFC 1071).
func sum(parts ...[]byte) uint16 {
	var s uint32
	for _, b := range parts {
		for i, c := range b {
			if i&1 == 0 {
				s += uint32(c) << 8
			} else {
				s += uint32(c)
			}
		}
	}
	for s>>16 != 0 {
		s = s&0xffff + s>>16
	}
	return ^uint16(s)
}
