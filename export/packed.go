package export

import (
	"encoding/binary"
	"errors"
	"math"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/flowfast/flowfast/flowtable"
)

// Packed are rows on their way to a format that keeps columns apart. All numbers
// have the smallest byte first. A row begins with its length in 4 bytes, these
// among them. Then come, in the order of their columns, the values that have no 8
// bytes,
//
//	Uint of 8 or 16 bits       1 or 2 bytes
//	Text                       4 bytes, the length of the text, which is UTF-8
//	List                       4 bytes, the number of its numbers
//
// and for every 64 of the other columns 8 bytes, in which each has a bit that tells
// whether its value has one; all this is as long in every row. Then come the values
// that have one,
//
//	Uint, Int, Time            8 bytes, an integer
//	Float, Quarters, Seconds   8 bytes, a float64
//
// and then the texts and the lists, 8 bytes for each of their numbers, in the
// order of their columns. So the workers compute the values, and a flow of one
// packet, most of whose values are 0, is moved and sorted into columns as the
// little that it is.
type packed struct {
	columns  []*Column
	at       []int    // where the columns of no 8 bytes stand in a row
	narrow   []int    // the columns of 1 or 2 bytes
	variable []int    // those of texts and lists
	numbers  []int    // those of 8 bytes
	bits     int      // where the bits of these are
	all      []uint64 // as many bits as there are columns
	fixed    int      // where the values begin
	first    int      // columns that packDefault packs: those of Columns, or none
}

func packedRows(columns []*Column) Rows { return newPacked(columns) }

func newPacked(columns []*Column) *packed {
	p := &packed{columns: columns, at: make([]int, len(columns)), bits: 4}
	for i, c := range columns {
		p.at[i] = p.bits
		switch {
		case c.Kind == Text || c.Kind == List:
			p.variable = append(p.variable, i)
			p.bits += 4
		case c.width() < 8:
			p.narrow = append(p.narrow, i)
			p.bits += c.width()
		default:
			if len(p.numbers)%64 == 0 {
				p.all = append(p.all, 0)
			}
			p.all[len(p.all)-1] |= 1 << (len(p.numbers) % 64)
			p.numbers = append(p.numbers, i)
		}
	}
	p.fixed = p.bits + 8*len(p.all)
	if n := len(defaultColumns); len(columns) >= n && slices.Equal(columns[:n], defaultColumns) {
		p.first = n
	}
	return p
}

// width returns how many bytes the values of the column have, 8 for a text or a
// list.
func (c *Column) width() int {
	if c.Kind == Uint && c.bits > 0 {
		return c.bits / 8
	}
	return 8
}

func (*packed) AppendHeader(b []byte) []byte { return b }

func (p *packed) AppendRow(b []byte, f *flowtable.Flow) []byte {
	le := binary.LittleEndian
	from := len(b)
	b = slices.Grow(b, p.fixed+8*len(p.numbers)+len(row{}))[:from+p.fixed]
	if p.first == len(p.columns) {
		b = packDefault(b, from, p.bits, f)
		b = packAddresses(b, from, f)
		le.PutUint32(b[from:], uint32(len(b)-from))
		return b
	}
	clear(b[from+p.bits:])
	if p.first > 0 {
		b = packDefault(b, from, p.bits, f)
	}
	v := values.Get().(*Value)
	for _, i := range p.narrow {
		if i < p.first {
			continue
		}
		c := p.columns[i]
		c.set(v, f)
		if b[from+p.at[i]] = byte(v.Uint); c.bits == 16 {
			b[from+p.at[i]+1] = byte(v.Uint >> 8)
		}
	}
	for n, i := range p.numbers {
		if i < p.first {
			continue
		}
		if bits := p.columns[i].packedBits(v, f); bits != 0 {
			b = le.AppendUint64(b, bits)
			b[from+p.bits+n/8] |= 1 << (n % 8)
		}
	}
	if p.first > 0 {
		b = packAddresses(b, from, f)
	}
	for _, i := range p.variable {
		if i >= p.first {
			b = p.columns[i].pack(b, from+p.at[i], v, f)
		}
	}
	values.Put(v)
	le.PutUint32(b[from:], uint32(len(b)-from))
	return b
}

// A packer packs the columns of Columns that have 8 bytes.
type packer struct {
	to   *[8 * numDefault]byte
	n    int    // bytes that are written
	bits uint64 // whose values are written
}

// put packs the value of a bit, unless it is 0. The bits come in order. The packer goes
// in and out, which keeps it in registers.
func (p packer) put(bit int, v uint64) packer {
	binary.LittleEndian.PutUint64(p.to[p.n:], v)
	some := (v | -v) >> 63
	p.n += int(some * 8)
	p.bits |= some << bit
	return p
}

