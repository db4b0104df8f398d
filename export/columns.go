package export

import (
	"math/bits"
	"slices"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// A side is one direction of a flow, as columns name it.
type side struct {
	prefix, word string
	of           func(f *flowtable.Flow) *flowtable.Direction
}

var sides = [2]side{
	{"fwd", "forward", func(f *flowtable.Flow) *flowtable.Direction { return &f.Fwd }},
	{"bwd", "backward", func(f *flowtable.Flow) *flowtable.Direction { return &f.Bwd }},
}

var fiveNumbers = [5]struct{ suffix, word string }{
	{"min", "minimum"}, {"q1", "first quartile"}, {"median", "median"}, {"q3", "third quartile"}, {"max", "maximum"},
}

// A controlBit is one of the control bits of TCP, with what columns call it.
type controlBit struct {
	mask       uint8
	name, word string
}

var (
	fin = controlBit{decode.FIN, "fin", "FIN"}
	syn = controlBit{decode.SYN, "syn", "SYN"}
	rst = controlBit{decode.RST, "rst", "RST"}
	psh = controlBit{decode.PSH, "psh", "PSH"}
	ack = controlBit{decode.ACK, "ack", "ACK"}
	urg = controlBit{decode.URG, "urg", "URG"}
	ece = controlBit{decode.ECE, "ece", "ECE"}
	cwr = controlBit{decode.CWR, "cwr", "CWR"}
)

// in returns the packets of a direction that have the bit.
func (c controlBit) in(d *flowtable.Direction) uint64 {
	if d.Packets == 0 {
		return 0
	}
	return d.Flags[bits.TrailingZeros8(c.mask)]
}

var defaultColumns = makeColumns()

// Columns returns the columns of the default profile, in order.
func Columns() []*Column { return slices.Clone(defaultColumns) }

func makeColumns() []*Column {
	columns := []*Column{
		plainColumn("src_ip", "address of the flow's source: the sender of its first packet; after a cut by the active timeout that of the flow before",
			func(b []byte, f *flowtable.Flow) []byte { return appendIP(b, f.Src, f.V6) }),
		narrow(16, uintColumn("src_port", "", "its port, or what another protocol has in its place", func(f *flowtable.Flow) uint64 { return uint64(f.SrcPort) })),
		plainColumn("dst_ip", "address of the flow's destination",
			func(b []byte, f *flowtable.Flow) []byte { return appendIP(b, f.Dst, f.V6) }),
		narrow(16, uintColumn("dst_port", "", "its port, or what another protocol has in its place", func(f *flowtable.Flow) uint64 { return uint64(f.DstPort) })),
		narrow(8, uintColumn("protocol", "", "IP protocol number, such as 6 for TCP and 17 for UDP", func(f *flowtable.Flow) uint64 { return uint64(f.Protocol) })),
		column(Time, "start_time", "seconds", "time of the first packet, since the Unix epoch",
			func(v *Value, f *flowtable.Flow) { v.Int, v.Fine = int64(f.Start), f.Fine }),
		always(column(Seconds, "duration", "seconds", "latest packet time less start time",
			func(v *Value, f *flowtable.Flow) {
				v.Uint, v.Quarters, v.Fine, v.None = f.Nanoseconds(), 0, f.Fine, false
			}))[0],
	}
	as(RoleIdentifier, columns[:4]...)
	as(RoleTime, find(columns, "start_time"))
	for k, d := range sides {
		columns = append(columns, always(
			uintColumn(d.prefix+"_tot_pkt", "packets", d.word+" packets", func(f *flowtable.Flow) uint64 { return d.of(f).Packets }))...)
		columns = append(columns, saying("size", oneSided(k,
			uintColumn(d.prefix+"_tot_byte", "bytes", "sum of the original lengths of the "+d.word+" frames",
				func(f *flowtable.Flow) uint64 { return d.of(f).Bytes }))...)...)
	}
	for k, d := range sides {
		for i, n := range fiveNumbers {
			columns = append(columns, saying("size", oneSided(k, column(fiveKind(i), d.prefix+"_pkt_size_"+n.suffix, "bytes",
				n.word+" of the original lengths of the "+d.word+" frames",
				func(v *Value, f *flowtable.Flow) { v.ofSizes(d.of(f), f, i) }))...)...)
		}
	}
	for _, d := range sides {
		for i, n := range fiveNumbers {
			columns = append(columns, always(column(Seconds, d.prefix+"_iat_"+n.suffix, "seconds",
				n.word+" of the times between consecutive "+d.word+" packets",
				func(v *Value, f *flowtable.Flow) { v.ofIATs(d.of(f), f, i) }))...)
		}
	}
	for k, d := range sides {
		for _, bit := range [8]controlBit{fin, syn, rst, psh, ack, urg, ece, cwr} {
			columns = append(columns, saying(bit.name, oneSided(k, uintColumn(d.prefix+"_"+bit.name+"_cnt", "packets",
				d.word+" packets with the TCP control bit "+bit.word,
				func(f *flowtable.Flow) uint64 { return bit.in(d.of(f)) }))...)...)
		}
	}
	return columns
}

// fiveKind is the kind of one of the five numbers of a sample of whole numbers:
// only its quartiles can lie between two.
func fiveKind(i int) Kind {
	if i == 0 || i == len(fiveNumbers)-1 {
		return Uint
	}
	return Quarters
}

// ofSizes sets v to number i of the summary of a direction's sizes. That of a
// flow of one packet need not be filled in; see [CSV.AppendRow].
func (v *Value) ofSizes(d *flowtable.Direction, f *flowtable.Flow, i int) {
	switch {
	case d.Packets == 0:
		v.Uint, v.Quarters = 0, 0
	case d.Packets == 1 && f.Bwd.Packets == 0:
		v.Uint, v.Quarters = d.Bytes, 0
	default:
		v.Uint, v.Quarters = d.Sizes.Whole[i], d.Sizes.Quarters[i]
	}
}

// ofIATs sets v to number i of the summary of a direction's inter-arrival times,
// which only two packets fill in.
func (v *Value) ofIATs(d *flowtable.Direction, f *flowtable.Flow, i int) {
	if d.Packets < 2 {
		v.Uint, v.Quarters, v.Fine, v.None = 0, 0, false, true
		return
	}
	v.Uint, v.Quarters, v.Fine, v.None = d.IATs.Whole[i], d.IATs.Quarters[i], f.Fine, false
}

// EndReason is the column that says why a flow ended.
var EndReason = as(RoleTime, plainColumn("end_reason", "why the flow ended: `idle` for longer than the idle timeout, "+
	"`reuse` of its ports by a TCP SYN, `end` of the capture, `evicted` to keep to a bound of flows or memory, "+
	"`active` for longer than the active timeout, `closed` by FIN or RST and its ports used again",
	func(b []byte, f *flowtable.Flow) []byte { return append(b, f.Reason.String()...) }))[0]

// Constant returns a column that has the same text in every row.
func Constant(name, definition, text string) *Column {
	return textColumn(name, definition, func(b []byte, _ *flowtable.Flow) []byte { return append(b, text...) })
}
