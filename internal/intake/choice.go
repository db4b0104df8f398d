package intake

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/ioutil"
)

// A Choice says which packets count, by their time and their bytes. The zero Choice
// takes all.
type Choice struct {
	// From is the time of the first packets that count, To that after the last; a
	// zero time stands for none.
	From, To time.Time
	// Filter returns the program for a link type, nil for no filter. Several
	// goroutines may call it.
	Filter func(linkType uint32) ([]bpf.RawInstruction, error)
}

// A chooser is a Choice as packets are held against it. It belongs to one
// goroutine at a time; its copies share their filters. nil takes all packets.
type chooser struct {
	first, last int64      // times of packets that count lie between, these included
	filters     *filters   // nil if there are none
	matchers    []*matcher // of the link types that were met
}

// newChooser returns nil if all packets count.
func newChooser(c Choice) (*chooser, error) {
	if c.From.IsZero() && c.To.IsZero() && c.Filter == nil {
		return nil, nil
	}
	if !c.From.IsZero() && !c.To.IsZero() && !c.From.Before(c.To) {
		return nil, fmt.Errorf("no packet comes from %v on and before %v", c.From.UTC(), c.To.UTC())
	}
	chosen := &chooser{first: math.MinInt64, last: math.MaxInt64}
	earliest, latest := time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)
	switch {
	case c.From.After(latest) || !c.To.IsZero() && !c.To.After(earliest):
		chosen.first, chosen.last = math.MaxInt64, math.MinInt64 // none
	default:
		if c.From.After(earliest) {
			chosen.first = c.From.UnixNano()
		}
		if !c.To.IsZero() && !c.To.After(latest) {
			chosen.last = c.To.UnixNano() - 1
		}
	}
	if c.Filter != nil {
		chosen.filters = &filters{filter: c.Filter, of: map[uint32]matcher{}}
	}
	return chosen, nil
}

// copy returns a chooser for another goroutine.
func (c *chooser) copy() *chooser {
	if c == nil {
		return nil
	}
	return &chooser{first: c.first, last: c.last, filters: c.filters}
}

// takes reports whether a packet counts.
func (c *chooser) takes(r *ioutil.Record) bool {
	if r.Time < c.first || r.Time > c.last {
		return false
	}
	if c.filters == nil || !decode.KnownLinkType(r.LinkType) {
		return true
	}
	return c.matcher(r.LinkType).matches(r.Data, r.OrigLen)
}

// matcher returns the filter of a link type, of which there are few.
func (c *chooser) matcher(linkType uint32) *matcher {
	for _, m := range c.matchers {
		if m.linkType == linkType {
			return m
		}
	}
	m := c.filters.get(linkType)
	c.matchers = append(c.matchers, &m)
	return &m
}
