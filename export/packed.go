package export

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/flowfast/flowfast/flowtable"
)

// Packed are rows on their way to a format that keeps columns apart, value
// behind value, in the byte order of the smallest first:
//
//	Uint, Int, Time            8 bytes, an integer
//	Float, Quarters, Seconds   8 bytes, a float64
//	Text                       4 bytes, its length, and its bytes, which are UTF-8
//	List                       4 bytes, its length, and 8 bytes for each number
//
// So the workers compute the values, and the writer sorts them into columns.
type packed struct{ columns []*Column }

func packedRows(columns []*Column) Rows { return packed{columns} }

func (packed) AppendHeader(b []byte) []byte { return b }

func (p packed) AppendRow(b []byte, f *flowtable.Flow) []byte {
	v := values.Get().(*Value)
	for _, c := range p.columns {
		b = c.appendPacked(b, v, f)
	}
	values.Put(v)
	return b
}

func (c *Column) appendPacked(b []byte, v *Value, f *flowtable.Flow) []byte {
	le := binary.LittleEndian
	if c.Kind == Text {
		at := len(b)
		b = c.text(append(b, 0, 0, 0, 0), f)
		if !utf8.Valid(b[at+4:]) {
			b = append(b[:at+4], string([]rune(string(b[at+4:])))...) // U+FFFD for what is none
		}
		le.PutUint32(b[at:], uint32(len(b)-at-4))
		return b
	}
	c.set(v, f)
	switch c.Kind {
	case List:
		b = le.AppendUint32(b, uint32(len(v.List)))
		for _, n := range v.List {
			b = le.AppendUint64(b, uint64(n))
		}
		return b
	case Uint:
		return le.AppendUint64(b, min(v.Uint, math.MaxInt64))
	case Int, Time:
		return le.AppendUint64(b, uint64(v.Int))
	}
	return le.AppendUint64(b, math.Float64bits(c.float(v)))
}

// A taker takes the values of packed rows, column by column. Text is lent until
// it returns.
type taker interface {
	number(column int, bits uint64)
	text(column int, text []byte)
	list(column int, numbers []int64)
}

// An unpacker takes packed rows apart.
type unpacker struct {
	columns []*Column
	numbers []int64 // of a list
}

var errPacked = errors.New("part of a packed row")

// next hands the values of the first row over, and returns the rest.
func (u *unpacker) next(b []byte, to taker) ([]byte, error) {
	le := binary.LittleEndian
	for i, c := range u.columns {
		if c.Kind != Text && c.Kind != List {
			if len(b) < 8 {
				return nil, errPacked
			}
			to.number(i, le.Uint64(b))
			b = b[8:]
			continue
		}
		if len(b) < 4 {
			return nil, errPacked
		}
		n := int(le.Uint32(b))
		b = b[4:]
		if c.Kind == Text {
			if len(b) < n {
				return nil, errPacked
			}
			to.text(i, b[:n])
			b = b[n:]
			continue
		}
		if len(b) < 8*n {
			return nil, errPacked
		}
		u.numbers = slices.Grow(u.numbers[:0], n)
		for range n {
			u.numbers = append(u.numbers, int64(le.Uint64(b)))
			b = b[8:]
		}
		to.list(i, u.numbers)
	}
	return b, nil
}

// float returns a value that is a number as the nearest float64: the one that
// its decimals in CSV are read as.
func (c *Column) float(v *Value) float64 {
	const exact = 1 << 51 // four times this, and what is below, is a float64
	switch {
	case c.Kind == Float:
		return v.Float
	case c.Kind == Seconds && v.None:
		return 0
	case v.Uint >= exact:
		return c.slowFloat(v)
	case c.Kind == Quarters:
		return float64(v.Uint) + float64(v.Quarters&3)/4
	}
	return float64(v.Uint*4+uint64(v.Quarters&3)) / (4 * second) // one rounding
}

// slowFloat takes the way over the decimals.
func (c *Column) slowFloat(v *Value) float64 {
	var digits [rowSize]byte
	f, _ := strconv.ParseFloat(string(c.appendNumber(digits[:0], v)), 64)
	return f
}
