package ioutil

import (
	"bufio"
	"bytes"
	"io"
)

// A padded reader decompresses what may have zeros behind its end, as tapes, block
// devices and preallocated files do. The decoder takes them for another frame or
// stream, and complains of its magic number: where the bytes that it complains of
// and all behind them are zeros, they are left out. Fewer than a magic number has
// look like a cut to it, and are.
type padded struct {
	io.Reader // the decoder
	src       *remembering
	magic     int                  // bytes of a magic number
	bad       func(err error) bool // reports whether a magic number is wrong
	lenient   bool                 // garbage is no more than worth a warning, as the format's own program has it
	ended     string               // what stood behind the end
}

func (p *padded) Read(b []byte) (int, error) {
	if p.ended != "" {
		return 0, io.EOF
	}
	n, err := p.Reader.Read(b)
	if err == nil || err == io.EOF || !p.bad(err) || p.src.count <= int64(p.magic) {
		return n, err
	}
	zeros := p.src.last[len(p.src.last)-p.magic:]
	behind, garbage, ended := behindEnd(p.src.r)
	switch {
	case ended != nil:
		return n, ended
	case bytes.Count(zeros, []byte{0}) == p.magic && !garbage:
		p.ended = zerosBehind(int64(p.magic) + behind)
	case p.lenient:
		p.ended = garbageBehind
	default:
		return n, err
	}
	return n, io.EOF
}

func (p *padded) note() string { return p.ended }

// A remembering reader remembers the last bytes that it gave.
type remembering struct {
	r     *bufio.Reader
	last  [4]byte
	count int64
}

func (m *remembering) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	for _, c := range b[max(0, n-len(m.last)):n] {
		m.remember(c)
	}
	m.count += int64(n)
	return n, err
}

// ReadByte is for bzip2, which would read ahead without it.
func (m *remembering) ReadByte() (byte, error) {
	c, err := m.r.ReadByte()
	if err == nil {
		m.remember(c)
		m.count++
	}
	return c, err
}

func (m *remembering) remember(c byte) {
	copy(m.last[:], m.last[1:])
	m.last[len(m.last)-1] = c
}
