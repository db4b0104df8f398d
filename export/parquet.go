package export

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/klauspost/compress/zstd"
)

// A Parquet file has a page of each column for every batch of rows, and a row
// group for every groupSize bytes of columns, or a bit more. What is kept of a row group
// until it is written is its pages, compressed. Workers make the pages; to write a
// row group is to put those of each column one behind the other.
//
// The pages are data pages of version 1, which every reader knows. Encodings are
// plain: dictionaries, deltas and split bytes make these files larger once they
// are compressed, and plain is what the columns of a batch are already.
//
// The file is written here, without a library, because of the libraries for
// Parquet one takes values one by one, and neither lets workers make pages. The
// definition is https://github.com/apache/parquet-format.
var (
	groupSize = 32 << 20 // variables for the tests
	pageRows  = 8192
	pagesSize = 4 << 20 // bytes of packed rows that a batch has at most
)

// The numbers by which Parquet calls things.
const (
	parquetInt32, parquetInt64, parquetDouble, parquetBinary = 1, 2, 5, 6 // types

	parquetRequired, parquetRepeated = 0, 2

	parquetUTF8, parquetListType, parquetMicros, parquetUint8, parquetUint16, parquetInt64Type = 0, 3, 10, 11, 12, 18 // converted types

	logicalString, logicalList, logicalTimestamp, logicalInteger = 1, 3, 8, 10

	logicalMicros, logicalNanos = 2, 3 // units of a timestamp

	parquetPlain, parquetRLE = 0, 3 // encodings
	parquetZstd              = 6
)

// longest is the length of the longest text that pages and row groups are
// described with: the least and the greatest of a column.
const longest = 256

// pages are the pages of a batch, and what it takes to make them.
type pages struct {
	zstd    *zstd.Encoder
	columns []page
	plain   []byte // the page at hand
	head    thrift
}

// A page is the values of a column in a batch.
type page struct {
	bytes  []byte // the header, and the compressed values
	plain  int    // length of the header and the values before they were compressed
	values int    // with nulls, which stand for empty lists
	nulls  int
	bounds bounds

	same  bool // all values have these bytes, and
	value uint64
}

// Bounds are the least and the greatest value of some, as Parquet writes them.
type bounds struct {
	min, max []byte
	there    bool // both are
}

func parquetEncoder(t *Table) *encoder {
	return newEncoder(t, pagesSize, pageRows, func(e *encoded) error { return e.pages.make(&e.batch) })
}

// make makes the pages of a batch.
func (p *pages) make(b *batch) (err error) {
	if p.zstd == nil {
		p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))
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

// column makes the page of a column.
func (p *pages) column(to *page, c *Column, from *columnBytes, rows int) {
	values, nulls := rows, 0
	var plain []byte
	switch c.Kind {
	case Text:
		plain = p.texts(from)
		to.same = false
		to.bounds.ofTexts(from)
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
		plain = p.widened(from.values, width)
		if same {
			to.bounds.ofNumbers(c, plain[:max(width, 4)])
		} else {
			to.bounds.ofNumbers(c, plain)
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
	p.plain = p.plain[:0]
	for i := 0; i < len(values); i += width {
		v := uint32(values[i])
		if width == 2 {
			v |= uint32(values[i+1]) << 8
		}
		p.plain = binary.LittleEndian.AppendUint32(p.plain, v)
	}
	return p.plain
}

// texts returns texts with their lengths before them.
func (p *pages) texts(c *columnBytes) []byte {
	p.plain = p.plain[:0]
	for text := range c.texts() {
		p.plain = binary.LittleEndian.AppendUint32(p.plain, uint32(len(text)))
		p.plain = append(p.plain, text...)
	}
	return p.plain
}

// texts yields the texts.
func (c *columnBytes) texts() func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		from := uint32(0)
		for at := 4; at < len(c.ends); at += 4 {
			end := binary.LittleEndian.Uint32(c.ends[at:])
			if !yield(c.values[from:end]) {
				return
			}
			from = end
		}
	}
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
	b := p.zstd.EncodeAll(plain, to.bytes[:room])
	h := &p.head
	*h = thrift{b: h.b[:0]}
	h.i32(1, 0) // a data page
	h.i32(2, int64(len(plain)))
	h.i32(3, int64(len(b)-room))
	h.i32(4, int64(int32(crc32.ChecksumIEEE(b[room:]))))
	h.inside(5, func() {
		h.i32(1, int64(to.values))
		h.i32(2, parquetPlain)
		h.i32(3, parquetRLE)
		h.i32(4, parquetRLE)
	})
	h.end()
	n := copy(b, h.b)
	to.bytes = append(b[:n], b[room:]...)
	to.plain = len(h.b) + len(plain)
}

