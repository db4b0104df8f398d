package flowtable

import (
	"slices"
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
		e := newFeed(t, 100, 0, Looks{}, 2)
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
