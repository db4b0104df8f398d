package export

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/flowfast/flowfast/flowtable"
)

// Packed are rows on their way to a format that keeps columns apart. All numbers
// have the smallest byte first. A row begins with its length in 4 bytes, these
// among them; then comes a part that is as long in every row, with the columns in
// their order:
//
//	Uint                       1, 2 or 8 bytes, as many as the column's values need
//	Int, Time                  8 bytes, an integer
//	Float, Quarters, Seconds   8 bytes, a float64
//	Text                       4 bytes, the length of the text, which is UTF-8
//	List                       4 bytes, the number of its numbers
//
// and then the texts and the lists, 8 bytes for each of their numbers, in the
// order of their columns. So the workers compute the values, and whoever sorts
// them into columns finds each at the same place in every row.
type packed struct {
	columns []*Column
	at      []int // where each column stands in a row
	runs    []int // from each column on, how many have 8 bytes
	fixed   int   // where the texts and the lists begin
	first   int   // columns that packDefault packs: those of Columns, or none
}

func packedRows(columns []*Column) Rows { return newPacked(columns) }

func newPacked(columns []*Column) *packed {
	p := &packed{columns: columns, fixed: 4}
	for _, c := range columns {
		p.at = append(p.at, p.fixed)
		p.fixed += c.width()
	}
	p.runs = make([]int, len(columns)+1)
	for i := len(columns) - 1; i >= 0; i-- {
		if columns[i].width() == 8 {
			p.runs[i] = p.runs[i+1] + 1
		}
	}
	if n := len(defaultColumns); len(columns) >= n && slices.Equal(columns[:n], defaultColumns) {
		p.first = n
	}
	return p
}

// width returns how many bytes the column takes in the fixed part of a packed row.
func (c *Column) width() int {
	switch {
	case c.Kind == Text || c.Kind == List:
		return 4
	case c.bits > 0:
		return c.bits / 8
	}
	return 8
}

func (*packed) AppendHeader(b []byte) []byte { return b }

func (p *packed) AppendRow(b []byte, f *flowtable.Flow) []byte {
	from := len(b)
	b = slices.Grow(b, p.fixed+rowRoom)[:from+p.fixed]
	if p.first > 0 {
		b = packDefault(b, from, f)
	}
	if p.first < len(p.columns) {
		v := values.Get().(*Value)
		for i, c := range p.columns[p.first:] {
			b = c.pack(b, from+p.at[p.first+i], v, f)
		}
		values.Put(v)
	}
	binary.LittleEndian.PutUint32(b[from:], uint32(len(b)-from))
	return b
}

// Where the columns of Columns stand in a packed row.
const (
	packedSrc      = 4
	packedSrcPort  = packedSrc + 4
	packedDst      = packedSrcPort + 2
	packedDstPort  = packedDst + 4
	packedProtocol = packedDstPort + 2
	packedStart    = packedProtocol + 1
	packedDuration = packedStart + 8
	packedCounts   = packedDuration + 8 // packets and bytes, forward and backward
	packedSizes    = packedCounts + 4*8 // five for each direction
	packedIATs     = packedSizes + 10*8 // five for each direction
	packedFlags    = packedIATs + 10*8  // eight for each direction
	packedEnd      = packedFlags + 16*8
)

