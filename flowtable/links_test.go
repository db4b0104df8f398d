package flowtable

import (
	"math/rand/v2"
	"testing"

	"github.com/flowfast/flowfast/decode"
)

// TestLinksEqualRead adds frames of few and of many stations, with and without tags, and
// compares what is kept of each with what its link header says.
func TestLinksEqualRead(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	types := []string{"\x08\x00", "\x86\xdd", "\x81\x00\x00\x05\x08\x00", "\x88\xa8\x00\x07\x81\x00\x00\x09\x08\x00", "\x88\x47\x00\x01\x01\x40", "\x08\x06"}
	for _, stations := range []int{2, 5, 300} {
		var l, other links
		for range 3 { // used again
			l.reset()
			other.reset()
			var want []decode.Link
			for range 4000 {
				linkType := []uint32{1, 1, 1, 1, 113, 147}[r.IntN(6)]
				frame := make([]byte, 12, 64)
				frame[0], frame[4], frame[5] = 2, byte(r.IntN(stations)>>8), byte(r.IntN(stations))
				frame[6], frame[11] = 2, byte(r.IntN(stations))
				frame = append(frame, types[r.IntN(len(types))]...)
				frame = append(frame, make([]byte, 20)...)[:r.IntN(2)*12+2+r.IntN(20)]
				switch r.IntN(10) {
				case 0:
					l.none()
					want = append(want, decode.Link{})
				default:
					l.add(linkType, frame)
					var is decode.Link
					is.Read(linkType, frame)
					want = append(want, is)
				}
				if i := len(want) - 1; want[i] != (decode.Link{}) {
					other.take(l.at(i))
				} else {
					other.none()
				}
			}
			for i, is := range want {
				if is == (decode.Link{}) {
					continue
				}
				if *l.at(i) != is || *other.at(i) != is {
					t.Fatalf("%d stations: packet %d has %v, taken over %v, want %v", stations, i, *l.at(i), *other.at(i), is)
				}
			}
		}
	}
}
