package flowtable

// Orphans are fragments that no first fragment stands before. They remember so
// many datagrams as first fragments are remembered, and then begin anew.
type orphans struct {
	of    map[datagram]orphan
	early uint64
}

// A datagram is what fragments of it have in common.
type datagram struct {
	key           key
	encapsulation uint64
}

type orphan struct {
	latest    Time
	fragments uint64
}

// add takes in an orphan.
func (o *orphans) add(d datagram, at Time) {
	if len(o.of) >= maxFragments {
		clear(o.of)
	}
	if o.of == nil {
		o.of = map[datagram]orphan{}
	}
	before := o.of[d]
	if at.since(before.latest) > fragmentTime {
		before.fragments = 0
	}
	o.of[d] = orphan{at, before.fragments + 1}
}

// claim counts the orphans that a first fragment has come too late for.
func (o *orphans) claim(d datagram, at Time) {
	if len(o.of) == 0 {
		return
	}
	if found, ok := o.of[d]; ok {
		if at.since(found.latest) <= fragmentTime {
			o.early += found.fragments
		}
		delete(o.of, d)
	}
}

// EarlyFragments returns how many of the orphans stand before the first fragment
// of their datagram, which comes within 30 s: captures that several queues wrote,
// and senders that begin with the last fragment, have those.
func (g *Gate) EarlyFragments() uint64 { return g.fragments.orphans.early }
