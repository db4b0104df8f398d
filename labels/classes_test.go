package labels

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// TestClasses wants two addresses to be of one class if they are in the same prefixes.
func TestClasses(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, v6 := range []bool{false, true} {
		for range 300 {
			var prefixes []netip.Prefix
			random := func() netip.Addr {
				b := make([]byte, 4)
				if v6 {
					b = make([]byte, 16)
				}
				for i := range b {
					b[i] = []byte{0, 1, 127, 128, 254, 255}[r.IntN(6)]
				}
				a, _ := netip.AddrFromSlice(b)
				return a
			}
			for range r.IntN(8) {
				a := random()
				prefixes = append(prefixes, netip.PrefixFrom(a, r.IntN(a.BitLen()+1)).Masked())
			}
			c := newClasses([]*Rule{{src: newAddresses(prefixes)}}, v6)
			classOf := map[string]uint64{}
			for range 200 {
				a, in := random(), ""
				for _, p := range prefixes {
					if p.Contains(a) {
						in += p.String() + " "
					}
				}
				got := c.of(words(a))
				if want, ok := classOf[in]; ok && got != want || in == "" && got != 0 || in != "" && got == 0 {
					t.Fatalf("%v, in %q of %v, is of class %d, want %d", a, in, prefixes, got, want)
				}
				classOf[in] = got
			}
		}
	}
}