// integer packs an integer.
func (p packer) integer(bit int, v uint64) packer { return p.put(bit, min(v, math.MaxInt64)) }

// packDefault packs the columns of Columns, but for the addresses, into a row that
// begins at a position of b and whose fixed part b has room for. Like CSV it does not
// read what can only be zero.
func packDefault(b []byte, from, bits int, f *flowtable.Flow) []byte {
	p := packer{to: (*[8 * numDefault]byte)(b[len(b) : len(b)+8*numDefault])}
	packPorts(b, from, f)
	p = p.head(f)
	if d := &f.Fwd; d.Packets == 1 && f.Bwd.Packets == 0 && d.Bytes > 0 {
		p = p.fill(&onePacked, d)
	} else {
		p = p.groups(f)
	}
	binary.LittleEndian.PutUint64(b[from+bits:], p.bits)
	return b[:len(b)+p.n]
}

// groups packs the columns behind the head.
func (p packer) groups(f *flowtable.Flow) packer {
	first := bitGroups
	for i := range groups {
		g := &groups[i]
		for _, d := range [2]*flowtable.Direction{&f.Fwd, &f.Bwd} {
			if d.Packets >= g.least {
				p = g.pack(p, first, d)
			}
			first += g.size
		}
	}
	return p
}

// packedBits returns the 8 bytes of a value.
func (c *Column) packedBits(v *Value, f *flowtable.Flow) uint64 {
	c.set(v, f)
	switch c.Kind {
	case Uint:
		return min(v.Uint, math.MaxInt64)
	case Int, Time:
		return uint64(v.Int)
	}
	return math.Float64bits(c.float(v))
}

// pack appends a text or a list, and puts how long it is at a position of b.
func (c *Column) pack(b []byte, at int, v *Value, f *flowtable.Flow) []byte {
	le := binary.LittleEndian
	if c.Kind == List {
		c.set(v, f)
		le.PutUint32(b[at:], uint32(len(v.List)))
		for _, n := range v.List {
			b = le.AppendUint64(b, uint64(n))
		}
		return b
	}
	from := len(b)
	b = c.text(b, f)
	if !utf8.Valid(b[from:]) {
		b = append(b[:from], string([]rune(string(b[from:])))...) // U+FFFD for what is none
	}
	le.PutUint32(b[at:], uint32(len(b)-from))
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
	var digits row
	c := Column{Kind: kind}
	f, _ := strconv.ParseFloat(string(c.appendNumber(digits[:0], &Value{Uint: v, Quarters: q})), 64)
	return f
}

var errPacked = errors.New("part of a packed row")

// blockRows are the rows that are sorted into columns at once: few enough that
// they and their values stay in the cache of the processor that is the fastest.
const blockRows = 128

// A block is rows that are about to be sorted into columns.
type block struct {
	rows []byte
	n    int
	at   [blockRows]int // where each row begins
	next [blockRows]int // where the next value, text or list of each row begins
	// sorted are the values of 8 bytes, column by column, between blocks all 0: what
	// goes to columns that lie far apart one value at a time, at places whose
	// addresses end in the same bits, is driven out of the cache by the next column.
	sorted []byte
}

// stride is how far the columns of a sorted block lie apart: not a power of two,
// for the same reason.
const stride = 8*blockRows + 64

// A room is where the values of a block go to, of a column of 8 bytes or fewer.
type room [8 * blockRows]byte

// extend makes a slice n bytes longer, and returns the room behind what was there.
func extend(b *[]byte, n int) *room {
	from := len(*b)
	*b = slices.Grow(*b, len(room{}))
	r := (*room)((*b)[from : from+len(room{})])
	*b = (*b)[:from+n]
	return r
}

// take takes rows from the beginning of b, no more than most of them, and as few
// as bring the bytes of rows to size. It returns those bytes.
func (k *block) take(p *packed, b []byte, most, size int) (int, error) {
	n, at := 0, 0
	most = min(most, blockRows)
	for at < len(b) && n < most && at < size {
		if len(b)-at < p.fixed {
			return 0, errPacked
		}
		length := int(binary.LittleEndian.Uint32(b[at:]))
		if length < p.fixed || length > len(b)-at {
			return 0, errPacked
		}
		k.at[n&(blockRows-1)], k.next[n&(blockRows-1)] = at, at+p.fixed
		n++
		at += length
	}
	k.rows, k.n = b[:at], n
	return at, nil
}

// narrow appends the values of a column of 1 or 2 bytes each.
func (k *block) narrow(to *columnBytes, at, width int) {
	rows, room := k.rows, extend(&to.values, k.n*width)
	for i, from := range k.at[:k.n] {
		if width == 1 {
			room[i&(blockRows-1)] = rows[from+at]
			continue
		}
		i = i * 2 & (2*blockRows - 2)
		binary.LittleEndian.PutUint16(room[i:i+2], binary.LittleEndian.Uint16(rows[from+at:]))
	}
}