// packDefault packs the columns of Columns into a row that begins at a position
// of b and whose fixed part b has room for, and appends the addresses. Like CSV
// it does not read what can only be zero.
func packDefault(b []byte, from int, f *flowtable.Flow) []byte {
	le := binary.LittleEndian
	p := (*[packedEnd]byte)(b[from : from+packedEnd])
	clear(p[:])
	le.PutUint16(p[packedSrcPort:], f.SrcPort)
	le.PutUint16(p[packedDstPort:], f.DstPort)
	p[packedProtocol] = f.Protocol
	le.PutUint64(p[packedStart:], uint64(f.Start))
	if ns := f.Nanoseconds(); ns > 0 {
		le.PutUint64(p[packedDuration:], math.Float64bits(seconds(ns, 0)))
	}
	d := &f.Fwd
	if d.Packets == 1 && f.Bwd.Packets == 0 {
		size, real := min(d.Bytes, math.MaxInt64), math.Float64bits(float64(d.Bytes))
		le.PutUint64(p[packedCounts:], 1)
		le.PutUint64(p[packedCounts+8:], size)
		le.PutUint64(p[packedSizes:], size)
		le.PutUint64(p[packedSizes+8:], real)
		le.PutUint64(p[packedSizes+16:], real)
		le.PutUint64(p[packedSizes+24:], real)
		le.PutUint64(p[packedSizes+32:], size)
		packFlags((*[8 * 8]byte)(p[packedFlags:]), &d.Flags)
	} else {
		packDirection(p, 0, d)
		packDirection(p, 1, &f.Bwd)
	}
	r := (*row)(b[len(b) : len(b)+rowRoom])
	n := r.addr(0, f.Src, f.V6) - 1 // over the comma
	m := r.addr(n, f.Dst, f.V6) - 1
	le.PutUint32(p[packedSrc:], uint32(n))
	le.PutUint32(p[packedDst:], uint32(m-n))
	return b[:len(b)+m]
}

// packDirection packs the columns of the forward direction, 0, or the other one, 1.
func packDirection(p *[packedEnd]byte, i int, d *flowtable.Direction) {
	if d.Packets == 0 {
		return
	}
	le := binary.LittleEndian
	counts := p[packedCounts+i*2*8:]
	le.PutUint64(counts, min(d.Packets, math.MaxInt64))
	le.PutUint64(counts[8:], min(d.Bytes, math.MaxInt64))
	five := (*[5 * 8]byte)(p[packedSizes+i*5*8:])
	s := &d.Sizes
	le.PutUint64(five[0:], min(s.Whole[0], math.MaxInt64))
	for k := 1; k < 4; k++ {
		le.PutUint64(five[k*8:], math.Float64bits(quartered(s.Whole[k], s.Quarters[k])))
	}
	le.PutUint64(five[4*8:], min(s.Whole[4], math.MaxInt64))
	packFlags((*[8 * 8]byte)(p[packedFlags+i*8*8:]), &d.Flags)
	if d.Packets < 2 {
		return
	}
	five, s = (*[5 * 8]byte)(p[packedIATs+i*5*8:]), &d.IATs
	for k, v := range s.Whole {
		le.PutUint64(five[k*8:], math.Float64bits(seconds(v, s.Quarters[k])))
	}
}

func packFlags(p *[8 * 8]byte, counts *[8]uint64) {
	for i, v := range counts {
		binary.LittleEndian.PutUint64(p[i*8:], min(v, math.MaxInt64))
	}
}

// pack packs a value at a position of b, and appends it where it is a text or a
// list.
func (c *Column) pack(b []byte, at int, v *Value, f *flowtable.Flow) []byte {
	le := binary.LittleEndian
	if c.Kind == Text {
		from := len(b)
		b = c.text(b, f)
		if !utf8.Valid(b[from:]) {
			b = append(b[:from], string([]rune(string(b[from:])))...) // U+FFFD for what is none
		}
		le.PutUint32(b[at:], uint32(len(b)-from))
		return b
	}
	c.set(v, f)
	switch c.Kind {
	case List:
		le.PutUint32(b[at:], uint32(len(v.List)))
		for _, n := range v.List {
			b = le.AppendUint64(b, uint64(n))
		}
	case Uint:
		switch c.bits {
		case 8:
			b[at] = byte(v.Uint)
		case 16:
			le.PutUint16(b[at:], uint16(v.Uint))
		default:
			le.PutUint64(b[at:], min(v.Uint, math.MaxInt64))
		}
	case Int, Time:
		le.PutUint64(b[at:], uint64(v.Int))
	default:
		le.PutUint64(b[at:], math.Float64bits(c.float(v)))
	}
	return b
}

// float returns a value that is a number as the nearest float64: the one that
// its decimals in CSV are read as.
func (c *Column) float(v *Value) float64 {
	switch {
	case c.Kind == Float:
		return v.Float
	case c.Kind == Quarters:
		return quartered(v.Uint, v.Quarters)
	case v.None:
		return 0
	}
	return seconds(v.Uint, v.Quarters)
}

