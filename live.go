package flowfast

import (
	"cmp"
	"time"

	"github.com/flowfast/flowfast/live"
)

// Live starts a run over the packets of a network interface, or of [live.Any], and
// returns the run with the ring of its packets. On systems other than Linux the error is
// [live.ErrUnsupported].
//
// The run ends when [live.Ring.End] is called, which gives out the open flows, or when
// its context ends, which does not. Close the ring after it. An [Options.Flush] of 0
// stands for a second here.
func Live(iface string, o Options, ring live.Options) (*Run, *live.Ring, error) {
	if err := o.Check(); err != nil {
		return nil, nil, err
	}
	timeout, left := live.BufferTimeoutWithin(cmp.Or(o.Flush, time.Second))
	ring.BufferTimeout, o.Flush = cmp.Or(ring.BufferTimeout, timeout), left
	from, err := live.Open(iface, ring)
	if err != nil {
		return nil, nil, err
	}
	run, err := NewSource(o, from, iface)
	if err != nil {
		from.Close()
		return nil, nil, err
	}
	return run, from, nil
}
