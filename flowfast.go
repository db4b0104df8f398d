// Package flowfast turns packet captures into flow tables: one row for each
// bidirectional TCP or UDP flow, with its duration, its packets and bytes per
// direction, five-number summaries of packet sizes and inter-arrival times per
// direction, and its TCP flag counts.
//
// A [Run] reads one capture, or several as one stream, and gives out the
// finished flows, in the order in which they finished. It is all that the
// command flowfast uses. The way of a packet is
//
//	ioutil     lifts records out of the capture file
//	decode     reads the headers
//	flowtable  finds or starts the flow, finishes the ones gone quiet
//	stats      adds the packet to one direction of the flow
//	features   counts what only some columns need
//	export     turns a finished flow into a row
package flowfast

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/ioutil"
)

// Version is the version of the library and the command.
const Version = "0.1.0"

// A Flow is a finished flow.
type Flow = flowtable.Flow

// Options say how a run goes. The zero Options are the default.
type Options struct {
	// IdleTimeout is the silence after which a flow is over; 0 stands for 600
	// seconds. A silence equal to it is not over.
	IdleTimeout time.Duration
	// CheckEvery is the number of packets between two looks for idle flows,
	// CheckMost the number of flows that one look finishes at most; 0 stands
	// for 1 and for all. They bound when a finished flow is given out and how
	// many wait in memory, never what is given out or in which order.
	CheckEvery, CheckMost int
	// MaxFlows is the most flows that are open at a time, 0 for no bound. With
	// each packet that would start one more, the flow that has been idle for
	// longest is finished: it is evicted. Which flows that are does not depend
	// on the other options but for IdleTimeout.
	MaxFlows int
	// MaxMemory is the most memory that the run takes, in bytes, 64 MiB at
	// least; 0 stands for no bound. Flows that have been idle for longest are
	// evicted where more would be needed; which ones depends on the number of
	// workers, of which there is one for each 64 MiB at most. A compressed
	// capture takes up to 128 MiB more, if it was compressed so.
	//
	// To keep memory near the bound the garbage collector must know of it too:
	// see [runtime/debug.SetMemoryLimit], which is for the program to call.
	MaxMemory int
	// Flush is how long a flow that is due may wait to be given out, or its row to be
	// written, while a stream is slow or silent: for live packets. Flows are then due
	// when no packet is to be expected of them by Disorder, and by the wall clock
	// where the packets are stamped with it. 0, for captures that are there already,
	// stands for any time: what is given out depends on the packets alone.
	Flush time.Duration
	// Disorder is how far packets of a stream that is flushed may be stamped before
	// the latest one: a packet that is stamped earlier is taken for a step of the
	// clock, and does not continue flows that were over before; 0 stands for 10
	// seconds.
	Disorder time.Duration
	// Resolution cuts times down to whole multiples of it; 0 leaves them as they
	// are. Monotone gives a packet that is stamped before the latest time so far
	// that time.
	Resolution time.Duration
	Monotone   bool
	// Numbered makes [Flow].Number the number of the row, which takes one table.
	Numbered bool
	// Choice says which packets count.
	Choice Choice
	// Keys say which packets are of one flow.
	Keys flowtable.Keys
	// AnonymizeKey, of 32 bytes, makes the addresses in what is given out others
	// with the same prefixes in common (Crypto-PAn); nil leaves them as they are.
	AnonymizeKey []byte
	// Labeler, if it is not nil, is called once for each goroutine that gives flows
	// out. What it returns is called on that goroutine with each flow, whose addresses
	// are still the true ones, and may set its Label.
	Labeler func() func(*Flow)
	// Protocols are the IP protocols whose packets have flows, TCP and UDP if
	// none is set; Tunnels are the tunnels in UDP whose content has flows, instead
	// of theirs.
	Protocols decode.Protocols
	Tunnels   decode.Tunnels
	// Rules say when flows begin and end, besides the idle timeout.
	Rules flowtable.Rules
	// Features are what is counted of flows besides what a [Flow] always has.
	Features features.Options
	// Workers is the number of goroutines that flows are shared out among;
	// 0 stands for as many as there are processors. With 1 all is done on the
	// caller's goroutine (but for decompression, which has one of its own).
	// The number never shows in what is given out.
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
// of the open ones, holds for all flows, so it takes one table.
func (o *Options) tables() int {
	if o.CheckMost > 0 || o.MaxFlows > 0 || o.Numbered {
		return 1
	}
	return o.Workers
}

// tableMemory returns the bound of each table's memory, 0 for none.
func (o *Options) tableMemory() int {
	if o.MaxMemory == 0 {
		return 0
	}
	return (o.MaxMemory - fixedMemory - o.Workers*workerMemory) / o.tables()
}

// decoder returns a decoder for what is asked for, nil for the default.
func (o *Options) decoder() *decode.Decoder {
	if o.Protocols.Default() && o.Tunnels == 0 && o.Keys.Encapsulation == 0 {
		return nil
	}
	return &decode.Decoder{Protocols: o.Protocols, Tunnels: o.Tunnels, Encapsulation: o.Keys.Encapsulation, Portless: o.Keys.Portless}
}

// bounded tells if flows can be evicted.
func (o *Options) bounded() bool { return o.MaxFlows > 0 || o.MaxMemory > 0 }

func (o *Options) check() error {
	switch {
	case o.IdleTimeout < 0:
		return fmt.Errorf("idle timeout %v: must not be negative", o.IdleTimeout)
	case o.CheckEvery < 0:
		return fmt.Errorf("check every %d packets: must not be negative", o.CheckEvery)
	case o.CheckMost < 0:
		return fmt.Errorf("check %d flows at most: must not be negative", o.CheckMost)
	case o.MaxFlows < 0:
		return fmt.Errorf("%d flows at most: must not be negative", o.MaxFlows)
	case o.MaxMemory != 0 && o.MaxMemory < MinMemory:
		return fmt.Errorf("%d bytes of memory at most: must be %d or more", o.MaxMemory, MinMemory)
	case o.Rules.ActiveTimeout < 0:
		return fmt.Errorf("active timeout %v: must not be negative", o.Rules.ActiveTimeout)
	case o.Flush < 0:
		return fmt.Errorf("flush after %v: must not be negative", o.Flush)
	case o.Disorder < 0:
		return fmt.Errorf("disorder of %v: must not be negative", o.Disorder)
	case o.Resolution < 0:
		return fmt.Errorf("resolution %v: must not be negative", o.Resolution)
	case o.Workers < 0:
		return fmt.Errorf("%d workers: must not be negative", o.Workers)
	}
	if err := checkFeatures(o.Features); err != nil {
		return err
	}
	o.CheckEvery = max(o.CheckEvery, 1)
	o.Disorder = cmp.Or(o.Disorder, defaultDisorder)
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.MaxMemory > 0 {
		o.Workers = min(o.Workers, o.MaxMemory/MinMemory)
	}
	return nil
}

// Open starts a run over capture files: pcap, pcapng, snoop or ERF, plain or
// compressed. Several files are read as one stream in the order of time, as mergecap
// merges them, so that a flow that crosses rotated files is one flow.
//
// Of several files, one that can't be read does not stop the run; its error
// comes after the flows of the others.
func Open(o Options, files ...string) (*Run, error) {
	if len(files) == 0 {
		return nil, errors.New("no capture files")
	}
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	if len(files) == 1 {
		c, err := ioutil.Open(files[0])
		if err != nil {
			return nil, err
		}
		return r, r.intake.begin(c, files[0])
	}
	r.intake.files, r.intake.errs = byFirstPacket(files)
	return r, nil
}

// NewReader starts a run over a capture that is read from a stream, with a name
// for messages.
func NewReader(o Options, stream io.Reader, name string) (*Run, error) {
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	c, err := ioutil.NewCapture(stream, name)
	if err != nil {
		return nil, err
	}
	return r, r.intake.begin(c, name)
}
