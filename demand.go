package flowfast

import (
	"cmp"
	"errors"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// For returns the options with what columns ask for, see the method Demand of
// export's profiles. Timeouts, TCPEnd, encapsulations and protocols that the
// options have already stay as they are.
func (o Options) For(d flowtable.Demand) Options {
	o.IdleTimeout = cmp.Or(o.IdleTimeout, d.IdleTimeout)
	o.Resolution, o.Monotone, o.Numbered = d.Resolution, d.Monotone, d.Numbered
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
	o.Features = d.Features
	return o
}

// checkedRows are rows that know what they need of flows.
type checkedRows interface {
	// Check returns an error if flows with these features lack what the rows are
	// made of.
	Check(features.Options) error
}

// check returns an error if there can be no run, or none with these rows.
func (r *Run) check(rows Rows) error {
	if r == nil || r.intake == nil {
		return errors.New("a Run is made by Open or NewReader")
	}
	if r.ran {
		return errors.New("this run has come to its end: open another one")
	}
	r.ran = true
	if c, ok := rows.(checkedRows); ok {
		return c.Check(r.intake.options.Features)
	}
	return nil
}

// checkFeatures returns an error if features can't be counted so.
func checkFeatures(o features.Options) error {
	const most = 1 << 20 // packets: 16 MiB for a flow
	if o.First < 0 || o.First > most {
		return errors.New("features of the first packets: from 0 to 1,048,576 of them")
	}
	for _, q := range o.Quantiles {
		if !(q >= 0 && q <= 1) {
			return errors.New("quantiles must be from 0 to 1")
		}
	}
	return nil
}
