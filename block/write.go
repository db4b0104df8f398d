package block

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/flowtable"
)

// A Spool is where chunks lie until it is known what stands in front of them: a
// temporary file, or memory.
type Spool interface {
	io.Writer
	io.ReaderAt
}

// A Writer makes the blocks of one capture, one for each bucket. It belongs to one
// goroutine at a time. The memory that it takes does not grow with the capture, but
// for 32 bytes a chunk.
type Writer struct {
	header  Header
	watch   *watch
	spool   Spool
	size    int64 // of the spool
	most    int   // packets of a chunk
	buckets []bucket
	zstd    *zstd.Encoder
	raw     []byte
	packed  []byte
	first   uint64 // position of the first packet of the batch
}

// A bucket is a block that is being made.
type bucket struct {
	chunk   *chunk
	packets uint64
	parts   []part
	size    int64
}

// A part is a chunk in the spool, with its length and checksum.
type part struct{ at, length int64 }

// chunkBytes is about how many bytes a chunk has at most before it is compressed,
// chunkPackets are the packets of the chunks of all buckets together: what is gathered
// of them takes up to 200 bytes each.
const (
	chunkBytes   = 256 << 10
	chunkPackets = 1 << 16
)

// NewWriter returns a writer of blocks whose headers have what h says, but for the
// bucket and what is known at the end of the capture.
func NewWriter(h Header, spool Spool) (*Writer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(1<<20), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, err
	}
	w := &Writer{header: h, watch: newWatch(h.Capture), spool: spool, zstd: z, buckets: make([]bucket, h.Buckets)}
	w.most = min(4096, max(256, chunkPackets/h.Buckets))
	for i := range w.buckets {
		w.buckets[i].chunk = newChunk(h.Features, w.most)
	}
	return w, nil
}

// Add adds the packets of the batch that comes next in the capture. It has a share for
// each bucket. An error is one of the spool.
func (w *Writer) Add(b *flowtable.Batch) error {
	w.watch.see(b)
	var failed error
	for i := range w.buckets {
		k := &w.buckets[i]
		b.Share(i, func(number int, t *flowtable.Taken) {
			late, lateOfFlow := w.watch.lateness(number)
			position := w.first + uint64(number)
			if k.chunk.n == 0 {
				k.chunk.reset(position)
			}
			k.chunk.add(t, position, late, lateOfFlow)
			k.packets++
			if k.chunk.n >= w.most || k.chunk.size() >= chunkBytes {
				if err := w.flush(k); err != nil {
					failed = err
				}
			}
		})
	}
	w.first += uint64(b.Len())
	return failed
}

// flush puts the chunk of a bucket into the spool.
func (w *Writer) flush(k *bucket) error {
	if k.chunk.n == 0 {
		return nil
	}
	w.raw = k.chunk.append(w.raw[:0])
	k.chunk.reset(0)
	w.packed = append(w.packed[:0], 0, 0, 0, 0)
	w.packed = w.zstd.EncodeAll(w.raw, w.packed)
	n := len(w.packed) - 4
	binary.LittleEndian.PutUint32(w.packed, uint32(n))
	w.packed = binary.LittleEndian.AppendUint32(w.packed, crc32.Checksum(w.packed[4:], castagnoli))
	if _, err := w.spool.Write(w.packed); err != nil {
		return err
	}
	k.parts = append(k.parts, part{w.size, int64(len(w.packed))})
	k.size += int64(len(w.packed))
	w.size += int64(len(w.packed))
	return nil
}

// Part says which part of a file the capture is, before End: see [Capture].
func (w *Writer) Part(begin, end int64, through int) {
	w.watch.Begin, w.watch.End, w.watch.Through = begin, end, through
}

// End completes the blocks. Damage is why the capture could not be read to its end, ""
// if it could.
func (w *Writer) End(damage string) error {
	for i := range w.buckets {
		if err := w.flush(&w.buckets[i]); err != nil {
			return err
		}
	}
	w.watch.end()
	w.watch.Damage = damage
	w.header.Capture = w.watch.Capture
	if w.watch.Stepped {
		w.watch.trace = w.zstd.EncodeAll(w.watch.trace, nil)
		if len(w.watch.trace) > maxTrace {
			return fmt.Errorf("%s: time steps back, and the trace of it, %d bytes, is longer than %d", w.header.Capture.Name, len(w.watch.trace), maxTrace)
		}
	}
	return w.zstd.Close()
}

// Capture returns what is known of the capture, after End.
func (w *Writer) Capture() Capture { return w.watch.Capture }

// WriteBlock writes the block of a bucket, after End, and returns its length.
func (w *Writer) WriteBlock(to io.Writer, bucket int) (int64, error) {
	k := &w.buckets[bucket]
	h := w.header
	h.Bucket, h.Packets = bucket, k.packets
	head := append([]byte(magic), Version)
	head = binary.LittleEndian.AppendUint64(head, 0)
	from := len(head)
	head = appendSection(head, h.encode())
	head = appendSection(head, w.watch.trace)
	binary.LittleEndian.PutUint64(head[len(magic)+1:], uint64(len(head)-from)+uint64(k.size)+4)
	if _, err := to.Write(head); err != nil {
		return 0, err
	}
	for _, p := range k.parts {
		if _, err := io.Copy(to, io.NewSectionReader(w.spool, p.at, p.length)); err != nil {
			return 0, err
		}
	}
	_, err := to.Write([]byte{0, 0, 0, 0})
	return int64(len(head)) + k.size + 4, err
}

// appendSection appends bytes between their length and their checksum.
func appendSection(dst, b []byte) []byte {
	dst = append(binary.LittleEndian.AppendUint32(dst, uint32(len(b))), b...)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(b, castagnoli))
}
