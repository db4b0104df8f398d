package flowfast

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"github.com/flowfast/flowfast/ioutil"
)

// A Packet is a packet as a capture has it. Offset means nothing in one that a
// [Source] gives; an OrigLen below the length of Data stands for that length.
type Packet = ioutil.Record

// A Source gives packets that stand in no capture file: those of an interface, of
// a queue, of another program.
type Source interface {
	// Read fills packets with the next ones and returns how many there were, one at
	// least: it waits for one, up to the end of its context. That ends with the
	// run's, and where [Options.Flush] is set after so long a silence; Read then
	// returns 0 and nil, or the context's error. io.EOF ends the packets; any
	// other error ends them too, and is the run's.
	//
	// The bytes of the packets are lent to the run until the next Read. Calls come
	// one after the other, from any goroutine.
	//
	// A method Warnings() []string, if there is one, is called at the end: what it
	// returns is among the warnings of the summary.
	Read(ctx context.Context, packets []Packet) (int, error)
}

// NewSource starts a run over the packets of a source, with a name for messages.
func NewSource(o Options, s Source, name string) (*Run, error) {
	if s == nil {
		return nil, errors.New("no source of packets")
	}
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	given := &given{source: s}
	given.ctx, given.cancel = context.WithCancel(context.Background())
	return r, r.intake.begin(given, name)
}

// An input is what packets are read from: an [ioutil.Capture], whose methods it
// has, or a source.
type input interface {
	ReadBefore(end int64, records []ioutil.Record) (int, error)
	SetPatience(time.Duration)
	Spans() *ioutil.Spans
	Join(*ioutil.Span) bool
	Passed() []byte
	Lend(readers int) bool
	Cut(s *ioutil.Span, records []ioutil.Record, length int) (int, error)
	Fault(fault any, offset int64) error
	Offset() int64
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

func (g *given) SetPatience(d time.Duration) { g.patience = d }
func (g *given) Spans() *ioutil.Spans        { return nil }
func (g *given) Join(*ioutil.Span) bool      { return false }
func (g *given) Passed() []byte              { return nil }
func (g *given) Lend(int) bool               { return false }
func (g *given) Cut(*ioutil.Span, []ioutil.Record, int) (int, error) {
	return 0, g.err
}
func (g *given) Fault(any, int64) error { return nil }
func (g *given) Offset() int64          { return 0 }
func (g *given) LinkTypes() []uint32    { return g.linkTypes }
func (g *given) Format() string         { return "packets" }
func (g *given) Warnings() []string {
	if s, ok := g.source.(interface{ Warnings() []string }); ok {
		return s.Warnings()
	}
	return nil
}
func (g *given) Progress() (read, total int64) {
	return g.read.Load(), 0
}
func (g *given) Interrupt()   { g.cancel() }
func (g *given) Close() error { g.cancel(); return nil }
