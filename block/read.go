package block

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/flowtable"
)

// An Error reports a block that is damaged, or of another format.
type Error struct {
	File   string
	Offset int64 // in the file, in bytes
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: offset %d: %v", e.File, e.Offset, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// A Block is a block in a file.
type Block struct {
	Header
	File string // for messages

	src    io.ReaderAt
	trace  section // empty if the capture has none
	chunks int64   // offset of the first
	end    int64   // behind the last
}

// A section is a part of a file.
type section struct{ at, length int64 }

// Find returns the blocks that stand one behind the other in a file of a size, whose
// chunks are not looked at yet.
func Find(src io.ReaderAt, size int64, file string) ([]*Block, error) {
	var all []*Block
	at := int64(0)
	for at < size || len(all) == 0 {
		b, err := find(src, at, size, file)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
		at = b.end + 4
	}
	return all, nil
}

const preludeLen = int64(len(magic)) + 1 + 8

// find returns the block at an offset.
func find(src io.ReaderAt, at, size int64, file string) (*Block, error) {
	fail := func(offset int64, format string, args ...any) (*Block, error) {
		return nil, &Error{file, offset, fmt.Errorf(format, args...)}
	}
	var prelude [preludeLen]byte
	if err := readAt(src, prelude[:], at, size); err != nil {
		return nil, &Error{file, at, err}
	}
	if string(prelude[:len(magic)]) != magic {
		return fail(at, "no block of flowfast's begins here: want %q, not %q", magic, prelude[:len(magic)])
	}
	if v := prelude[len(magic)]; v != Version {
		return fail(at+int64(len(magic)), "a block of version %d of the format, this program reads version %d", v, Version)
	}
	length := binary.LittleEndian.Uint64(prelude[len(magic)+1:])
	begin := at + preludeLen
	if length > uint64(size-begin) {
		return fail(begin-8, "a block of %d bytes, of which %d are there", length, size-begin)
	}
	end := begin + int64(length)
	head, next, err := readSection(src, begin, end, maxHeader, nil)
	if err != nil {
		return nil, &Error{file, begin, fmt.Errorf("header: %w", err)}
	}
	b := &Block{File: file, src: src, end: end - 4}
	if err := json.Unmarshal(head, &b.Header); err != nil {
		return fail(begin+4, "header: %w", err)
	}
	if c := &b.Capture; b.Buckets < 1 || b.Bucket < 0 || b.Bucket >= b.Buckets || c.Part < 1 || c.Part > c.Parts || c.Last < c.First || c.Least > c.First || len(c.Dense) != len(stretches) {
		return fail(begin+4, "header: numbers that contradict each other")
	}
	var l [4]byte
	if err := readAt(src, l[:], next, end); err != nil {
		return nil, &Error{file, next, err}
	}
	n := int64(binary.LittleEndian.Uint32(l[:]))
	if b.trace = (section{next, n}); n > maxTrace || next+8+n > b.end {
		return fail(next, "a trace of %d bytes, of which %d are there", n, max(0, b.end-next-8))
	}
	if n == 0 { // a trace is looked at where it is needed
		if _, _, err := readSection(src, next, end, 0, nil); err != nil {
			return nil, &Error{file, next, fmt.Errorf("trace: %w", err)}
		}
	}
	b.chunks = next + 8 + n
	if err := readAt(src, l[:], b.end, end); err != nil {
		return nil, &Error{file, b.end, err}
	}
	if l != [4]byte{} {
		return fail(b.end, "the block does not end where its length says")
	}
	return b, nil
}

// readAt fills b, all of which must lie before end.
func readAt(src io.ReaderAt, b []byte, at, end int64) error {
	if at < 0 || end-at < int64(len(b)) {
		return io.ErrUnexpectedEOF
	}
	n, err := src.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readSection returns what stands between a length and its checksum, in room if that is
// large enough, and the offset behind.
func readSection(src io.ReaderAt, at, end int64, most uint32, room []byte) ([]byte, int64, error) {
	var l [4]byte
	if err := readAt(src, l[:], at, end); err != nil {
		return nil, 0, err
	}
	n := binary.LittleEndian.Uint32(l[:])
	if n > most || int64(n) > end-at-8 {
		return nil, 0, fmt.Errorf("a length of %d, of which %d bytes are there", n, max(0, end-at-8))
	}
	b := slices.Grow(room[:0], int(n)+4)[:n+4]
	if err := readAt(src, b, at+4, end); err != nil {
		return nil, 0, err
	}
	sum := crc32.Checksum(b[:n], castagnoli)
	if want := binary.LittleEndian.Uint32(b[n:]); sum != want {
		return nil, 0, fmt.Errorf("a checksum of %08x, not %08x: the bytes are not those that were written", want, sum)
	}
	return b[:n], at + 8 + int64(n), nil
}

// A reader reads the packets of a block. It belongs to one goroutine at a time.
type reader struct {
	*Block
	zstd   *zstd.Decoder
	at     int64 // of the next chunk
	began  int64 // of the one that is read
	packed []byte
	raw    []byte
	page   page
	read   uint64
}

func newReader(b *Block, z *zstd.Decoder) *reader {
	return &reader{Block: b, zstd: z, at: b.chunks, page: page{needs: b.Features}}
}

// next sets t to the next packet, whose details are lent until the next call; it
// returns io.EOF behind the last.
func (r *reader) next(t *flowtable.Taken) (position, late, lateOfFlow uint64, err error) {
	for r.page.left == 0 {
		if err := r.open(); err != nil {
			return 0, 0, 0, err
		}
	}
	position, late, lateOfFlow = r.page.next(t)
	r.read++
	return position, late, lateOfFlow, nil
}

// open begins the next chunk.
func (r *reader) open() error {
	fail := func(err error) error { return &Error{r.File, r.began, fmt.Errorf("chunk: %w", err)} }
	if r.read > 0 {
		if err := r.page.close(); err != nil {
			return fail(err)
		}
	}
	if r.at >= r.end {
		if r.read != r.Packets {
			return &Error{r.File, r.end, fmt.Errorf("%d packets, but the header has %d", r.read, r.Packets)}
		}
		return io.EOF
	}
	r.began = r.at
	var err error
	if r.packed, r.at, err = readSection(r.src, r.at, r.end, maxChunk, r.packed); err != nil {
		return fail(err)
	}
	if r.raw, err = r.zstd.DecodeAll(r.packed, r.raw[:0]); err == nil {
		err = r.page.open(r.raw)
	}
	if err == nil && r.page.left == 0 {
		err = errors.New("no packets")
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// newDecoder returns a decoder of chunks, which readers share one after the other.
func newDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxChunk), zstd.WithDecoderMaxWindow(maxChunk))
}

// times calls do with the times in the trace of a capture, whose packets have
// positions from Capture.TraceFrom on.
func (b *Block) times(do func(at int64)) error {
	packed, _, err := readSection(b.src, b.trace.at, b.chunks, maxTrace, nil)
	if err != nil {
		return &Error{b.File, b.trace.at, fmt.Errorf("trace: %w", err)}
	}
	z, err := zstd.NewReader(bytes.NewReader(packed), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxChunk))
	if err != nil {
		return err
	}
	defer z.Close()
	in, last, n := bufio.NewReader(z), int64(0), b.Capture.TraceFrom
	for ; ; n++ {
		d, err := binary.ReadVarint(in)
		if err == io.EOF {
			break
		}
		if err != nil {
			return &Error{b.File, b.trace.at, fmt.Errorf("trace: %w", err)}
		}
		last += d
		do(last)
	}
	if n != b.Capture.Packets {
		return &Error{b.File, b.trace.at, fmt.Errorf("trace: times up to packet %d of %d", n, b.Capture.Packets)}
	}
	return nil
}
