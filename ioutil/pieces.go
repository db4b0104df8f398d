package ioutil

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// Deflated data of which blocks do not look back (pigz -i, a full flush of zlib) is
// decompressed in pieces. A piece ends with an empty stored block, whose length and its
// complement stand at bytes of their own (RFC 1951, 3.2.4); pigz -i writes two. Such
// bytes also occur within blocks, so a piece is a guess. The first begins where a block
// does, and one that decompresses to exactly its end shows that the next does; that
// none looks back past its beginning is checked by the decompressor.
const (
	emptyBlock = "\x00\x00\xff\xff"
	twoEmpty   = emptyBlock + "\x00" + emptyBlock
	lookBack   = 32 << 10
)

// leastPiece is the bytes of a piece, at least: what they decompress to, 1,032 times as
// much at most, is not longer than a part may be.
const leastPiece = 16 << 10

// pieces splits deflated data.
type pieces struct {
	mark      string       // at the end of a piece
	ratio     atomic.Int64 // sixteenths of a byte that a byte decompresses to
	inflaters sync.Pool
}

// piecesOf returns how to split the deflated data that r reads next, nil if its blocks look
// back, or if there is nothing to tell by in what r holds: it does not wait for more, since
// a stream can be slow. The error is that of r behind that.
func piecesOf(r *bufio.Reader) (*pieces, error) {
	_, err := r.Peek(1)
	head, _ := r.Peek(r.Buffered())
	for _, mark := range []string{twoEmpty, emptyBlock} {
		at := bytes.Index(head, []byte(mark))
		if at < 0 {
			continue
		}
		// If nothing in so many bytes looks back, nothing behind them can.
		z := flate.NewReader(bytes.NewReader(head[at+len(mark):]))
		if n, _ := io.CopyN(io.Discard, z, lookBack); n == lookBack {
			p := &pieces{mark: mark}
			p.ratio.Store(4 * 16)
			return p, err
		}
	}
	return nil, err
}

func (p *pieces) split(raw []byte, r *bufio.Reader) ([]byte, int, error) {
	from := len(raw)
	raw, err := more(raw, r, leastPiece-len(p.mark))
	if err == nil {
		raw, err = upTo(raw, r, jobSize, len(p.mark), func(b []byte) int { return bytes.Index(b, []byte(p.mark)) })
	}
	if err == nil {
		raw, err = more(raw, r, len(p.mark))
	}
	if err != nil || !bytes.HasSuffix(raw, []byte(p.mark)) {
		return raw, -1, err
	}
	return slices.Grow(raw, len(lastBlock)), min(int(p.ratio.Load())*(len(raw)-from)/16, maxPart), nil
}

// lastBlock is an empty stored block, the last. Data that it ends must end at a block
// that begins with its first bit: none that begins behind that, within it, is whole.
const lastBlock = "\x01" + emptyBlock

func (p *pieces) unpack(out, raw []byte) ([]byte, int) {
	in := bytes.NewReader(append(raw, lastBlock...))
	z, _ := p.inflaters.Get().(io.Reader)
	if z == nil {
		z = flate.NewReader(in)
	} else if z.(flate.Resetter).Reset(in, nil) != nil {
		return out, 0
	}
	defer p.inflaters.Put(z)
	all, err := fill(out, z)
	if err == io.ErrShortBuffer {
		return out, -1
	}
	if err != nil || in.Len() > 0 {
		return out, 0
	}
	ratio := 18 * int64(len(all)-len(out)) / int64(len(raw))
	p.ratio.Store(max(ratio, p.ratio.Load()*7/8, 16))
	return all, len(raw)
}

// fill appends all that r gives to out, io.ErrShortBuffer if there is no room for it.
func fill(out []byte, r io.Reader) ([]byte, error) {
	for {
		room := out[len(out):cap(out)]
		if len(room) == 0 {
			room = make([]byte, 1)
		}
		n, err := r.Read(room)
		if n > 0 && len(out) == cap(out) {
			return out, io.ErrShortBuffer
		}
		if out = out[:len(out)+n]; err == io.EOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
	}
}

// A member is a gzip member of which some pieces were decompressed, and then the rest,
// as a gzip.Reader does.
type member struct {
	r         *bufio.Reader
	z         io.Reader
	crc, size uint32
	window    []byte
	err       error
}

// add adds what came of pieces.
func (m *member) add(b []byte) {
	m.sum(b)
	if b = b[max(0, len(b)-lookBack):]; len(m.window)+len(b) > lookBack {
		m.window = m.window[:copy(m.window, m.window[len(m.window)+len(b)-lookBack:])]
	}
	m.window = append(m.window, b...)
}

func (m *member) sum(b []byte) {
	m.crc = crc32.Update(m.crc, crc32.IEEETable, b)
	m.size += uint32(len(b))
}

// goOn begins with the rest, from the given byte of the deflated data on.
func (m *member) goOn(r *bufio.Reader, from int64) {
	m.r = r
	m.z = flate.NewReaderOpts(r, flate.WithResumeFrom(flate.InflateCheckpoint{CompressedOffset: from, Window: m.window}))
}

func (m *member) Read(b []byte) (int, error) {
	if m.err != nil {
		return 0, m.err
	}
	n, err := m.z.Read(b)
	m.sum(b[:n])
	if m.err = err; err == io.EOF {
		m.err = m.end()
	}
	return n, m.err
}

// end reads what stands behind the deflated data, and returns io.EOF if it is right.
func (m *member) end() error {
	var trailer [8]byte
	if _, err := io.ReadFull(m.r, trailer[:]); err != nil {
		return midStream(err)
	}
	if binary.LittleEndian.Uint32(trailer[:]) != m.crc || binary.LittleEndian.Uint32(trailer[4:]) != m.size {
		return gzip.ErrChecksum
	}
	return io.EOF
}
