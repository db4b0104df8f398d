package flowtable

import (
	"fmt"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
)

// DefaultIdleTimeout is the idle timeout when none is given.
const DefaultIdleTimeout = 600 * time.Second

// Options say what makes packets flows, and when flows finish and leave. The zero
// Options are the default.
type Options struct {
	// IdleTimeout is the silence after which a flow is over; 0 stands for
	// DefaultIdleTimeout. A silence equal to it is not over.
	IdleTimeout time.Duration
	// MaxFlows is the most flows that are open at a time, MaxMemory the most
	// memory, in bytes, both of each table; 0 stands for no bound. A table that
	// would outgrow one finishes the flows that have been idle for longest.
	MaxFlows, MaxMemory int
	// Rules say when else flows begin and end.
	Rules Rules
	// Keys say which packets are of one flow.
	Keys Keys
	// Takes reports whether a packet of a flow counts; nil takes all. Several
	// goroutines call it.
	Takes func(*decode.Packet) bool
	// Features are what is counted of flows besides what a [Flow] always has.
	Features features.Options
	// Origins has flows keep the [Origin] that their first packet was taken with, see
	// [Batch.AddTaken]; one that was not taken has the zero Origin.
	Origins bool
	// Looks say how often tables are asked for finished flows.
	Looks Looks
	// Monotone makes a packet that is stamped before the latest one of a flow have
	// that one's time.
	Monotone bool
	// Disorder is [Clock.Disorder].
	Disorder time.Duration
	// Meter, if it is not nil, reads the frames of batches and says whose packets
	// they are.
	Meter Meter
}

// Looks say when tables are asked for finished flows: after every Every packets,
// for Most flows at most; 0 stands for 1 and for all.
type Looks struct{ Every, Most int }

// check returns an error if an option can't be.
func (o *Options) check() error {
	switch {
	case o.IdleTimeout < 0:
		return fmt.Errorf("idle timeout %v: must not be negative", o.IdleTimeout)
	case o.Looks.Every < 0:
		return fmt.Errorf("check every %d packets: must not be negative", o.Looks.Every)
	case o.Looks.Most < 0:
		return fmt.Errorf("check %d flows at most: must not be negative", o.Looks.Most)
	case o.MaxFlows < 0:
		return fmt.Errorf("%d flows at most: must not be negative", o.MaxFlows)
	case o.MaxMemory < 0:
		return fmt.Errorf("%d bytes of memory at most: must not be negative", o.MaxMemory)
	case o.Rules.ActiveTimeout < 0:
		return fmt.Errorf("active timeout %v: must not be negative", o.Rules.ActiveTimeout)
	case o.Disorder < 0:
		return fmt.Errorf("disorder of %v: must not be negative", o.Disorder)
	case o.Keys.OneWay && o.Rules.TCPEnd&EndFIN != 0:
		return fmt.Errorf("end of TCP flows by %v: none of one direction has the FIN of both sides; rst it can have", o.Rules.TCPEnd)
	}
	return o.Features.Check()
}
