package flowfast

import (
	"cmp"
	"fmt"
	"runtime"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/internal/intake"
)

// Options say how a run goes. The zero Options are the default.
type Options struct {
	// IdleTimeout is the silence after which a flow is over; 0 stands for
	// [flowtable.DefaultIdleTimeout]. A silence equal to it is not over.
	IdleTimeout time.Duration
	// CheckEvery is the number of packets between two checks for idle flows,
	// CheckMost the most flows that one check finishes; 0 stands for 1 and for
	// all. They decide when a finished flow is given out and how many wait in
	// memory, never what is given out or in which order.
	CheckEvery, CheckMost int
	// MaxFlows is the most flows that are open at a time, 0 for no bound. With
	// each packet that would start one more, the flow that has been idle for
	// longest is finished: it is evicted. Of the other options only IdleTimeout
	// affects which flows these are.
	MaxFlows int
	// MaxMemory is the most memory that the run takes, in bytes: [MinMemory] or
	// more; 0 stands for no bound. At the bound the longest-idle flows are
	// evicted; which ones depends on the number of workers. A run has one worker
	// for each 64 MiB at most. The window of a compressed capture, up to 128 MiB,
	// comes on top.
	//
	// To keep memory near the bound the garbage collector must know of it too:
	// see [runtime/debug.SetMemoryLimit], which is for the program to call.
	MaxMemory int
	// Flush is for live packets: how long a flow that is due may wait to be given
	// out, or its row to be written, while a stream is slow or silent. A flow is due
	// when, by Disorder, no more of its packets can come; the wall clock counts where
	// packets are stamped with it. 0, for captures that are complete, is no bound:
	// what is given out depends on the packets alone.
	Flush time.Duration
	// Disorder is how far packets of a stream that is flushed may be stamped before
	// the latest one: a packet that is stamped earlier is taken for a step of the
	// clock, and does not continue flows that were over before; 0 stands for 10
	// seconds.
	Disorder time.Duration
	// Resolution cuts times to whole multiples of it; 0 leaves them as they are.
	// Monotone gives a packet stamped before the latest time so far that time.
	Resolution time.Duration
	Monotone   bool
	// Choice says which packets count.
	Choice Choice
	// Keys say which packets belong to one flow.
	Keys flowtable.Keys
	// AnonymizeKey, of 32 bytes, replaces the addresses in flows and rows by others
	// that share prefixes as the true ones do (Crypto-PAn); nil leaves them.
	AnonymizeKey []byte
	// Labeler, if it is not nil, is called once for each goroutine that gives flows
	// out. The function that it returns is called on that goroutine with each flow,
	// which still has its true addresses. The function may set the flow's Label and
	// Split; the flow is given out if it returns true.
	Labeler func() func(*Flow) bool
	// Packets, if it is not nil, is called with each batch of packets, in the order of
	// the capture, one call at a time. The batch is valid during the call only.
	Packets func(*flowtable.Batch)
	// Protocols are the IP protocols whose packets have flows, TCP and UDP if
	// none is set; Tunnels are the tunnels in UDP that are looked into: the flow is
	// that of their content.
	Protocols decode.Protocols
	Tunnels   decode.Tunnels
	// Rules say when flows begin and end, besides the idle timeout.
	Rules flowtable.Rules
	// Meter, if it is not nil, makes the flows in place of the flow tables, by rules of
	// its own: [Flow].Metered has them. Only MaxFlows, MaxMemory, Flush, Choice,
	// Keys.Sample, AnonymizeKey, Labeler and Workers can be set with it.
	Meter flowtable.Meter
	// Features are what is counted of flows besides what a [Flow] always has.
	Features features.Options
	// Origins has flows say where their first packet stands among those of several
	// processes: [Flow].Origin and Era. It is for [NewTaken] alone.
	Origins bool
	// Workers is the number of goroutines that share the flows; 0 stands for as
	// many as there are processors. With 1 everything runs on the caller's
	// goroutine, except decompression, which has its own. Flows and rows do not
	// depend on the number.
	Workers int
}

const defaultDisorder = 10 * time.Second

// MinMemory is the least that [Options.MaxMemory] can be, in bytes. A run has no
// more workers than its bound has as much memory for.
const MinMemory = 64 << 20

// What a run takes besides its tables, in bytes: program, captures and what it
// reads them with; and for each worker, pieces and chunks.
const (
	fixedMemory  = 40 << 20
	workerMemory = 8 << 20
)

