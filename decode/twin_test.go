package decode

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
)

// The twin reads the same headers as Decode, slowly: one field after the other
// from the front of a reader that stops the reading when nothing is left. Every
// header is a step that returns the next one, or the packet's class.

// reader is what is left of the frame, and how much of it was on the wire.
type reader struct {
	b []byte
	n int
}

// need stops the reading if fewer than size bytes are left.
func (r *reader) need(size int) {
	if r.n < size {
		panic(Malformed)
	}
	if len(r.b) < size {
		panic(Truncated)
	}
}

func (r *reader) bytes(size int) []byte {
	r.need(size)
	b := r.b[:size]
	r.b, r.n = r.b[size:], r.n-size
	return b
}

func (r *reader) u8() int  { return int(r.bytes(1)[0]) }
func (r *reader) u16() int { return int(binary.BigEndian.Uint16(r.bytes(2))) }
func (r *reader) u32() int { return int(binary.BigEndian.Uint32(r.bytes(4))) }

// le returns a little-endian number.
func (r *reader) le(size int) int {
	v := 0
	for i, x := range r.bytes(size) {
		v |= int(x) << (8 * i)
	}
	return v
}

// at is the byte at an offset, or -1.
func (r *reader) at(offset int) int {
	if offset < len(r.b) {
		return int(r.b[offset])
	}
	return -1
}

// u16at is the number at an offset, or -1.
func (r *reader) u16at(offset int) int {
	if offset+1 < len(r.b) {
		return int(binary.BigEndian.Uint16(r.b[offset:]))
	}
	return -1
}

// end takes off what lies beyond size.
func (r *reader) end(size int) {
	r.n = min(r.n, size)
	r.b = r.b[:min(len(r.b), r.n)]
}

type twin struct {
	reader
	p       seen
	asked   asked
	outer   *seen // of the last header with a flow of its own that was looked through
	tunnels int   // in UDP

	datagram int // bytes of the fragment that is read

	tags, labels, extensions, headers, frames int
}

// seen is a packet with its encapsulation in words.
type seen struct {
	Packet
	around string
	unread bool // the twin does not read the link type: see TestRareLinkTypes
}

// note adds a part of the encapsulation, if it is asked for.
func (t *twin) note(part string, value any) {
	if slices.Contains(t.asked.around, part) {
		t.p.around += fmt.Sprintln(part, value)
	}
}

// enter notes the ends of a tunnel, if there is an IP header already.
func (t *twin) enter() {
	if t.headers > 1 {
		if t.p.FirstFragment {
			t.p.InFragments++
		}
		ends := [][2]uint64{{t.p.Src.Hi, t.p.Src.Lo}, {t.p.Dst.Hi, t.p.Dst.Lo}}
		slices.SortFunc(ends, func(a, b [2]uint64) int { return slices.Compare(a[:], b[:]) })
		t.note("tunnel", ends)
	}
}

// inFragment tells if the end of what is read stands in another fragment.
func (t *twin) inFragment() bool { return t.p.fragmented || t.p.InFragments > 0 }

type step func(*twin) step

// is ends the reading.
func is(c Class) step { panic(c) }

func (t *twin) limit(count *int, most int) {
	if *count++; *count > most {
		panic(Malformed)
	}
}

func (t *twin) nothingMore() step {
	if t.headers > 0 {
		return is(OtherProtocol)
	}
	return is(NotIP)
}

// asked is what flows are wanted of.
type asked struct {
	protocols []int // nil for all that can be had
	tunnels   []string
	around    []string
}

func (a *asked) protocol(number int) bool {
	if a.protocols == nil {
		return !slices.Contains([]int{0, 43, 44, 60}, number)
	}
	return slices.Contains(a.protocols, number)
}

var askedByDefault = asked{protocols: []int{6, 17}}

// twinOf reads a frame.
func twinOf(a asked, linkType uint32, frame []byte, wireLen uint32) (p seen) {
	t := &twin{reader: reader{frame, max(len(frame), int(wireLen))}, asked: a}
	defer func() {
		p = t.p
		p.Class = recover().(Class) // or it was no end, but a mistake
		nothing := p.Class == OtherProtocol || p.Class == NotIP || p.Class == Malformed && t.tunnels > 0 ||
			p.Class == Counted && !a.protocol(int(p.Proto))
		switch {
		case nothing && t.outer != nil:
			p = *t.outer
			p.Class = Counted
		case nothing && (p.Class != NotIP || t.tunnels > 0):
			p.Class = OtherProtocol
		}
		if p.Class != Counted {
			p.FirstFragment = false
		}
	}()
	for next := twinLink(int(linkType)); ; {
		next = next(t)
	}
}

