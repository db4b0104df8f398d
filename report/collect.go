package report

import (
	"cmp"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// TCP control bits, by their place in a flow's counts.
const (
	fin = iota
	syn
	rst
	psh
	ack
)

// An outcome is how far a TCP connection came.
type outcome int

// The outcomes.
const (
	established outcome = iota // SYN, SYN of the other side, ACK of the source
	halfOpen                   // SYN, SYN of the other side, and no ACK of the source
	refused                    // SYN, RST of the other side, which sent no SYN
	unanswered                 // SYN, and neither SYN nor RST of the other side
	midstream                  // no SYN of the source
	outcomes
)

// unopened tells that a connection was begun and did not come to be open.
func (o outcome) unopened() bool { return o == halfOpen || o == refused || o == unanswered }

// outcomeOf tells how far the connection of a TCP flow came (RFC 9293, 3.5).
func outcomeOf(r *record) outcome {
	from, back := &r.flags[0], &r.flags[1]
	switch {
	case from[syn] == 0:
		return midstream
	case back[syn] > 0 && from[ack] > 0:
		return established
	case back[syn] > 0:
		return halfOpen
	case back[rst] > 0:
		return refused
	}
	return unanswered
}

// A count is flows with their packets and bytes.
type count struct{ flows, packets, bytes uint64 }

func (c *count) add(r *record) {
	c.flows++
	c.packets += r.packets[0] + r.packets[1]
	c.bytes += r.bytes[0] + r.bytes[1]
}

func (c *count) merge(o count) {
	c.flows += o.flows
	c.packets += o.packets
	c.bytes += o.bytes
}

// A port is one of a protocol.
type port struct {
	protocol uint8
	number   uint16
}

// A ruled is a label and the rule that gave it.
type ruled struct{ label, rule string }

func compareRuled(a, b ruled) int {
	return cmp.Or(strings.Compare(a.label, b.label), strings.Compare(a.rule, b.rule))
}

const (
	mostLabels = 24   // that are followed over time
	mostRuled  = 4096 // of which flows are counted
)

// An over is what is counted of flows over time.
type over struct{ flows, packets timeline }

// A Collector counts packets and flows. It belongs to one goroutine at a time, but
// for Packets, which may be called beside the rest.
type Collector struct {
	counted, uncounted, bytes timeline // of packets

	all                    count
	started                timeline
	open                   int64    // flows that the end of the capture finishes
	last, finished, evicts timeline // of flows
	labels                 map[string]*over
	otherLabels            over
	ruled                  map[ruled]*count
	otherRuled             count

	sizes, packets, durations histogram
	byDuration                [len(cellEdges) + 1][len(cellEdges) + 1]uint64 // flows by cells of duration and bytes

	protocols [256]count
	ports     map[port]*count
	lastPort  port // which is often that of the next flow
	lastCount *count
	hosts     heavy[host]
	pairs     heavy[pair]
	sources   heavy[host]

	flags    [2][8]uint64 // packets of TCP with each control bit
	tcp      uint64       // packets of TCP
	outcomes [outcomes]uint64
	reasons  [8]uint64
}

// NewCollector returns a collector that has counted nothing.
func NewCollector() *Collector {
	return &Collector{
		labels: map[string]*over{}, ruled: map[ruled]*count{}, ports: map[port]*count{},
	}
}

// Packets counts the packets of a batch. It is for the option Packets of a run.
func (c *Collector) Packets(b *flowtable.Batch) {
	var from, to int64 // the bin at hand
	var packets [2]int64
	var bytes int64
	put := func() {
		for i, of := range [2]*timeline{&c.counted, &c.uncounted} {
			if packets[i] > 0 {
				*of.at(from) += packets[i]
			}
		}
		*c.bytes.at(from) += bytes
		packets, bytes = [2]int64{}, 0
	}
	for i := range b.Len() {
		at, length, counted := b.Packet(i)
		if t := int64(at); t < from || t >= to {
			if i > 0 {
				put()
			}
			*c.bytes.at(t) += 0 // so that the width is one for t
			w := widths[c.bytes.width]
			from = floor(t, w) * w
			to = from + w
		}
		bytes += int64(length)
		if counted {
			packets[0]++
		} else {
			packets[1]++
		}
	}
	if b.Len() > 0 {
		put()
	}
}

// flow counts a flow.
func (c *Collector) flow(r *record) {
	bytes, packets := r.bytes[0]+r.bytes[1], r.packets[0]+r.packets[1]
	duration := uint64(r.last) - uint64(r.start)
	c.all.add(r)
	*c.started.at(int64(r.start))++
	*c.last.at(int64(r.last))++
	if r.finish < flowtable.Time(1<<63-1) {
		*c.finished.at(int64(r.finish))++
		if r.reason == flowtable.Evicted {
			*c.evicts.at(int64(r.finish))++
		}
	} else {
		c.open++
	}
	c.reasons[r.reason&7]++
	c.sizes.add(bytes)
	c.packets.add(packets)
	c.durations.add(duration)
	c.byDuration[cell(duration/1000)][cell(bytes)]++
	if r.labelled {
		c.label(r, packets)
	}

	c.protocols[r.protocol].add(r)
	if decode.HasPorts(r.protocol) {
		if p := (port{r.protocol, r.dstPort}); c.lastCount == nil || p != c.lastPort {
			c.lastPort, c.lastCount = p, of(c.ports, p)
		}
		c.lastCount.add(r)
	}
	for i, h := range [2]host{r.src, r.dst} {
		if i == 1 && r.src == r.dst {
			break
		}
		c.hosts.add(h, bytes).add(r)
	}
	c.pairs.add(pairOf(r.src, r.dst), bytes).add(r)
	source := c.sources.add(r.src, 1)
	source.add(r)
	source.fan.add(r)

	if r.protocol == decode.TCP {
		c.tcp += packets
		for d, some := range r.someFlags {
			for ; some != 0; some &= some - 1 {
				i := bits.TrailingZeros8(some)
				c.flags[d][i] += r.flags[d][i]
			}
		}
		c.outcomes[outcomeOf(r)]++
	}
}

// of returns the count of a key, which is made if need be.
func of[K comparable](m map[K]*count, key K) *count {
	n := m[key]
	if n == nil {
		n = &count{}
		m[key] = n
	}
	return n
}

// label counts a flow by its label.
func (c *Collector) label(r *record, packets uint64) {
	at := c.labels[string(r.label)]
	if at == nil {
		if at = &c.otherLabels; len(c.labels) < mostLabels {
			at = &over{}
			c.labels[string(r.label)] = at
		}
	}
	*at.flows.at(int64(r.start))++
	at.packets.spread(int64(r.start), int64(r.last), packets)
	key := ruled{string(r.label), string(r.rule)}
	n := c.ruled[key]
	if n == nil {
		if n = &c.otherRuled; len(c.ruled) < mostRuled {
			n = &count{}
			c.ruled[key] = n
		}
	}
	n.add(r)
}

// End says when the last packet was that the collector counted before it is merged or
// written.
func (c *Collector) End(last time.Time) {
	if c.open > 0 {
		*c.finished.at(last.UnixNano()) += c.open
		c.open = 0
	}
}

// Merge adds what another collector has counted, which is not to be used any more.
// The sum depends on the order of merging where hosts or labels are too many to be
// counted exactly.
func (c *Collector) Merge(o *Collector) {
	for i, from := range o.timelines() {
		c.timelines()[i].merge(from)
	}
	for _, name := range slices.Sorted(maps.Keys(o.labels)) {
		at, from := c.labels[name], o.labels[name]
		switch {
		case at == nil && len(c.labels) < mostLabels:
			c.labels[name] = from
			continue
		case at == nil:
			at = &c.otherLabels
		}
		at.flows.merge(&from.flows)
		at.packets.merge(&from.packets)
	}
	for _, key := range slices.SortedFunc(maps.Keys(o.ruled), compareRuled) {
		n := o.ruled[key]
		if c.ruled[key] == nil && len(c.ruled) >= mostRuled {
			c.otherRuled.merge(*n)
			continue
		}
		of(c.ruled, key).merge(*n)
	}
	c.otherRuled.merge(o.otherRuled)
	c.all.merge(o.all)
	c.sizes.merge(&o.sizes)
	c.packets.merge(&o.packets)
	c.durations.merge(&o.durations)
	for x := range c.byDuration {
		for y, n := range o.byDuration[x] {
			c.byDuration[x][y] += n
		}
	}
	for i, n := range o.protocols {
		c.protocols[i].merge(n)
	}
	for key, n := range o.ports {
		of(c.ports, key).merge(*n)
	}
	c.hosts.merge(&o.hosts)
	c.pairs.merge(&o.pairs)
	c.sources.merge(&o.sources)
	for d := range c.flags {
		for i := range c.flags[d] {
			c.flags[d][i] += o.flags[d][i]
		}
	}
	c.tcp += o.tcp
	for i := range c.outcomes {
		c.outcomes[i] += o.outcomes[i]
	}
	for i := range c.reasons {
		c.reasons[i] += o.reasons[i]
	}
}

// timelines returns what is counted over time, but by label.
func (c *Collector) timelines() []*timeline {
	return []*timeline{&c.counted, &c.uncounted, &c.bytes, &c.started, &c.last, &c.finished, &c.evicts, &c.otherLabels.flows, &c.otherLabels.packets}
}
