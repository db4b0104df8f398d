package engine

import (
	"flag"
	"math"
	"os"
	"slices"
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
// the null device. What it takes to wait for workers is not in it. The least of the
// iterations is reported.
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

// A giving does on one goroutine what a crew does on many, and times what is done in
// order.
type giving struct {
	giver
	merger merger
	serial time.Duration
	rows   int
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
	e := &Engine{
		Intake: source{in}, Workers: tables,
		Prepare: func() func(*flowtable.Flow) bool { return func(*flowtable.Flow) bool { return true } },
	}
	for range tables {
		e.Tables = append(e.Tables, in.NewCache())
	}
	g.crew = newCrew(e, g.to, tables)
	from := in.NewPiece(tables)
	p := &piece{Piece: from, packets: from.Packets()}
	for !p.last {
		p.Take()
		p.Decode()
		p.last = !p.Admit()
		for i, step := range p.packets.Steps() {
			for _, w := range g.owners {
				w.table.Add(p.packets, w.number, i)
			}
			if step.Due > 0 {
				g.step(b, step, false)
			}
		}
	}
	for _, w := range g.owners {
		w.table.End(in.Latest())
	}
	g.step(b, flowtable.Step{Horizon: math.MaxInt64, Due: flowtable.All}, true)
	if !g.order.ended() {
		b.Fatal("rows are left")
	}
	in.Stop()
}

// A source is an intake as an engine knows it.
type source struct{ *intake.Intake }

func (s source) NewPiece(tables int) Piece { return s.Intake.NewPiece(tables) }

// step has tables give a bundle each, as long as one has more.
func (g *giving) step(b *testing.B, step flowtable.Step, end bool) {
	sending := slices.Clone(g.owners)
	for _, w := range sending {
		w.step = step
	}
	for len(sending) > 0 {
		sending = slices.DeleteFunc(sending, func(w *worker) bool {
			if len(w.free) == 0 {
				return false
			}
			c := w.free[0]
			c.last = w.fill(c)
			c.step = w.steps
			if len(c.keys) > 0 {
				w.free = w.free[1:]
				c.uses.Store(ofOrder)
			}
			if c.last {
				w.steps++
			}
			g.give(b, c, end && c.last)
			return c.last
		})
	}
}

// give does what is done in order when a bundle has come.
func (g *giving) give(b *testing.B, came *bundle, end bool) {
	began := time.Now()
	news := len(came.keys) > 0 && g.order.add(came)
	if end {
		g.order.going--
	}
	if came.last && g.order.pass(came.owner.number, came.step) || news || end {
		g.cut()
	}
	for len(g.waiting) > 0 {
		g.serial += time.Since(began)
		for _, merging := range g.toMerge { // as workers do
			g.merger.merge(merging)
			g.back = appendUnused(g.back, merging)
		}
		g.toMerge = g.toMerge[:0]
		g.rows += g.waiting[0].rows
		began = time.Now()
		if err := g.emit(g.waiting[0]); err != nil {
			b.Fatal(err)
		}
	}
	g.serial += time.Since(began)
}
