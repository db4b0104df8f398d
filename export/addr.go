package export

import (
	"fmt"

	"github.com/flowfast/flowfast/decode"
)

// octets are the numbers 0 to 255 in decimal with a point behind them, as long
// as those in short.
var octets = func() (t [256]text) {
	for i := range t {
		copy(t[i][:], fmt.Sprintf("%d.", i))
	}
	return t
}()

// addr writes an address in the text of RFC 5952, 4.
func (r *row) addr(n int, a decode.Addr, v6 bool) int {
	if !v6 {
		return r.ipv4(n, uint32(a.Lo))
	}
	n += len(a.IP(true).AppendTo(r[n:n]))
	r[n] = ','
	return n + 1
}

func (r *row) ipv4(n int, v uint32) int {
	n = r.octet(n, v>>24)
	n = r.octet(n, v>>16)
	n = r.octet(n, v>>8)
	n = r.octet(n, v)
	r[n-1] = ','
	return n
}

// octet writes the last eight bits of v, with a point behind them.
func (r *row) octet(n int, v uint32) int {
	r.put(n, &octets[v&0xff])
	return n + int(shortSize[v&0xff])
}
