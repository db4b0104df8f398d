package export

import (
	"encoding/binary"
)

// A flood is flows of one packet, and of what stands behind the head of their rows
// little differs: the length of the frame, which several columns say, and the control
// bits. So these rows are forms that are filled in. What can be printed beforehand, and
// what differs, is known from the columns; see alone.go.

// A form is what stands behind the head of the row of a flow whose only packet is
// forward: blanks for the length, and behind them those of the control bits.
type form struct {
	lengths []blank
	filled  [256]filled // them, for short lengths
	before  blank       // the control bits
	bits    int         // the number of the first one's column
	behind  blank
}

// A blank is text, and behind it the length, if it has any times.
type blank struct {
	text  [mostAtOnce]byte // the beginning, stored at once
	size  int
	more  []byte // of the text
	times int
}

// A filled is blanks with the length in them, if that is not too long to be stored at
// once: then size is not 0.
type filled struct {
	text [mostAtOnce]byte
	size int
}

func newBlank(text []byte, times int) (b blank) {
	b.times, b.size = times, len(text)
	b.more = text[copy(b.text[:], text):]
	return b
}

// The forms of CSV and JSON.
var (
	csvForm  = newForm((*Column).appendCSV, func(*Column) []byte { return nil })
	jsonForm = newForm((*Column).appendMember, (*Column).key)
)

// csvFlags are control bits as CSV has them, of one packet.
var csvFlags = func() (texts [256][16]byte) {
	for flags := range texts {
		for i := range 8 {
			texts[flags][2*i], texts[flags][2*i+1] = '0'+byte(flags>>i&1), ','
		}
	}
	return texts
}()

// newForm returns the form of the default columns, with a text before the value of each.
func newForm(write appender, before func(*Column) []byte) *form {
	f, some, v := &form{}, someAlone(0, false, 0), &Value{}
	var text []byte
	for i := numHead; i < numDefault; i++ {
		switch c := defaultColumns[i]; {
		case c.same[0]:
			text = write(c, append(text, before(c)...), v, some)
		case c.says == fin.name:
			f.before, text, f.bits = newBlank(text, 0), nil, i
			i += 7 // what is of the direction
		default:
			text = append(text, before(c)...)
			if last := len(f.lengths) - 1; len(text) == 0 && last >= 0 {
				f.lengths[last].times++
				continue
			}
			f.lengths, text = append(f.lengths, newBlank(text, 1)), nil
		}
	}
	f.behind = newBlank(text, 0)
	for length := range f.filled {
		var r row
		if n := r.fill(0, f, uint64(length)); n <= mostAtOnce {
			f.filled[length] = filled{[mostAtOnce]byte(r[:mostAtOnce]), n}
		}
	}
	return f
}

// text writes the text of a blank.
func (r *row) text(n int, b *blank) int {
	*(*[mostAtOnce]byte)(r[at(n) : at(n)+mostAtOnce]) = b.text
	if b.size > mostAtOnce {
		copy(r[n+mostAtOnce:], b.more)
	}
	return n + b.size
}

// fill writes the lengths of a form.
func (r *row) fill(n int, f *form, length uint64) int {
	if length < uint64(len(f.filled)) && f.filled[length].size > 0 {
		*(*[mostAtOnce]byte)(r[at(n) : at(n)+mostAtOnce]) = f.filled[length].text
		return n + f.filled[length].size
	}
	if length >= 1000 {
		return r.fillLong(n, f, length)
	}
	t, size := uint64(binary.LittleEndian.Uint32(short[length][:])), int(shortSize[length])
	twice := t | t<<(8*size&63)
	for i := range f.lengths {
		b := &f.lengths[i]
		n = r.text(n, b)
		times := b.times
		for ; times > 1; times -= 2 {
			r.put8(n, twice)
			n += 2 * size
		}
		if times > 0 {
			r.put(n, &short[length])
			n += size
		}
	}
	return n
}

func (r *row) fillLong(n int, f *form, length uint64) int {
	for i := range f.lengths {
		b := &f.lengths[i]
		n = r.text(n, b)
		for range b.times {
			n = r.long(n, length)
		}
	}
	return n
}
