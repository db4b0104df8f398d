package export

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"time"
)

// A counter counts what is written.
type counter struct {
	io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	c.n += int64(n)
	return n, err
}

// A parquetFile puts pages into row groups and those into a file, or into one
// after the other.
type parquetFile struct {
	to      *counter
	next    func() (io.Writer, error)
	part    int64                    // bytes of a file after which the next one begins
	most    struct{ rows, size int } // of a row group, after which the next one begins
	columns []*Column
	unit    time.Duration // of times
	notes   []Note
	begun   bool // the first bytes of the file are written
	full    bool // further rows go to the next file

	group       []chunk
	rows, size  int // of the row group, in packed rows
	groups      []parquetGroup
	chunks      pieces // what is said of each column of each row group
	columnIndex pieces // of its pages: bounds
	offsetIndex pieces // of its pages: where they are
}

// A chunk is the pages of a column in a row group.
type chunk struct {
	bytes         []byte
	plain         int64
	values, nulls int64
	bounds        bounds
	unbounded     bool // a page has values of which none is the least
	pages         []pageIn
	deltas        int    // of these, those in this encoding
	texts         []byte // the bounds of pages
}

// A pageIn is a page in a row group.
type pageIn struct {
	size, row, nulls int
	empty            bool // all its values are nulls
	min, max         int  // where each ends in texts
}

// min returns the least value of a page, max the greatest.
func (g *chunk) min(i int) []byte {
	if i == 0 {
		return g.texts[:g.pages[0].min]
	}
	return g.texts[g.pages[i-1].max:g.pages[i].min]
}

func (g *chunk) max(i int) []byte { return g.texts[g.pages[i].min:g.pages[i].max] }

// A parquetGroup is what is said of a row group besides its columns: its rows, its
// bytes as they are and before they were compressed, and where it begins.
type parquetGroup struct{ rows, size, plain, at int64 }

// Pieces are pieces of bytes, one behind the other.
type pieces struct {
	b    []byte
	ends []int
}

func (p *pieces) end(b []byte) {
	p.b = b
	p.ends = append(p.ends, len(b))
}

// from returns where a piece begins.
func (p *pieces) from(i int) int {
	if i == 0 {
		return 0
	}
	return p.ends[i-1]
}

func (p *pieces) reset() { p.b, p.ends = p.b[:0], p.ends[:0] }

func newParquet(to io.Writer, t *Table) (io.WriteCloser, error) {
	notes := t.Notes
	if !t.Undefined {
		definitions, err := json.Marshal(describe(t.Columns))
		if err != nil {
			return nil, err
		}
		notes = append([]Note{{"definitions", string(definitions)}}, notes...)
	}
	out := &parquetFile{
		to: &counter{Writer: to}, next: t.Next, part: t.PartSize,
		columns: t.Columns,
		unit:    t.TimeUnit,
		notes:   notes,
		group:   make([]chunk, len(t.Columns)),
	}
	out.most.rows, out.most.size = groupSize/rowBytes(t.Columns), groupSize
	return newColumnWriter(parquetEncoder(t), out), nil
}

// A description is what the metadata of a Parquet file says of a column.
type description struct {
	Name       string `json:"name"`
	Role       string `json:"role"`
	Unit       string `json:"unit"`
	Definition string `json:"definition"`
}

func describe(columns []*Column) []description {
	described := make([]description, len(columns))
	for i, c := range columns {
		described[i] = description{c.Name, c.Role.String(), c.Unit, c.Definition}
	}
	return described
}

// put takes the pages of a batch.
func (w *parquetFile) put(e *encoded) error {
	if w.full {
		if err := w.nextFile(); err != nil {
			return err
		}
	}
	for i := range w.group {
		w.group[i].add(w.columns[i], &e.pages.columns[i], w.rows)
	}
	w.rows += e.batch.rows
	w.size += e.batch.size
	if w.rows < w.most.rows && w.size < w.most.size {
		return nil
	}
	if err := w.endGroup(); err != nil {
		return err
	}
	w.full = w.next != nil && w.to.n >= w.part
	return nil
}

