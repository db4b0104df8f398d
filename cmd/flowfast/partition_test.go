package main

import (
	"os"
	"testing"
)

// TestSpoolKeepsItsError wants a write that failed to be told though later ones do not
// fail, as on a disk that is nearly full: blocks of such a spool would have a hole.
func TestSpoolKeepsItsError(t *testing.T) {
	s, err := newSpool()
	if err != nil {
		t.Fatal(err)
	}
	defer s.remove()
	whole := s.File
	if s.File, err = os.Open(os.DevNull); err != nil {
		t.Fatal(err)
	}
	_, failed := s.Write([]byte("chunk"))
	s.File.Close()
	s.File = whole
	if _, err := s.Write([]byte("another")); failed == nil || err != nil || s.err != failed {
		t.Errorf("a write that failed with %v, and one with %v: the spool has %v", failed, err, s.err)
	}
}
