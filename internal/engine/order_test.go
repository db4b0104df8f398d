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

func (a modelRow) compare(b modelRow) int {
	return cmp.Or(cmp.Compare(a.finish, b.finish), cmp.Compare(a.start, b.start), cmp.Compare(a.first, b.first))
}

// bundlesOf cuts the rows that a table gives out in a step into bundles.
func bundlesOf(w *worker, rows []modelRow, number int, step flowtable.Step, random *rand.Rand) (all []*bundle) {
	for {
		n := min(len(rows), 1+random.IntN(5))
		c := &bundle{owner: w, step: int64(number)}
		c.uses.Store(ofOrder)
		for _, r := range rows[:n] {
			c.rows = append(c.rows, r.text...)
			var key rowKey
			key.set(&flowtable.Flow{Finish: r.finish, Start: r.start, First: r.first}, &step, len(c.rows))
			c.keys = append(c.keys, key)
		}
		rows = rows[n:]
		if n > 0 {
			c.last = len(rows) == 0 && random.IntN(2) == 0 // else it is not known yet
			all = append(all, c)
		}
		if len(rows) == 0 {
			if !c.last {
				all = append(all, &bundle{owner: w, step: int64(number)}) // stands for the end of the step
			}
			return all
		}
	}
}

// given returns the rows of tables, whose bundles come in any order.
func given(t *testing.T, queues [][]*bundle, portion int, random *rand.Rand) string {
	t.Helper()
	tables := len(queues)
	queues = slices.Clone(queues)
	o := newOrder(tables, portion)
	var m merger
	var b block
	var got strings.Builder
	bundles, dropped, stuck := 0, 0, 0
	underWay := make([]int, tables)
	drop := func(c *bundle) {
		underWay[c.owner.number]--
		dropped++
	}
	awaited := true
	for !o.ended() {
		for awaited && o.next(&b, drop) {
			m.merge(&b)
			if b.size != len(b.bytes) {
				t.Fatalf("a block of %d bytes has %d", b.size, len(b.bytes))
			}
			got.Write(b.bytes)
			for _, c := range appendUnused(nil, &b) {
				drop(c)
			}
		}
		if stuck++; stuck > 1000 {
			t.Fatal("no table has a bundle left, and there is no block")
		}
		i := random.IntN(tables)
		if awaited = false; len(queues[i]) == 0 || underWay[i] == bundlesInFlight {
			continue
		}
		stuck = 0
		c := queues[i][0]
		queues[i] = queues[i][1:]
		if len(c.keys) > 0 {
			awaited = o.add(c)
			underWay[i]++
			bundles++
		}
		if len(c.keys) == 0 || c.last {
			awaited = o.pass(i, c.step) || awaited
		}
		if len(queues[i]) == 0 {
			o.going--
		}
	}
	if bundles != dropped {
		t.Fatalf("%d of %d bundles are unused at the end", dropped, bundles)
	}
	return got.String()
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
			slices.SortFunc(rows, modelRow.compare)
			shares := make([][]modelRow, tables)
			for _, r := range rows {
				want.WriteString(r.text)
				table := random.IntN(tables)
				shares[table] = append(shares[table], r)
			}
			for i := range queues {
				queues[i] = append(queues[i], bundlesOf(&worker{number: i}, shares[i], step, flowtable.Step{Horizon: math.MaxInt64}, random)...)
			}
		}
		got := given(t, queues, 1+random.IntN(50), random)
		if got != want.String() {
			t.Fatalf("round %d, %d tables: got\n%s\nwant\n%s", round, tables, got, want.String())
		}
	}
}

// Rows of flows that a bound evicted come behind those that were due in their step, and
// in front of the next step's, in an order that does not depend on whose bundles came
// first, and with one table is the one in which it gave them out.
func TestEvictedOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for round := range 2000 {
		tables, steps := 1+random.IntN(20), 1+random.IntN(4)
		first := uint64(0)
		var all strings.Builder        // as they are given out
		var want []string              // the rows that are due, and
		behind := make(map[string]int) // behind how many of them each of the others comes
		queues := make([][]*bundle, tables)
		for step := range steps {
			horizon := flowtable.Time(100 * (step + 1))
			some := func(n int, finish func() flowtable.Time) (rows []modelRow) {
				for range n {
					first++
					rows = append(rows, modelRow{finish(), flowtable.Time(random.IntN(3)), first, fmt.Sprintf("%d\n", first)})
				}
				return rows
			}
			evicted := some(random.IntN(60), func() flowtable.Time { return horizon + flowtable.Time(random.IntN(9)) })
			due := some(random.IntN(60), func() flowtable.Time { return horizon - 1 - flowtable.Time(random.IntN(9)) })
			slices.SortFunc(due, modelRow.compare)
			random.Shuffle(len(evicted), func(i, k int) { evicted[i], evicted[k] = evicted[k], evicted[i] })
			for _, r := range due {
				want = append(want, r.text)
			}
			for _, r := range evicted {
				behind[r.text] = len(want)
			}
			shares := make([][]modelRow, tables)
			for _, r := range slices.Concat(due, evicted) {
				all.WriteString(r.text)
				table := random.IntN(tables)
				shares[table] = append(shares[table], r)
			}
			for i := range queues {
				queues[i] = append(queues[i], bundlesOf(&worker{number: i}, shares[i], step, flowtable.Step{Horizon: horizon}, random)...)
			}
		}
		portion := 1 + random.IntN(50)
		got := given(t, queues, portion, random)
		if tables == 1 && got != all.String() {
			t.Fatalf("round %d, one table: got\n%s\nwant\n%s", round, got, all.String())
		}
		for _, c := range slices.Concat(queues...) {
			c.uses.Store(ofOrder)
		}
		if again := given(t, queues, portion, random); again != got {
			t.Fatalf("round %d, %d tables: got\n%s\nand when others came first\n%s", round, tables, got, again)
		}
		n := 0
		for text := range strings.Lines(got) {
			at, evicted := behind[text]
			if evicted && at != n || !evicted && (n == len(want) || text != want[n]) {
				t.Fatalf("round %d, %d tables: row %s is not in its place in\n%s", round, tables, text, got)
			}
			if delete(behind, text); !evicted {
				n++
			}
		}
		if n < len(want) || len(behind) > 0 {
			t.Fatalf("round %d, %d tables: %d rows are missing in\n%s", round, tables, len(want)-n+len(behind), got)
		}
	}
}
