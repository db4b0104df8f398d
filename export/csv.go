// Package export turns finished flows into rows: the columns, and the formats
// in which they are written.
package export

import (
	"strconv"

	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/stats"
)

// CSV is the format of comma-separated values (RFC 4180, with \n for the line
// break): a header, then a row for each flow, in the columns of [Columns].
// Numbers are formatted from integers, without floating point and without
// allocating.
type CSV struct{}

// AppendHeader appends the names of the columns.
func (CSV) AppendHeader(b []byte) []byte {
	for i, column := range Columns() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, column.Name...)
	}
	return append(b, '\n')
}

// noSample is the summary of an empty sample.
const noSample = ",0,0,0,0,0"

// AppendRow appends the row of a flow.
func (CSV) AppendRow(b []byte, f *flowtable.Flow) []byte {
	b = appendAddr(b, f.Src, f.V6)
	b = appendUint(append(b, ','), uint64(f.SrcPort))
	b = appendAddr(append(b, ','), f.Dst, f.V6)
	b = appendUint(append(b, ','), uint64(f.DstPort))
	b = appendUint(append(b, ','), uint64(f.Protocol))
	b = appendTime(append(b, ','), f.Start, f.Fine)
	b = appendSeconds(append(b, ','), f.Nanoseconds(), f.Fine)
	for _, d := range [2]*flowtable.Direction{&f.Fwd, &f.Bwd} {
		b = appendUint(append(b, ','), d.Packets)
		b = appendUint(append(b, ','), d.Bytes)
	}
	if f.Fwd.Packets == 1 && f.Bwd.Packets == 0 {
		from := len(b)
		b = appendUint(append(b, ','), f.Fwd.Bytes)
		one := len(b)
		for range 4 {
			b = append(b, b[from:one]...)
		}
		b = append(b, noSample+noSample+noSample...) // bwd_pkt_size, fwd_iat, bwd_iat
	} else {
		b = appendSizes(b, &f.Fwd.Sizes)
		b = appendSizes(b, &f.Bwd.Sizes)
		b = appendIATs(b, &f.Fwd, f.Fine)
		b = appendIATs(b, &f.Bwd, f.Fine)
	}
	b = appendFlags(b, &f.Fwd.Flags)
	b = appendFlags(b, &f.Bwd.Flags)
	return append(b, '\n')
}

func appendSizes(b []byte, s *stats.Five) []byte {
	for i, v := range s.Whole {
		b = appendUint(append(b, ','), v)
		b = append(b, quarters[s.Quarters[i]]...)
	}
	return b
}

func appendIATs(b []byte, d *flowtable.Direction, fine bool) []byte {
	if d.Packets < 2 {
		return append(b, noSample...)
	}
	for i, v := range d.IATs.Whole {
		b = appendQuartile(append(b, ','), v, d.IATs.Quarters[i], fine)
	}
	return b
}

func appendFlags(b []byte, flags *[8]uint64) []byte {
	for _, n := range flags {
		if n < 10 {
			b = append(b, ',', byte('0'+n))
			continue
		}
		b = strconv.AppendUint(append(b, ','), n, 10)
	}
	return b
}
