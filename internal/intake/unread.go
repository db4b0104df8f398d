package intake

import "github.com/flowfast/flowfast/decode"

// unreads counts what packets are not read for. There are 65,536 numbers of each
// kind at most.
type unreads struct {
	last  decode.Unread // was seen that many times since the last other one
	times uint64
	seen  map[decode.Unread]uint64
}

// see takes in what a packet is not read for. Captures have the same again and
// again, so that the map is asked only where it changes.
func (u *unreads) see(what decode.Unread) {
	if what != u.last {
		u.settle()
		u.last = what
	}
	u.times++
}

// settle makes the map complete.
func (u *unreads) settle() {
	if u.times > 0 {
		if u.seen == nil {
			u.seen = map[decode.Unread]uint64{}
		}
		u.seen[u.last] += u.times
		u.times = 0
	}
}

// merge takes in what another has seen, and empties it.
func (u *unreads) merge(o *unreads) {
	o.settle()
	u.settle()
	for what, n := range o.seen {
		u.last, u.times = what, n
		u.settle()
	}
	o.clear()
}

func (u *unreads) clear() {
	clear(u.seen)
	u.times = 0
}
