package ioutil

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/gzip"
)

// A gzip member has this at its front, and its data's length behind it (RFC 1952, 2.3):
//
//	0          3     4    8       9    10     -8    -4
//	| 1f 8b 08 | flags | time | level | system | ... | CRC | data's length
const (
	gzipHeader = 10
	gzipLeast  = 20 // bytes of a member
	mostJoined = maxPart / 2
)

// joined splits gzip members that were written one behind the other. Where one ends is
// guessed from the look of the next.
type joined struct{}

// begin returns where in b a member seems to begin, -1 if none does.
func (joined) begin(b []byte) int {
	for at := 0; ; at++ {
		i := bytes.Index(b[at:], []byte("\x1f\x8b\x08"))
		if i < 0 || at+i+gzipHeader > len(b) {
			return -1
		}
		at += i
		const reserved, systems, unknown = 0xe0, 13, 255
		if level, system := b[at+8], b[at+9]; b[at+3]&reserved == 0 && level <= 4 && level&1 == 0 && (system <= systems || system == unknown) {
			return at
		}
	}
}

func (j joined) split(raw []byte, r *bufio.Reader) ([]byte, int, error) {
	from := len(raw)
	head, err := r.Peek(gzipHeader)
	if j.begin(head) != 0 {
		return raw, -1, err
	}
	if raw, err = more(raw, r, gzipHeader); err == nil {
		raw, err = upTo(raw, r, mostJoined, gzipHeader, j.begin)
	}
	n := len(raw) - from
	if err != nil && err != io.EOF || n < gzipLeast || n > mostJoined {
		return raw, -1, err
	}
	if size := binary.LittleEndian.Uint32(raw[len(raw)-4:]); size <= mostJoined {
		return raw, int(size), nil
	}
	return raw, -1, err
}

func (joined) unpack(out, raw []byte) ([]byte, int) {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return out, 0
	}
	all, err := fill(out, z)
	if err != nil {
		return out, 0
	}
	return all, len(raw)
}