// ofTexts sets bounds to those of texts. There are none where one is long.
func (b *bounds) ofTexts(c *columnBytes) {
	var least, greatest []byte
	first := true
	for text := range c.texts() {
		switch {
		case first:
			least, greatest, first = text, text, false
		case bytes.Compare(text, least) < 0:
			least = text
		case bytes.Compare(text, greatest) > 0:
			greatest = text
		}
	}
	b.there = !first && len(least) <= longest && len(greatest) <= longest
	if b.there {
		b.min, b.max = append(b.min[:0], least...), append(b.max[:0], greatest...)
	}
}

// ofNumbers sets bounds to those of the plain values of a column, or of a list's
// numbers. No number that is none counts, and Parquet wants a zero to be -0 if it is
// the least and +0 if it is the greatest.
func (b *bounds) ofNumbers(c *Column, plain []byte) {
	le := binary.LittleEndian
	b.min, b.max, b.there = b.min[:0], b.max[:0], false
	switch {
	case len(plain) == 0:
		return
	case c.physical() == parquetInt32:
		least, greatest := uint32(math.MaxUint32), uint32(0)
		for i := 4; i <= len(plain); i += 4 {
			v := le.Uint32(plain[i-4 : i : i])
			least, greatest = min(least, v), max(greatest, v)
		}
		b.min, b.max = le.AppendUint32(b.min, least), le.AppendUint32(b.max, greatest)
	case c.physical() == parquetInt64:
		least, greatest := int64(math.MaxInt64), int64(math.MinInt64)
		for i := 8; i <= len(plain); i += 8 {
			v := int64(le.Uint64(plain[i-8 : i : i]))
			least, greatest = min(least, v), max(greatest, v)
		}
		b.min, b.max = le.AppendUint64(b.min, uint64(least)), le.AppendUint64(b.max, uint64(greatest))
	default:
		least, greatest := math.Inf(1), math.Inf(-1)
		for i := 8; i <= len(plain); i += 8 {
			v := math.Float64frombits(le.Uint64(plain[i-8 : i : i]))
			if v < least {
				least = v
			}
			if v > greatest {
				greatest = v
			}
		}
		b.there = least <= greatest // or none is a number
		if least == 0 {
			least = math.Copysign(0, -1)
		}
		if greatest == 0 {
			greatest = 0
		}
		b.min, b.max = le.AppendUint64(b.min, math.Float64bits(least)), le.AppendUint64(b.max, math.Float64bits(greatest))
		return
	}
	b.there = true
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

// compare compares two values of the column as they stand in bounds.
func (c *Column) compare(a, b []byte) int {
	le := binary.LittleEndian
	switch c.physical() {
	case parquetInt32:
		return sign(le.Uint32(a), le.Uint32(b))
	case parquetInt64:
		return sign(int64(le.Uint64(a)), int64(le.Uint64(b)))
	case parquetDouble:
		return sign(math.Float64frombits(le.Uint64(a)), math.Float64frombits(le.Uint64(b)))
	}
	return bytes.Compare(a, b)
}

// sign is cmp.Compare, to which the two zeros are the same too.
func sign[T uint32 | int64 | float64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