// checkTwin compares Decode with the twin.
func checkTwin(t *testing.T, linkType uint32, frame []byte, wireLen uint32) {
	t.Helper()
	var p Packet
	p.Decode(linkType, frame, wireLen)
	compareTwin(t, p, twinOf(askedByDefault, linkType, frame, wireLen), linkType, frame, wireLen)
}

// choices are what a Decoder may be asked for, as the flags have it, and the
// same for the twin.
var choices = []struct {
	protocols, tunnels, key string
	asked                   asked
}{
	{"all", "all", "all", asked{nil, tunnelNames[:], encapsulationNames[:]}},
	{"all", "none", "none", asked{nil, nil, nil}},
	{"tcp,udp", "all", "none", asked{[]int{6, 17}, tunnelNames[:], nil}},
	{"tcp", "vxlan,gtpu,teredo", "tunnel", asked{[]int{6}, []string{"vxlan", "gtpu", "teredo"}, []string{"tunnel"}}},
	{"udp,icmp,icmpv6,sctp", "geneve,l2tp", "vlan", asked{[]int{17, 1, 58, 132}, []string{"geneve", "l2tp"}, []string{"vlan"}}},
	{"icmp,esp,udplite,dccp,41", "none", "mpls,vlan", asked{[]int{1, 50, 136, 33, 41}, nil, []string{"mpls", "vlan"}}},
	{"tcp,udp,ah,gre,59,135", "all", "all", asked{[]int{6, 17, 51, 47, 59, 135}, tunnelNames[:], encapsulationNames[:]}},
	{"tcp,udp", "none", "all", asked{[]int{6, 17}, nil, encapsulationNames[:]}},
}

// decoderOf returns the decoder of a choice.
func decoderOf(protocols, tunnels string) *Decoder { return decoderWith(protocols, tunnels, "none") }

func decoderWith(protocols, tunnels, key string) *Decoder {
	d := &Decoder{}
	if err := errors.Join(d.Protocols.UnmarshalText([]byte(protocols)), d.Tunnels.UnmarshalText([]byte(tunnels)),
		d.Encapsulation.UnmarshalText([]byte(key))); err != nil {
		panic(err)
	}
	return d
}

// digests are the digests of encapsulations that were met, and the other way
// round.
var digests struct {
	sync.Mutex
	of map[string]uint64
	to map[uint64]string
}

// checkDigest wants the same digest for the same encapsulation, and another for
// any other.
func checkDigest(t *testing.T, around string, digest uint64) {
	t.Helper()
	digests.Lock()
	defer digests.Unlock()
	if digests.of == nil {
		digests.of, digests.to = map[string]uint64{"": 0}, map[uint64]string{0: ""}
	}
	if before, ok := digests.of[around]; ok && before != digest {
		t.Errorf("%q has the digest %x, and before %x", around, digest, before)
	}
	if before, ok := digests.to[digest]; ok && before != around {
		t.Errorf("%q has the digest of %q", around, before)
	}
	digests.of[around], digests.to[digest] = digest, around
}

// checkChoice compares a Decoder with the twin.
func checkChoice(t *testing.T, choice int, linkType uint32, frame []byte, wireLen uint32) {
	t.Helper()
	c := choices[choice]
	var p Packet
	decoderWith(c.protocols, c.tunnels, c.key).Decode(&p, linkType, frame, wireLen)
	compareTwin(t, p, twinOf(c.asked, linkType, frame, wireLen), linkType, frame, wireLen)
	if t.Failed() {
		t.Fatalf("asked for %s, %s, %s", c.protocols, c.tunnels, c.key)
	}
}

func compareTwin(t *testing.T, p Packet, want seen, linkType uint32, frame []byte, wireLen uint32) {
	t.Helper()
	if want.unread {
		return
	}
	if p.Class != want.Class {
		t.Errorf("link type %d, %d of %d bytes: %s, twin: %s\n%s", linkType, len(frame), wireLen, describe(&p), describe(&want.Packet), hex.Dump(frame))
		return
	}
	if p.Class != Counted && p.Class != Fragment {
		return // what else was read on the way says nothing
	}
	checkDigest(t, want.around, p.Encapsulation)
	if said(p) != said(want.Packet) || t.Failed() {
		t.Errorf("link type %d, %d of %d bytes:\n%+v, twin:\n%+v\n%s", linkType, len(frame), wireLen, p, want, hex.Dump(frame))
	}
}

// said returns the packet without what only serves the way to it, or to its
// details.
func said(p Packet) Packet {
	p.headers, p.frames = 0, 0
	p.network, p.transport, p.size, p.Encapsulation = 0, 0, 0, 0
	return p
}
