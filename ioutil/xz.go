package ioutil

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"sync/atomic"

	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"
)

// The decoder of xz allocates the dictionary that a block header asks for, up
// to 4 GiB, and has no setting against it. An xzGuard therefore walks through
// the structure of the file (The .xz File Format 1.2.1) on the way to the
// decoder and stops before a block that wants more than maxWindow:
//
//	stream header 12 | block ... block | index | stream footer 12 | padding 4n
//	block: header 4(n+1) | chunk ... chunk | 00 | padding to 4 | check
//	chunk: control | size | data, as in LZMA2
//
// It checks nothing else: what it can't follow it hands on, for the decoder to
// complain about.
type xzGuard struct {
	r     *bufio.Reader
	state xzState
	pass  int   // bytes that may go through before the next look
	check int   // bytes of the check behind each block of this stream
	block int   // bytes of the current block so far, modulo 4; or of the index
	vlis  int64 // numbers of the index still to come, -1 if it has just begun
	vli   uint64
	shift uint

	header  []byte // of a block, to be handed on in the place of the file's
	streams int
	ended   string // what stood behind the last stream
}

// An xzReader is the decoder with the note of its guard.
type xzReader struct {
	io.Reader
	guard *xzGuard
}

func (x xzReader) note() string { return x.guard.ended }

type xzState uint8

const (
	xzStream xzState = iota
	xzBlock
	xzChunk
	xzIndex
	xzLost // no more looks
)

func openXz(r *bufio.Reader, _ *atomic.Int32) (io.Reader, func(), error) {
	guard := &xzGuard{r: r}
	z, err := xz.ReaderConfig{DictCap: lzma.MinDictCap}.NewReader(guard)
	return xzReader{z, guard}, func() {}, err
}

func (g *xzGuard) Read(b []byte) (int, error) {
	for g.pass == 0 {
		if err := g.look(); err != nil {
			return 0, err
		}
	}
	if len(g.header) > 0 {
		n := copy(b, g.header)
		g.header = g.header[n:]
		g.pass -= n
		if _, err := g.r.Discard(n); err != nil {
			return 0, err
		}
		return n, nil
	}
	n, err := g.r.Read(b[:min(len(b), g.pass)])
	g.pass -= n
	return n, err
}

// look sets how much may pass before the next look.
func (g *xzGuard) look() error {
	switch g.state {
	case xzStream:
		if g.streams > 0 {
			return g.lookBehind()
		}
		g.streamHeader()
	case xzBlock:
		return g.lookBlock()
	case xzChunk:
		g.lookChunk()
	case xzIndex:
		g.lookIndex()
	case xzLost:
		g.lose()
	}
	return nil
}

// streamHeader looks at the header of a stream.
func (g *xzGuard) streamHeader() {
	g.streams++
	b, _ := g.r.Peek(12)
	if len(b) < 12 {
		g.lose()
		return
	}
	g.check = [16]int{0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64}[b[7]&0xf]
	g.pass, g.state = 12, xzBlock
}

// lookBehind looks at what stands behind a stream: padding, which the decoder does
// not get, and another stream or the end. Padding at the end may have any length,
// though the format wants a multiple of 4.
func (g *xzGuard) lookBehind() error {
	zeros := int64(0)
	for {
		b, err := g.r.Peek(1)
		switch {
		case err == io.EOF && zeros > 0:
			g.ended = zerosBehind(zeros)
			return io.EOF
		case err != nil:
			return err
		case b[0] != 0 && zeros%4 != 0:
			return fmt.Errorf("padding of %d bytes between two streams: want a multiple of 4", zeros)
		case b[0] != 0:
			g.streamHeader()
			return nil
		}
		zeros++
		if _, err := g.r.Discard(1); err != nil {
			return err
		}
	}
}

func (g *xzGuard) lose() { g.pass, g.state = math.MaxInt, xzLost }

