package engine

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/flowtable"
)

// A modelRow is a row with its place in the order.
type modelRow struct {
	finish, start flowtable.Time
	first         uint64
	text          string
}

// bundlesOf cuts rows of a step, in order, into bundles.
func bundlesOf(w *worker, rows []modelRow, end bool, random *rand.Rand) (all []*bundle) {
	for {
		n := min(len(rows), 1+random.IntN(5))
		c := &bundle{owner: w, end: end, uses: 1}
		for _, r := range rows[:n] {
			c.rows = append(c.rows, r.text...)
			var key rowKey
			key.set(&flowtable.Flow{Finish: r.finish, Start: r.start, First: r.first}, &flowtable.Step{Horizon: math.MaxInt64}, len(c.rows))
			c.keys = append(c.keys, key)
		}
		rows = rows[n:]
		if len(rows) == 0 && (n == 0 || random.IntN(2) == 0) {
			c.last = true
			return append(all, c)
		}
		all = append(all, c)
		if len(rows) == 0 { // the last one has none
			rest := &bundle{owner: w, end: end, last: true, uses: 1}
			return append(all, rest)
		}
	}
}

// Rows of several tables, whose bundles come in any order, leave in the order of a
// sorted slice; each key of the order decides among some of them.
func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 3000 {
		tables, steps := 1+random.IntN(20), 1+random.IntN(4)
		finishes := []flowtable.Time{5, 6, math.MaxInt64, math.MinInt64, 7}[:1+random.IntN(5)]
		starts := []flowtable.Time{-3, 0, 8}[:1+random.IntN(3)]
		first := uint64(0)
		var want strings.Builder
		queues := make([][]*bundle, tables)
		for step := range steps {
			rows := make([]modelRow, random.IntN(60))
			for i := range rows {
				first += 1 + uint64(random.IntN(3))
				rows[i] = modelRow{finish: finishes[random.IntN(len(finishes))], start: starts[random.IntN(len(starts))], first: first, text: fmt.Sprintf("%d\n", first)}
			}
			slices.SortFunc(rows, func(a, b modelRow) int {
				return cmp.Or(cmp.Compare(a.finish, b.finish), cmp.Compare(a.start, b.start), cmp.Compare(a.first, b.first))
			})
			shares := make([][]modelRow, tables)
			for _, r := range rows {
				want.WriteString(r.text)
				table := random.IntN(tables)
				shares[table] = append(shares[table], r)
			}
			for i := range queues {
				queues[i] = append(queues[i], bundlesOf(&worker{number: i}, shares[i], step == steps-1, random)...)
			}
		}
		o := newOrder(tables, 1+random.IntN(50))
		var m merger
		var b block
		var got strings.Builder
		bundles, dropped, stuck := 0, 0, 0
		underWay := make([]int, tables)
		drop := func(c *bundle) {
			if c.uses--; c.uses == 0 {
				underWay[c.owner.number]--
				dropped++
			}
		}
		for !o.ended {
			for o.next(&b, drop) {
				m.merge(&b)
				if b.size != len(b.bytes) {
					t.Fatalf("round %d: a block of %d bytes has %d", round, b.size, len(b.bytes))
				}
				got.Write(b.bytes)
				for _, s := range b.lists {
					drop(s.bundle)
				}
			}
			if stuck++; stuck > 1000 {
				t.Fatalf("round %d: no table has a bundle left, and there is no block", round)
			}
			if i := random.IntN(tables); len(queues[i]) > 0 && underWay[i] < bundlesInFlight {
				o.add(queues[i][0])
				queues[i] = queues[i][1:]
				underWay[i]++
				bundles++
				stuck = 0
			}
		}
		if got.String() != want.String() {
			t.Fatalf("round %d, %d tables: got\n%s\nwant\n%s", round, tables, got.String(), want.String())
		}
		if bundles != dropped {
			t.Fatalf("round %d: %d of %d bundles are unused at the end", round, dropped, bundles)
		}
	}
}
