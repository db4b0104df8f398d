package legacy

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flowfast/flowfast/ioutil"
)

// A bounded meter has the flows of a plain one to which a model, a slice in the
// order of the latest packets, tells when to forget a flow: when there would be
// one more than the bound.
func TestMaxFlows(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for bound := 1; bound < 6; bound++ {
		m := Meter{MaxFlows: bound}
		type open struct{ port, packets int }
		var model []open // the one idle for longest first
		evicted, lost, given := uint64(0), uint64(0), uint64(0)
		end := func(o open) {
			if o.packets == 1 {
				lost++
			} else {
				given += uint64(o.packets)
			}
		}
		const packets = 5000
		for i := range packets {
			port := random.IntN(9)
			frame := []byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00" +
				"\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" + "\x10\x00\x00\x35\x00\x08\x00\x00")
			frame[34] = byte(port + 1)
			m.Add(&ioutil.Record{Time: int64(i) * 1000, Data: frame, OrigLen: uint32(len(frame)), LinkType: 1})
			k := slices.IndexFunc(model, func(o open) bool { return o.port == port })
			if k < 0 {
				if len(model) == bound {
					end(model[0])
					model = model[1:]
					evicted++
				}
				model = append(model, open{port, 1})
				continue
			}
			o := model[k]
			o.packets++
			model = append(slices.Delete(model, k, k+1), o)
		}
		m.Rest()
		for _, o := range model {
			end(o)
		}
		c := m.Counts()
		if c.Evicted != evicted || c.Lost != lost || c.Given != given || c.Packets != packets {
			t.Errorf("bound %d: %+v, want %d evicted, %d lost, %d given", bound, c, evicted, lost, given)
		}
	}
}
