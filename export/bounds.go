package export

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Bounds are the least and the greatest value of some, as Parquet writes them.
type bounds struct {
	min, max []byte
	there    bool // both are
}

// ofTexts sets bounds to those of texts. There are none where one is long.
func (b *bounds) ofTexts(c *columnBytes) {
	if b.there = len(c.ends) > 4; !b.there {
		return
	}
	values := c.values
	end := int(binary.LittleEndian.Uint32(c.ends[4:]))
	t := extremes{least: values[:end:end], greatest: values[:end:end]}
	t.low = first8(values, 0, end)
	t.high = t.low
	begin, size := t.low, end
	for at := 8; at+4 <= len(c.ends); at += 4 {
		from, before, last := end, begin, size
		end = int(binary.LittleEndian.Uint32(c.ends[at : at+4]))
		size = end - from
		begin = first8(values, from, size)
		if begin > t.low && begin < t.high {
			continue
		}
		if begin != before || size != last || string(values[from:end]) != string(values[from-size:from]) {
			t.add(values[from:end], begin)
		}
	}
	b.there = len(t.least) <= longest && len(t.greatest) <= longest
	if b.there {
		b.min, b.max = append(b.min[:0], t.least...), append(b.max[:0], t.greatest...)
	}
}

// extremes are the least and the greatest of some texts, and what they begin with.
type extremes struct {
	least, greatest []byte
	low, high       uint64
}

func (t *extremes) add(text []byte, begin uint64) {
	switch {
	case bytes.Compare(text, t.least) < 0:
		t.least, t.low = text, begin
	case bytes.Compare(text, t.greatest) > 0:
		t.greatest, t.high = text, begin
	}
}

// first8 returns the first 8 bytes of a text of this size, the first one in the highest, with
// zeros behind it if it is shorter.
func first8(values []byte, at, size int) uint64 {
	if size < 8 || at+8 > len(values) {
		return last8(values[at : at+size])
	}
	return binary.BigEndian.Uint64(values[at : at+8])
}

// last8 is first8 for a text that is shorter, or has nothing behind it.
func last8(text []byte) uint64 {
	var b [8]byte
	copy(b[:], text)
	return binary.BigEndian.Uint64(b[:])
}

// ofNumbers sets bounds to those of the plain values of a column, or of a list's
// numbers. No number that is none counts, and Parquet wants a zero to be -0 if it is
// the least and +0 if it is the greatest.
func (b *bounds) ofNumbers(c *Column, plain []byte) {
	le := binary.LittleEndian
	b.min, b.max, b.there = b.min[:0], b.max[:0], false
	switch {
	case len(plain) == 0:
		return
	case c.physical() == parquetInt32:
		least, greatest := uint32(math.MaxUint32), uint32(0)
		for i := 4; i <= len(plain); i += 4 {
			v := le.Uint32(plain[i-4 : i : i])
			least, greatest = min(least, v), max(greatest, v)
		}
		b.min, b.max = le.AppendUint32(b.min, least), le.AppendUint32(b.max, greatest)
	case c.physical() == parquetInt64:
		var r span
		r.reset()
		r.widen(plain)
		b.ofSpan(c, &r)
		return
	default:
		least, greatest := math.Inf(1), math.Inf(-1)
		for i := 8; i <= len(plain); i += 8 {
			v := math.Float64frombits(le.Uint64(plain[i-8 : i : i]))
			if v < least {
				least = v
			}
			if v > greatest {
				greatest = v
			}
		}
		if least <= greatest { // or none is a number
			b.ofFloats(least, greatest)
		}
		return
	}
	b.there = true
}

// ofSpan sets bounds to those of a column whose values are not below 0 if they are floats.
func (b *bounds) ofSpan(c *Column, s *span) {
	if c.physical() == parquetDouble {
		b.ofFloats(math.Float64frombits(uint64(s.least)), math.Float64frombits(uint64(s.greatest)))
		return
	}
	le := binary.LittleEndian
	b.min, b.max = le.AppendUint64(b.min[:0], uint64(s.least)), le.AppendUint64(b.max[:0], uint64(s.greatest))
	b.there = true
}

func (b *bounds) ofFloats(least, greatest float64) {
	if least == 0 {
		least = math.Copysign(0, -1)
	}
	if greatest == 0 {
		greatest = 0
	}
	le := binary.LittleEndian
	b.min, b.max = le.AppendUint64(b.min[:0], math.Float64bits(least)), le.AppendUint64(b.max[:0], math.Float64bits(greatest))
	b.there = true
}

// isNarrow tells if the bounds are those of integers of 8 bytes, and no more than one
// apart.
func (b *bounds) isNarrow() bool {
	le := binary.LittleEndian
	return b.there && le.Uint64(b.max)-le.Uint64(b.min) <= 1
}

// compare compares two values of the column as they stand in bounds.
func (c *Column) compare(a, b []byte) int {
	le := binary.LittleEndian
	switch c.physical() {
	case parquetInt32:
		return sign(le.Uint32(a), le.Uint32(b))
	case parquetInt64:
		return sign(int64(le.Uint64(a)), int64(le.Uint64(b)))
	case parquetDouble:
		return sign(math.Float64frombits(le.Uint64(a)), math.Float64frombits(le.Uint64(b)))
	}
	return bytes.Compare(a, b)
}

// sign is cmp.Compare, to which the two zeros are the same too.
func sign[T uint32 | int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
