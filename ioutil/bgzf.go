package ioutil

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/gzip"
)

// A member of a file that bgzip wrote has its length, less 1, in an extra field of its
// own (SAM/BAM and related specifications, 4.1), and at most 64 KiB of data:
//
//	0          3       4      10     12     14     16      18
//	| 1f 8b 08 | 04    | ...  | 6    | B C  | 2    | length| deflated | CRC | data's length
const (
	bgzfHeader = 18
	bgzfMost   = 64 << 10
)

// bgzf splits what bgzip wrote.
type bgzf struct{}

// length returns the length of the member that begins with b, 0 if bgzip did not
// write it.
func (bgzf) length(b []byte) int {
	const trailer = 8
	if len(b) < bgzfHeader || string(b[:4]) != "\x1f\x8b\x08\x04" || string(b[10:16]) != "\x06\x00BC\x02\x00" {
		return 0
	}
	n := int(binary.LittleEndian.Uint16(b[16:])) + 1
	if n < bgzfHeader+trailer {
		return 0
	}
	return n
}

func (f bgzf) split(raw []byte, r *bufio.Reader) ([]byte, int, error) {
	head, err := r.Peek(bgzfHeader)
	n := f.length(head)
	if n == 0 {
		return raw, -1, err
	}
	if raw, err = more(raw, r, n); err != nil {
		return raw, -1, err
	}
	if size := binary.LittleEndian.Uint32(raw[len(raw)-4:]); size <= bgzfMost {
		return raw, int(size), nil
	}
	return raw, -1, nil
}

func (f bgzf) unpack(out, raw []byte) ([]byte, int) {
	var z gzip.Reader
	used := 0
	for used < len(raw) {
		n := f.length(raw[used:])
		member := bytes.NewReader(raw[used : used+n])
		size := int(binary.LittleEndian.Uint32(raw[used+n-4:]))
		if z.Reset(member) != nil {
			break
		}
		z.Multistream(false)
		got := out[len(out) : len(out)+size]
		if _, err := io.ReadFull(&z, got); err != nil {
			break
		}
		if n, err := z.Read(make([]byte, 1)); n > 0 || err != io.EOF || member.Len() > 0 {
			break
		}
		out = out[:len(out)+size]
		used += n
	}
	return out, used
}
