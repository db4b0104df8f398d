package stacks

import (
	"testing"

	"github.com/flowfast/flowfast/decode"
)

// FuzzStacks builds the stack of a seed and reads it: the answers must be what was
// built.
func FuzzStacks(f *testing.F) {
	for seed := range uint64(200) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		s, _ := newStack(seed, nil, 0)
		var r reader
		if i, got := s.differs(&r); i >= 0 {
			t.Errorf("seed %d: %s\nread %v (%v), built %v", seed, s.describe(i), got, got.class, s.expected()[i])
		}
	})
}

// differs reads the frames of a stack, and returns the first of which something else
// is read than was built, -1 if there is none.
func (s *stack) differs(r *reader) (int, answer) {
	want := s.expected()
	sure := s.whole()
	for i := range s.frames {
		f := &s.frames[i]
		got := r.read(s.link.number, f.b[:f.captured], len(f.b))
		switch w := want[i]; {
		case !sure && (f.later || got.class == decode.Fragment):
		case got.counted != w.counted, got.flow != w.flow:
			return i, got
		case w.class == decode.Truncated && got.class != decode.Truncated:
			return i, got
		case w.class == decode.Counted && got.class != decode.Counted:
			return i, got
		}
	}
	return -1, answer{}
}
