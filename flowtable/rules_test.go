package flowtable

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestRulesEqualModel runs random packets by all kinds of rules.
func TestRulesEqualModel(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for n := range 300 {
		rules := Rules{
			TCPEnd:  TCPEnd(r.IntN(4)),
			NoReuse: r.IntN(2) == 0, AtTimeout: r.IntN(2) == 0,
			Turn: r.IntN(2) == 0, SYNACKTurns: r.IntN(2) == 0,
		}
		if r.IntN(3) > 0 {
			rules.ActiveTimeout = time.Duration(500 * (1 + r.IntN(4)))
		}
		packets := somePackets(r, 1000, 1+r.IntN(30), int64(1+r.IntN(100)))
		for i := range packets { // so that times are equal to a timeout
			packets[i].Time -= packets[i].Time % 50
		}
		m := model{timeout: 1000, rules: rules, open: map[string]*modelFlow{}, clock: math.MinInt64}
		for i := range packets {
			packets[i].Position = uint64(i)
			m.add(packets[i])
		}
		e := newFeed(t, 32, packets[0].Time, Options{Rules: rules}, 1+r.IntN(50))
		e.add(packets)
		e.end()
		want := m.end()
		if len(want) != len(e.rows) {
			t.Fatalf("round %d, %+v: %d rows, want %d", n, rules, len(e.rows), len(want))
		}
		for i, f := range want {
			if w := f.describe(); e.rows[i] != w {
				t.Fatalf("round %d, %+v, row %d:\ngot  %s\nwant %s", n, rules, i, e.rows[i], w)
			}
		}
	}
}
