package flowtable

// A timed is a record and the time it is filed under.
type timed struct {
	time Time
	ref  uint32
}

// A timeHeap is a binary heap with the earliest time first. (container/heap
// would allocate for each element.)
type timeHeap []timed

func (h *timeHeap) push(e timed) {
	*h = append(*h, e)
	s := *h
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if s[parent].time <= s[i].time {
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
		if child+1 < len(s) && s[child+1].time < s[child].time {
			child++
		}
		if s[i].time <= s[child].time {
			return
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
