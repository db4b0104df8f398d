package engine

import "encoding/binary"

// A BatchWriter is a writer of rows that takes them in batches which any goroutine
// can have encoded before: that of a format of columns. Its rows begin with their
// length in four bytes, little-endian.
type BatchWriter interface {
	// Batches returns with how many rows, or bytes of them, a batch ends. The next one
	// ends with next rows, and each one behind it with twice as many as the one before
	// could have, until those are rows.
	Batches() (next, rows, bytes int)
	// NewBatch returns a batch, whose Encode makes it one of rows.
	NewBatch() interface{ Encode(rows [][]byte) }
	// WriteBatch writes an encoded batch, behind those before.
	WriteBatch(interface{ Encode(rows [][]byte) }) error
}

// copiedBlock is the size of blocks below which their rows are copied: many small
// ones are not to be kept for a batch.
const copiedBlock = 64 << 10

// Batches are rows in order on their way through workers that encode them to the
// writer.
type batches struct {
	to         BatchWriter
	rows, size int // with which the current batch ends
	mostRows   int // which rows grow to
	most       int // batches under way
	current    *batch
	waiting    []*batch // to be encoded or written, in order
	spare      []*batch
}

// A batch is rows to be encoded, and then the encoded ones.
type batch struct {
	encoded interface{ Encode(rows [][]byte) }
	parts   [][]byte
	blocks  []*block // that parts lie in
	copied  []byte   // or they lie here, the last one
	from    int      // on
	last    bool     // if this is set
	rows    int
	size    int
	done    bool
}

// refer adds rows that lie in a block.
func (c *batch) refer(k *block, rows []byte) {
	k.uses++
	c.blocks, c.parts, c.last = append(c.blocks, k), append(c.parts, rows), false
}

// copy adds rows that will not stay where they are.
func (c *batch) copy(rows []byte) {
	if !c.last {
		c.from, c.last = len(c.copied), true
		c.parts = append(c.parts, nil)
	}
	c.copied = append(c.copied, rows...)
	c.parts[len(c.parts)-1] = c.copied[c.from:]
}

// newBatches returns nil for no writer.
func newBatches(to BatchWriter, workers int) *batches {
	if to == nil {
		return nil
	}
	const memory = 48 << 20 // of packed rows
	b := &batches{to: to}
	b.rows, b.mostRows, b.size = to.Batches()
	b.most = max(2, min(workers+1, memory/b.size))
	b.current = b.batch()
	return b
}

func (b *batches) batch() *batch {
	if n := len(b.spare); n > 0 {
		some := b.spare[n-1]
		b.spare = b.spare[:n-1]
		return some
	}
	return &batch{encoded: b.to.NewBatch()}
}

// isFull tells if no block is to be added for now.
func (b *batches) isFull() bool { return len(b.waiting) >= b.most }

// add takes in the rows of a block, and has batches that end encoded by calling
// encode. It returns whether the block is kept.
func (b *batches) add(k *block, encode func(*batch)) (kept bool) {
	from := 0
	put := func(to int) {
		switch rows := k.bytes[from:to]; {
		case len(rows) == 0:
		case len(k.bytes) < copiedBlock:
			b.current.copy(rows)
		default:
			b.current.refer(k, rows)
			kept = true
		}
		from = to
	}
	for at, row := 0, 0; at < len(k.bytes); {
		rows, size := k.rows-row, len(k.bytes)-at
		if b.current.rows+rows < b.rows && b.current.size+size < b.size { // none of them ends a batch
			b.current.rows += rows
			b.current.size += size
			break
		}
		n := int(binary.LittleEndian.Uint32(k.bytes[at:]))
		at += n
		row++
		b.current.rows++
		b.current.size += n
		if b.current.rows >= b.rows || b.current.size >= b.size {
			put(at)
			b.end(encode)
		}
	}
	put(len(k.bytes))
	return kept
}

// end ends the current batch, if it has rows.
func (b *batches) end(encode func(*batch)) {
	if b.current.rows == 0 {
		return
	}
	c := b.current
	b.waiting = append(b.waiting, c)
	b.current = b.batch()
	b.rows = min(2*b.rows, b.mostRows)
	encode(c)
}

// write writes the first of the batches that wait, and has the blocks that nobody
// needs any more given back.
func (b *batches) write(unused func(*block)) error {
	c := b.waiting[0]
	b.waiting = b.waiting[:copy(b.waiting, b.waiting[1:])]
	for _, k := range c.blocks {
		if k.uses--; k.uses == 0 {
			unused(k)
		}
	}
	err := b.to.WriteBatch(c.encoded)
	*c = batch{encoded: c.encoded, parts: c.parts[:0], blocks: c.blocks[:0], copied: c.copied[:0]}
	b.spare = append(b.spare, c)
	return err
}
