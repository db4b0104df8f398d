package ioutil

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/pierrec/lz4/v4"
)

// maxWindow is the longest look back into its output that a decompressor is
// allowed: what zstd --long and xz -9 use, and most of the memory that a
// compressed capture can make it take.
const maxWindow = 128 << 20

// An unwrapping is one way in which a capture can be compressed.
type unwrapping struct {
	name   string
	magics []string
	// memory returns what a reader of what begins with head takes, in bytes.
	memory func(head []byte) int
	// open makes a reader, which asks helpers how many goroutines it may use at a time.
	open func(r *bufio.Reader, helpers *atomic.Int32) (io.Reader, func(), error)
}

var unwrappings = []unwrapping{
	{"gzip", []string{"\x1f\x8b"}, gzipMemory, openGzip},
	{"zstd", []string{"\x28\xb5\x2f\xfd", "?\x2a\x4d\x18"}, zstdMemory, openZstd}, // the second: a skippable frame
	{"bzip2", []string{"BZh"}, bzip2Memory, openBzip2},
	{"xz", []string{"\xfd7zXZ\x00"}, xzMemory, openXz},
	{"lz4", []string{"\x04\x22\x4d\x18", "\x02\x21\x4c\x18"}, lz4Memory, openLz4}, // the second: its legacy frames
}

// readLen is how much of compressed data is read at a time.
const readLen = 256 << 10

// headLen is how many of the first bytes are looked at: enough for every magic,
// and no more than the shortest capture has.
const headLen = 8

// unwrapper returns how to unwrap what begins with head, nil if it is not
// compressed in a way that is known.
func unwrapper(head []byte) *unwrapping {
	for i := range unwrappings {
		for _, magic := range unwrappings[i].magics {
			if hasMagic(head, magic) {
				return &unwrappings[i]
			}
		}
	}
	return nil
}

// hasMagic reports whether head begins with magic, in which a leading "?"
// stands for 0x50 to 0x5f (Zstandard, RFC 8878, 3.1.2).
func hasMagic(head []byte, magic string) bool {
	if len(head) >= 4 && magic[0] == '?' {
		return head[0]>>4 == 5 && bytes.HasPrefix(head[1:], []byte(magic[1:]))
	}
	return bytes.HasPrefix(head, []byte(magic))
}

// openBzip2 leaves garbage behind the end out, as bzip2 does.
func openBzip2(r *bufio.Reader, _ *atomic.Int32) (io.Reader, func(), error) {
	src := &remembering{r: r}
	return &padded{Reader: bzip2.NewReader(src), src: src, magic: 2, lenient: true, bad: func(err error) bool {
		return err == bzip2.StructuralError("bad magic value in continuation file")
	}}, func() {}, nil
}

func openLz4(r *bufio.Reader, _ *atomic.Int32) (io.Reader, func(), error) {
	src := &remembering{r: r}
	return &padded{Reader: lz4.NewReader(src), src: src, magic: 4, bad: func(err error) bool { return errors.Is(err, lz4.ErrInvalidFrame) }}, func() {}, nil
}

// stream begins to read the capture from r, unwrapped if need be.
func (c *Capture) stream(r io.Reader) error {
	counted := &counter{r: r, n: &c.taken}
	var head [headLen]byte
	n, err := io.ReadFull(counted, head[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return c.wrong(n, err)
	}
	src := &rewound{head[:n], counted}
	size, read := int32(chunkLen), readLen
	if c.lean {
		size, read = leanChunk, leanChunk
	}
	how := unwrapper(head[:n])
	if how == nil {
		c.ring = newRing(func() (io.Reader, func(), error) { return src, func() {}, nil }, false, size)
	} else {
		c.wrap = how.name
		c.ring = newRing(func() (io.Reader, func(), error) {
			return how.unwrap(src, read, &c.helpers)
		}, true, size)
	}
	c.touch = never
	if err := c.start(); err != nil {
		c.release()
		return err
	}
	return nil
}

// unwrap makes the reader of what is compressed in r, so much of which is read at a
// time, and what frees it.
func (u *unwrapping) unwrap(r io.Reader, size int, helpers *atomic.Int32) (io.Reader, func(), error) {
	z, free, err := u.open(bufio.NewReaderSize(r, size), helpers)
	if err != nil {
		return nil, nil, fmt.Errorf("%s data: %w", u.name, midStream(err))
	}
	return &unwrapped{z, u.name}, free, nil
}

// An unwrapped reader says in its errors what it unwraps.
type unwrapped struct {
	r    io.Reader
	name string
}

// note says what stood behind the end of the compressed data, "" if nothing.
func (u *unwrapped) note() string {
	if r, ok := u.r.(interface{ note() string }); ok && r.note() != "" {
		return u.name + " data: " + r.note()
	}
	return ""
}

func (u *unwrapped) Read(b []byte) (int, error) {
	n, err := u.r.Read(b)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%s data: %w", u.name, err)
	}
	return n, err
}

// A counter counts the bytes that are read through it.
type counter struct {
	r io.Reader
	n *atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}
