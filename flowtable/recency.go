package flowtable

import "github.com/flowfast/flowfast/internal/slab"

// lanes is the number of recency lists. Packets in order of time need one; the
// others take flows whose last packet time is older than the newest of the
// lanes before, so that neither a packet from the future nor a capture that
// starts over holds up the flows behind it.
const lanes = 4

// A link holds a record's place in a lane. Links go by the references of the
// records; 1 to lanes are the lanes' ends. Links lie apart from the records
// because a touch goes to the two neighbours as well, and sixteen bytes of
// each are all it needs.
type link struct {
	prev, next uint32 // towards the oldest and the newest; a lane is a ring
	last       Time   // the flow's last packet time
}

// isStray in link.next marks a record that is in no lane but in the heap.
const isStray = ^uint32(0)

// A recency holds records in the order of their last packet times. A time that
// is not before the newest of some lane goes to the end of that lane: O(1).
// Any other makes the record a stray: O(log n).
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
		*r.links.At(end) = link{prev: i + 1, next: i + 1, last: minTime}
	}
	return r
}

// add puts a record in.
func (r *recency) add(ref uint32, last Time) {
	r.links.Cover(ref)
	r.file(ref, last)
}

// file puts a record, which is in no lane, where its time belongs.
func (r *recency) file(ref uint32, last Time) {
	l := r.links.At(ref)
	l.last = last
	for end := uint32(1); end <= lanes; end++ {
		e := r.links.At(end)
		newest := r.links.At(e.prev)
		if last >= newest.last {
			l.prev, l.next = e.prev, end
			newest.next = ref
			e.prev = ref
			return
		}
	}
	l.prev, l.next = 0, isStray
	r.nStray++
	r.strays.push(timed{last, ref})
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

// touch moves a record to a later last packet time.
func (r *recency) touch(ref uint32, last Time) {
	if l := r.links.At(ref); l.next <= lanes && l.next != 0 {
		l.last = last // already the newest of its lane
		return
	}
	r.remove(ref)
	r.file(ref, last)
}

// oldest returns the record with the earliest last packet time, 0 if there is
// none.
func (r *recency) oldest() (ref uint32, last Time) {
	last = maxTime
	for end := uint32(1); end <= lanes; end++ {
		first := r.links.At(end).next
		if first == end {
			continue
		}
		if l := r.links.At(first); ref == 0 || l.last < last {
			ref, last = first, l.last
		}
	}
	for len(r.strays) > 0 {
		if s := r.strays[0]; !r.current(s) {
			r.strays.pop()
			continue
		} else if ref == 0 || s.time < last {
			ref, last = s.ref, s.time
		}
		break
	}
	return ref, last
}

// current tells if an entry of the heap still stands for its record.
func (r *recency) current(s timed) bool {
	l := r.links.At(s.ref)
	return l.next == isStray && l.last == s.time
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
