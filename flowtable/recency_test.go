package flowtable

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// The oldest record is that of the earliest time and, of several of that time, the one
// whose flow began first, in whichever lane it is or whether it is a stray.
func TestOldest(t *testing.T) {
	const refs = 40
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		times := 1 + random.Int64N(8)
		r := newRecency()
		r.links.Cover(lanes + refs)
		var model []timed
		strays := 0
		for range 600 {
			ref := uint32(lanes + 1 + random.IntN(refs))
			if at := slices.IndexFunc(model, func(e timed) bool { return e.ref == ref }); at >= 0 {
				r.remove(ref)
				model = slices.Delete(model, at, at+1)
			} else {
				e := timed{Time(random.Int64N(times)), 1 + random.Uint64N(1000), ref}
				for slices.ContainsFunc(model, func(o timed) bool { return o.first == e.first }) {
					e.first++
				}
				l := r.links.At(ref)
				l.first = e.first
				r.file(ref, l, e.time)
				model = append(model, e)
			}
			strays += r.nStray
			var want timed
			if len(model) > 0 {
				want = slices.MinFunc(model, func(a, b timed) int {
					return cmp.Or(cmp.Compare(a.time, b.time), cmp.Compare(a.first, b.first))
				})
			}
			if ref, filed := r.oldest(); ref != want.ref || ref != 0 && filed != want.time {
				t.Fatalf("seed %d: the oldest of %v is %d, filed under %d; want %d", seed, model, ref, filed, want.ref)
			}
		}
		if strays == 0 {
			t.Errorf("seed %d: no strays", seed)
		}
	}
}
