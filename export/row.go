package export

import (
	"encoding/binary"
	"slices"

	"github.com/flowfast/flowfast/flowtable"
)

// A row is the room in which one row is written. Its methods write a value at
// position n with a comma behind it, and return the position behind both.
//
// A short text is stored with one or two stores of a constant size, and counts
// up to its comma; what comes next overwrites the rest. There is no loop over
// digits and no appending, which has the capacity checked for each byte: rows
// take half of the time they took so (BenchmarkRow). Positions are below 2048 and
// masked with [at], so that the compiler need not check them: that takes 0.7 of the
// instructions.
//
// There is room for the keys of JSON too.
type row [2048 + mostAtOnce]byte

// mostAtOnce is the most that is stored at once.
const mostAtOnce = 32

// at returns a position, as the compiler knows it to be one.
func at(n int) int { return n & 2047 }

var _ [2048 - rowRoom]struct{}

// roomFor returns b with room for a row behind it, and the row.
func roomFor(b []byte) ([]byte, *row) {
	b = slices.Grow(b, len(row{}))
	return b, (*row)(b[len(b) : len(b)+len(row{})])
}

// The longest values of each kind, with the comma behind them.
const (
	addrSize     = len("1000:2000:3000:4000:5000:6000:7000:8000,")
	portSize     = len("65535,")
	protocolSize = len("255,")
	timeSize     = len("-9223372036.854775808,")
	secondsSize  = len("18446744073.709551615,")
	uintSize     = len("18446744073709551615,")
)

// rowSize is the length of the longest row of CSV. It is room enough for what a store
// reaches beyond its text too: never further than the longest value in its
// place would.
const (
	rowSize = 2*(addrSize+portSize) + protocolSize + timeSize + secondsSize + 2*directionSize

	rowRoom = rowSize + keysSize

	// packets, bytes, sizes, times, control bits
	directionSize = 2*uintSize + 5*(uintSize+len(".75")) + 5*(secondsSize+len("75")) + 8*uintSize
)

const (
	second      = 1_000_000_000 // in nanoseconds
	microsecond = 1_000
)

// put stores one of the short texts.
func (r *row) put(n int, t *text) {
	*(*text)(r[at(n) : at(n)+4]) = *t
}

// small writes a number below 1000.
func (r *row) small(n int, v uint64) int {
	r.put(n, &short[v])
	return n + int(shortSize[v])
}

// uint writes a number.
func (r *row) uint(n int, v uint64) int {
	if v < 1000 {
		return r.small(n, v)
	}
	return r.long(n, v)
}

// long writes a number of more than three digits.
func (r *row) long(n int, v uint64) int {
	if v < 1e6 {
		n = r.small(n, v/1e3)
		r.put(n-1, &three[v%1e3]) // over the comma
		return n + 3
	}
	n = r.uint(n, v/1e6)
	low := uint32(v % 1e6)
	r.put(n-1, &three[low/1e3])
	r.put(n+2, &three[low%1e3])
	return n + 6
}

// seconds writes nanoseconds and quarters of one as seconds: with 6 decimals,
// with 9 where the clock or the value is finer than a microsecond, and with
// those of the quarters.
func (r *row) seconds(n int, ns uint64, q uint8, fine bool) int {
	if ns|uint64(q) == 0 {
		return r.noSeconds(n, fine)
	}
	n = r.uint(n, ns/second)
	rest := uint32(ns % second)
	r[at(n-1)] = '.'
	r.put(n, &three[rest/1_000_000])
	r.put(n+3, &three[rest/1_000%1000])
	if rest%microsecond == 0 && q == 0 && !fine {
		return n + len("123456,")
	}
	r.put(n+6, &three[rest%1000])
	r.put(n+9, &decimals[q&3])
	return n + len("123456789") + int(decimalsSize[q&3])
}

var zeroSeconds = [12]byte([]byte("0.000000000,"))

// noSeconds is seconds of 0, which the duration of most flows in a flood is.
func (r *row) noSeconds(n int, fine bool) int {
	*(*[12]byte)(r[at(n) : at(n)+12]) = zeroSeconds
	if fine {
		return n + len(zeroSeconds)
	}
	r[at(n+len("0.000000"))] = ','
	return n + len("0.000000,")
}

// time writes a time as seconds since the epoch, negative before it.
func (r *row) time(n int, t flowtable.Time, fine bool) int {
	const billion = 1_000_000_000 * second // in the year 2001; from then on there are ten digits
	if t >= billion {
		micros, rest := uint64(t)/microsecond, uint64(t)%microsecond
		r.put8(n, digits8(micros/1e8))
		low := digits8(micros % 1e8)
		r.put8(n+8, low)
		r[at(n+10)] = '.'
		r.put8(n+11, low>>16|','<<48)
		if rest == 0 && !fine {
			return n + len("1234567890.123456,")
		}
		r.put(n+17, &three[rest])
		return n + len("1234567890.123456789,")
	}
	if t < 0 {
		r[at(n)] = '-'
		return r.seconds(n+1, -uint64(t), 0, fine)
	}
	return r.seconds(n, uint64(t), 0, fine)
}

// put8 stores eight bytes, the first one in the lowest.
func (r *row) put8(n int, v uint64) {
	binary.LittleEndian.PutUint64(r[at(n):at(n)+8], v)
}

// groups writes the columns behind the head with a comma behind each.
func (r *row) groups(n int, f *flowtable.Flow) int {
	for i := range groups {
		g := &groups[i]
		for _, d := range [2]*flowtable.Direction{&f.Fwd, &f.Bwd} {
			if d.Packets < g.least {
				n = r.zeros(n, g.size)
				continue
			}
			n = g.csv(r, n, d, f.Fine)
		}
	}
	return n
}

// zeros are as many as are written at once.
const zeros = "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"

var zeroBytes = [len(zeros)]byte([]byte(zeros))

// zeros writes up to 16 zeros.
func (r *row) zeros(n, count int) int {
	*(*[len(zeros)]byte)(r[at(n) : at(n)+len(zeros)]) = zeroBytes
	return n + count*len("0,")
}

// quarters writes a whole number and quarters.
func (r *row) quarters(n int, v uint64, q uint8) int {
	n = r.uint(n, v)
	r.put(n-1, &quarters[q&3]) // over the comma
	return n + int(quartersSize[q&3]) - 1
}
