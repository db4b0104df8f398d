package flowtable

import (
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
)

// A Demand is what a set of columns asks of the flows that it is computed from;
// the options of a run take it in one call. Each field means what the option of
// its name does.
type Demand struct {
	IdleTimeout time.Duration
	Resolution  time.Duration
	Monotone    bool
	Rules       Rules
	Keys        Keys
	Protocols   decode.Protocols
	Features    features.Options
}
