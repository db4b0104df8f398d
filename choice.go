package flowfast

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/cryptopan"
	"github.com/flowfast/flowfast/ioutil"
)

// A Choice says which packets of a capture count. The others are of the class
// left out. The zero Choice takes all.
type Choice struct {
	// From is the time of the first packets that count, To that after the last;
	// a zero time stands for none. Times beyond those of 64-bit nanoseconds (1677 to
	// 2262) stand for the end that they lie behind: no packet does.
	From, To time.Time
	// Filter leaves out the packets that it does not match, if it is not nil.
	Filter Filter
	// Endpoints leave out the packets of flows that do not match them, if they are
	// not nil. Packets of no flow keep their class.
	Endpoints *Endpoints
}

// A Filter returns, for a link type by its LINKTYPE_ number, a program of the BSD
// Packet Filter, which gets the captured bytes of the frame: packets for which it
// returns 0 do not count (McCanne, Jacobson, The BSD Packet Filter, 1993). A program
// for BSD null gets the address family little-endian. Packets of a link type for
// which there is an error do not count either, and the error is one of their
// capture. A Filter may be called by several goroutines at once.
type Filter func(linkType uint32) ([]bpf.RawInstruction, error)

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

// labeler returns what one goroutine gives flows their labels with.
func (o *Options) labeler() func(*Flow) {
	if o.Labeler == nil {
		return func(*Flow) {}
	}
	return o.Labeler()
}

// anonymize gives a flow other addresses, if that is wanted.
func (in *intake) anonymize(f *Flow) {
	k := in.key
	switch {
	case k == nil:
	case f.V6:
		f.Src.Hi, f.Src.Lo = k.V6(f.Src.Hi, f.Src.Lo)
		f.Dst.Hi, f.Dst.Lo = k.V6(f.Dst.Hi, f.Dst.Lo)
	default:
		f.Src.Lo, f.Dst.Lo = uint64(k.V4(uint32(f.Src.Lo))), uint64(k.V4(uint32(f.Dst.Lo)))
	}
}

// newKey returns the key of addresses, nil for none.
func newKey(key []byte) (*cryptopan.Key, error) {
	if key == nil {
		return nil, nil
	}
	k, err := cryptopan.New(key)
	if err != nil {
		return nil, fmt.Errorf("anonymize: %w", err)
	}
	return k, nil
}