// add adds a page that begins with so many rows before it.
func (g *chunk) add(c *Column, p *page, row int) {
	g.bytes = append(g.bytes, p.bytes...)
	g.plain += int64(p.plain)
	g.values += int64(p.values)
	g.nulls += int64(p.nulls)
	in := pageIn{size: len(p.bytes), row: row, nulls: p.nulls, empty: p.values == p.nulls}
	if b := &p.bounds; b.there {
		g.texts = append(g.texts, b.min...)
		in.min = len(g.texts)
		g.texts = append(g.texts, b.max...)
		if !g.bounds.there || c.compare(b.min, g.bounds.min) < 0 {
			g.bounds.min = append(g.bounds.min[:0], b.min...)
		}
		if !g.bounds.there || c.compare(b.max, g.bounds.max) > 0 {
			g.bounds.max = append(g.bounds.max[:0], b.max...)
		}
		g.bounds.there = true
	} else {
		in.min = len(g.texts)
		g.unbounded = g.unbounded || !in.empty
	}
	in.max = len(g.texts)
	g.pages = append(g.pages, in)
	if p.encoding == parquetDelta {
		g.deltas++
	}
}

func (g *chunk) reset() {
	g.bytes, g.plain, g.values, g.nulls = g.bytes[:0], 0, 0, 0
	g.bounds.there, g.unbounded = false, false
	g.pages, g.deltas, g.texts = g.pages[:0], 0, g.texts[:0]
}

// begin writes the first bytes of the file, if they are not there yet.
func (w *parquetFile) begin() error {
	if w.begun {
		return nil
	}
	w.begun = true
	_, err := io.WriteString(w.to, "PAR1")
	return err
}

// endGroup writes the row group, if it has rows.
func (w *parquetFile) endGroup() error {
	if w.rows == 0 {
		return nil
	}
	if err := w.begin(); err != nil {
		return err
	}
	group := parquetGroup{rows: int64(w.rows), at: w.to.n}
	for i := range w.group {
		g := &w.group[i]
		w.describe(w.columns[i], g)
		if _, err := w.to.Write(g.bytes); err != nil {
			return err
		}
		group.size += int64(len(g.bytes))
		group.plain += g.plain
		g.reset()
	}
	w.groups = append(w.groups, group)
	w.rows, w.size = 0, 0
	return nil
}

// describe says what is to be said of the pages of a column, which are about to be
// written.
func (w *parquetFile) describe(c *Column, g *chunk) {
	at := w.to.n
	t := thrift{b: w.chunks.b}
	t.i64(2, 0) // where a copy of this stands: nowhere
	t.inside(3, func() { g.describe(&t, c, at) })
	w.chunks.end(t.b) // without the end of the struct: the indices are not written yet

	t = thrift{b: w.offsetIndex.b}
	t.list(1, len(g.pages), thriftStruct)
	for _, p := range g.pages {
		t.element(func() {
			t.i64(1, at)
			t.i32(2, int64(p.size))
			t.i64(3, int64(p.row))
		})
		at += int64(p.size)
	}
	t.end()
	w.offsetIndex.end(t.b)

	if g.unbounded {
		w.columnIndex.end(w.columnIndex.b)
		return
	}
	t = thrift{b: w.columnIndex.b}
	t.list(1, len(g.pages), thriftTrue)
	for _, p := range g.pages {
		t.b = append(t.b, 2-oneIf(p.empty))
	}
	t.list(2, len(g.pages), thriftBinary)
	for i := range g.pages {
		t.text(g.min(i))
	}
	t.list(3, len(g.pages), thriftBinary)
	for i := range g.pages {
		t.text(g.max(i))
	}
	t.i32(4, g.order(c))
	t.list(5, len(g.pages), thriftI64)
	for _, p := range g.pages {
		t.number(int64(p.nulls))
	}
	t.end()
	w.columnIndex.end(t.b)
}

