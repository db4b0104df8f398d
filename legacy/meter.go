package legacy

import (
	"cmp"
	"slices"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/ioutil"
)

// A Meter groups the packets of one capture into flows, as FlowGenerator does.
// The zero Meter is ready. It belongs to one goroutine at a time.
//
// The original closes a flow with a packet of its own, or at the end, and so holds
// all others. The Meter can be told to hold fewer.
type Meter struct {
	// MaxFlows is the most flows that are open at a time, each of which takes some
	// 1,100 bytes; 0 for no bound. Where one more would be, the one that has been
	// without a packet for longest is closed: with its next packet another one
	// begins, which the original does not do.
	MaxFlows int

	open           map[key]*Flow // by the key of the flow's first packet
	oldest, newest *Flow         // the ends of a list by their latest packets
	counts         Counts
}

// Counts say what became of the packets that were added to a Meter. After Rest
// the other counts add up to Packets; before, the packets of the flows that are
// open are missing.
type Counts struct {
	Packets   uint64 // records added
	Discarded uint64 // without an IPv4 header that could be read
	Repeated  uint64 // forward FINs of a flow but its first: dropped
	Lost      uint64 // the only packet of their flow, which is not given out
	Given     uint64 // in the flows given out
	Evicted   uint64 // flows that MaxFlows closed; no packets
}

// Add adds the packet of a record. It returns the flow that the packet closed,
// nil if there is none:
//
//   - The flow of the packet began more than 120 seconds before it. The packet
//     then starts a flow with the addresses and ports of the old one, in which
//     it is forward, wherever it came from. If the old one had one packet it is
//     lost.
//   - The packet is backward and has FIN set, or has RST set (and is not a
//     forward FIN). It is the last of the flow.
//
// Or one more flow begins than MaxFlows, and the flow is the one idle for longest.
//
// A FIN of the first packet of a flow has no effect, the next one from forward
// none but that the ones after it are dropped.
//
// The record is read as an Ethernet frame whatever its link type, cut as records
// are to a MiB. It is not kept. No input makes Add panic; times may go back.
func (m *Meter) Add(r *ioutil.Record) *Flow {
	var p packet
	if !p.read(r.Data, int(r.OrigLen)-int(r.FCS), r.Time) {
		m.counts.Packets++
		m.counts.Discarded++
		return nil
	}
	return m.add(&p, m.counts.Packets)
}

// add adds a packet, of a number in the capture, and returns the flow that it closed.
func (m *Meter) add(p *packet, number uint64) *Flow {
	m.counts.Packets++
	k := p.key
	f := m.open[k]
	if f == nil {
		k = k.swapped()
		f = m.open[k]
	}
	switch {
	case f == nil:
		evicted := m.makeRoom()
		m.begin(p.key, p, number)
		return evicted
	case p.time-f.start > flowTimeout:
		m.remove(f)
		m.begin(k, p, number).key = f.key
		return m.give(f)
	case p.flags&decode.FIN != 0 && f.forward(p):
		f.fins++
		if f.fins > 1 {
			m.counts.Repeated++
			return nil
		}
	case p.flags&(decode.FIN|decode.RST) != 0:
		f.add(p)
		m.remove(f)
		return m.give(f)
	}
	f.add(p)
	m.unlink(f)
	m.link(f)
	return nil
}

// makeRoom closes the flow that has been idle for longest if there are as many as
// may be, and returns what is to be given of it.
func (m *Meter) makeRoom() *Flow {
	if m.MaxFlows == 0 || len(m.open) < m.MaxFlows {
		return nil
	}
	f := m.oldest
	m.remove(f)
	m.counts.Evicted++
	return m.give(f)
}

// remove takes a flow out.
func (m *Meter) remove(f *Flow) {
	delete(m.open, f.under)
	m.unlink(f)
}

// link makes a flow the newest of the list.
func (m *Meter) link(f *Flow) {
	f.older, f.newer = m.newest, nil
	if m.newest = f; f.older == nil {
		m.oldest = f
	} else {
		f.older.newer = f
	}
}

// unlink takes a flow out of the list.
func (m *Meter) unlink(f *Flow) {
	if f.older == nil {
		m.oldest = f.newer
	} else {
		f.older.newer = f.newer
	}
	if f.newer == nil {
		m.newest = f.older
	} else {
		f.newer.older = f.older
	}
}

// begin starts a flow under a key.
func (m *Meter) begin(k key, p *packet, number uint64) *Flow {
	if m.open == nil {
		m.open = make(map[key]*Flow)
	}
	f := newFlow(p, number)
	f.under = k
	m.open[k] = f
	m.link(f)
	return f
}

// give returns a flow that is closed, or nil if it has only one packet.
func (m *Meter) give(f *Flow) *Flow {
	n := f.Packets()
	if n == 1 {
		m.counts.Lost++
		return nil
	}
	m.counts.Given += n
	return f
}

// Rest ends the capture: it returns the flows that are still open, in the order
// of their first packets, but for those of one packet, which are lost. The Meter
// then has no flows, and keeps its counts.
func (m *Meter) Rest() []*Flow {
	var flows []*Flow
	for _, f := range m.open {
		if f = m.give(f); f != nil {
			flows = append(flows, f)
		}
	}
	m.open, m.oldest, m.newest = nil, nil, nil
	slices.SortFunc(flows, func(a, b *Flow) int { return cmp.Compare(a.number, b.number) })
	return flows
}

// Counts returns the counts of the packets added so far.
func (m *Meter) Counts() Counts { return m.counts }
