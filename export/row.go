package export

import (
	"encoding/binary"

	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/stats"
)

// A row is the room in which one row is written. Its methods write a value at
// position n with a comma behind it, and return the position behind both.
//
// A short text is stored with one or two stores of a constant size, and counts
// up to its comma; what comes next overwrites the rest. There is no loop over
// digits and no appending, which has the capacity checked for each byte: rows
// take half of the time they took so (BenchmarkRow). The checks of positions
// that the compiler leaves cost nothing that could be measured.
//
// There is room for the keys of JSON too.
type row [rowRoom]byte

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
	*(*text)(r[n : n+4]) = *t
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
	n = r.uint(n, ns/second)
	rest := uint32(ns % second)
	t := (*[16]byte)(r[n-1 : n+15]) // from the comma on
	t[0] = '.'
	*(*text)(t[1:]) = three[rest/1_000_000]
	*(*text)(t[4:]) = three[rest/1_000%1000]
	if rest%microsecond == 0 && q == 0 && !fine {
		return n + len("123456,")
	}
	*(*text)(t[7:]) = three[rest%1000]
	*(*text)(t[10:]) = decimals[q&3]
	return n + len("123456789") + int(decimalsSize[q&3])
}

// time writes a time as seconds since the epoch, negative before it.
func (r *row) time(n int, t flowtable.Time, fine bool) int {
	if t < 0 {
		r[n] = '-'
		return r.seconds(n+1, -uint64(t), 0, fine)
	}
	return r.seconds(n, uint64(t), 0, fine)
}

// one writes the columns of the directions of a flow of one packet, which is
// forward and has d.Bytes bytes: its size is each of its five sizes.
func (r *row) one(n int, d *flowtable.Direction) int {
	r.put(n, &short[1])
	n += len("1,")
	if v := d.Bytes; v < 1000 { // one look for its digits, and then stores
		t, size := short[v], int(shortSize[v])
		r.put(n, &t)
		n = r.zeros(n+size, 2)
		for range 5 {
			r.put(n, &t)
			n += size
		}
	} else {
		n = r.long(n, v)
		n = r.zeros(n, 2)
		for range 5 {
			n = r.long(n, v)
		}
	}
	n = r.zeros(n, 15) // bwd_pkt_size, fwd_iat, bwd_iat
	n = r.flags(n, &d.Flags)
	return r.zeros(n, 8)
}

// both writes the columns of the directions of any flow.
func (r *row) both(n int, f *flowtable.Flow) int {
	directions := [2]*flowtable.Direction{&f.Fwd, &f.Bwd}
	for _, d := range directions {
		if d.Packets == 0 {
			n = r.zeros(n, 2)
			continue
		}
		n = r.uint(n, d.Packets)
		n = r.uint(n, d.Bytes)
	}
	for _, d := range directions {
		if d.Packets == 0 {
			n = r.zeros(n, 5)
			continue
		}
		n = r.sizes(n, &d.Sizes)
	}
	for _, d := range directions {
		if d.Packets < 2 {
			n = r.zeros(n, 5)
			continue
		}
		n = r.iats(n, &d.IATs, f.Fine)
	}
	for _, d := range directions {
		if d.Packets == 0 {
			n = r.zeros(n, 8)
			continue
		}
		n = r.flags(n, &d.Flags)
	}
	return n
}

// zeros are as many as are written at once.
const zeros = "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,"

var zeroBytes = [len(zeros)]byte([]byte(zeros))

// zeros writes up to 16 zeros.
func (r *row) zeros(n, count int) int {
	*(*[len(zeros)]byte)(r[n : n+len(zeros)]) = zeroBytes
	return n + count*len("0,")
}

// sizes writes a summary of whole numbers and quarters.
func (r *row) sizes(n int, s *stats.Five) int {
	for i, v := range s.Whole {
		n = r.quarters(n, v, s.Quarters[i])
	}
	return n
}

// quarters writes a whole number and quarters.
func (r *row) quarters(n int, v uint64, q uint8) int {
	n = r.uint(n, v)
	r.put(n-1, &quarters[q&3]) // over the comma
	return n + int(quartersSize[q&3]) - 1
}

// iats writes a summary of nanoseconds.
func (r *row) iats(n int, s *stats.Five, fine bool) int {
	for i, v := range s.Whole {
		n = r.seconds(n, v, s.Quarters[i], fine)
	}
	return n
}

// flags writes the counts of the control bits.
func (r *row) flags(n int, counts *[8]uint64) int {
	n = r.fourFlags(n, (*[4]uint64)(counts[:4]))
	return r.fourFlags(n, (*[4]uint64)(counts[4:]))
}

func (r *row) fourFlags(n int, c *[4]uint64) int {
	if c[0]|c[1]|c[2]|c[3] < 8 { // one digit each: all in one store
		const zeros = 0x2c30_2c30_2c30_2c30 // "0,0,0,0,", the first byte in the lowest
		binary.LittleEndian.PutUint64(r[n:n+8], zeros+(c[0]|c[1]<<16|c[2]<<32|c[3]<<48))
		return n + 8
	}
	for _, v := range c {
		if v < 1000 {
			n = r.small(n, v) // as uint does, without a call
			continue
		}
		n = r.long(n, v)
	}
	return n
}
