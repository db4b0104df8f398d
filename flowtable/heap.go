package flowtable

// A timed is a record, the time it is filed under, and the position of its
// first packet.
type timed struct {
	time  Time
	first uint64
	ref   uint32
}

// before tells which of two comes first; of the same time, the one that began
// first.
func (a *timed) before(b *timed) bool {
	return a.time < b.time || a.time == b.time && a.first < b.first
}

// A timeHeap is a binary heap with the earliest first. (container/heap would
// allocate for each element.)
type timeHeap []timed

func (h *timeHeap) push(e timed) {
	*h = append(*h, e)
	s := *h
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !s[i].before(&s[parent]) {
			return
		}
		s[parent], s[i] = s[i], s[parent]
		i = parent
	}
}

func (h *timeHeap) pop() timed {
	s := *h
	top := s[0]
	s[0] = s[len(s)-1]
	*h = s[:len(s)-1]
	h.down(0)
	return top
}

// order makes any slice a heap.
func (h *timeHeap) order() {
	for i := len(*h)/2 - 1; i >= 0; i-- {
		h.down(i)
	}
}

func (h *timeHeap) down(i int) {
	s := *h
	for {
		child := 2*i + 1
		if child >= len(s) {
			return
		}
		if child+1 < len(s) && s[child+1].before(&s[child]) {
			child++
		}
		if !s[child].before(&s[i]) {
			return
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
