package export

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"

	"github.com/klauspost/compress/huff0"
	"github.com/klauspost/compress/zstd"
)

// A Parquet file has a page of each column for every batch of rows, and a row
// group for every groupSize bytes of columns, or a bit more. What is kept of a row group
// until it is written is its pages, compressed. Workers make the pages; to write a
// row group is to put those of each column one behind the other.
//
// The pages are data pages of version 1, which every reader knows. Most are in the plain
// encoding, which is what the columns of a batch are already: dictionaries and split bytes
// make these files larger once they are compressed. So do differences, but for times and
// for what choice.go tells; readers know those of numbers, not those of texts.
//
// The file is written here, without a library, because of the libraries for
// Parquet one takes values one by one, and neither lets workers make pages. The
// definition is https://github.com/apache/parquet-format.
var (
	groupSize = 32 << 20 // variables for the tests
	pageRows  = 16384
	pagesSize = 8 << 20 // bytes of packed rows that a batch has at most
)

// The numbers by which Parquet calls things.
const (
	parquetInt32, parquetInt64, parquetDouble, parquetBinary = 1, 2, 5, 6 // types

	parquetRequired, parquetRepeated = 0, 2

	parquetUTF8, parquetListType, parquetMicros, parquetUint8, parquetUint16, parquetInt64Type = 0, 3, 10, 11, 12, 18 // converted types

	logicalString, logicalList, logicalTimestamp, logicalInteger = 1, 3, 8, 10

	logicalMicros, logicalNanos = 2, 3 // units of a timestamp

	parquetPlain, parquetRLE, parquetDelta = 0, 3, 5 // encodings
	parquetZstd                            = 6
)

// longest is the length of the longest text that pages and row groups are
// described with: the least and the greatest of a column.
const longest = 256

// pages are the pages of a batch, and what it takes to make them.
type pages struct {
	zstd    *zstd.Encoder
	calm    *zstd.Encoder // leaves what it does not find as it is
	columns []page
	plain   []byte // the page at hand
	delta   []byte
	sample  []byte // see repeats
	huffman huff0.Scratch
	head    thrift
}

// A page is the values of a column in a batch.
type page struct {
	bytes    []byte // the header, and the compressed values
	plain    int    // length of the header and the values before they were compressed
	encoding int64
	by       int // what compressed it, see choice.go
	values   int // with nulls, which stand for empty lists
	nulls    int
	bounds   bounds

	same  bool // all values have these bytes, and
	value uint64
}

func parquetEncoder(t *Table) *encoder {
	e := newEncoder(t, pagesSize, pageRows, func(e *encoded) error { return e.pages.make(&e.batch) })
	e.spans = true
	return e
}

// make makes the pages of a batch.
func (p *pages) make(b *batch) (err error) {
	if p.zstd == nil {
		p.huffman.Reuse = huff0.ReusePolicyNone
		if p.zstd, err = pageEncoder(zstd.WithAllLitEntropyCompression(true)); err == nil {
			p.calm, err = pageEncoder(zstd.WithNoEntropyCompression(true))
		}
		if err != nil {
			return err
		}
	}
	if len(p.columns) != len(b.columns) {
		p.columns = make([]page, len(b.columns))
	}
	for i, c := range b.packed.columns {
		p.column(&p.columns[i], c, &b.columns[i], b.rows)
	}
	return nil
}

func pageEncoder(o zstd.EOption) (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20), o)
}

// column makes the page of a column.
func (p *pages) column(to *page, c *Column, from *columnBytes, rows int) {
	values, nulls := rows, 0
	var plain []byte
	to.encoding, to.by = parquetPlain, searched
	switch c.Kind {
	case Text:
		plain = p.texts(from)
		to.same = false
		to.bounds.ofTexts(from)
		if !p.repeat(from, plain) {
			to.by = coded
		}
	case List:
		plain, values, nulls = p.lists(from)
		to.same = false
		to.bounds.ofNumbers(c, from.values)
	default:
		width := c.width()
		value, same := constant(from.values, width)
		if same && to.same && value == to.value && values == to.values {
			return // the page is that of the batch before
		}
		to.same, to.value = same, value
		if width == 2 && areMany(from.values) {
			plain, to.encoding = p.ports(&to.bounds, from.values), parquetDelta
			break
		}
		plain = p.widened(from.values, width)
		if same {
			to.bounds.ofNumbers(c, plain[:max(width, 4)])
			break
		}
		if from.spanned {
			to.bounds.ofSpan(c, &from.span)
		} else {
			to.bounds.ofNumbers(c, plain)
		}
		if c.Kind == Time || c.physical() == parquetInt64 && to.bounds.isNarrow() && areMixed(plain, to.bounds.min) {
			p.delta = appendDelta(p.delta[:0], plain)
			plain, to.encoding = p.delta, parquetDelta
		} else if areCalm(plain, max(width, 4)) {
			to.by = calm
		}
	}
	to.values, to.nulls = values, nulls
	p.finish(to, plain)
}

// constant returns the bytes of the first value, and whether all others are the
// same.
func constant(values []byte, width int) (value uint64, same bool) {
	for i := width - 1; i >= 0; i-- {
		value = value<<8 | uint64(values[i])
	}
	return value, bytes.Equal(values[width:], values[:len(values)-width])
}

