package flowtable

import "github.com/flowfast/flowfast/internal/slab"

// A recency list holds records in the order of their last packet times, as far
// as it knows them: a packet does not move its flow in the list, for that would
// touch the flow's link and its two neighbours, three cache lines for each
// packet (0.9 of the time of 45 thousand slow connections). A record is filed under the
// time of its first packet, and when it has become the oldest, under the last
// packet time that it has then. So a record is moved no more than once in an
// idle timeout.

// lanes is the number of lists. Flows that begin in order of time need one; the
// others take records whose time is older than the newest of the lanes before,
// so that neither a packet from the future nor a capture that starts over holds
// up the flows behind it.
const lanes = 4

// A link holds a record's place in a lane, and what else of it is seldom asked for.
// Links go by the references of the records; 1 to lanes are the lanes' ends.
type link struct {
	prev, next uint32    // towards the oldest and the newest; a lane is a ring
	filed      Time      // not after the flow's last packet time
	first      uint64    // position of the flow's first packet, 0 for the end of a lane
	base       [2]uint32 // base sequence number of each direction; see reuse.go
}

// isStray in link.next marks a record that is in no lane but in the heap; 0 is
// in no lane either.
const isStray = ^uint32(0)

// A recency holds records in the order of the times they are filed under, and
// those of the same time in the order of their first packets: which flow is the
// oldest does not depend on when the list was asked. A record that does not
// come before the newest of some lane goes to the end of that lane: O(1). Any
// other is a stray: O(log n).
//
// Invariants: in a lane, records do not fall in that order from oldest to
// newest; every record is in one lane, or is a stray with an entry in the heap
// that has its time.
type recency struct {
	links  slab.Slab[link]
	strays timeHeap // entries may be out of date
	nStray int      // entries that are not
}

func newRecency() recency {
	r := recency{}
	r.links.Cover(lanes)
	r.empty()
	return r
}

// empty takes all records out.
func (r *recency) empty() {
	for end := uint32(1); end <= lanes; end++ {
		*r.links.At(end) = link{prev: end, next: end, filed: minTime}
	}
	r.strays, r.nStray = nil, 0
}

// file puts a record with a link, which is not there, where a time belongs.
func (r *recency) file(ref uint32, l *link, at Time) {
	l.filed = at
	for end := uint32(1); end <= lanes; end++ {
		e := r.links.At(end)
		newest := r.links.At(e.prev)
		if at > newest.filed || at == newest.filed && l.first >= newest.first {
			l.prev, l.next = e.prev, end
			newest.next = ref
			e.prev = ref
			return
		}
	}
	l.prev, l.next = 0, isStray
	r.nStray++
	r.strays.push(timed{at, r.first(ref), ref})
	if len(r.strays) > 2*r.nStray+64 {
		r.sweep()
	}
}

// first returns the position of the first packet of a record, 0 for the end of
// a lane.
func (r *recency) first(ref uint32) uint64 { return r.links.At(ref).first }

// remove takes a record out.
func (r *recency) remove(ref uint32) {
	l := r.links.At(ref)
	if l.next == isStray {
		l.next = 0
		r.nStray--
		return
	}
	r.links.At(l.prev).next = l.next
	r.links.At(l.next).prev = l.prev
	l.next = 0
}

// move puts a record's new number in the place of its old one.
func (r *recency) move(from, to uint32) {
	l := r.links.At(from)
	*r.links.At(to) = *l
	if l.next != 0 && l.next != isStray {
		r.links.At(l.prev).next = to
		r.links.At(l.next).prev = to
	}
}

// oldest returns the record that is filed under the earliest time, 0 if there
// is none.
func (r *recency) oldest() (ref uint32, filed Time) {
	for end := uint32(1); end <= lanes; end++ {
		first := r.links.At(end).next
		if first == end {
			continue
		}
		if at := r.links.At(first).filed; ref == 0 || at < filed || at == filed && r.first(first) < r.first(ref) {
			ref, filed = first, at
		}
	}
	for len(r.strays) > 0 {
		s := &r.strays[0]
		if !r.current(*s) {
			r.strays.pop()
			continue
		}
		if ref == 0 || s.time < filed || s.time == filed && s.first < r.first(ref) {
			ref, filed = s.ref, s.time
		}
		break
	}
	return ref, filed
}

// current tells if an entry of the heap still stands for its record.
func (r *recency) current(s timed) bool {
	l := r.links.At(s.ref)
	return l.next == isStray && l.filed == s.time && l.first == s.first
}

// sweep drops the entries that are out of date from the heap.
func (r *recency) sweep() {
	kept := r.strays[:0]
	for _, s := range r.strays {
		if r.current(s) {
			kept = append(kept, s)
		}
	}
	r.strays = kept
	r.strays.order()
}