// exact is a number four times of which, and of what is below, is a float64.
const exact = 1 << 51

// quartered returns the float64 of a whole number and quarters.
func quartered(v uint64, q uint8) float64 {
	if v >= exact {
		return slowFloat(Quarters, v, q)
	}
	return float64(int64(v)) + float64(q&3)/4
}

// seconds returns the float64 of nanoseconds and quarters of one, in seconds.
func seconds(v uint64, q uint8) float64 {
	if v >= exact {
		return slowFloat(Seconds, v, q)
	}
	return float64(int64(v*4+uint64(q&3))) / (4 * second) // one rounding
}

// slowFloat takes the way over the decimals.
func slowFloat(kind Kind, v uint64, q uint8) float64 {
	var digits [rowRoom]byte
	c := Column{Kind: kind}
	f, _ := strconv.ParseFloat(string(c.appendNumber(digits[:0], &Value{Uint: v, Quarters: q})), 64)
	return f
}

var errPacked = errors.New("part of a packed row")

// blockRows are the rows that are sorted into columns at once: few enough that
// they stay in the cache of the processor that is the fastest while column after
// column is read.
const blockRows = 64

// A block is rows that are about to be sorted into columns.
type block struct {
	rows []byte
	n    int
	at   [blockRows]int // where each row begins
	next [blockRows]int // where the next text or list of each row begins
}

// take takes rows from the beginning of b, no more than most of them, and as few
// as bring the bytes of rows to size. It returns those bytes.
func (k *block) take(p *packed, b []byte, most, size int) (int, error) {
	k.n = 0
	at := 0
	for at < len(b) && k.n < min(most, blockRows) && at < size {
		if len(b)-at < p.fixed {
			return 0, errPacked
		}
		n := int(binary.LittleEndian.Uint32(b[at:]))
		if n < p.fixed || n > len(b)-at {
			return 0, errPacked
		}
		k.at[k.n], k.next[k.n] = at, at+p.fixed
		k.n++
		at += n
	}
	k.rows = b[:at]
	return at, nil
}

// fixed appends the values of a column of so many bytes each.
func (k *block) fixed(to []byte, at, width int) []byte {
	le := binary.LittleEndian
	rows, room := k.rows, (*[8 * blockRows]byte)(extend(&to, k.n*width))
	switch width {
	case 1:
		for i, from := range k.at[:k.n] {
			room[i&(blockRows-1)] = rows[from+at]
		}
	case 2:
		for i, from := range k.at[:k.n] {
			i = i * 2 & (2*blockRows - 2)
			le.PutUint16(room[i:i+2], le.Uint16(rows[from+at:]))
		}
	default:
		for i, from := range k.at[:k.n] {
			i = i * 8 & (8*blockRows - 8)
			le.PutUint64(room[i:i+8], le.Uint64(rows[from+at:]))
		}
	}
	return to
}

// extend makes a slice n bytes longer, and returns what comes behind it: room for
// a block of values of 8 bytes.
func extend(b *[]byte, n int) []byte {
	from := len(*b)
	*b = slices.Grow(*b, 8*blockRows)
	room := (*b)[from : from+8*blockRows]
	*b = (*b)[:from+n]
	return room
}

// Eight are as many columns of 8 bytes, one behind the other in a row, as are
// read at once.
type eight [8]columnBytes

// eight appends the values of eight columns, the first of which stands at a
// position of the rows.
func (k *block) eight(to *eight, at int) {
	var d [8]*[8 * blockRows]byte
	for i := range to {
		d[i] = (*[8 * blockRows]byte)(extend(&to[i].values, 8*k.n))
	}
	le := binary.LittleEndian
	d0, d1, d2, d3, d4, d5, d6, d7 := d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]
	rows := k.rows
	for i, from := range k.at[:k.n] {
		s := (*[8 * 8]byte)(rows[from+at:])
		i = i * 8 & (8*blockRows - 8)
		le.PutUint64(d0[i:i+8], le.Uint64(s[0:]))
		le.PutUint64(d1[i:i+8], le.Uint64(s[8:]))
		le.PutUint64(d2[i:i+8], le.Uint64(s[16:]))
		le.PutUint64(d3[i:i+8], le.Uint64(s[24:]))
		le.PutUint64(d4[i:i+8], le.Uint64(s[32:]))
		le.PutUint64(d5[i:i+8], le.Uint64(s[40:]))
		le.PutUint64(d6[i:i+8], le.Uint64(s[48:]))
		le.PutUint64(d7[i:i+8], le.Uint64(s[56:]))
	}
}