// widened returns values in no less than the 4 bytes that Parquet's integers have.
func (p *pages) widened(values []byte, width int) []byte {
	if width == 8 {
		return values
	}
	le := binary.LittleEndian
	p.plain = slices.Grow(p.plain[:0], 4*len(values)/width)[:4*len(values)/width]
	to, at := p.plain, 0
	for ; len(values)-at >= 4*width; at += 4 * width { // four of them
		var a, b uint64
		if width == 1 {
			v := uint64(le.Uint32(values[at : at+4]))
			a, b = v&0xff|v<<24&(0xff<<32), v>>16&0xff|v<<8&(0xff<<32)
		} else {
			v := le.Uint64(values[at : at+8])
			a, b = v&0xffff|v<<16&(0xffff<<32), v>>32&0xffff|v>>16&(0xffff<<32)
		}
		le.PutUint64(to[:8], a)
		le.PutUint64(to[8:16], b)
		to = to[16:]
	}
	for ; at < len(values); at += width {
		v := uint32(values[at])
		if width == 2 {
			v |= uint32(values[at+1]) << 8
		}
		le.PutUint32(to, v)
		to = to[4:]
	}
	return p.plain
}

// texts returns texts with their lengths before them.
func (p *pages) texts(c *columnBytes) []byte {
	const short = 16
	le := binary.LittleEndian
	p.plain = slices.Grow(p.plain[:0], len(c.ends)+len(c.values)+short)
	to, values := p.plain[:cap(p.plain)], c.values
	n, from := 0, 0
	for at := 4; at+4 <= len(c.ends); at += 4 {
		end := int(le.Uint32(c.ends[at : at+4]))
		size := end - from
		t := to[n:]
		if n += 4 + size; size <= short && from+short <= len(values) && len(t) >= 4+short {
			v := values[from : from+short]
			le.PutUint32(t[:4], uint32(size))
			le.PutUint64(t[4:12], le.Uint64(v[:8])) // and what is behind it, for now
			le.PutUint64(t[12:20], le.Uint64(v[8:16]))
		} else {
			le.PutUint32(t, uint32(size))
			copy(t[4:], values[from:end])
		}
		from = end
	}
	p.plain = to[:n]
	return p.plain
}

// lists returns the numbers of lists, with their levels before them: whether one
// stands in the same list as the one before, and whether it is there, which it is
// not where the list is empty.
func (p *pages) lists(c *columnBytes) (plain []byte, values, nulls int) {
	var repeated, there levels
	repeated.b = append(p.plain[:0], 0, 0, 0, 0)
	from := uint32(0)
	each := func(of *levels, level func(first, empty bool) byte) {
		from = 0
		for at := 4; at < len(c.ends); at += 4 {
			end := binary.LittleEndian.Uint32(c.ends[at:])
			n := max(end-from, 1)
			of.add(level(true, end == from), 1)
			of.add(level(false, end == from), int(n-1))
			from = end
		}
		of.finish()
	}
	each(&repeated, func(first, _ bool) byte { return oneIf(!first) })
	binary.LittleEndian.PutUint32(repeated.b, uint32(len(repeated.b)-4))
	begin := len(repeated.b)
	there.b = append(repeated.b, 0, 0, 0, 0)
	each(&there, func(_, empty bool) byte { return oneIf(!empty) })
	binary.LittleEndian.PutUint32(there.b[begin:], uint32(len(there.b)-begin-4))
	p.plain = append(there.b, c.values...)
	return p.plain, there.n, there.n - len(c.values)/8
}

func oneIf(is bool) byte {
	if is {
		return 1
	}
	return 0
}

// Levels are levels of 0 and 1 in runs of the same.
type levels struct {
	b     []byte
	n     int // all of them
	level byte
	run   int
}

func (l *levels) add(level byte, n int) {
	if n == 0 {
		return
	}
	if level != l.level {
		l.finish()
		l.level = level
	}
	l.run += n
	l.n += n
}

// finish writes the run.
func (l *levels) finish() {
	if l.run > 0 {
		l.b = append(binary.AppendUvarint(l.b, uint64(l.run)<<1), l.level)
		l.run = 0
	}
}

// finish compresses a page and puts its header before it.
func (p *pages) finish(to *page, plain []byte) {
	const room = 64 // for the header
	if cap(to.bytes) < room {
		to.bytes = make([]byte, room)
	}
	b := to.bytes[:room]
	switch to.by {
	case searched:
		b = p.zstd.EncodeAll(plain, b)
	case calm:
		b = p.calm.EncodeAll(plain, b)
	case coded:
		b = p.appendLiterals(b, plain)
	}
	h := &p.head
	*h = thrift{b: h.b[:0]}
	h.i32(1, 0) // a data page
	h.i32(2, int64(len(plain)))
	h.i32(3, int64(len(b)-room))
	h.i32(4, int64(int32(crc32.ChecksumIEEE(b[room:]))))
	h.inside(5, func() {
		h.i32(1, int64(to.values))
		h.i32(2, to.encoding)
		h.i32(3, parquetRLE)
		h.i32(4, parquetRLE)
	})
	h.end()
	n := copy(b, h.b)
	to.bytes = append(b[:n], b[room:]...)
	to.plain = len(h.b) + len(plain)
}

// physical returns the type of the column's values in Parquet.
func (c *Column) physical() int64 {
	switch c.Kind {
	case Uint:
		if c.bits > 0 {
			return parquetInt32
		}
		return parquetInt64
	case Int, Time, List:
		return parquetInt64
	case Text:
		return parquetBinary
	}
	return parquetDouble
}
