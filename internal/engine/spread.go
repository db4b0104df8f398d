package engine

import (
	"math"
	"math/bits"
)

// Flows of many tables are put in order by their keys as addresses are sorted by
// interpolation: a key tells about where its flow comes among all of a block, and most
// of these places are free. So nothing waits for comparisons whose outcome can't be
// foreseen, of which a tree of losers has as many for each flow as the number of tables
// has digits (Gonnet and Munro, The analysis of linear probing sort by the use of a new
// mathematical transform, Journal of Algorithms 5, 1984).

const (
	placesEach   = 4  // places for each flow, at most
	placesBehind = 64 // the last one, for flows that come after others in their places
	triesEach    = 2  // flows in the way of each, at most
	unlikeBlocks = 16 // that are not tried by position, behind one that was not to be put in order so
)

// A place is that of a flow: its list's number plus one, and its number there.
type place struct{ list, row uint32 }

// spread puts the rows of a block in order by places in proportion to the part of their
// keys that tells most of them apart. It returns false, and has done nothing, where flows
// come too close or lists are not in order.
func (m *merger) spread(b *block) bool {
	if m.byPosition(b) {
		return true
	}
	from, span := m.earliest.parts[m.part], m.latest.parts[m.part]-m.earliest.parts[m.part]
	shift := max(0, bits.Len64(span)-bits.Len(uint(placesEach/2*b.rows)))
	n := int(span>>shift) + 1 + placesBehind
	return m.settle(n, m.part, from, shift) && m.collect(b, n)
}

// byPosition is spread for the positions of flows, if these lie close together. The flows
// of a flood are in the order of their positions, whatever finished them: then each has a
// place of its own.
func (m *merger) byPosition(b *block) bool {
	if m.unlike > 0 {
		m.unlike--
		return false
	}
	first, last := uint64(math.MaxUint64), uint64(0)
	for i := range m.lists {
		keys := m.lists[i].keys
		first, last = min(first, keys[0].parts[2]), max(last, keys[len(keys)-1].parts[2])
	}
	if last < first || last-first >= uint64(placesEach*b.rows) {
		return false
	}
	n := int(last-first) + 1
	if m.settle(n, 2, first, 0) && m.collect(b, n) {
		return true
	}
	m.unlike = unlikeBlocks
	return false
}

// settle gives all flows places, of so many that there are. It returns false, and takes
// all places back, if it can't.
func (m *merger) settle(n, part int, from uint64, shift int) bool {
	if n > len(m.places) {
		m.places = make([]place, n)
	}
	places, lists, tries := m.places[:n], m.lists, 0
	for i := range lists {
		keys, next := lists[i].keys, uint64(0)
		for row := range keys {
			at := (keys[row].parts[part] - from) >> (shift & 63)
			if at < next || at >= uint64(len(places)) { // the list is not in order
				clear(places)
				return false
			}
			next = at
			p := &places[at]
			if p.list == 0 {
				*p = place{uint32(i + 1), uint32(row)}
				continue
			}
			taken := m.insert(places[at:], place{uint32(i + 1), uint32(row)})
			if tries += taken; taken < 0 || tries > triesEach*len(places) {
				clear(places)
				return false
			}
		}
	}
	return true
}

// insert puts a flow in the first of some places before which none comes after it, and
// moves those behind on. It returns how many places were taken, a negative number if
// there is none left.
func (m *merger) insert(places []place, p place) int {
	for i := range places {
		other := &places[i]
		if other.list == 0 {
			*other = p
			return i
		}
		if m.key(p).before(m.key(*other)) {
			p, *other = *other, p
		}
	}
	return -1
}

func (m *merger) key(p place) *rowKey { return &m.lists[p.list-1].keys[p.row] }

// collect copies the rows out of so many places. It returns false, and has copied none,
// if they are not in the order of time.
func (m *merger) collect(b *block, n int) bool {
	places, lists, bytes, before := m.places[:n], m.lists, b.bytes, m.earliest
	defer clear(places)
	for _, p := range places {
		if p.list == 0 {
			continue
		}
		l := &lists[p.list-1]
		key, start := &l.keys[p.row], l.start
		if key.parts[0] < before.parts[0] || key.parts[0] == before.parts[0] && key.parts[1] < before.parts[1] {
			return false
		}
		before = key
		if p.row > 0 {
			start = l.keys[p.row-1].end
		}
		bytes = append(bytes, l.rows[start:key.end]...)
	}
	b.bytes = bytes
	return true
}
