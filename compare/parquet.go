package compare

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// A parquetReader reads Parquet as package export writes it, and no other:
// columns that are there in every row, or lists of whole numbers; pages of version 1,
// plain or in differences, compressed with zstd or not; in each row group every column with pages of the
// same rows. To read all of Parquet takes a library that is larger than the
// rest of the command. The definition is https://github.com/apache/parquet-format.
type parquetReader struct {
	file   string
	in     io.ReaderAt
	size   int64
	zstd   *zstd.Decoder
	cols   []parquetColumn
	names  []string
	groups []thriftStruct
	left   int64 // rows of the group that are still to come
	rows   int   // of the pages at hand
	row    int
}

// A parquetColumn is a column with the page at hand.
type parquetColumn struct {
	name          string
	kind          int64 // of the values
	time, list    bool
	codec         int64
	at, end       int64 // the pages still to come in the file
	page          []byte
	values        []byte // of page, still to come
	ends          []int  // of lists: how many numbers come before the end of each
	taken         int    // numbers of lists
	raw, unpacked []byte
	plain         []byte // what a page of differences is
}

// pageMost is the most bytes of a page. Batches of 4 MiB of packed rows make pages.
const pageMost = 64 << 20

// The numbers by which Parquet calls things.
const (
	parquetInt32, parquetInt64, parquetDouble, parquetBinary = 1, 2, 5, 6

	parquetRepeated = 2
	parquetUnpacked = 0
	parquetZstd     = 6

	parquetPlain       = 0
	parquetDifferences = 5

	logicalTimestamp = 8
)

func (r *parquetReader) wrong(format string, args ...any) error {
	return &Error{File: r.file, Text: fmt.Sprintf(format, args...)}
}

func newParquet(in io.ReaderAt, size int64, file string) (reader, error) {
	r := &parquetReader{file: file, in: in, size: size}
	var tail [8]byte
	if size < 12 {
		return nil, r.wrong("is not a whole Parquet file: it has %d bytes", size)
	}
	if _, err := in.ReadAt(tail[:], size-8); err != nil {
		return nil, r.wrong("%v", err)
	}
	length := int64(binary.LittleEndian.Uint32(tail[:]))
	if string(tail[4:]) != "PAR1" || length > size-12 {
		return nil, r.wrong("is not a whole Parquet file: its end is missing")
	}
	foot := make([]byte, length)
	if _, err := in.ReadAt(foot, size-8-length); err != nil {
		return nil, r.wrong("%v", err)
	}
	s, _, err := readStruct(foot)
	if err != nil {
		return nil, r.wrong("%v", err)
	}
	if err := r.schema(s.structs(2)); err != nil {
		return nil, err
	}
	r.groups = s.structs(4)
	r.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(pageMost))
	return r, err
}

// schema takes the columns from the elements of the schema, of which the first stands
// for the rows.
func (r *parquetReader) schema(elements []thriftStruct) error {
	for i := 1; i < len(elements); i++ {
		e := elements[i]
		c := parquetColumn{name: e.text(4), kind: e.int(1)}
		switch {
		case e.int(5) == 1 && i+2 < len(elements) && elements[i+1].int(3) == parquetRepeated && elements[i+2].int(1) == parquetInt64:
			c.list, c.kind = true, parquetInt64
			i += 2
		case e.int(5) != 0 || e.int(3) != 0:
			return r.wrong("column %q may be missing in some rows or has columns inside: flowfast writes none like it", c.name)
		}
		if l := e.inside(10); l != nil && l.inside(logicalTimestamp) != nil {
			if l.inside(logicalTimestamp).inside(2).inside(3) == nil {
				return r.wrong("times of column %q are no nanoseconds", c.name)
			}
			c.time = true
		}
		switch c.kind {
		case parquetInt32, parquetInt64, parquetDouble, parquetBinary:
		default:
			return r.wrong("column %q has values of type %d: flowfast writes none like it", c.name, c.kind)
		}
		r.cols, r.names = append(r.cols, c), append(r.names, c.name)
	}
	return unlike(r.names, r.file)
}

