package slab

import "testing"

// TestItemsKeepWhatTheyHold takes and puts items at random and wants each to
// hold what was written to it, at the same place.
func TestItemsKeepWhatTheyHold(t *testing.T) {
	type item struct{ a, b uint64 }
	var s Slab[item]
	places := map[uint32]*item{}
	for i := range uint64(1_500_000) { // beyond an arena
		n := s.Take()
		if n == 0 || places[n] != nil && places[n].a != 0 {
			t.Fatalf("item %d was handed out twice", n)
		}
		p := s.At(n)
		if places[n] != nil && places[n] != p {
			t.Fatalf("item %d has moved", n)
		}
		if places[n] == nil && *p != (item{}) {
			t.Fatalf("a new item holds %v", *p)
		}
		*p = item{i + 1, uint64(n)}
		places[n] = p
		if i%3 == 0 {
			*p = item{}
			s.Put(n)
		}
	}
	inUse := 0
	for n, p := range places {
		if p.a != 0 {
			inUse++
			if p.b != uint64(n) {
				t.Fatalf("item %d holds %v", n, *p)
			}
		}
	}
	if inUse != s.InUse() || int(s.Len()) != len(places) {
		t.Errorf("%d items in use of %d, want %d of %d", s.InUse(), s.Len(), inUse, len(places))
	}
}
