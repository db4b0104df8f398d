package export

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"

	"github.com/klauspost/compress/huff0"
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
	values   int // with nulls, which stand for empty lists
	nulls    int
	bounds   bounds

	same  bool // all values have these bytes, and
	value uint64
}

// Bounds are the least and the greatest value of some, as Parquet writes them.
type bounds struct {
	min, max []byte
	there    bool // both are
}

func parquetEncoder(t *Table) *encoder {
	e := newEncoder(t, pagesSize, pageRows, func(e *encoded) error { return e.pages.make(&e.batch) })
	e.spans = true
	return e
}

// make makes the pages of a batch.
func (p *pages) make(b *batch) (err error) {
	if p.zstd == nil {
		p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
			zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20), zstd.WithAllLitEntropyCompression(true))
		p.huffman.Reuse = huff0.ReusePolicyNone
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
	to.encoding = parquetPlain
	search := true
	switch c.Kind {
	case Text:
		plain = p.texts(from)
		to.same = false
		to.bounds.ofTexts(from)
		search = p.repeat(from, plain)
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
		}
	}
	to.values, to.nulls = values, nulls
	p.finish(to, plain, search)
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

// finish compresses a page, which can take a search for what repeats, and puts its header
// before it.
func (p *pages) finish(to *page, plain []byte, search bool) {
	const room = 64 // for the header
	if cap(to.bytes) < room {
		to.bytes = make([]byte, room)
	}
	var b []byte
	if search {
		b = p.zstd.EncodeAll(plain, to.bytes[:room])
	} else {
		b = p.appendLiterals(to.bytes[:room], plain)
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

// ofTexts sets bounds to those of texts. There are none where one is long.
func (b *bounds) ofTexts(c *columnBytes) {
	if b.there = len(c.ends) > 4; !b.there {
		return
	}
	values := c.values
	end := int(binary.LittleEndian.Uint32(c.ends[4:]))
	t := extremes{least: values[:end:end], greatest: values[:end:end]}
	t.low = first8(values, 0, end)
	t.high = t.low
	begin, size := t.low, end
	for at := 8; at+4 <= len(c.ends); at += 4 {
		from, before, last := end, begin, size
		end = int(binary.LittleEndian.Uint32(c.ends[at : at+4]))
		size = end - from
		begin = first8(values, from, size)
		if begin > t.low && begin < t.high {
			continue
		}
		if begin != before || size != last || string(values[from:end]) != string(values[from-size:from]) {
			t.add(values[from:end], begin)
		}
	}
	b.there = len(t.least) <= longest && len(t.greatest) <= longest
	if b.there {
		b.min, b.max = append(b.min[:0], t.least...), append(b.max[:0], t.greatest...)
	}
}

// extremes are the least and the greatest of some texts, and what they begin with.
type extremes struct {
	least, greatest []byte
	low, high       uint64
}

func (t *extremes) add(text []byte, begin uint64) {
	switch {
	case bytes.Compare(text, t.least) < 0:
		t.least, t.low = text, begin
	case bytes.Compare(text, t.greatest) > 0:
		t.greatest, t.high = text, begin
	}
}

// first8 returns the first 8 bytes of a text of this size, the first one in the highest, with
// zeros behind it if it is shorter.
func first8(values []byte, at, size int) uint64 {
	if size < 8 || at+8 > len(values) {
		return last8(values[at : at+size])
	}
	return binary.BigEndian.Uint64(values[at : at+8])
}

// last8 is first8 for a text that is shorter, or has nothing behind it.
func last8(text []byte) uint64 {
	var b [8]byte
	copy(b[:], text)
	return binary.BigEndian.Uint64(b[:])
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
		var r span
		r.reset()
		r.widen(plain)
		b.ofSpan(c, &r)
		return
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
		if least <= greatest { // or none is a number
			b.ofFloats(least, greatest)
		}
		return
	}
	b.there = true
}

// ofSpan sets bounds to those of a column whose values are not below 0 if they are floats.
func (b *bounds) ofSpan(c *Column, s *span) {
	if c.physical() == parquetDouble {
		b.ofFloats(math.Float64frombits(uint64(s.least)), math.Float64frombits(uint64(s.greatest)))
		return
	}
	le := binary.LittleEndian
	b.min, b.max = le.AppendUint64(b.min[:0], uint64(s.least)), le.AppendUint64(b.max[:0], uint64(s.greatest))
	b.there = true
}

func (b *bounds) ofFloats(least, greatest float64) {
	if least == 0 {
		least = math.Copysign(0, -1)
	}
	if greatest == 0 {
		greatest = 0
	}
	le := binary.LittleEndian
	b.min, b.max = le.AppendUint64(b.min[:0], math.Float64bits(least)), le.AppendUint64(b.max[:0], math.Float64bits(greatest))
	b.there = true
}

// isNarrow tells if the bounds are those of integers of 8 bytes, and no more than one
// apart.
func (b *bounds) isNarrow() bool {
	le := binary.LittleEndian
	return b.there && le.Uint64(b.max)-le.Uint64(b.min) <= 1
}

// areMixed tells if of values of 8 bytes that are no more than one apart a 16th or more are
// the greater ones, as some of them have it. In these, as in ones with a zero now and then,
// zstd at its fastest finds a match for each, and takes ten times as long.
func areMixed(values, least []byte) bool {
	const some = 256
	step := max(len(values)/8/some, 1) * 8
	n, all := 0, 0
	for at := 0; at < len(values); at += step {
		if values[at] != least[0] {
			n++
		}
		all++
	}
	return 16*n >= all
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
