package export

import "slices"

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
}

// reset makes the batch empty, for rows of these columns, of which most are expected at
// most. With spans it is told between what the values of the columns of [Columns] are.
func (b *batch) reset(p *packed, most int, spans bool) {
	if b.packed != p {
		b.packed, b.columns, b.room = p, make([]columnBytes, len(p.columns)), 0
	}
	b.most, b.allDefault = most, p.first == len(p.columns)
	b.block.reset()
	b.rows, b.size = 0, 0
	b.block.spans = spans && p.first > 0
	for i := range b.columns {
		c := &b.columns[i]
		c.values, c.ends = c.values[:0], append(c.ends[:0], 0, 0, 0, 0)
		c.spanned = false
	}
	if b.block.spans {
		for _, i := range p.words[0].columns {
			b.columns[i].spanned = true
			b.columns[i].span.reset()
		}
	}
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
			to.values = slices.Grow(to.values, c.width()*b.room-len(to.values))
		}
	}
}