// numbers appends the values of the columns of 8 bytes.
func (k *block) numbers(p *packed, columns []columnBytes) error {
	le := binary.LittleEndian
	if size := stride * len(p.numbers); len(k.sorted) != size {
		k.sorted = make([]byte, size)
	}
	rows := k.rows
	copy(k.next[:], k.at[:k.n])
	for i := range k.next[:k.n] {
		k.next[i] += p.fixed
	}
	for w, all := range p.all {
		sorted := k.sorted[64*stride*w:]
		var some uint64 // columns that are not 0 in every row
		for i, j := 0, 0; i < k.n; i = j {
			left := le.Uint64(rows[k.at[i]+p.bits+8*w:])
			for j = i + 1; j < k.n && le.Uint64(rows[k.at[j]+p.bits+8*w:]) == left; j++ {
			}
			next := k.next[i:j] // where the values begin of rows that have the same bits
			if left&^all != 0 || 8*bits.OnesCount64(left) > len(rows)-next[len(next)-1] {
				k.sorted = nil // it is not all 0
				return errPacked
			}
			some |= left
			gather(sorted, rows, next, left, i)
		}
		for n, i := range p.numbers[64*w : min(64*w+64, len(p.numbers))] {
			to := extend(&columns[i].values, 8*k.n)[:8*k.n]
			if some>>n&1 == 0 {
				clear(to)
				continue
			}
			from := sorted[n*stride:][:len(to)]
			copy(to, from)
			clear(from)
		}
	}
	return nil
}

// gather takes the values of rows that have the same bits, which begin at next, to
// their columns, in rows from the given one on, and moves next behind them.
func gather(sorted, rows []byte, next []int, left uint64, row int) {
	size := 8 * bits.OnesCount64(left)
	column := func() *room {
		to := (*room)(sorted[stride*bits.TrailingZeros64(left):])
		left &= left - 1
		return to
	}
	from := 0
	for ; from < size-8; from += 16 {
		gatherTwo(column(), column(), rows, next, from, 8*row)
	}
	if from < size { // what stands before the last value goes to its place first
		last := column()
		gatherTwo(last, last, rows, next, from-8, 8*row)
	}
	for i := range next {
		next[i] += size
	}
}

// gatherTwo does it for two columns, whose values stand side by side, so far behind
// next. As a function of its own it has all that it needs in registers.
//
//go:noinline
func gatherTwo(a, b *room, rows []byte, next []int, behind, at int) {
	le := binary.LittleEndian
	for i, from := range next {
		from += behind
		at := (at + 8*i) & (len(a) - 8)
		v := rows[from : from+16 : from+16]
		le.PutUint64(a[at:at+8], le.Uint64(v[:8]))
		le.PutUint64(b[at:at+8], le.Uint64(v[8:16]))
	}
}

// variable appends the texts or lists of a column that stands at a position of the
// rows and has units of so many bits, and where each of them ends.
func (k *block) variable(to *columnBytes, at, unit int) error {
	const short = 16
	le := binary.LittleEndian
	rows := k.rows
	ends := extend(&to.ends, 4*k.n)
	n := len(to.values)
	end := uint32(n * 8 / unit)
	to.values = slices.Grow(to.values, len(rows)+short) // they are a part of the rows
	values := to.values[:n+len(rows)+short]
	for i, from := range k.at[:k.n] {
		i &= blockRows - 1
		units := int(le.Uint32(rows[from+at : from+at+4 : from+at+4]))
		end += uint32(units)
		le.PutUint32(ends[4*i:4*i+4], end)
		from, size := k.next[i], units*(unit/8)
		k.next[i] += size
		if size <= short && from+short <= len(rows) && n+short <= len(values) {
			v, r := values[n:n+short:n+short], rows[from:from+short:from+short]
			le.PutUint64(v[:8], le.Uint64(r[:8])) // and what is behind it, for now
			le.PutUint64(v[8:16], le.Uint64(r[8:16]))
		} else if size > len(rows)-from || size > len(values)-n {
			return errPacked
		} else {
			copy(values[n:], rows[from:from+size])
		}
		n += size
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
	k, p := &b.block, b.packed
	for _, i := range p.narrow {
		k.narrow(&b.columns[i], p.at[i], p.columns[i].width())
	}
	if err := k.numbers(p, b.columns); err != nil {
		return err
	}
	for _, i := range p.variable {
		unit := 8
		if p.columns[i].Kind == List {
			unit = 64
		}
		if err := k.variable(&b.columns[i], p.at[i], unit); err != nil {
			return err
		}
	}
	return k.done()
}
