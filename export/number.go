package export

import (
	"encoding/binary"
	"net/netip"
	"strconv"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// quarters are the decimals of a number of quarters.
var quarters = [4]string{"", ".25", ".5", ".75"}

const (
	second      = 1_000_000_000 // in nanoseconds
	microsecond = 1_000
)

func appendUint(b []byte, v uint64) []byte {
	if v < 10 {
		return append(b, byte('0'+v))
	}
	return strconv.AppendUint(b, v, 10)
}

// appendDigits appends the last n decimal digits of v.
func appendDigits(b []byte, v uint32, n int) []byte {
	b = append(b, "000000000"[:n]...)
	for i := len(b) - 1; n > 0; n-- {
		b[i] = byte('0' + v%10)
		v /= 10
		i--
	}
	return b
}

// appendSeconds appends nanoseconds as seconds: with 6 decimals, or 9 where
// the clock is finer than a microsecond.
func appendSeconds(b []byte, ns uint64, fine bool) []byte {
	b = append(appendUint(b, ns/second), '.')
	rest := uint32(ns % second)
	if !fine && rest%microsecond == 0 {
		return appendDigits(b, rest/microsecond, 6)
	}
	return appendDigits(b, rest, 9)
}

// appendTime appends a time as seconds since the epoch, negative before it.
func appendTime(b []byte, t flowtable.Time, fine bool) []byte {
	if t < 0 {
		return appendSeconds(append(b, '-'), -uint64(t), fine)
	}
	return appendSeconds(b, uint64(t), fine)
}

// appendQuartile appends nanoseconds and quarters of one as seconds, with as
// many decimals as it takes beyond those of appendSeconds.
func appendQuartile(b []byte, ns uint64, q uint8, fine bool) []byte {
	if q == 0 {
		return appendSeconds(b, ns, fine)
	}
	return append(appendSeconds(b, ns, true), quarters[q][1:]...)
}

// appendAddr appends an address in the text of RFC 5952, 4.
func appendAddr(b []byte, a decode.Addr, v6 bool) []byte {
	if v6 {
		return netip.AddrFrom16(bytes16(a)).AppendTo(b)
	}
	v := uint32(a.Lo)
	for shift := 24; shift >= 0; shift -= 8 {
		b = append(b, octets[v>>shift&0xff]...)
		b = append(b, '.')
	}
	return b[:len(b)-1]
}

func bytes16(a decode.Addr) (b [16]byte) {
	binary.BigEndian.PutUint64(b[:8], a.Hi)
	binary.BigEndian.PutUint64(b[8:], a.Lo)
	return b
}

// octets are the numbers 0 to 255 in decimal.
var octets = func() (t [256]string) {
	for i := range t {
		t[i] = strconv.Itoa(i)
	}
	return t
}()
