package intake

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/flowfast/flowfast/ioutil"
)

// A Source gives packets that stand in no capture file, as the Source of the
// library's users does.
type Source interface {
	Read(ctx context.Context, packets []ioutil.Record) (int, error)
}

// An input is what packets are read from: an [ioutil.Capture], or a source.
type input interface {
	// ReadBefore reads records, of a capture from before an offset.
	ReadBefore(end int64, records []ioutil.Record) (int, error)
	SetPatience(time.Duration)
	LinkTypes() []uint32
	Format() string
	Warnings() []string
	Progress() (read, total int64)
	Interrupt()
	Close() error
}

// A given is a source as an input.
type given struct {
	source    Source
	ctx       context.Context
	cancel    context.CancelFunc
	patience  time.Duration
	linkTypes []uint32
	read      atomic.Int64 // bytes
	err       error        // that ended it
}

func newGiven(s Source) *given {
	g := &given{source: s}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	return g
}

func (g *given) ReadBefore(_ int64, records []ioutil.Record) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	ctx, done := g.ctx, context.CancelFunc(func() {})
	if g.patience > 0 {
		ctx, done = context.WithTimeout(ctx, g.patience)
	}
	defer done()
	n, err := g.source.Read(ctx, records)
	bytes := 0
	for i := range records[:n] {
		r := &records[i]
		r.OrigLen = max(r.OrigLen, uint32(len(r.Data)))
		if !slices.Contains(g.linkTypes, r.LinkType) {
			g.linkTypes = append(g.linkTypes, r.LinkType)
		}
		bytes += len(r.Data)
	}
	g.read.Add(int64(bytes))
	switch {
	case g.ctx.Err() != nil:
		g.err = ioutil.ErrInterrupted
	case err != nil && (ctx.Err() == nil || !errors.Is(err, ctx.Err())):
		g.err = err
	}
	if n > 0 {
		return n, nil
	}
	return 0, g.err
}

func (g *given) LinkTypes() []uint32 { return g.linkTypes }
func (g *given) SetPatience(d time.Duration) {
	if s, ok := g.source.(interface{ SetPatience(time.Duration) }); ok {
		s.SetPatience(d)
	} else {
		g.patience = d
	}
}
func (g *given) Format() string { return "packets" }
func (g *given) Warnings() []string {
	if s, ok := g.source.(interface{ Warnings() []string }); ok {
		return s.Warnings()
	}
	return nil
}
func (g *given) Progress() (read, total int64) { return g.read.Load(), 0 }
func (g *given) Interrupt()                    { g.cancel() }
func (g *given) Close() error                  { g.cancel(); return nil }
