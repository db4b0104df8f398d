package export

import (
	"math"

	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/stats"
)

// The default profile is a head, see head.go, and behind it groups of columns that
// stand side by side, of either direction. What the columns of a group are and how
// they are written at once, in each format, is said here once; their order is that of
// groups, and of what each lists.

// A group is columns of one direction.
type group struct {
	size    int                           // columns
	columns func(direction int) []*Column // of direction 0 or 1
	// least is how many packets of the direction some value needs that is not 0. With
	// fewer nothing below is called.
	least uint64
	// csv writes the values with a comma behind each, json with a key before each too,
	// where first is the number of the first column; both return the position behind.
	csv  func(r *row, n int, d *flowtable.Direction, fine bool) int
	json func(r *row, n, first int, d *flowtable.Direction, fine bool) int
	// pack packs the values, where first is the bit of the first.
	pack func(p packer, first int, d *flowtable.Direction) packer
}

// groups are those of the default profile in order: each forward and then backward.
var groups = [4]group{
	{2, countColumns, 1, (*row).counts, (*row).countKeys, packer.counts},
	{len(fiveNumbers), sizeColumns, 1, (*row).sizes, (*row).sizeKeys, packer.sizes},
	{len(fiveNumbers), iatColumns, 2, (*row).iats, (*row).iatKeys, packer.iats},
	{8, flagColumns, 1, (*row).flags, (*row).flagKeys, packer.flags},
}

// numDefault is the number of all columns of the default profile.
const numDefault = numHead + 2*(2+len(fiveNumbers)+len(fiveNumbers)+8)

// The counts: packets and bytes.

func countColumns(k int) []*Column {
	d := sides[k]
	return append(always(
		uintColumn(d.prefix+"_tot_pkt", "packets", d.word+" packets", func(f *flowtable.Flow) uint64 { return d.of(f).Packets })),
		saying("size", oneSided(k, uintColumn(d.prefix+"_tot_byte", "bytes", "sum of the original lengths of the "+d.word+" frames",
			func(f *flowtable.Flow) uint64 {
				if d.of(f).Packets == 0 {
					return 0
				}
				return d.of(f).Bytes
			}))...)...)
}

func (r *row) counts(n int, d *flowtable.Direction, _ bool) int {
	return r.uint(r.uint(n, d.Packets), d.Bytes)
}

func (r *row) countKeys(n, first int, d *flowtable.Direction, _ bool) int {
	n = r.uint(r.key(n, first), d.Packets)
	return r.uint(r.key(n, first+1), d.Bytes)
}

func (p packer) counts(first int, d *flowtable.Direction) packer {
	p = p.integer(first, d.Packets)
	p = p.integer(first+1, d.Bytes)
	return p
}

var fiveNumbers = [5]struct{ suffix, word string }{
	{"min", "minimum"}, {"q1", "first quartile"}, {"median", "median"}, {"q3", "third quartile"}, {"max", "maximum"},
}

// The sizes: five numbers of the frames' lengths. Of one packet they are all its length,
// and not read.

func sizeColumns(k int) []*Column {
	d := sides[k]
	columns := make([]*Column, len(fiveNumbers))
	for i, number := range fiveNumbers {
		columns[i] = column(fiveKind(i), d.prefix+"_pkt_size_"+number.suffix, "bytes",
			number.word+" of the original lengths of the "+d.word+" frames",
			func(v *Value, f *flowtable.Flow) {
				switch d := d.of(f); d.Packets {
				case 0:
					v.Uint, v.Quarters = 0, 0
				case 1:
					v.Uint, v.Quarters = d.Bytes, 0
				default:
					v.Uint, v.Quarters = d.Sizes.Whole[i], d.Sizes.Quarters[i]
				}
			})
	}
	return saying("size", oneSided(k, summarizing(columns...)...)...)
}

// fiveKind is the kind of one of the five numbers of a sample of whole numbers:
// only its quartiles can lie between two.
func fiveKind(i int) Kind {
	if i == 0 || i == len(fiveNumbers)-1 {
		return Uint
	}
	return Quarters
}

func (r *row) sizes(n int, d *flowtable.Direction, _ bool) int {
	if d.Packets == 1 {
		for range fiveNumbers {
			n = r.uint(n, d.Bytes)
		}
		return n
	}
	for i, v := range &d.Sizes.Whole {
		n = r.quarters(n, v, d.Sizes.Quarters[i])
	}
	return n
}

