package export

import (
	"math/bits"
	"strings"

	"github.com/flowfast/flowfast/decode"
)

// The numbers 0 to 255 as parts of addresses.
var (
	octets    [256]text  // decimal, with a point behind; as long as those in short
	hexDigits [256]text  // hexadecimal without leading zeros, with a colon behind
	hexSize   [256]uint8 // length of the text in hexDigits, 2 or 3
	hexPair   [256]text  // always two hexadecimal digits, and the colon
)

func init() {
	for i := range octets {
		octets[i] = short[i]
		octets[i][shortSize[i]-1] = '.'
		const digits = "0123456789abcdef"
		hexPair[i] = text{digits[i>>4], digits[i&15], ':'}
		hexSize[i] = uint8(copy(hexDigits[i][:3], strings.TrimPrefix(string(hexPair[i][:3]), "0")))
	}
}

// addr writes an address in the text of RFC 5952, 4.
func (r *row) addr(n int, a decode.Addr, v6 bool) int {
	if !v6 {
		return r.ipv4(n, uint32(a.Lo))
	}
	if a.Hi == 0 && a.Lo>>32 == 0xffff { // IPv4-mapped: RFC 5952, 5
		copy(r[n:], "::ffff:")
		return r.ipv4(n+len("::ffff:"), uint32(a.Lo))
	}
	return r.ipv6(n, a)
}

// appendIP appends an address in that text.
func appendIP(b []byte, a decode.Addr, v6 bool) []byte {
	b, r := roomFor(b)
	return b[:len(b)+r.addr(0, a, v6)-1] // without the comma
}

func (r *row) ipv4(n int, v uint32) int {
	n = r.octet(r.octet(r.octet(r.octet(n, v>>24), v>>16), v>>8), v)
	r[at(n-1)] = ','
	return n
}

// octet writes the last eight bits of v, with a point behind them.
func (r *row) octet(n int, v uint32) int {
	r.put(n, &octets[v&0xff])
	return n + int(shortSize[v&0xff])
}

// ipv6 writes eight groups in hexadecimal, the first of the longest runs of two
// or more zeros as "::".
func (r *row) ipv6(n int, a decode.Addr) int {
	run := zeroRuns[zeroGroups(a.Hi)<<4|zeroGroups(a.Lo)]
	if run.from == 0 {
		r[at(n)] = ':' // elsewhere the first of the two is behind the group before
		n++
	}
	for i := uint8(0); i < 8; i++ {
		if i == run.from {
			r[at(n)] = ':'
			n++
			i = run.to
			continue
		}
		half := a.Hi
		if i >= 4 {
			half = a.Lo
		}
		n = r.group(n, uint16(half>>(48-i&3*16)))
	}
	if run.to == 7 {
		n++ // keep the last colon
	}
	r[at(n-1)] = ','
	return n
}

// group writes 16 bits in hexadecimal, with a colon behind them.
func (r *row) group(n int, v uint16) int {
	low := v & 0xff
	if v == low {
		r.put(n, &hexDigits[low])
		return n + int(hexSize[low])
	}
	r.put(n, &hexDigits[v>>8])
	n += int(hexSize[v>>8]) - 1
	r.put(n, &hexPair[low])
	return n + 3
}

// zeroGroups tells which of four groups of 16 bits are zero, in four bits, the
// first group in the highest.
func zeroGroups(v uint64) uint64 {
	const low = 0x7fff_7fff_7fff_7fff
	zero := ^((v & low) + low | v | low) // the highest bit of each group that is zero
	// The product moves bits 0, 16, 32 and 48 to 48, 49, 50 and 51.
	return zero >> 15 * 0x0001_0002_0004_0008 >> 48 & 15
}

// zeroRuns holds for each set of zero groups, the first in the highest bit, the
// first of the longest runs of two or more: its first group and its last, 8 and
// 0 if there is none.
var zeroRuns = func() (t [256]struct{ from, to uint8 }) {
	for set := range t {
		t[set].from = 8
		longest := 1
		for i := range 8 {
			n := bits.LeadingZeros8(^uint8(set << i)) // of the run from i
			if n > longest {
				longest = n
				t[set].from, t[set].to = uint8(i), uint8(i+n-1)
			}
		}
	}
	return t
}()