// tables returns the number of flow tables. A limit of the flows of a look, or
// of the open ones, holds for all flows, so it takes one table; so does a meter.
func (o *Options) tables() int {
	if o.CheckMost > 0 || o.MaxFlows > 0 || o.Meter != nil {
		return 1
	}
	return o.Workers
}

// tableMemory returns the bound of each table's memory, 0 for none, where captures that
// overlap take so much.
func (o *Options) tableMemory(overlap int) int {
	if o.MaxMemory == 0 {
		return 0
	}
	return (o.MaxMemory - fixedMemory - overlap - o.Workers*workerMemory) / o.tables()
}

// overlapShare is the part of the bound of memory that captures that are joined and
// overlap may take while they are open.
const overlapShare = 8

// take says what is taken in of a number of captures, and what makes flows of it.
func (o *Options) take(captures int) intake.Options {
	overlap := 0
	if captures > 1 {
		overlap = o.MaxMemory / overlapShare
	}
	flows := flowtable.Options{
		IdleTimeout: o.IdleTimeout,
		MaxFlows:    o.MaxFlows,
		MaxMemory:   o.tableMemory(overlap),
		Rules:       o.Rules,
		Keys:        o.Keys,
		Features:    o.Features,
		Origins:     o.Origins,
		Looks:       flowtable.Looks{Every: o.CheckEvery, Most: o.CheckMost},
		Monotone:    o.Monotone,
		Meter:       o.Meter,
	}
	if o.Flush > 0 {
		flows.Disorder = cmp.Or(o.Disorder, defaultDisorder)
	}
	if e := o.Choice.Endpoints; e != nil {
		flows.Takes = e.matches
	}
	return intake.Options{
		Readers:    o.Workers,
		Flush:      o.Flush,
		Resolution: o.Resolution,
		Choice:     intake.Choice{From: o.Choice.From, To: o.Choice.To, Filter: o.Choice.Filter},
		Protocols:  o.Protocols,
		Tunnels:    o.Tunnels,
		Flows:      flows,
		Admitted:   o.Packets,

		OverlapMemory: overlap,
	}
}

// settle puts the number of workers in the place of 0, and returns an error if an
// option can't be that concerns neither packets nor flows: those are checked by who
// goes by them.
func (o *Options) settle() error {
	switch {
	case o.MaxMemory != 0 && o.MaxMemory < MinMemory:
		return fmt.Errorf("%d bytes of memory at most: must be %d or more", o.MaxMemory, MinMemory)
	case o.Workers < 0:
		return fmt.Errorf("%d workers: must not be negative", o.Workers)
	case o.Disorder < 0:
		return fmt.Errorf("disorder of %v: must not be negative", o.Disorder)
	}
	if err := o.checkMeter(); err != nil {
		return err
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxMemory > 0 {
		o.Workers = min(o.Workers, o.MaxMemory/MinMemory)
	}
	return nil
}

// Check returns an error if an option is not valid, or not together with another
// one. Open, NewReader and NewSource return the same error.
func (o Options) Check() error {
	_, err := newRun(o, 1)
	return err
}

// For returns the options with what columns need added to them: see the method
// Demand of export's profiles. Timeouts, TCPEnd, encapsulations and protocols that
// are set already stay. What the options exclude is left out: the end by FIN of
// flows of one direction, any end of TCP flows where TCP has none.
func (o Options) For(d flowtable.Demand) Options {
	o.IdleTimeout = cmp.Or(o.IdleTimeout, d.IdleTimeout)
	o.Resolution, o.Monotone = d.Resolution, d.Monotone
	o.Keys.Encapsulation = cmp.Or(o.Keys.Encapsulation, d.Keys.Encapsulation)
	o.Keys.Portless = d.Keys.Portless
	o.Protocols = cmp.Or(o.Protocols, d.Protocols)
	active, end := cmp.Or(o.Rules.ActiveTimeout, d.Rules.ActiveTimeout), cmp.Or(o.Rules.TCPEnd, d.Rules.TCPEnd)
	o.Rules = d.Rules
	o.Rules.ActiveTimeout, o.Rules.TCPEnd = active, end
	if o.Keys.OneWay { // a source would be the destination of its packets, and no flow has the FIN of both sides
		o.Rules.SYNACKTurns = false
		o.Rules.TCPEnd &^= flowtable.EndFIN
	}
	if !o.Protocols.Has(decode.TCP) {
		o.Rules.TCPEnd = 0
	}
	o.Features = d.Features
	return o
}
