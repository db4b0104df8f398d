package engine

import (
	"flag"
	"math"
	"os"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/internal/intake"
)

var serialScale = flag.Float64("scale", 0.1, "part of the full size of the captures of BenchmarkSerialRows")

// BenchmarkSerialRows is the part of a run that is done for one bundle of rows after
// the other: to find the blocks of what 16 tables give, and to write them, here to
// the null device. Small blocks, which no worker merges, are merged in it too. What
// it takes to wait for workers is not in it. The least of the iterations is reported.
func BenchmarkSerialRows(b *testing.B) {
	for _, name := range workload.Names() {
		b.Run(name, func(b *testing.B) {
			path, _, err := workload.File(b.TempDir(), name, *serialScale, 1)
			if err != nil {
				b.Fatal(err)
			}
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
	w := NewWriter(null, export.CSV{}, export.CSV{}.AppendHeader, 0, time.Now)
	return &giving{giver: giver{to: w, rows: w}}
}

// run takes a capture through 16 tables.
func (g *giving) run(b *testing.B, path string) {
	const tables = 16
	in, err := intake.New(intake.Options{Readers: tables})
	if err == nil {
		err = in.Open(path)
	}
	if err != nil {
		b.Fatal(err)
	}
	// No table waits for a bundle, whatever is open at the end.
	full := fullnessOf(tables)
	enough := workload.Packets("flood", *serialScale)/full.rows + 1000
	g.crew = &crew{Engine: &Engine{Intake: source{in}}, format: export.CSV{}, full: full, came: make(chan *bundle, enough)}
	for i := range tables {
		w := &worker{crew: g.crew, number: i, table: in.NewCache(), prepare: func(*flowtable.Flow) bool { return true }}
		for range enough {
			w.free = append(w.free, &bundle{owner: w, full: full})
		}
		g.owners = append(g.owners, w)
	}
	g.order, g.spare = newOrder(tables), nil
	for range blocksInFlight + tables {
		g.spare = append(g.spare, &block{})
	}
	from := in.NewPiece(tables)
	p := &piece{Piece: from, packets: from.Packets()}
	for !p.last {
		p.Take()
		p.Decode()
		p.last = !p.Admit()
		for _, w := range g.owners {
			w.add(p)
			for len(g.came) > 0 {
				g.give(b, <-g.came)
			}
		}
	}
	if !g.order.ended {
		b.Fatal("rows are left")
	}
	in.Stop()
}

// A source is an intake as an engine knows it.
type source struct{ *intake.Intake }

func (s source) NewPiece(tables int) Piece { return s.Intake.NewPiece(tables) }

// give gives out what is known to come next when a bundle has come.
func (g *giving) give(b *testing.B, came *bundle) {
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
