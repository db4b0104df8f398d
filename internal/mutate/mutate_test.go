package mutate

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestBytes wants the same damage from the same seed, none in what was given,
// and something changed nearly always.
func TestBytes(t *testing.T) {
	b := []byte("a capture of some packets")
	given := bytes.Clone(b)
	r, again := rand.New(rand.NewPCG(1, 2)), rand.New(rand.NewPCG(1, 2))
	changed := 0
	for range 1000 {
		m := Bytes(r, b, b)
		if !bytes.Equal(m, Bytes(again, b, b)) {
			t.Fatal("another result from the same seed")
		}
		if !bytes.Equal(m, b) {
			changed++
		}
	}
	if !bytes.Equal(b, given) {
		t.Errorf("given %q, which is now %q", given, b)
	}
	if changed < 900 {
		t.Errorf("%d of 1000 copies are changed", changed)
	}
	for range 1000 {
		Bytes(r, nil, nil)
		Bytes(r, nil, b)
		Bytes(r, b[:1], nil)
	}
	if n := len(Many(r, 5, b, b)); n != 6 {
		t.Errorf("%d, want b and 5 copies", n)
	}
}
