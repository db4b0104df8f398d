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

// A link holds a record's place in a lane. Links go by the references of the
// records; 1 to lanes are the lanes' ends.
type link struct {
	prev, next uint32 // towards the oldest and the newest; a lane is a ring
	filed      Time   // not after the flow's last packet time
}

// isStray in link.next marks a record that is in no lane but in the heap.
const isStray = ^uint32(0)

// A recency holds records in the order of the times they are filed under. A
// time that is not before the newest of some lane goes to the end of that lane:
// O(1). Any other makes the record a stray: O(log n).
//
// Invariants: in a lane, times do not fall from oldest to newest; every record
// is in one lane, or is a stray with an entry in the heap that has its time.
type recency struct {
	links  slab.Slab[link]
	strays timeHeap // entries may be out of date
	nStray int      // entries that are not
}

func newRecency() recency {
	var r recency
	for i := range uint32(lanes) {
		end := r.links.Take()
		*r.links.At(end) = link{prev: i + 1, next: i + 1, filed: minTime}
	}
	return r
}

// file puts a record, which is not there, where a time belongs.
func (r *recency) file(ref uint32, at Time) {
	r.links.Cover(ref)
	l := r.links.At(ref)
	l.filed = at
	for end := uint32(1); end <= lanes; end++ {
		e := r.links.At(end)
		newest := r.links.At(e.prev)
		if at >= newest.filed {
			l.prev, l.next = e.prev, end
			newest.next = ref
			e.prev = ref
			return
		}
	}
	l.prev, l.next = 0, isStray
	r.nStray++
	r.strays.push(timed{at, ref})
	if len(r.strays) > 2*r.nStray+64 {
		r.sweep()
	}
}

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
}

// oldest returns the record that is filed under the earliest time, 0 if there
// is none.
func (r *recency) oldest() (ref uint32, filed Time) {
	for end := uint32(1); end <= lanes; end++ {
		first := r.links.At(end).next
		if first == end {
			continue
		}
		if l := r.links.At(first); ref == 0 || l.filed < filed {
			ref, filed = first, l.filed
		}
	}
	for len(r.strays) > 0 {
		if s := r.strays[0]; !r.current(s) {
			r.strays.pop()
			continue
		} else if ref == 0 || s.time < filed {
			ref, filed = s.ref, s.time
		}
		break
	}
	return ref, filed
}

// current tells if an entry of the heap still stands for its record.
func (r *recency) current(s timed) bool {
	l := r.links.At(s.ref)
	return l.next == isStray && l.filed == s.time
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
