package flowtable

import (
	"slices"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
)

// Later fragments are of the flow of their first one, whatever the protocol, and
// one way if that is.
func TestFragmentsOfOtherProtocols(t *testing.T) {
	src, dst := decode.Addr{Lo: 9}, decode.Addr{Lo: 5}
	fragment := func(at Time, class decode.Class, p decode.Packet) arrival {
		p.Src, p.Dst, p.Class, p.FragID = src, dst, class, 7
		p.FirstFragment = class == decode.Counted
		return arrival{Packet: p, Time: at, Len: 100}
	}
	for _, test := range []struct {
		rule  string
		proto uint8
		first decode.Packet
		want  string
	}{
		{"by type", 1, decode.Packet{SrcPort: 8}, describe(&Flow{Reason: End, Src: src, Dst: dst, SrcPort: 8, Protocol: 1,
			Last: 2, Fwd: Direction{Packets: 3, Bytes: 300}})},
		{"by index, one way", 50, decode.Packet{SrcPort: 3, DstPort: 8, OneWay: true}, describe(&Flow{Reason: End, Src: src, Dst: dst,
			SrcPort: 3, DstPort: 8, Protocol: 50, Last: 2, Fwd: Direction{Packets: 3, Bytes: 300}})},
		{"without ports", 89, decode.Packet{}, describe(&Flow{Reason: End, Src: src, Dst: dst, Protocol: 89,
			Last: 2, Fwd: Direction{Packets: 3, Bytes: 300}})},
	} {
		first := test.first
		first.Proto, first.FragProto = test.proto, test.proto
		later := decode.Packet{Proto: test.proto, FragProto: test.proto}
		e := newFeed(t, 100, 0, Options{}, 2)
		e.add([]arrival{
			fragment(0, decode.Counted, first),
			fragment(1, decode.Fragment, later),
			fragment(2, decode.Fragment, later),
		})
		e.end()
		if !slices.Equal(e.rows, []string{test.want}) {
			t.Errorf("%s: got %q, want %q", test.rule, e.rows, test.want)
		}
	}
}

// Fragments of datagrams with the same identification in several encapsulations
// are of several flows.
func TestFragmentsInEncapsulations(t *testing.T) {
	e := newFeed(t, 100, 0, Options{Keys: Keys{Encapsulation: decode.VLANTags}}, 2)
	e.gate.hasher.mask = 0 // all hashes are the same
	at := Time(0)
	add := func(class decode.Class, encapsulation uint64, port uint16) {
		p := decode.Packet{Class: class, FragID: 7, Proto: 17, FragProto: 17, Src: decode.Addr{Lo: 9}, Dst: decode.Addr{Lo: 5},
			Encapsulation: encapsulation, SrcPort: port, FirstFragment: class == decode.Counted}
		e.add([]arrival{{Packet: p, Time: at / 8, Len: 100}})
		at++
	}
	const datagrams = 200
	for i := range uint64(datagrams) {
		add(decode.Counted, i, uint16(i))
	}
	for i := range uint64(datagrams) {
		add(decode.Fragment, datagrams-1-i, 0)
	}
	add(decode.Fragment, datagrams, 0)
	e.end()
	if e.packets != 2*datagrams || len(e.rows) != datagrams {
		t.Fatalf("%d packets in %d rows, want %d in %d", e.packets, len(e.rows), 2*datagrams, datagrams)
	}
	for i, row := range e.rows {
		if !strings.Contains(row, " [2 0] [200 0] ") {
			t.Fatalf("row %d: %s", i, row)
		}
	}
}