// variable appends the texts or lists of a column that stands at a position of the
// rows and has units of so many bytes, and where each of them ends.
func (k *block) variable(to *columnBytes, at, unit int) error {
	const short = 16
	le := binary.LittleEndian
	rows := k.rows
	ends := (*[8 * blockRows]byte)(extend(&to.ends, 4*k.n))
	n := len(to.values)
	to.values = slices.Grow(to.values, len(rows)+short) // they are a part of the rows
	values := to.values[:n+len(rows)+short]
	for i, from := range k.at[:k.n] {
		size := int(le.Uint32(rows[from+at:])) * unit
		from = k.next[i&(blockRows-1)]
		if size > len(rows)-from || size > len(values)-short-n {
			return errPacked
		}
		if size <= short && from+short <= len(rows) {
			*(*[short]byte)(values[n:]) = [short]byte(rows[from:]) // and what is behind it, for now
		} else {
			copy(values[n:], rows[from:from+size])
		}
		k.next[i&(blockRows-1)] = from + size
		n += size
		le.PutUint32(ends[i*4&(8*blockRows-4):], uint32(n/unit))
	}
	to.values = values[:n]
	return nil
}

// done tells whether all texts and lists were taken, to the last byte.
func (k *block) done() error {
	for i, next := range k.next[:k.n] {
		end := len(k.rows)
		if i+1 < k.n {
			end = k.at[i+1]
		}
		if next != end {
			return errPacked
		}
	}
	return nil
}

// A batch is rows sorted into columns.
type batch struct {
	packed  *packed
	block   block
	rows    int
	size    int // bytes of packed rows
	columns []columnBytes
}

// A columnBytes is the values of a column, one behind the other as they stand in
// packed rows, and for Text and List where each ends, in 4 bytes: in bytes of
// text or in numbers. The first end is that before the first value, 0.
type columnBytes struct{ values, ends []byte }

// reset makes the batch empty, for rows of these columns.
func (b *batch) reset(p *packed) {
	if b.packed != p {
		b.packed, b.columns = p, make([]columnBytes, len(p.columns))
	}
	b.rows, b.size = 0, 0
	for i := range b.columns {
		c := &b.columns[i]
		c.values, c.ends = c.values[:0], append(c.ends[:0], 0, 0, 0, 0)
	}
}

// add takes rows from the beginning of from until there are as many of them as
// most, or as many bytes of rows as size. It returns how many bytes it took.
func (b *batch) add(from []byte, most, size int) (int, error) {
	taken := 0
	for taken < len(from) && b.rows < most && b.size < size {
		n, err := b.block.take(b.packed, from[taken:], most-b.rows, size-b.size)
		if err == nil {
			err = b.sort()
		}
		if err != nil {
			return taken, err
		}
		taken += n
		b.rows += b.block.n
		b.size += n
	}
	return taken, nil
}

// sort appends the values of the block to those of the columns.
func (b *batch) sort() error {
	k := &b.block
	for i := 0; i < len(b.columns); {
		to, at := &b.columns[i], b.packed.at[i]
		switch c := b.packed.columns[i]; {
		case c.Kind == Text:
			if err := k.variable(to, at, 1); err != nil {
				return err
			}
		case c.Kind == List:
			if err := k.variable(to, at, 8); err != nil {
				return err
			}
		case b.packed.runs[i] >= len(eight{}):
			k.eight((*eight)(b.columns[i:]), at)
			i += len(eight{})
			continue
		default:
			to.values = k.fixed(to.values, at, c.width())
		}
		i++
	}
	return k.done()
}
