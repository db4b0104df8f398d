package flowtable

import (
	"testing"
	"time"

	"github.com/flowfast/flowfast/decode"
)

// Orphans are early if their first fragment comes within 30 s after them.
func TestEarlyFragments(t *testing.T) {
	const second = Time(time.Second)
	type sent struct {
		id    uint32
		first bool
		at    Time
	}
	for _, test := range []struct {
		name          string
		sent          []sent
		early, orphan uint64
	}{
		{"before their first", []sent{{1, false, 0}, {1, false, 1}, {1, true, 2}}, 2, 2},
		{"behind their first", []sent{{1, true, 0}, {1, false, 1}}, 0, 0},
		{"without a first", []sent{{1, false, 0}, {2, true, 1}}, 0, 1},
		{"30 s before", []sent{{1, false, 0}, {1, true, 30 * second}}, 1, 1},
		{"longer before", []sent{{1, false, 0}, {1, true, 30*second + 1}}, 0, 1},
		{"two datagrams of one number", []sent{{1, false, 0}, {1, false, 31 * second}, {1, true, 32 * second}}, 1, 2},
		{"a first fragment claims once", []sent{{1, false, 0}, {1, true, 1}, {1, true, 2}}, 1, 1},
	} {
		for _, size := range []int{1, 8} {
			e := newFeed(t, 100, 0, Options{}, size)
			var packets []arrival
			for _, s := range test.sent {
				p := decode.Packet{Class: decode.Fragment, Src: decode.Addr{Lo: 9}, Dst: decode.Addr{Lo: 5}, FragID: s.id, FragProto: 17, Proto: 17}
				if s.first {
					p.Class, p.FirstFragment = decode.Counted, true
				}
				packets = append(packets, arrival{Packet: p, Time: s.at, Len: 60})
			}
			orphans := uint64(0)
			for i := 0; i < len(packets); i += size {
				e.add(packets[i:min(i+size, len(packets))])
				orphans += e.batch.Classes[decode.OrphanFragment]
			}
			if got := e.gate.EarlyFragments(); got != test.early || orphans != test.orphan {
				t.Errorf("%s: %d early of %d orphans, want %d of %d", test.name, got, orphans, test.early, test.orphan)
			}
		}
	}
}
