// Package export turns finished flows into rows: the columns, and the formats
// in which they are written.
package export

import (
	"slices"

	"github.com/flowfast/flowfast/flowtable"
)

// CSV is the format of comma-separated values (RFC 4180, with \n for the line
// break): a header, then a row for each flow, in the columns of [Columns].
// Numbers are formatted from integers, without floating point and without
// allocating.
type CSV struct {
	// EndReason adds the column [EndReason] behind the others.
	EndReason bool
}

// Columns returns the columns of a row, in order.
func (c CSV) Columns() []Column {
	if c.EndReason {
		return append(Columns(), EndReason)
	}
	return Columns()
}

// AppendHeader appends the names of the columns.
func (c CSV) AppendHeader(b []byte) []byte {
	for i, column := range c.Columns() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, column.Name...)
	}
	return append(b, '\n')
}

// AppendRow appends the row of a flow. What can only be zero it does not read:
// the IATs of a direction with fewer than two packets, and of one without any
// all but their number. Nor does it read Fwd.Sizes of a flow of one packet,
// whose five sizes are all Fwd.Bytes. So whoever hands over a flood of such
// flows can leave these fields as they are.
func (c CSV) AppendRow(b []byte, f *flowtable.Flow) []byte {
	b = slices.Grow(b, rowSize)
	r := (*row)(b[len(b) : len(b)+rowSize])
	n := r.addr(0, f.Src, f.V6)
	n = r.uint(n, uint64(f.SrcPort))
	n = r.addr(n, f.Dst, f.V6)
	n = r.uint(n, uint64(f.DstPort))
	n = r.uint(n, uint64(f.Protocol))
	n = r.time(n, f.Start, f.Fine)
	n = r.seconds(n, f.Nanoseconds(), 0, f.Fine)
	if f.Fwd.Packets == 1 && f.Bwd.Packets == 0 {
		n = r.one(n, &f.Fwd)
	} else {
		n = r.both(n, f)
	}
	if c.EndReason {
		n += copy(r[n:], f.Reason.String())
		n++
	}
	r[n-1] = '\n'
	return b[:len(b)+n]
}
