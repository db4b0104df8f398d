package flowtable

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/flowfast/flowfast/decode"
)

// ipFragment is a fragment of a datagram of TCP from 10.0.0.1 to 10.0.0.2, or
// between addresses of IPv6 that end so, with 8 bytes of destination options in
// front of the TCP header if there are options.
func ipFragment(v6, options bool, at int, more bool, body []byte) []byte {
	be := binary.BigEndian
	if !v6 {
		word := uint16(at / 8)
		if more {
			word |= 0x2000
		}
		b := be.AppendUint16([]byte{0x45, 0}, uint16(20+len(body)))
		b = be.AppendUint16(append(b, 0, 7), word)
		return append(append(b, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2), body...)
	}
	b := append([]byte{0x60, 0, 0, 0}, 0, byte(8+len(body)), 44, 64)
	for _, last := range []byte{1, 2} {
		b = append(append(b, 0x20, 1), make([]byte, 13)...)
		b = append(b, last)
	}
	next := byte(6)
	if options {
		next = 60
	}
	word := uint16(at)
	if more {
		word |= 1
	}
	b = be.AppendUint16(append(b, next, 0), word)
	return append(append(b, 0, 0, 0, 7), body...)
}

// A first fragment with the ports of TCP alone makes the flow, and the control
// bits count with the fragment that has them (RFC 791, 3.2).
func TestTinyFirstFragments(t *testing.T) {
	const syn, synAck, hidden = 0x02, 0x12, 0x04
	header := func(flags, offset byte) []byte {
		return []byte{0xc0, 0, 0, 22, 0, 0, 0, 9, 0, 0, 0, 0, offset << 4, flags, 4, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4}
	}
	type part struct{ from, to int }
	for _, test := range []struct {
		rule    string
		flags   byte
		offset  byte
		parts   []part
		cut     int // bytes of each fragment that the snap length takes
		packets uint64
		syn     uint64 // packets with SYN
		ack     uint64
	}{
		{"in order", syn, 6, []part{{0, 8}, {8, 16}, {16, 24}}, 0, 3, 1, 0},
		{"out of order", synAck, 6, []part{{0, 8}, {16, 24}, {8, 16}}, 0, 3, 1, 1},
		{"16 bytes", syn, 6, []part{{0, 16}, {16, 24}}, 0, 2, 1, 0},
		{"the rest in one", syn, 6, []part{{0, 8}, {8, 24}}, 0, 2, 1, 0},
		{"the rest is missing", syn, 6, []part{{0, 8}, {16, 24}}, 0, 2, 0, 0},
		{"the first one alone", syn, 6, []part{{0, 8}}, 0, 1, 0, 0},
		{"before the first is an orphan", syn, 6, []part{{8, 16}, {0, 8}}, 0, 1, 0, 0},
		{"twice, the first counts", syn, 6, []part{{0, 8}, {8, 16}, {8, 16}}, 0, 3, 1, 0},
		{"the snap length cuts them off", syn, 6, []part{{0, 8}, {8, 16}}, 3, 2, 0, 0},
		{"a data offset below the least hides them", hidden, 4, []part{{0, 8}, {8, 16}}, 0, 2, 0, 0},
	} {
		for _, wrapped := range []struct{ v6, options bool }{{false, false}, {true, false}, {true, true}} {
			shift := 0
			body := header(test.flags, test.offset)
			if wrapped.options {
				shift, body = 8, append([]byte{6, 0, 1, 4, 0, 0, 0, 0}, body...)
			}
			for _, size := range []int{1, 5} {
				e := newFeed(t, 100, 0, Options{}, size)
				var packets []arrival
				for i, part := range test.parts {
					from, to := part.from+shift, part.to+shift
					if part.from == 0 {
						from = 0
					}
					frame := ipFragment(wrapped.v6, wrapped.options, from, to < len(body), body[from:to])
					p := arrival{Time: Time(i), Len: 100}
					p.Decode(101, frame[:len(frame)-test.cut], uint32(len(frame)))
					packets = append(packets, p)
				}
				e.add(packets)
				e.end()
				src, dst := packets[0].Src, packets[0].Dst
				first := uint64(len(test.parts)) - test.packets
				want := describe(&Flow{Reason: End, First: first, Src: src, Dst: dst, V6: wrapped.v6, SrcPort: 0xc000, DstPort: 22, Protocol: 6,
					Start: Time(first), Last: Time(len(test.parts) - 1),
					Fwd: Direction{Packets: test.packets, Bytes: 100 * test.packets, Flags: [8]uint64{1: test.syn, 4: test.ack}}})
				if !slices.Equal(e.rows, []string{want}) {
					t.Errorf("%s, %+v:\ngot  %q\nwant %q", test.rule, wrapped, e.rows, want)
				}
			}
		}
	}
}

// A later fragment is of the flow of its first, also where its SYN has another
// number than the flow's: it does not reuse the ports.
func TestTinyFragmentReusesNothing(t *testing.T) {
	e := newFeed(t, 100, 0, Options{}, 2)
	segment := decode.Packet{Class: decode.Counted, Proto: 6, Src: decode.Addr{Lo: 0x0a000001}, Dst: decode.Addr{Lo: 0x0a000002},
		SrcPort: 0xc000, DstPort: 22, Seq: 1000, Flags: 0x10, RawFlags: 0x10, Whole: true}
	packets := []arrival{{Packet: segment, Len: 100}, {Len: 100}, {Len: 100}}
	packets[1].Decode(101, ipFragment(false, false, 0, true, []byte{0xc0, 0, 0, 22, 0, 0, 0, 9}), 28)
	packets[2].Decode(101, ipFragment(false, false, 8, false, []byte{0, 0, 0, 0, 5 << 4, 2, 0, 0, 0, 0, 0, 0}), 32)
	e.add(packets)
	e.end()
	if len(e.rows) != 1 || e.packets != 3 {
		t.Errorf("%d packets in %q, want 3 in one flow", e.packets, e.rows)
	}
}