func (r *parquetReader) columns() []string { return r.names }

func (r *parquetReader) next(row [][]byte) error {
	for r.row == r.rows {
		for r.left == 0 {
			if len(r.groups) == 0 {
				return io.EOF
			}
			if err := r.begin(r.groups[0]); err != nil {
				return err
			}
			r.groups = r.groups[1:]
		}
		if err := r.readPages(); err != nil {
			return err
		}
	}
	for i := range r.cols {
		var ok bool
		if row[i], ok = r.cols[i].append(row[i][:0], r.row); !ok {
			return r.wrong("a page of column %q has fewer values than rows", r.cols[i].name)
		}
	}
	r.row++
	return nil
}

// begin begins a row group.
func (r *parquetReader) begin(group thriftStruct) error {
	chunks := group.structs(1)
	if len(chunks) != len(r.cols) {
		return r.wrong("a row group has %d columns, and the table %d", len(chunks), len(r.cols))
	}
	for i, chunk := range chunks {
		c, of := &r.cols[i], chunk.inside(3)
		c.codec, c.at = of.int(4), of.int(9)
		c.end = c.at + of.int(7)
		switch {
		case of.int(11) != 0:
			return r.wrong("column %q has a dictionary: only Parquet that flowfast wrote can be read; write CSV or Arrow instead", c.name)
		case c.codec != parquetZstd && c.codec != parquetUnpacked:
			return r.wrong("column %q is compressed by method %d: only Parquet that flowfast wrote can be read; write CSV or Arrow instead", c.name, c.codec)
		case c.at < 4 || c.end < c.at || c.end > r.size:
			return r.wrong("column %q lies beyond the end of the file", c.name)
		}
	}
	r.left = group.int(3)
	return nil
}

// readPages reads the next page of each column.
func (r *parquetReader) readPages() error {
	r.row = 0
	for i := range r.cols {
		n, err := r.page(&r.cols[i])
		if err != nil {
			return err
		}
		if i > 0 && n != r.rows {
			return r.wrong("pages of columns %q and %q have %d and %d rows: only Parquet that flowfast wrote can be read", r.names[0], r.names[i], r.rows, n)
		}
		r.rows = n
	}
	if r.rows == 0 || int64(r.rows) > r.left {
		return r.wrong("a row group has other rows than its pages")
	}
	r.left -= int64(r.rows)
	return nil
}

// page reads a page of a column, and returns how many rows it has.
func (r *parquetReader) page(c *parquetColumn) (rows int, err error) {
	const headMost = 64 << 10
	head := make([]byte, min(headMost, c.end-c.at))
	if _, err := r.in.ReadAt(head, c.at); err != nil {
		return 0, r.wrong("%v", err)
	}
	h, n, err := readStruct(head)
	if err != nil {
		return 0, r.wrong("at offset %d: %v", c.at, err)
	}
	size, unpacked, data := h.int(3), h.int(2), h.inside(5)
	if data == nil || data.int(2) != parquetPlain && (data.int(2) != parquetDifferences || c.list || c.kind != parquetInt32 && c.kind != parquetInt64) {
		return 0, r.wrong("column %q has a page in another encoding: only Parquet that flowfast wrote can be read; write CSV or Arrow instead", c.name)
	}
	if size < 0 || size > c.end-c.at-int64(n) || unpacked < 0 || unpacked > pageMost {
		return 0, r.wrong("at offset %d: a page of %d bytes is longer than its column", c.at, size)
	}
	c.raw = slices.Grow(c.raw[:0], int(size))[:size]
	if _, err := r.in.ReadAt(c.raw, c.at+int64(n)); err != nil {
		return 0, r.wrong("%v", err)
	}
	at := c.at
	c.at += int64(n) + size
	c.page = c.raw
	if c.codec == parquetZstd {
		if c.unpacked, err = r.zstd.DecodeAll(c.raw, c.unpacked[:0]); err != nil {
			return 0, r.wrong("at offset %d: %v", at, err)
		}
		c.page = c.unpacked
	}
	if int64(len(c.page)) != unpacked {
		return 0, r.wrong("at offset %d: a page has %d bytes, and says %d", at, len(c.page), unpacked)
	}
	c.values = c.page
	values := data.int(1)
	if values < 0 || values > int64(len(c.page))*64+64 {
		return 0, r.wrong("at offset %d: a page of %d bytes has no %d values", at, len(c.page), values)
	}
	if data.int(2) == parquetDifferences {
		size, ok := 8, false
		if c.kind == parquetInt32 {
			size = 4
		}
		if c.plain, ok = plainOf(c.plain, c.page, int(values), size); !ok {
			return 0, r.wrong("at offset %d: the differences are damaged", at)
		}
		c.values = c.plain
	}
	if !c.list {
		return int(values), nil
	}
	if !c.levels(int(values)) {
		return 0, r.wrong("at offset %d: the lengths of lists are damaged", at)
	}
	return len(c.ends), nil
}

