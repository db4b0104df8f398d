package ioutil

import (
	"bufio"
	"errors"
	"io"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
)

// A zstdReader reads the frames of zstd data, those behind the first ones by an ahead
// if there are several helpers.
type zstdReader struct {
	padded
	z      *zstd.Decoder // that padded reads from
	frames *frames       // that z reads from; nil if they are not told apart any more
	ahead  *ahead
	split  *zstdFrames
}

func openZstd(r *bufio.Reader, helpers *atomic.Int32) (io.Reader, func(), error) {
	z := &zstdReader{frames: &frames{src: remembering{r: r}, helpers: helpers}}
	if err := z.decode(z.frames, &z.frames.src); err != nil {
		return nil, nil, err
	}
	return z, z.close, nil
}

// decode has z read from r, which reads from src.
func (z *zstdReader) decode(r io.Reader, src *remembering) (err error) {
	if z.z, err = zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)); err != nil {
		return err
	}
	z.padded = padded{Reader: z.z, src: src, magic: 4, bad: func(err error) bool { return errors.Is(err, zstd.ErrMagicMismatch) }}
	return nil
}

func (z *zstdReader) close() {
	z.z.Close()
	if z.ahead != nil {
		z.ahead.wait()
	}
	if z.split != nil {
		z.split.z.Close()
	}
}

func (z *zstdReader) Read(b []byte) (int, error) {
	if z.ahead == nil {
		n, err := z.padded.Read(b)
		if err != io.EOF || z.frames == nil || !z.frames.stopped {
			return n, err
		}
		if err := z.goAhead(); err != nil || n > 0 {
			return n, err
		}
	}
	if n := z.ahead.Read(b); n > 0 {
		return n, nil
	}
	src := &remembering{r: z.ahead.behind(), count: 1 << 40} // it is not the first
	z.z.Close()
	if z.ahead, z.frames = nil, nil; z.decode(src, src) != nil {
		return 0, io.ErrUnexpectedEOF
	}
	return z.padded.Read(b)
}

// goAhead begins to use helpers.
func (z *zstdReader) goAhead() error {
	helpers := z.frames.helpers
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(int(helpers.Load())+1), zstd.WithDecoderMaxWindow(maxWindow),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return err
	}
	z.split = &zstdFrames{z: d}
	z.ahead = &ahead{r: z.frames.src.r, split: z.split, helpers: helpers}
	return nil
}

// zstdBlock is the most that a block decompresses to, and blockHeader what is in front
// of it (RFC 8878, 3.1.1.2).
const (
	zstdBlock   = 128 << 10
	blockHeader = 3
	mostHeader  = 18 // of a frame
)

// blockOf returns how many bytes follow the header of a block, whether it is the last
// of its frame, and whether there are such blocks.
func blockOf(b []byte) (size int, last, ok bool) {
	h := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
	const repeated, reserved = 1, 3
	switch size = h >> 3; h >> 1 & 3 {
	case repeated:
		size = 1
	case reserved:
		return 0, false, false
	}
	return size, h&1 == 1, true
}

// checksum is the bytes behind the last block of a frame.
func checksum(h *zstd.Header) int {
	if h.HasCheckSum {
		return 4
	}
	return 0
}

// frames reads zstd data up to the first frame that begins when there are several
// helpers, and stops there.
type frames struct {
	src     remembering
	helpers *atomic.Int32
	left    int  // bytes until the next header
	block   bool // that is one of a block
	header  zstd.Header
	unknown bool // where headers are
	stopped bool
}

func (f *frames) Read(b []byte) (int, error) {
	for f.left == 0 && !f.unknown {
		if !f.block && f.helpers.Load() > 1 {
			f.stopped = true
			return 0, io.EOF
		}
		f.next()
	}
	if !f.unknown {
		b = b[:min(len(b), f.left)]
	}
	n, err := f.src.Read(b)
	f.left -= n
	return n, err
}

// next looks at a header.
func (f *frames) next() {
	if !f.block {
		head, _ := f.src.r.Peek(mostHeader)
		if f.header.Decode(head) != nil {
			f.unknown = true
			return
		}
		if f.left = f.header.HeaderSize; f.header.Skippable {
			f.left += int(f.header.SkippableSize)
		}
		f.block = !f.header.Skippable
		return
	}
	head, _ := f.src.r.Peek(blockHeader)
	if len(head) < blockHeader {
		f.unknown = true
		return
	}
	size, last, ok := blockOf(head)
	f.unknown = !ok
	if f.left = blockHeader + size; last {
		f.left += checksum(&f.header)
		f.block = false
	}
}

// zstdFrames splits zstd data.
type zstdFrames struct{ z *zstd.Decoder }

func (f *zstdFrames) split(raw []byte, r *bufio.Reader) ([]byte, int, error) {
	head, err := r.Peek(mostHeader)
	var h zstd.Header
	if len(head) == 0 || h.Decode(head) != nil {
		return raw, -1, err
	}
	from := len(raw)
	if h.Skippable {
		if h.SkippableSize > jobSize {
			return raw, -1, nil
		}
		if raw, err = more(raw, r, h.HeaderSize+int(h.SkippableSize)); err != nil {
			return raw, -1, err
		}
		return raw, 0, nil
	}
	if raw, err = more(raw, r, h.HeaderSize); err != nil {
		return raw, -1, err
	}
	most := 0
	for last := false; !last; {
		if raw, err = more(raw, r, blockHeader); err != nil {
			return raw, -1, err
		}
		size, end, ok := blockOf(raw[len(raw)-blockHeader:])
		if !ok || size > zstdBlock {
			return raw, -1, nil
		}
		if last = end; last {
			size += checksum(&h)
		}
		if raw, err = more(raw, r, size); err != nil {
			return raw, -1, err
		}
		if most += zstdBlock; most+len(raw)-from > maxPart {
			return raw, -1, nil
		}
	}
	if h.HasFCS && h.FrameContentSize < uint64(most) {
		most = int(h.FrameContentSize)
	}
	return raw, most, nil
}

func (f *zstdFrames) unpack(out, raw []byte) ([]byte, int) {
	all, err := f.z.DecodeAll(raw, out)
	if err != nil {
		return out, 0
	}
	return all, len(raw)
}