// describe says what is to be said of the pages of a column as a whole.
func (g *chunk) describe(t *thrift, c *Column, at int64) {
	t.i32(1, c.physical())
	path, encodings := []string{c.Name}, []int64{parquetPlain, parquetDelta}
	pages := []int{len(g.pages) - g.deltas, g.deltas}
	if pages[0] == 0 {
		encodings, pages = encodings[1:], pages[1:]
	} else if pages[1] == 0 {
		encodings, pages = encodings[:1], pages[:1]
	}
	stats := encodings
	if c.Kind == List {
		path, encodings = append(path, "list", "element"), []int64{parquetPlain, parquetRLE}
	}
	t.list(2, len(encodings), thriftI32)
	for _, e := range encodings {
		t.number(e)
	}
	t.list(3, len(path), thriftBinary)
	for _, name := range path {
		t.text([]byte(name))
	}
	t.i32(4, parquetZstd)
	t.i64(5, g.values)
	t.i64(6, g.plain)
	t.i64(7, int64(len(g.bytes)))
	t.i64(9, at)
	t.inside(12, func() {
		t.i64(3, g.nulls)
		if g.bounds.there && !g.unbounded {
			t.binary(5, g.bounds.max)
			t.binary(6, g.bounds.min)
		}
	})
	t.list(13, len(stats), thriftStruct)
	for i, e := range stats {
		t.element(func() {
			t.i32(1, 0) // data pages
			t.i32(2, e)
			t.i32(3, int64(pages[i]))
		})
	}
}

// order tells whether both bounds rise from page to page, 1, or fall, 2, or
// neither, 0.
func (g *chunk) order(c *Column) int64 {
	rise, fall, last := true, true, -1
	for i, p := range g.pages {
		if p.empty {
			continue
		}
		if last >= 0 {
			low, high := c.compare(g.min(i), g.min(last)), c.compare(g.max(i), g.max(last))
			rise = rise && low >= 0 && high >= 0
			fall = fall && low <= 0 && high <= 0
		}
		last = i
	}
	switch {
	case rise:
		return 1
	case fall:
		return 2
	}
	return 0
}

// close writes what is left of the file.
func (w *parquetFile) close() error {
	if err := w.begin(); err != nil {
		return err
	}
	if err := w.endGroup(); err != nil {
		return err
	}
	columns := w.to.n
	if _, err := w.to.Write(w.columnIndex.b); err != nil {
		return err
	}
	offsets := w.to.n
	if _, err := w.to.Write(w.offsetIndex.b); err != nil {
		return err
	}
	foot := w.foot(columns, offsets)
	foot = binary.LittleEndian.AppendUint32(foot, uint32(len(foot)))
	_, err := w.to.Write(append(foot, "PAR1"...))
	return err
}

// foot returns what the file says of itself, with the indices at these positions.
func (w *parquetFile) foot(columns, offsets int64) []byte {
	var t thrift
	t.i32(1, 2) // version
	elements, rows, version := 1, int64(0), "0"
	for _, c := range w.columns {
		elements++
		if c.Kind == List {
			elements += 2
		}
	}
	for _, g := range w.groups {
		rows += g.rows
	}
	t.list(2, elements, thriftStruct)
	t.element(func() {
		t.i32(3, parquetRequired)
		t.string(4, "flows")
		t.i32(5, int64(len(w.columns)))
	})
	for _, c := range w.columns {
		c.describe(&t, w.unit)
	}
	t.i64(3, rows)
	t.list(4, len(w.groups), thriftStruct)
	for i := range w.groups {
		t.element(func() { w.describeGroup(&t, i, columns, offsets) })
	}
	t.list(5, len(w.notes), thriftStruct)
	for _, n := range w.notes {
		t.element(func() {
			t.string(1, "flowfast."+n.Name)
			t.string(2, n.Text)
		})
		if n.Name == "version" {
			version = n.Text
		}
	}
	t.string(6, "flowfast version "+version+" (build )") // some readers want this form
	t.list(7, len(w.columns), thriftStruct)
	for range w.columns {
		t.element(func() { t.inside(1, func() {}) }) // bounds are in the order of the type
	}
	t.end()
	return t.b
}