func (r *row) sizeKeys(n, first int, d *flowtable.Direction, _ bool) int {
	if d.Packets == 1 {
		for i := range fiveNumbers {
			n = r.uint(r.key(n, first+i), d.Bytes)
		}
		return n
	}
	for i, v := range &d.Sizes.Whole {
		n = r.quarters(r.key(n, first+i), v, d.Sizes.Quarters[i])
	}
	return n
}

func (p packer) sizes(first int, d *flowtable.Direction) packer {
	s := &d.Sizes
	if d.Packets == 1 {
		s = &stats.Five{Whole: [5]uint64{d.Bytes, d.Bytes, d.Bytes, d.Bytes, d.Bytes}}
	}
	const last = len(fiveNumbers) - 1
	p = p.integer(first, s.Whole[0])
	for i := 1; i < last; i++ {
		p = p.put(first+i, math.Float64bits(quartered(s.Whole[i], s.Quarters[i])))
	}
	p = p.integer(first+last, s.Whole[last])
	return p
}

// The inter-arrival times: five numbers, which only two packets have.

func iatColumns(k int) []*Column {
	d := sides[k]
	columns := make([]*Column, len(fiveNumbers))
	for i, number := range fiveNumbers {
		columns[i] = column(Seconds, d.prefix+"_iat_"+number.suffix, "seconds",
			number.word+" of the times between consecutive "+d.word+" packets",
			func(v *Value, f *flowtable.Flow) {
				d := d.of(f)
				if d.Packets < 2 {
					v.Uint, v.Quarters, v.Fine, v.None = 0, 0, false, true
					return
				}
				v.Uint, v.Quarters, v.Fine, v.None = d.IATs.Whole[i], d.IATs.Quarters[i], f.Fine, false
			})
	}
	return always(summarizing(columns...)...)
}

func (r *row) iats(n int, d *flowtable.Direction, fine bool) int {
	for i, v := range &d.IATs.Whole {
		n = r.seconds(n, v, d.IATs.Quarters[i], fine)
	}
	return n
}

func (r *row) iatKeys(n, first int, d *flowtable.Direction, fine bool) int {
	for i, v := range &d.IATs.Whole {
		n = r.seconds(r.key(n, first+i), v, d.IATs.Quarters[i], fine)
	}
	return n
}

func (p packer) iats(first int, d *flowtable.Direction) packer {
	for i, v := range &d.IATs.Whole {
		p = p.put(first+i, math.Float64bits(seconds(v, d.IATs.Quarters[i])))
	}
	return p
}

// The flags: packets with each control bit, in the order of [flowtable.Direction].Flags.

func flagColumns(k int) []*Column {
	d := sides[k]
	var columns []*Column
	for _, bit := range [8]controlBit{fin, syn, rst, psh, ack, urg, ece, cwr} {
		columns = append(columns, saying(bit.name, oneSided(k, uintColumn(d.prefix+"_"+bit.name+"_cnt", "packets",
			d.word+" packets with the TCP control bit "+bit.word,
			func(f *flowtable.Flow) uint64 { return bit.in(d.of(f)) }))...)...)
	}
	return columns
}

func (r *row) flags(n int, d *flowtable.Direction, _ bool) int {
	c := &d.Flags
	if c[0]|c[1]|c[2]|c[3]|c[4]|c[5]|c[6]|c[7] < 8 { // one digit each: four in a store
		const zeros = 0x2c30_2c30_2c30_2c30 // "0,0,0,0,", the first byte in the lowest
		r.put8(n, zeros+(c[0]|c[1]<<16|c[2]<<32|c[3]<<48))
		r.put8(n+8, zeros+(c[4]|c[5]<<16|c[6]<<32|c[7]<<48))
		return n + 16
	}
	for _, v := range c {
		if v < 1000 {
			n = r.small(n, v) // as uint does, without a call
			continue
		}
		n = r.long(n, v)
	}
	return n
}

func (r *row) flagKeys(n, first int, d *flowtable.Direction, _ bool) int {
	counts := &d.Flags
	if counts[0]|counts[1]|counts[2]|counts[3]|counts[4]|counts[5]|counts[6]|counts[7] < 8 {
		from := n - zerosFrom[first]
		n = r.zeroKeys(n, first, first+8)
		for i, v := range counts {
			r[at(from+zerosFrom[first+i+1]-len("0,"))] = '0' + byte(v)
		}
		return n
	}
	for i, v := range counts {
		n = r.uint(r.key(n, first+i), v)
	}
	return n
}

func (p packer) flags(first int, d *flowtable.Direction) packer {
	for i, v := range &d.Flags {
		if v != 0 {
			p = p.integer(first+i, v)
		}
	}
	return p
}
