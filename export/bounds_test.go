package export

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flowfast/flowfast/flowtable"
)

// TestTextBounds wants the least and the greatest of texts that begin alike, end in zeros
// or are empty.
func TestTextBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(35, 36))
	beginnings := []string{"", "\x00", "1", "192.168.1", "\xff\xff\xff\xff\xff\xff\xff\xff"}
	var b bounds
	for range 5000 {
		c, all := columnBytes{ends: make([]byte, 4)}, [][]byte{}
		for range r.IntN(6) {
			text := append([]byte(beginnings[r.IntN(len(beginnings))]), make([]byte, r.IntN(10))...)
			for i := range text {
				if r.IntN(3) == 0 {
					text[i] = byte(r.IntN(256))
				}
			}
			for range 1 + r.IntN(2) {
				all, c.values = append(all, text), append(c.values, text...)
				c.ends = le32(c.ends, len(c.values))
			}
		}
		b.ofTexts(&c)
		if b.there != (len(all) > 0) {
			t.Fatalf("%d texts: bounds %v", len(all), b.there)
		}
		if b.there && (!bytes.Equal(b.min, slices.MinFunc(all, bytes.Compare)) || !bytes.Equal(b.max, slices.MaxFunc(all, bytes.Compare))) {
			t.Fatalf("%q: from %q to %q", all, b.min, b.max)
		}
	}
}

// TestFewOthers wants what the columns of many flows of one packet and a few others are
// told to be between.
func TestFewOthers(t *testing.T) {
	columns := Columns()
	var flows []*flowtable.Flow
	for i := range 3 * blockRows {
		f := &flowtable.Flow{Start: 7, Last: 7, Protocol: 6, Fwd: flowtable.Direction{Packets: 1, Bytes: 1000, Flags: [8]uint64{1: 1}}}
		if i%20 == 1 {
			f.Start, f.Last, f.Fwd.Packets, f.Fwd.Bytes = 8, 9, 2, 1500
		}
		flows = append(flows, ofTable(t, f))
	}
	got := sorted(t, newPacked(columns), flows)
	for i, want := range map[int]span{numStart: {7, 8}, numHead: {1, 2}, numHead + 1: {1000, 1500}} {
		if got[i].span != want {
			t.Errorf("%s is told to be between %v, want %v", columns[i].Name, got[i].span, want)
		}
	}
}
