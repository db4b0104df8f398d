package export

import (
	"encoding/binary"
	"fmt"
	"testing"
)

func TestDigits8(t *testing.T) {
	var b [8]byte
	for v := uint64(0); v < 1e8; v += 1 + v%7*1111 {
		binary.LittleEndian.PutUint64(b[:], digits8(v))
		if want := fmt.Sprintf("%08d", v); string(b[:]) != want {
			t.Fatalf("%d: %q", v, b)
		}
	}
	// All that a part of two or of four digits can be.
	for v := range uint64(10_000) {
		for _, v := range []uint64{v, v * 10_000, 9999_0000 + v} {
			binary.LittleEndian.PutUint64(b[:], digits8(v))
			if want := fmt.Sprintf("%08d", v); string(b[:]) != want {
				t.Fatalf("%d: %q", v, b)
			}
		}
	}
}
