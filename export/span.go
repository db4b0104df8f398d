package export

import (
	"encoding/binary"
	"math"
)

// A span is the least and the greatest of some values of 8 bytes as integers, which is
// that of floats as well if none is below 0.
type span struct{ least, greatest int64 }

func (s *span) reset() { *s = span{math.MaxInt64, math.MinInt64} }

func (s *span) add(v uint64) {
	s.least, s.greatest = min(s.least, int64(v)), max(s.greatest, int64(v))
}

func (s *span) both(o span) {
	s.least, s.greatest = min(s.least, o.least), max(s.greatest, o.greatest)
}

// widen adds values that stand one behind the other.
func (s *span) widen(values []byte) {
	least, greatest := s.least, s.greatest
	for i := 8; i <= len(values); i += 8 {
		v := int64(binary.LittleEndian.Uint64(values[i-8 : i : i]))
		least, greatest = min(least, v), max(greatest, v)
	}
	s.least, s.greatest = least, greatest
}
