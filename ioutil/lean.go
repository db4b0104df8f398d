package ioutil

import (
	"errors"
	"io/fs"
	"os"

	"github.com/klauspost/compress/zstd"
)

const (
	// usualStep is how much of a mapped file stays in memory behind what has been
	// read, leanStep the same of a lean capture.
	usualStep = 8 << 20
	leanStep  = 64 << 10
	// leanHead is as much of a compressed file as says what it takes to look back:
	// the headers of the stream and of the first block of xz, without the fields
	// that nobody writes.
	leanHead = 64
)

// OpenLean is [Open] for one of many captures that are open at a time. A mapped
// file keeps no descriptor, and 64 KiB of it stay in memory; a stream is read ahead
// by 64 KiB at a time.
func OpenLean(path string) (*Capture, error) { return openPath(&Capture{name: path, lean: true}) }

// Holds returns what a capture holds while it is open: descriptors of files, and
// bytes of memory. These are its buffers and what the decompressor looks back into, as
// the first header of the data asks for; not the pages of a mapped file, which the
// system takes back as it likes, nor a record longer than 64 KiB.
func (c *Capture) Holds() (files, bytes int) {
	if c.file != nil {
		files = 1
	}
	if c.ring != nil {
		bytes = chunks*(headroom+int(c.ring.size.Load())) + c.unwrapping
		switch {
		case c.wrap != "" && c.lean:
			bytes += leanChunk
		case c.wrap != "":
			bytes += readLen
		}
	}
	return files, bytes
}

// Widen gives a lean capture, which is alone from here on, the buffers of others.
func (c *Capture) Widen() {
	c.step = usualStep
	if c.ring != nil {
		c.ring.size.Store(chunkLen)
	}
}

// letGo closes a mapped file, whose size is asked for by its name from here on, as
// long as that is the name of the same file.
func (c *Capture) letGo(opened fs.FileInfo) error {
	f, path := c.file, c.name
	c.file, c.step = nil, leanStep
	c.stat = func() (fs.FileInfo, error) {
		now, err := os.Stat(path)
		if err == nil && !os.SameFile(opened, now) {
			err = errors.New("another file has its name")
		}
		return now, err
	}
	return f.Close()
}

// What decompressors take besides their windows, and what their windows take.

// gzipMemory: 32 KiB of output (RFC 1951, 2) and the tables of codes.
func gzipMemory([]byte) int { return 80 << 10 }

// zstdMemory: the window and a block behind it (RFC 8878, 3.1.1.1.2), and a block's
// literals and sequences.
func zstdMemory(head []byte) int {
	var h zstd.Header
	if h.Decode(head) != nil || h.Skippable {
		return 8 << 20 // what the usual levels ask for at most
	}
	window := h.WindowSize
	if h.SingleSegment {
		window = h.FrameContentSize
	}
	return int(min(window, maxWindow)) + 4*zstdBlock
}

// bzip2Memory: four bytes for each of a block, of which there are 100,000 for each
// level.
func bzip2Memory(head []byte) int {
	level := 9
	if len(head) > 3 && '1' <= head[3] && head[3] <= '9' {
		level = int(head[3] - '0')
	}
	return 400_000*level + 64<<10
}

// xzMemory: the dictionary of the first block.
func xzMemory(head []byte) int {
	const streamHeader = 12
	dictionary := uint64(8 << 20)                            // that of xz -6
	if len(head) > streamHeader && head[streamHeader] != 0 { // else the index follows: there is no block
		b := head[streamHeader:]
		if size := (int(b[0]) + 1) * 4; size <= len(b) {
			if at := lzma2Property(b[:size]); at > 0 {
				dictionary = dictionaryOf(b[at])
			}
		}
	}
	return int(min(dictionary, maxWindow)) + 256<<10
}

// lz4Memory: two blocks as long as the header says (LZ4 Frame Format, 1.6.4, BD), or
// those of the legacy format, 8 MiB.
func lz4Memory(head []byte) int {
	const legacy = 0x02
	if len(head) < 6 || head[0] == legacy {
		return 16 << 20
	}
	return 2 << (8 + 2*(head[5]>>4&7))
}