func (w *parquetFile) describeGroup(t *thrift, i int, columns, offsets int64) {
	g := &w.groups[i]
	t.list(1, len(w.columns), thriftStruct)
	for k := range w.columns {
		n := i*len(w.columns) + k
		t.element(func() {
			t.b = append(t.b, w.chunks.b[w.chunks.from(n):w.chunks.ends[n]]...)
			t.last = 3
			from := w.offsetIndex.from(n)
			t.i64(4, offsets+int64(from))
			t.i32(5, int64(w.offsetIndex.ends[n]-from))
			from = w.columnIndex.from(n)
			if size := w.columnIndex.ends[n] - from; size > 0 {
				t.i64(6, columns+int64(from))
				t.i32(7, int64(size))
			}
		})
	}
	t.i64(2, g.plain)
	t.i64(3, g.rows)
	t.i64(5, g.at)
	t.i64(6, g.size)
	t.i16(7, int64(int16(i)))
}

// describe says what the column is, with a unit of times: an element of the schema, or
// the three of a list.
func (c *Column) describe(t *thrift, unit time.Duration) {
	number := func() {
		t.i32(6, parquetInt64Type)
		t.inside(10, func() { integer(t, 64, true) })
	}
	if c.Kind == List {
		t.element(func() {
			t.i32(3, parquetRequired)
			t.string(4, c.Name)
			t.i32(5, 1)
			t.i32(6, parquetListType)
			t.inside(10, func() { t.inside(logicalList, func() {}) })
		})
		t.element(func() {
			t.i32(3, parquetRepeated)
			t.string(4, "list")
			t.i32(5, 1)
		})
		t.element(func() {
			t.i32(1, parquetInt64)
			t.i32(3, parquetRequired)
			t.string(4, "element")
			number()
		})
		return
	}
	t.element(func() {
		t.i32(1, c.physical())
		t.i32(3, parquetRequired)
		t.string(4, c.Name)
		switch {
		case c.Kind == Text:
			t.i32(6, parquetUTF8)
			t.inside(10, func() { t.inside(logicalString, func() {}) })
		case c.Kind == Time:
			named := logicalNanos
			if unit == time.Microsecond {
				t.i32(6, parquetMicros)
				named = logicalMicros
			}
			t.inside(10, func() {
				t.inside(logicalTimestamp, func() {
					t.bool(1, true) // UTC
					t.inside(2, func() { t.inside(named, func() {}) })
				})
			})
		case c.Kind == Uint && c.bits == 8:
			t.i32(6, parquetUint8)
			t.inside(10, func() { integer(t, 8, false) })
		case c.Kind == Uint && c.bits == 16:
			t.i32(6, parquetUint16)
			t.inside(10, func() { integer(t, 16, false) })
		case c.Kind == Uint || c.Kind == Int:
			number()
		}
	})
}

// integer is the logical type of integers.
func integer(t *thrift, bits byte, signed bool) {
	t.inside(logicalInteger, func() {
		t.i8(1, bits)
		t.bool(2, signed)
	})
}

// nextFile ends the file and begins the next one.
func (w *parquetFile) nextFile() error {
	w.full = false
	if err := w.close(); err != nil {
		return err
	}
	to, err := w.next()
	if err != nil {
		return err
	}
	w.to, w.begun = &counter{Writer: to}, false
	w.groups = w.groups[:0]
	for _, p := range []*pieces{&w.chunks, &w.columnIndex, &w.offsetIndex} {
		p.reset()
	}
	return nil
}