// lookBlock looks at a block header, or at the first byte of the index.
func (g *xzGuard) lookBlock() error {
	b, err := g.r.Peek(1)
	if err != nil {
		g.lose()
		return nil
	}
	if b[0] == 0 {
		g.pass, g.state, g.block, g.vlis = 1, xzIndex, 1, -1
		return nil
	}
	size := (int(b[0]) + 1) * 4
	if b, err = g.r.Peek(size); err != nil {
		g.lose()
		return nil
	}
	at := lzma2Property(b)
	if at < 0 {
		return fmt.Errorf("a block with filters other than LZMA2")
	}
	if dictionary := dictionaryOf(b[at]); dictionary > maxWindow {
		return fmt.Errorf("a dictionary of %d bytes: the limit is %d", dictionary, maxWindow)
	}
	if sum := binary.LittleEndian.Uint32(b[size-4:]); sum == crc32.ChecksumIEEE(b[:size-4]) {
		g.header = append(g.header[:0], b...)
		g.shrinkDictionary(at)
	}
	g.pass, g.state, g.block = size, xzChunk, 0
	return nil
}

// lzma2Property returns where in a block header, with its check, the property of its
// only filter stands, LZMA2; -1 if there are others.
func lzma2Property(b []byte) int {
	flags, rest := b[1], b[2:len(b)-4]
	for range flags>>6&1 + flags>>7 { // compressed and uncompressed size
		for len(rest) > 0 && rest[0] >= 0x80 {
			rest = rest[1:]
		}
		rest = rest[min(1, len(rest)):]
	}
	if flags&3 != 0 || len(rest) < 3 || rest[0] != 0x21 || rest[1] != 1 {
		return -1
	}
	return len(b) - 4 - len(rest) + 2
}

// dictionaryOf returns the bytes of the dictionary that a property of LZMA2 stands for.
func dictionaryOf(property byte) uint64 {
	exponent := property & 0x3f
	return uint64(2|exponent&1) << (exponent/2 + 11)
}

// shrinkDictionary makes a block ask for a dictionary of no more than its data
// takes, if its end is in sight, for the decoder sets up a new one with each
// block: a file of many small ones that ask for much would take minutes.
func (g *xzGuard) shrinkDictionary(at int) {
	sum, from := uint64(0), len(g.header)
	for {
		b, _ := g.r.Peek(from + 5)
		switch b = b[min(from, len(b)):]; {
		case len(b) > 0 && b[0] == 0:
			for property := byte(0); property < g.header[at]&0x3f; property++ {
				if dictionaryOf(property) >= sum {
					g.header[at] = property
					break
				}
			}
			binary.LittleEndian.PutUint32(g.header[len(g.header)-4:], crc32.ChecksumIEEE(g.header[:len(g.header)-4]))
			return
		case len(b) == 5 && b[0] < 3:
			sum += uint64(binary.BigEndian.Uint16(b[1:])) + 1
			from += 3 + int(binary.BigEndian.Uint16(b[1:])) + 1
		case len(b) == 5 && b[0] >= 0x80:
			sum += uint64(b[0]&0x1f)<<16 + uint64(binary.BigEndian.Uint16(b[1:])) + 1
			from += 5 + int(binary.BigEndian.Uint16(b[3:])) + 1
			if b[0] >= 0xc0 {
				from++
			}
		default:
			return
		}
	}
}

// lookChunk looks at the header of an LZMA2 chunk, or at the end mark.
func (g *xzGuard) lookChunk() {
	b, _ := g.r.Peek(5)
	switch {
	case len(b) > 0 && b[0] == 0:
		g.block++
		g.pass, g.state = 1+-g.block&3+g.check, xzBlock
		return
	case len(b) == 5 && b[0] < 3: // not compressed
		g.pass = 3 + int(binary.BigEndian.Uint16(b[1:])) + 1
	case len(b) == 5 && b[0] >= 0x80:
		g.pass = 5 + int(binary.BigEndian.Uint16(b[3:])) + 1
		if b[0] >= 0xc0 { // new properties
			g.pass++
		}
	default:
		g.lose()
		return
	}
	g.block += g.pass
	g.block &= 3
}

// lookIndex looks at one byte of the numbers in the index: how many records
// there are, then two for each.
func (g *xzGuard) lookIndex() {
	b, err := g.r.Peek(1)
	if err != nil || g.shift > 63 {
		g.lose()
		return
	}
	g.pass = 1
	g.block++
	g.vli |= uint64(b[0]&0x7f) << g.shift
	g.shift += 7
	if b[0] >= 0x80 {
		return
	}
	if g.vlis < 0 {
		g.vlis = int64(min(g.vli, 1<<60))*2 + 1
	}
	g.vlis--
	g.vli, g.shift = 0, 0
	if g.vlis == 0 {
		g.pass += -g.block&3 + 4 + 12
		g.state = xzStream
	}
}
