package export

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"slices"

	"github.com/flowfast/flowfast/flowtable"
)

var errPacked = errors.New("part of a packed row")

// blockRows are the rows that are sorted into columns at once: few enough that
// they and their values stay in the cache of the processor that is the fastest.
const blockRows = 128

// A block is rows that are about to be sorted into columns: packed ones, or flows.
type block struct {
	n     int
	rows  []byte         // the packed ones
	taken bool           // they are those of take
	own   []byte         // those of flows
	at    [blockRows]int // where each packed row begins
	next  [blockRows]int // where its next value, text or list begins
	bits  [blockRows]uint64
	// sorted are the values of 8 bytes, column by column, between blocks all 0: what
	// goes to columns that lie far apart one value at a time, at places whose
	// addresses end in the same bits, is driven out of the cache by the next column.
	sorted *sortedRows
	heads  heads
	others [blockRows]uint8 // see usual
	spans  bool             // those of the columns of [Columns] are wanted

	scattered []scattered // of the rows of the batch
}

// A scattered is values of a row that may stand among zeros, see [columnBytes].
type scattered struct {
	row  int
	bits uint64 // of the columns of [Columns] that have 8 bytes
}

// sortedRows are the values of the columns of a word.
type sortedRows [64 * stride]byte

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

// reset makes the block empty.
func (k *block) reset() {
	if k.sorted == nil || k.n > 0 { // it may not be all 0
		k.sorted = new(sortedRows)
	}
	k.n, k.taken, k.own, k.heads.families = 0, false, k.own[:0], 0
}

// take takes rows from the beginning of b, no more than most of them, and as few
// as bring the bytes of rows to size. It returns those bytes.
func (k *block) take(p *packed, b []byte, most, size int) (int, error) {
	at := 0
	most = min(most, blockRows)
	for at < len(b) && k.n < most && at < size {
		if len(b)-at < p.fixed {
			return 0, errPacked
		}
		length := int(binary.LittleEndian.Uint32(b[at:]))
		if length < p.fixed || length > len(b)-at {
			return 0, errPacked
		}
		k.at[k.n&(blockRows-1)], k.next[k.n&(blockRows-1)] = at, at+p.fixed
		if p.first > 0 && !k.head(b[at:at+length], p.fixed) {
			return 0, errPacked
		}
		k.n++
		at += length
	}
	k.rows, k.taken = b[:at], true
	return at, nil
}

// flow adds a flow. It returns the length of its packed row.
func (k *block) flow(p *packed, f *flowtable.Flow) int {
	from := len(k.own)
	k.own = p.AppendRow(k.own, f)
	k.at[k.n&(blockRows-1)], k.next[k.n&(blockRows-1)] = from, from+p.fixed
	if p.first > 0 {
		k.head(k.own[from:], p.fixed)
	}
	k.n++
	k.rows = k.own
	return len(k.own) - from
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

// numbers appends the values of the columns of a word behind those of [Columns].
func (k *block) numbers(w *word, columns []columnBytes) error {
	for i, from := range k.at[:k.n] {
		k.bits[i&(blockRows-1)] = binary.LittleEndian.Uint64(k.rows[from+w.at:])
	}
	some := uint64(0) // columns that are not 0 in every row
	for from, to := 0, 0; from < k.n; from = to {
		to = k.run(from)
		if !k.gather(w, from, to) {
			return errPacked
		}
		some |= k.bits[from]
	}
	k.append(w, columns, some)
	return nil
}

// run returns where the rows end that have the same bits as one.
func (k *block) run(from int) (to int) {
	all := k.bits[:k.n]
	for to = from + 1; to < len(all) && all[to] == all[from]; to++ {
	}
	return to
}

// append appends the sorted values of the columns of a word to these; some are not 0.
func (k *block) append(w *word, columns []columnBytes, some uint64) {
	for n, i := range w.columns {
		c := &columns[i]
		if some>>n&1 == 0 {
			c.zeros(8 * k.n)
			c.span.add(0)
			continue
		}
		to := c.extend(8 * k.n)[:8*k.n]
		from := k.sorted[n&63*stride:][:len(to)]
		copy(to, from)
		clear(from)
		if c.spanned {
			c.span.widen(to)
		}
	}
}

// gather sorts the values of rows that have the same bits.
func (k *block) gather(w *word, from, to int) bool {
	left := k.bits[from]
	if !k.fits(w, to-1, left) {
		return false
	}
	gather(k.sorted, k.rows, k.next[from:to], left, from)
	return true
}

// fits tells if a row can have the values of these bits.
func (k *block) fits(w *word, row int, left uint64) bool {
	return left&^w.all == 0 && 8*bits.OnesCount64(left) <= len(k.rows)-k.next[row&(blockRows-1)]
}

// gather takes the values of rows that have the same bits, which begin at next, to
// their columns, in rows from the given one on, and moves next behind them.
func gather(sorted *sortedRows, rows []byte, next []int, left uint64, row int) {
	size := 8 * bits.OnesCount64(left)
	column := func() *room {
		to := (*room)(sorted[stride*(bits.TrailingZeros64(left)&63):])
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
