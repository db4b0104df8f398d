//go:build !linux

package live

import (
	"context"
	"time"

	"github.com/flowfast/flowfast/ioutil"
)

// A Ring takes packets from interfaces. On this system there is none.
type Ring struct{}

// Open returns an error: see [ErrUnsupported].
func Open(iface string, o Options) (*Ring, error) { return OpenAll([]string{iface}, o) }

// OpenAll returns an error: see [ErrUnsupported].
func OpenAll(ifaces []string, o Options) (*Ring, error) {
	if err := o.check(ifaces); err != nil {
		return nil, err
	}
	return nil, ErrUnsupported
}

// Read returns an error.
func (r *Ring) Read(context.Context, []ioutil.Record) (int, error) { return 0, ErrUnsupported }

// SetPatience does nothing.
func (r *Ring) SetPatience(time.Duration) {}

// Opened returns false.
func (r *Ring) Opened() bool { return false }

// Counters returns nothing.
func (r *Ring) Counters() Counters { return Counters{} }

// Warnings returns what a reader of the rows should know.
func (r *Ring) Warnings() []string { return r.Counters().warnings() }

// End does nothing.
func (r *Ring) End() {}

// Close does nothing.
func (r *Ring) Close() error { return nil }
