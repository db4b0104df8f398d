package export

import (
	"fmt"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// pyFlowMeter is the table of PyFlowMeter (github.com/Kihy/PyFlowMeter, commit
// 84a2d93) with its defects mended: flag columns count their own flag, IPv6 and
// fragments belong to their flows, directions are told by address and port, an
// idle flow takes no more packets, and a flow's first packet has no gap. What it
// chose is kept: gaps are those since the flow's packet before, in either
// direction, and standard deviations are those with divisor n.
var pyFlowMeter = Profile{
	Name:       "pyflowmeter",
	Definition: "the columns of PyFlowMeter, with right values",
	Columns:    pyFlowMeterColumns(),
}

func pyFlowMeterColumns() []*Column {
	columns := []*Column{
		always(column(Seconds, "duration", "seconds", "latest packet time less the first packet's", func(v *Value, f *flowtable.Flow) {
			v.Uint, v.Quarters, v.Fine, v.None = f.Nanoseconds(), 0, f.Fine, false
		}))[0],
		plainColumn("protocol", "TCP, UDP, or the number of another protocol", func(b []byte, f *flowtable.Flow) []byte { return append(b, protocolName(f.Protocol)...) }),
		uintColumn("src_port", "", "source port of the first packet", func(f *flowtable.Flow) uint64 { return uint64(f.SrcPort) }),
		uintColumn("dst_port", "", "its destination port", func(f *flowtable.Flow) uint64 { return uint64(f.DstPort) }),
	}
	as(RoleIdentifier, columns[2:4]...)
	for i, d := range sides {
		columns = append(columns, always(
			uintColumn(d.prefix+"_tot_pkt", "packets", d.word+" packets", func(f *flowtable.Flow) uint64 { return d.of(f).Packets }))...)
		columns = append(columns, saying("size", oneSided(i,
			uintColumn(d.prefix+"_tot_byte", "bytes", "sum of the original lengths of the "+d.word+" frames",
				func(f *flowtable.Flow) uint64 { return d.of(f).Bytes }))...)...)
	}
	for i, d := range sides {
		columns = append(columns, saying("size", oneSided(i, sixColumns(features.Sizes, d.prefix+"_pkt_size_", "bytes", 1, "of the original lengths of the "+d.word+" frames",
			func(f *features.Flow) *features.Moments { return &f.Sizes[i] })...)...)...)
	}
	for i, d := range sides {
		columns = append(columns, always(sixColumns(features.Gaps, d.prefix+"_iat_", "seconds", second,
			"of the times since the flow's packet before, in either direction, of the "+d.word+" packets",
			func(f *features.Flow) *features.Moments { return &f.Gaps[i] })...)...)
	}
	flags := [8]struct {
		name string
		controlBit
	}{{"FIN", fin}, {"SYN", syn}, {"RST", rst}, {"PUSH", psh}, {"ACK", ack}, {"URG", urg}, {"CWE", cwr}, {"ECE", ece}}
	for i, d := range sides {
		for _, flag := range flags {
			columns = append(columns, oneSided(i, uintColumn(fmt.Sprintf("%s_%s_cnt", d.prefix, flag.name), "packets",
				d.word+" packets with the TCP control bit "+flag.word, func(f *flowtable.Flow) uint64 { return flag.in(d.of(f)) }))...)
		}
	}
	return columns
}

// sixColumns are the numbers that PyFlowMeter has of a sample.
func sixColumns(needs features.Set, prefix, unit string, scale float64, what string, of func(f *features.Flow) *features.Moments) []*Column {
	real := func(name, unit, definition string, number func(m *features.Moments) float64) *Column {
		return floatColumn(prefix+name, unit, definition+" "+what, func(f *flowtable.Flow) float64 { return number(of(f.Features)) })
	}
	columns := []*Column{
		real("mean", unit, "mean", func(m *features.Moments) float64 { return m.Mean() / scale }),
		real("std", unit, "standard deviation (n)", func(m *features.Moments) float64 { return m.Central.PopulationDeviation() / scale }),
		shaped(real("skewness", "", "skewness m3/m2^1.5", func(m *features.Moments) float64 { return m.Central.Skewness() })),
		shaped(real("kurtosis", "", "excess kurtosis m4/m2^2-3", func(m *features.Moments) float64 { return m.Central.Kurtosis() })),
		real("min", unit, "minimum", func(m *features.Moments) float64 { return float64(m.Min) / scale }),
		real("max", unit, "maximum", func(m *features.Moments) float64 { return float64(m.Max) / scale }),
	}
	for _, c := range columns {
		c.Needs |= needs
	}
	always(columns[1:4]...) // of one value
	return columns
}

func protocolName(protocol uint8) string {
	switch protocol {
	case decode.TCP:
		return "TCP"
	case decode.UDP:
		return "UDP"
	}
	return fmt.Sprint(protocol)
}
