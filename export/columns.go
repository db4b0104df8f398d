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
	columns := headColumns()
	for _, g := range groups {
		columns = append(columns, slices.Concat(g.columns(0), g.columns(1))...)
	}
	return columns
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
