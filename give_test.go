package flowfast

import (
	"math"
	"os"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
)

// BenchmarkSerialRows is the part of a run that is done for one chunk of rows after
// the other: to find the blocks of what 16 tables give, and to write them, here to
// the null device. Small blocks, which no worker merges, are merged in it too. What
// it takes to wait for workers is not in it. The least of the iterations is reported.
func BenchmarkSerialRows(b *testing.B) {
	for _, name := range workload.Names() {
		b.Run(name, func(b *testing.B) {
			path := generated(b, name)
			g := newGiving(b)
			least := math.Inf(1)
			for b.Loop() {
				g.serial, g.rows = 0, 0
				g.run(b, path)
				least = min(least, float64(g.serial.Nanoseconds())/float64(g.rows))
			}
			b.ReportMetric(least, "ns/row")
		})
	}
}

// A giving does on one goroutine what a crew does on many, and times what the
// giver does but for its waiting.
type giving struct {
	giver
	workers merger
	serial  time.Duration
	rows    int
}

func newGiving(b *testing.B) *giving {
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { null.Close() })
	o := &output{to: null, now: time.Now}
	return &giving{giver: giver{to: sink{emit: func(_ *Flow, rows []byte) error { return o.put(rows) }}}}
}

// run takes a capture through 16 tables.
func (g *giving) run(b *testing.B, path string) {
	const tables = 16
	run, err := Open(Options{Workers: tables}, path)
	if err != nil {
		b.Fatal(err)
	}
	in := run.intake
	// No table waits for a chunk, whatever is open at the end: a full one has 256
	// rows at least.
	enough := workload.Packets("flood", *serialScale)/256 + 1000
	g.crew = &crew{in: in, rows: export.CSV{}, came: make(chan *chunk, enough)}
	for i := range tables {
		table, err := flowtable.New(flowtable.Options{})
		if err != nil {
			b.Fatal(err)
		}
		w := &worker{crew: g.crew, number: i, table: table, label: in.options.labeler()}
		for range enough {
			w.free = append(w.free, &chunk{owner: w})
		}
		g.owners = append(g.owners, w)
	}
	g.order, g.spare = newOrder(tables), nil
	for range blocksInFlight + tables/8 {
		g.spare = append(g.spare, &block{})
	}
	p := in.newPiece(tables)
	for !p.last {
		in.take(p)
		in.decode(p)
		p.last = !in.admit(p)
		for _, w := range g.owners {
			w.add(in, p)
			for len(g.came) > 0 {
				g.give(b, <-g.came)
			}
		}
	}
	if !g.order.ended {
		b.Fatal("rows are left")
	}
	run.finish()
}

// give gives out what is known to come next when a chunk has come.
func (g *giving) give(b *testing.B, came *chunk) {
	began := time.Now()
	g.order.add(came)
	g.cut()
	for len(g.waiting) > 0 {
		g.serial += time.Since(began)
		for _, merging := range g.toMerge { // as workers do
			g.workers.merge(merging)
			g.finish(merging)
		}
		g.toMerge = g.toMerge[:0]
		g.rows += g.waiting[0].rows
		began = time.Now()
		if err := g.emit(); err != nil {
			b.Fatal(err)
		}
		g.cut()
	}
	g.serial += time.Since(began)
}
