package slab

import "testing"

// TestDiscard sees that what a slab has had is gone from memory, and that the slab begins
// anew.
func TestDiscard(t *testing.T) {
	const items = 1 << 20
	var s Slab[uint64]
	for range items {
		*s.At(s.Take()) = 1
	}
	blocks := s.arena.blocks
	s.Discard()
	kept, all := 0, 0
	for _, b := range blocks {
		all += len(b)
		for _, item := range b {
			kept += int(item)
		}
	}
	if all < items || kept == 0 || kept > all*3/4 {
		t.Errorf("%d of %d items are still there: small blocks are to be, large ones are not", kept, all)
	}
	if n := s.Take(); n != 1 || *s.At(n) != 0 || s.Bytes() >= items {
		t.Errorf("the first item is number %d and holds %d; %d bytes are taken", n, *s.At(n), s.Bytes())
	}
}
