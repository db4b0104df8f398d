package engine

import (
	"math"
	"math/bits"

	"github.com/flowfast/flowfast/flowtable"
)

// A merger merges the lists of blocks. Each worker has one. It is a tree of losers
// (Knuth, The Art of Computer Programming, volume 3, section 5.4.1): a node holds
// the list that lost there, and the list that won everywhere comes next. What the
// keys of a block begin with in common is not compared.
type merger struct {
	lists []list
	nodes []node // a power of two of them; that of number 0 is not used
	part  int    // of the keys that tells most of them apart
	// format is that of flows which have no rows before they are in order; nil for none.
	format Format

	earliest, latest *rowKey // of the block
	places           []place // see spread; zero but while it runs
	unlike           int     // blocks that are not tried by position
}

// A node is a list and the part of its next row's key.
type node struct {
	at   uint64
	list int
}

// A list is rows of one table in order.
type list struct {
	keys  []rowKey
	rows  []byte
	flows []flowtable.Flow // or the flows
	next  int              // number of the next row
	start int              // of it in rows
}

// merge puts the rows of a block in order. Those of one table are: a bound, or a meter, may
// give them out in another order than that of their keys.
func (m *merger) merge(b *block) {
	m.begin(b)
	ofOne := b.lists[0].owner == b.lists[len(b.lists)-1].owner
	if len(b.lists[0].flows) > 0 {
		if ofOne {
			for i := range m.lists {
				for k := range m.lists[i].flows {
					b.add(&m.lists[i].flows[k])
				}
			}
		} else {
			for next, left := m.first(), b.rows; left > 0; left-- {
				l := &m.lists[next.list]
				b.add(&l.flows[l.next])
				next = m.replay(m.pass(next.list, l))
			}
		}
		m.formatFlows(b)
		return
	}
	if cap(b.bytes) < b.size {
		b.bytes = make([]byte, 0, b.size+b.size/8)
	}
	if ofOne {
		for i := range m.lists {
			l := &m.lists[i]
			b.bytes = append(b.bytes, l.rows[l.start:l.keys[len(l.keys)-1].end]...)
		}
		return
	}
	if m.spread(b) {
		return
	}
	to := b.bytes
	for next, left := m.first(), b.rows; left > 0; left-- {
		l := &m.lists[next.list]
		end := l.keys[l.next].end
		to = append(to, l.rows[l.start:end]...)
		l.start = end
		next = m.replay(m.pass(next.list, l))
	}
	b.bytes = to
}

// add adds the flow that comes next.
func (b *block) add(f *flowtable.Flow) {
	f.Number = b.first + uint64(len(b.flows))
	b.flows = append(b.flows, f)
}

// formatFlows gives a block the rows of its flows in place of these, if they are to
// have any.
func (m *merger) formatFlows(b *block) {
	if m.format == nil {
		return
	}
	for _, f := range b.flows {
		b.bytes = m.format.AppendRow(b.bytes, f)
	}
	b.flows = b.flows[:0]
}

// begin takes the lists of a block.
func (m *merger) begin(b *block) {
	m.lists = m.lists[:0]
	earliest, latest := &b.lists[0].keys[b.lists[0].from], &b.lists[0].keys[b.lists[0].to-1]
	for _, s := range b.lists {
		l := list{keys: s.keys[s.from:s.to], rows: s.rows, start: s.startOf(s.from)}
		if len(s.flows) > 0 {
			l.flows = s.flows[s.from:s.to]
		}
		m.lists = append(m.lists, l)
		if from := &l.keys[0]; from.before(earliest) {
			earliest = from
		}
		if to := &l.keys[len(l.keys)-1]; latest.before(to) {
			latest = to
		}
	}
	m.part, m.earliest, m.latest = 0, earliest, latest
	for m.part < 2 && earliest.parts[m.part] == latest.parts[m.part] {
		m.part++
	}
}

// pass goes on to the next row of a list, if there is one.
func (m *merger) pass(i int, l *list) node {
	if l.next++; l.next == len(l.keys) {
		return node{math.MaxUint64, i}
	}
	return node{l.keys[l.next].parts[m.part], i}
}

// before tells if the next row of a list comes before that of another where the
// parts of their keys are equal.
func (m *merger) before(i, k int) bool {
	if i >= len(m.lists) || m.lists[i].ended() {
		return false
	}
	if k >= len(m.lists) || m.lists[k].ended() {
		return true
	}
	a, b := &m.lists[i], &m.lists[k]
	return a.keys[a.next].before(&b.keys[b.next])
}

func (l *list) ended() bool { return l.next == len(l.keys) }

// first plays all lists against each other and returns the one that comes first.
// Lists that are not there fill the leaves up to a power of two, and come last.
func (m *merger) first() node {
	n := 1 << bits.Len(uint(len(m.lists)-1))
	m.nodes = m.nodes[:0]
	for range n {
		m.nodes = append(m.nodes, node{list: -1}) // nobody has come here
	}
	var winner node
	for i := range n {
		winner = node{math.MaxUint64, i}
		if i < len(m.lists) {
			winner.at = m.lists[i].keys[0].parts[m.part]
		}
		for k := (n + i) / 2; k > 0; k /= 2 {
			other := &m.nodes[k]
			if other.list < 0 {
				*other = winner
				break
			}
			if other.at < winner.at || other.at == winner.at && m.before(other.list, winner.list) {
				*other, winner = winner, *other
			}
		}
	}
	return winner
}

// replay returns the list that comes first when the one that did has passed on.
func (m *merger) replay(winner node) node {
	nodes := m.nodes
	for k := uint(len(nodes)+winner.list) / 2; k > 0 && k < uint(len(nodes)); k /= 2 {
		if other := nodes[k]; other.at < winner.at || other.at == winner.at && m.before(other.list, winner.list) {
			nodes[k], winner = winner, other
		}
	}
	return winner
}
