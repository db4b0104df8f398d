package export

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// A batch is rows sorted into columns.
type batch struct {
	packed *packed
	block  block
	rows   int
	size   int // bytes of packed rows
	most   int // rows that are expected
	room   int // rows for which the columns have memory

	allDefault bool // the columns are those of [Columns] alone
	columns    []columnBytes
}

// A columnBytes is the values of a column, one behind the other as they stand in
// packed rows, and for Text and List where each ends, in 4 bytes: in bytes of
// text or in numbers. The first end is that before the first value, 0.
type columnBytes struct {
	values, ends []byte
	span         span
	spanned      bool // it is that of the values

	// The memory of a column of 8 bytes is 0 behind the values, but for what an earlier
	// batch may have left before stale. So zeros, which most columns of a flood are, need
	// not be written. Of the values, those before used may be others than zeros; behind,
	// only those are that are scattered.
	stale, used int
}

// extend makes a column of 8 bytes longer, by bytes that are to be written.
func (c *columnBytes) extend(n int) *room {
	r := extend(&c.values, n)
	c.used = len(c.values)
	return r
}

// zeros makes a column of 8 bytes longer, by bytes that are 0.
func (c *columnBytes) zeros(n int) *room {
	from := len(c.values)
	r := extend(&c.values, n)
	if from < c.stale {
		clear(r[:n])
	}
	return r
}

// restart makes the column empty.
func (c *columnBytes) restart() {
	if c.stale <= len(c.values) {
		c.stale = 0
	}
	c.stale, c.used = max(c.stale, c.used), 0
	c.values, c.ends = c.values[:0], append(c.ends[:0], 0, 0, 0, 0)
	c.spanned = false
}

// reset makes the batch empty, for rows of these columns, of which most are expected at
// most. With spans it is told between what the values of the columns of [Columns] are.
func (b *batch) reset(p *packed, most int, spans bool) {
	if b.packed != p {
		b.packed, b.columns, b.room = p, make([]columnBytes, len(p.columns)), 0
		b.block.scattered = b.block.scattered[:0]
	}
	b.most, b.allDefault = most, p.first == len(p.columns)
	b.block.reset()
	b.rows, b.size = 0, 0
	b.block.spans = spans && p.first > 0
	b.gather()
	for i := range b.columns {
		b.columns[i].restart()
	}
	if b.block.spans {
		for _, i := range p.words[0].columns {
			b.columns[i].spanned = true
			b.columns[i].span.reset()
		}
	}
}

// gather makes zeros again of the values that stand among them.
func (b *batch) gather() {
	for _, s := range b.block.scattered {
		for left := s.bits; left != 0; left &= left - 1 {
			c := &b.columns[b.packed.words[0].columns[bits.TrailingZeros64(left)]]
			if at := 8 * s.row; at >= c.used {
				binary.LittleEndian.PutUint64(c.values[at:], 0)
			}
		}
	}
	b.block.scattered = b.block.scattered[:0]
}

// add takes rows from the beginning of from until there are as many of them as
// most, or as many bytes of rows as size. It returns how many bytes it took.
func (b *batch) add(from []byte, most, size int) (int, error) {
	if err := b.sort(); err != nil { // flows
		return 0, err
	}
	taken := 0
	for taken < len(from) && b.rows < most && b.size < size {
		n, err := b.block.take(b.packed, from[taken:], most-b.rows, size-b.size)
		b.rows += b.block.n
		if err == nil {
			err = b.sort()
		}
		if err != nil {
			return taken, err
		}
		taken += n
		b.size += n
	}
	return taken, nil
}

// sort appends the values of the block to those of the columns.
func (b *batch) sort() error {
	k, p, words := &b.block, b.packed, b.packed.words
	if k.n == 0 {
		return nil
	}
	if b.rows+blockRows > b.room {
		b.grow()
	}
	if p.first > 0 {
		if err := k.defaults(&words[0], b.columns); err != nil {
			return err
		}
		words = words[1:]
	}
	for _, i := range p.narrow {
		k.narrow(&b.columns[i], p.at[i], p.columns[i].width())
	}
	for i := range words {
		if err := k.numbers(&words[i], b.columns); err != nil {
			return err
		}
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
	if k.taken {
		if err := k.done(); err != nil {
			return err
		}
	}
	k.n = 0
	k.reset()
	return nil
}

// grow gets memory for more rows: few times, and not much more than is needed.
func (b *batch) grow() {
	b.room = max(min(4*b.rows, b.most), b.rows) + 2*blockRows
	for i, c := range b.packed.columns {
		to := &b.columns[i]
		switch c.Kind {
		case Text, List:
			to.ends = slices.Grow(to.ends, 4*b.room-len(to.ends))
		default:
			to.values = append(make([]byte, 0, c.width()*b.room), to.values...)
			to.stale = 0
		}
	}
}
