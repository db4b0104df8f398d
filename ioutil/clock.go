package ioutil

import (
	"math"
	"math/bits"
)

const second = 1e9 // nanoseconds

// A clock turns the timestamps of a pcapng interface into nanoseconds since the
// epoch. Times are rounded down to a nanosecond and saturate at the ends of
// int64. The zero value is not of use.
type clock struct {
	// If whole > 0, stamps up to limit are ts·whole + shift nanoseconds and
	// can't overflow. The rest goes the long way.
	whole uint64
	limit uint64
	shift int64

	exponent uint8 // units per second: 10 or 2 to the power of it
	binary   bool
	fine     bool  // a unit is not a whole number of microseconds
	offset   int64 // seconds added to each stamp
}

// newClock returns the clock of an if_tsresol and an if_tsoffset
// (draft-ietf-opsawg-pcapng, 4.2).
func newClock(resolution byte, offset int64) clock {
	c := clock{exponent: resolution & 0x7f, binary: resolution&0x80 != 0, offset: offset}
	c.fine = c.exponent > 6 // 1,000,000 is 2 to the 6th times 5 to the 6th
	const widest = math.MaxInt64 / 2 / int64(second)
	if (c.binary || c.exponent <= 9) && (!c.binary || c.exponent <= 9) && -widest < offset && offset < widest {
		perSecond := uint64(1) << c.exponent
		if !c.binary {
			perSecond = pow10(c.exponent)
		}
		c.whole = second / perSecond // 1,000,000,000 is 2 to the 9th times 5 to the 9th
		c.shift = offset * second
		c.limit = math.MaxInt64 / 2 / c.whole
	}
	return c
}

// nanoseconds returns the time of a stamp.
func (c *clock) nanoseconds(ts uint64) int64 {
	if ts <= c.limit && c.whole > 0 {
		return int64(ts*c.whole) + c.shift
	}
	return c.slowly(ts)
}

// slowly is nanoseconds for every resolution, stamp and offset.
func (c *clock) slowly(ts uint64) int64 {
	seconds, nanos := c.split(ts)
	if c.offset < 0 {
		if before := uint64(-c.offset); seconds < before { // right for the least int64 too
			return negative(before-seconds, nanos)
		}
		seconds += uint64(c.offset)
	} else if seconds += uint64(c.offset); seconds < uint64(c.offset) {
		return math.MaxInt64
	}
	hi, lo := bits.Mul64(seconds, second)
	lo, carry := bits.Add64(lo, nanos, 0)
	if hi+carry > 0 || lo > math.MaxInt64 {
		if int64(ts) < 0 && c.offset == 0 {
			return c.signed(ts)
		}
		return math.MaxInt64
	}
	return int64(lo)
}

// signed returns the time of a stamp in two's complement: what a writer that
// subtracted too much left there. Unsigned, as the format has it, such stamps
// lie past the year 2262 and could not be told apart. Rounded towards the
// epoch.
func (c *clock) signed(ts uint64) int64 {
	seconds, nanos := c.split(-ts)
	if nanos > 0 {
		return negative(seconds+1, second-nanos)
	}
	return negative(seconds, 0)
}

// negative returns nanos after a time that lies seconds before the epoch.
func negative(seconds, nanos uint64) int64 {
	hi, lo := bits.Mul64(seconds, second)
	lo, borrow := bits.Sub64(lo, nanos, 0)
	if hi-borrow > 0 || lo > 1<<63 {
		return math.MinInt64
	}
	return -int64(lo)
}

// split divides a stamp into seconds and nanoseconds, rounded down.
func (c *clock) split(ts uint64) (seconds, nanos uint64) {
	e := uint(c.exponent)
	switch {
	case c.binary && e < 64:
		hi, lo := bits.Mul64(ts&(1<<e-1), second)
		return ts >> e, hi<<(64-e) | lo>>e
	case c.binary: // less than a second; 128 bits shifted by more than 63
		hi, _ := bits.Mul64(ts, second)
		return 0, hi >> (e - 64)
	case e < 20:
		unit := pow10(c.exponent)
		hi, lo := bits.Mul64(ts%unit, second)
		nanos, _ = bits.Div64(hi, lo, unit) // hi < unit, as ts%unit is
		return ts / unit, nanos
	case e < 29: // less than a second
		return 0, ts / pow10(c.exponent-9)
	}
	return 0, 0 // 2 to the 64th of such units are less than a nanosecond
}

// pow10 returns 10 to the power of e, at most 19.
func pow10(e uint8) uint64 {
	v := uint64(1)
	for range e {
		v *= 10
	}
	return v
}
