package export

import (
	"encoding/binary"
	"math"
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
// order of their columns. So the workers compute the values, and what is 0 is not
// moved.
//
// Where the columns of [Columns] come first, all that is said of them stands before the
// others, as head.go has it: the addresses as numbers, which become texts in their
// columns only, and of a flow of one packet no more than what differs.
type packed struct {
	columns  []*Column
	at       []int  // where the columns of no 8 bytes stand in a row
	narrow   []int  // the columns of 1 or 2 bytes
	variable []int  // those of texts and lists
	words    []word // those of 8 bytes
	fixed    int    // where the values begin
	most     int    // bytes of a row at most, without what is variable
	first    int    // columns that packDefault packs: those of Columns, or none
}

// A word is columns of 8 bytes whose bits stand together.
type word struct {
	columns []int
	at      int    // where the bits are
	all     uint64 // as many bits as there are columns
}

func packedRows(columns []*Column) Rows { return newPacked(columns) }

func newPacked(columns []*Column) *packed {
	if n := len(defaultColumns); len(columns) >= n && slices.Equal(columns[:n], defaultColumns) {
		return newPackedBehind(n, columns)
	}
	return newPackedBehind(0, columns)
}

// newPackedBehind returns rows whose first columns are packed by packDefault.
func newPackedBehind(first int, columns []*Column) *packed {
	p := &packed{columns: columns, at: make([]int, len(columns)), fixed: 4, first: first}
	if first > 0 {
		p.words = append(p.words, word{at: packedBits})
		for i := numStart; i < first; i++ {
			p.words[0].add(i)
		}
		p.fixed = packedEnd
	}
	own := len(p.words) // those of the columns behind
	for i, c := range columns[first:] {
		i += first
		p.at[i] = p.fixed
		switch {
		case c.Kind == Text || c.Kind == List:
			p.variable = append(p.variable, i)
			p.fixed += 4
		case c.width() < 8:
			p.narrow = append(p.narrow, i)
			p.fixed += c.width()
		default:
			if n := len(p.words); n == own || len(p.words[n-1].columns) == 64 {
				p.words = append(p.words, word{})
			}
			p.words[len(p.words)-1].add(i)
			p.most += 8
		}
	}
	for i := own; i < len(p.words); i++ {
		p.words[i].at = p.fixed
		p.fixed += 8
	}
	if p.most += p.fixed; first > 0 {
		p.most += len(packedValues{})
	}
	return p
}

// add adds a column.
func (w *word) add(i int) {
	w.all |= 1 << len(w.columns)
	w.columns = append(w.columns, i)
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
	from, to := len(b), len(b)+p.fixed
	b = slices.Grow(b, p.most)[:to]
	if p.first > 0 {
		to += packDefault((*[packedEnd]byte)(b[from:]), (*packedValues)(b[to:to+len(packedValues{})]), f)
		b = b[:to]
	}
	if p.first < len(p.columns) {
		b = p.appendRest(b, from, f)
	}
	le.PutUint32(b[from:from+4], uint32(len(b)-from))
	return b
}

// appendRest packs the columns behind those of packDefault into a row that begins at a
// position of b.
func (p *packed) appendRest(b []byte, from int, f *flowtable.Flow) []byte {
	v := values.Get().(*Value)
	for _, i := range p.narrow {
		c := p.columns[i]
		c.set(v, f)
		if b[from+p.at[i]] = byte(v.Uint); c.bits == 16 {
			b[from+p.at[i]+1] = byte(v.Uint >> 8)
		}
	}
	for i := range p.words {
		w := &p.words[i]
		if w.at == packedBits && p.first > 0 {
			continue
		}
		some := uint64(0)
		for n, i := range w.columns {
			if bits := p.columns[i].packedBits(v, f); bits != 0 {
				b = binary.LittleEndian.AppendUint64(b, bits)
				some |= 1 << n
			}
		}
		binary.LittleEndian.PutUint64(b[from+w.at:], some)
	}
	for _, i := range p.variable {
		b = p.columns[i].pack(b, from+p.at[i], v, f)
	}
	values.Put(v)
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