// levels takes the levels of lists from the front of the page.
func (c *parquetColumn) levels(values int) bool {
	c.ends, c.taken = c.ends[:0], 0
	repeated, ok := c.level(values)
	there, ok2 := c.level(values)
	if !ok || !ok2 {
		return false
	}
	n := 0
	for i := range values {
		if repeated[i] == 0 {
			c.ends = append(c.ends, n)
		} else if i == 0 {
			return false
		}
		n += int(there[i])
		c.ends[len(c.ends)-1] = n
	}
	return n*8 == len(c.values)
}

// level reads levels of 0 and 1, in runs of the same.
func (c *parquetColumn) level(values int) ([]byte, bool) {
	if len(c.values) < 4 {
		return nil, false
	}
	size := int64(binary.LittleEndian.Uint32(c.values))
	if size > int64(len(c.values)-4) {
		return nil, false
	}
	runs := c.values[4 : 4+size]
	c.values = c.values[4+size:]
	all := make([]byte, 0, values)
	for len(runs) > 0 {
		n, k := binary.Uvarint(runs)
		if k <= 0 || n&1 != 0 || k == len(runs) || runs[k] > 1 || n>>1 > uint64(values-len(all)) {
			return nil, false
		}
		all = append(all, slices.Repeat(runs[k:k+1], int(n>>1))...)
		runs = runs[k+1:]
	}
	return all, len(all) == values
}

// append appends the text of the value of the next row, which has a number in the
// pages.
func (c *parquetColumn) append(b []byte, row int) ([]byte, bool) {
	le := binary.LittleEndian
	take := func(n int) []byte {
		if n < 0 || n > len(c.values) {
			return nil
		}
		v := c.values[:n]
		c.values = c.values[n:]
		return v
	}
	switch {
	case c.list:
		if row >= len(c.ends) {
			return b, false
		}
		list := make([]int64, 0, 16)
		for ; c.taken < c.ends[row]; c.taken++ {
			list = append(list, int64(le.Uint64(take(8)))) // levels has seen that they are there
		}
		return appendList(b, list), true
	case c.kind == parquetInt32:
		if v := take(4); v != nil {
			return strconv.AppendUint(b, uint64(le.Uint32(v)), 10), true
		}
	case c.kind == parquetBinary:
		if v := take(4); v != nil {
			n := int(le.Uint32(v))
			if text := take(n); text != nil || n == 0 {
				return append(b, text...), true
			}
		}
	default:
		v := take(8)
		switch {
		case v == nil:
		case c.kind == parquetDouble:
			return appendFloat(b, math.Float64frombits(le.Uint64(v))), true
		case c.time:
			return appendTime(b, int64(le.Uint64(v))), true
		default:
			return strconv.AppendInt(b, int64(le.Uint64(v)), 10), true
		}
	}
	return b, false
}
