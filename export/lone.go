package export

import (
	"encoding/binary"
	"math"
	mathbits "math/bits"

	"github.com/flowfast/flowfast/flowtable"
)

// What a column of 8 bytes says of a flow that is alone, see [flowtable.Flow.Alone]: it
// follows from the start, the length and the control bits.
const (
	saysZero = iota
	saysOne  // it is the count of packets
	saysStart
	saysWhole // the length as an integer
	saysReal  // the length as a float64
	saysFlag  // whether a control bit is set
)

// A packedForm is a form of the columns of 8 bytes of such a flow.
type packedForm struct {
	says  [64]uint8 // by their bits in packed rows
	flags int       // the bit of the first control bit
	some  uint64    // the bits of columns that are not 0, besides the control bits
}

var lonePacked = newPackedForm()

func newPackedForm() (f packedForm) {
	some, v := someAlone(0, false, 0), &Value{}
	f.says[bitStart], f.some = saysStart, 1<<bitStart
	for i, c := range defaultColumns[numHead:] {
		bit := bitGroups + i
		switch {
		case !c.same[0] && c.says == fin.name:
			f.flags = bit
			fallthrough
		case !c.same[0] && f.flags > 0:
			f.says[bit] = saysFlag
			continue
		case c.same[0] && c.packedBits(v, some) == 0:
			continue
		case c.same[0]:
			f.says[bit] = saysOne
		case c.Kind == Uint:
			f.says[bit] = saysWhole
		default:
			f.says[bit] = saysReal
		}
		f.some |= 1 << bit
	}
	return f
}

// packedOnes is 1, once for each row of a block.
var packedOnes = func() (r room) {
	for i := range blockRows {
		r.put(i, 1)
	}
	return r
}()

func (r *room) get(row int) uint64 { return binary.LittleEndian.Uint64(r[8*row&(len(r)-8):]) }

var packedZeros room

// put puts the value of 8 bytes of a row.
func (r *room) put(row int, v uint64) {
	at := 8 * row & (len(r) - 8)
	binary.LittleEndian.PutUint64(r[at:at+8], v)
}

// lone adds a flow of one packet with these control bits.
func (k *block) lone(f *flowtable.Flow, flags uint8) {
	i, h := k.n&(blockRows-1), &k.heads
	k.n++
	h.ports(i, f.SrcPort, f.DstPort, f.Protocol)
	h.v6[i], k.bits[i] = f.V6, packedLone|uint64(flags)
	h.sources[i].Lo, h.receivers[i].Lo = f.Src.Lo, f.Dst.Lo
	h.starts.put(i, uint64(f.Start))
	h.lengths.put(i, f.Fwd.Bytes)
	if f.V6 {
		h.families = 1
		h.sources[i].Hi, h.receivers[i].Hi = f.Src.Hi, f.Dst.Hi
	}
}

// of returns what the columns of a word say of rows of flows of one packet, that have these
// control bits.
func (f *packedForm) of(h *heads, bit int, flags uint64) *room {
	switch f.says[bit&63] {
	case saysOne:
		return &packedOnes
	case saysStart:
		return &h.starts
	case saysWhole:
		return &h.lengths
	case saysReal:
		return &h.reals
	case saysFlag:
		if flags>>(bit-f.flags)&1 != 0 {
			return &packedOnes
		}
	}
	return &packedZeros
}

// usual returns the bits of the first row of a flow of one packet, 0 if there is none, and
// the rows that have others. Those of other flows get its start and length.
func (k *block) usual() (usual uint64, others []uint8) {
	all, first := k.bits[:k.n], 0
	for first < len(all) && all[first]&packedLone == 0 {
		first++
	}
	if first == len(all) {
		return 0, nil
	}
	usual = all[first]
	h := &k.heads
	start, length := h.starts.get(first), h.lengths.get(first)
	for i, left := range all {
		if left != usual {
			k.others[len(others)&(blockRows-1)] = uint8(i)
			others = k.others[:len(others)+1]
			if left&packedLone == 0 { // it has none of its own
				h.starts.put(i, start)
				h.lengths.put(i, length)
			}
		}
	}
	return usual, others
}

// fill appends the values of the columns of [Columns] that have 8 bytes, where most rows
// have the bits that are usual: first what these say, in all rows.
func (k *block) fill(w *word, columns []columnBytes, usual uint64, others []uint8) bool {
	f, h, size := &lonePacked, &k.heads, 8*k.n
	var to [64]*room
	first := len(columns[w.columns[0]].values) / 8
	for bit, i := range w.columns {
		c := &columns[i]
		from := f.of(h, bit, usual)
		if from == &packedZeros {
			to[bit&63] = c.zeros(size)
		} else {
			to[bit&63] = c.extend(size)
			copy(to[bit&63][:size], from[:])
		}
		c.span.add(from.get(0))
	}
	if k.spans {
		k.spanLone(w, columns)
	}
	for _, i := range others {
		i, left := int(i), k.bits[i&(blockRows-1)]
		if left&packedLone != 0 {
			k.scattered = append(k.scattered, scattered{first + i, left &^ usual << f.flags})
			for bits := left ^ usual; bits != 0; bits &= bits - 1 {
				flag := mathbits.TrailingZeros64(bits)
				bit, v := (f.flags+flag)&63, left>>flag&1
				to[bit].put(i, v)
				columns[w.columns[bit]].span.add(v)
			}
			continue
		}
		if !k.fits(w, i, left) {
			return false
		}
		k.scattered = append(k.scattered, scattered{first + i, left})
		values := k.rows[k.next[i]:]
		for bits := left | f.some | usual<<f.flags; bits != 0; bits &= bits - 1 {
			bit, v := mathbits.TrailingZeros64(bits), uint64(0)
			if left>>bit&1 != 0 {
				v, values = binary.LittleEndian.Uint64(values), values[8:]
			}
			to[bit].put(i, v)
			columns[w.columns[bit]].span.add(v)
		}
		k.next[i] = len(k.rows) - len(values)
	}
	return true
}

// spanLone tells the columns of a start or a length what these are between, of which they
// have the first already.
func (k *block) spanLone(w *word, columns []columnBytes) {
	var starts, lengths span
	starts.reset()
	starts.widen(k.heads.starts[:8*k.n])
	lengths.reset()
	lengths.widen(k.heads.lengths[:8*k.n])
	for bit, i := range w.columns {
		c := &columns[i]
		switch lonePacked.says[bit&63] {
		case saysStart:
			c.span.both(starts)
		case saysWhole:
			c.span.both(lengths)
		case saysReal:
			c.span.add(math.Float64bits(float64(lengths.least)))
			c.span.add(math.Float64bits(float64(lengths.greatest)))
		}
	}
}

// spread sorts the values of rows of flows of one packet that have the same bits, and
// returns those of columns that are not 0.
func (k *block) spread(from, to int) (some uint64) {
	f, flags := &lonePacked, k.bits[from]&255
	some = f.some | flags<<f.flags
	for bits := some; bits != 0; bits &= bits - 1 {
		bit := mathbits.TrailingZeros64(bits)
		copy(k.sorted[stride*bit+8*from:stride*bit+8*to], f.of(&k.heads, bit, flags)[8*from:])
	}
	return some
}
