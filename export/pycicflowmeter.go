package export

import (
	"time"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// pyCICFlowMeter is the table of the Python program cicflowmeter (PyPI, version
// 0.5.0; github.com/hieulw/cicflowmeter), whose columns have other names, other
// units and partly other meanings than those of the Java program that it was
// written after. What it chose is kept: a packet's length is that of its frame,
// times are seconds, standard deviations have divisor n. What it computes wrong
// is mended, as in cicFlowMeter; docs/profiles.md has the list.
var pyCICFlowMeter = Profile{
	Name:        "cicflowmeter-python",
	Definition:  "the columns of the Python cicflowmeter, with right values",
	Columns:     pyCICFlowMeterColumns(),
	IdleTimeout: 240 * time.Second,
	Resolution:  time.Microsecond,
	Keys:        cicFlowMeter.Keys,
	Rules: flowtable.Rules{
		ActiveTimeout: 120 * time.Second,
		NoReuse:       true,
		Turn:          true,
	},
}

func pyCICFlowMeterColumns() []*Column {
	var columns []*Column
	add := func(needs features.Set, more ...*Column) {
		for _, c := range more {
			c.Needs = needs
		}
		columns = append(columns, more...)
	}
	// same adds columns that have the same values in cicFlowMeter: pairs of the name
	// here and the name there.
	same := func(names ...string) {
		for i := 0; i < len(names); i += 2 {
			c := *find(cicFlowMeter.Columns, names[i+1])
			c.Name = names[i]
			columns = append(columns, &c)
		}
	}
	perSecond := func(name, unit, definition string, of func(f *flowtable.Flow) float64) *Column {
		return always(floatColumn(name, unit, definition+" by duration; 0 if that is 0", func(f *flowtable.Flow) float64 {
			return rate(of(f), duration(f))
		}))[0]
	}
	bytes := func(f *flowtable.Flow, i int) float64 { return f.Features.Sizes[i].Sum() }

	same("src_ip", "Src IP", "dst_ip", "Dst IP", "src_port", "Src Port", "dst_port", "Dst Port", "protocol", "Protocol", "timestamp", "Timestamp")
	add(0, always(column(Seconds, "flow_duration", "seconds", "latest packet time less the first packet's", func(v *Value, f *flowtable.Flow) {
		v.Uint, v.Quarters, v.Fine, v.None = f.Nanoseconds(), 0, f.Fine, false
	}))...)
	add(features.Sizes, perSecond("flow_byts_s", "bytes per second", "original lengths of the frames of both directions",
		func(f *flowtable.Flow) float64 { return bytes(f, 2) }))
	add(0, perSecond("flow_pkts_s", "packets per second", "packets", func(f *flowtable.Flow) float64 { return float64(f.Fwd.Packets + f.Bwd.Packets) }))
	for _, d := range sides {
		add(0, perSecond(d.prefix+"_pkts_s", "packets per second", d.word+" packets", func(f *flowtable.Flow) float64 { return float64(d.of(f).Packets) }))
	}
	same("tot_fwd_pkts", "Total Fwd Packet", "tot_bwd_pkts", "Total Bwd packets")
	for i, d := range sides {
		add(0, saying("size", oneSided(i, uintColumn("totlen_"+d.prefix+"_pkts", "bytes", "sum of the original lengths of the "+d.word+" frames",
			func(f *flowtable.Flow) uint64 { return d.of(f).Bytes }))...)...)
	}
	for i, d := range sides {
		add(features.Sizes, pyCICSizes(d.prefix+"_", threeSides[i].frames, i)...)
	}
	add(features.Sizes, pyCICSizes("", threeSides[2].frames, 2)...)
	add(features.Sizes, always(floatColumn("pkt_len_var", "bytes²", "variance (n) of the original lengths of "+threeSides[2].frames,
		func(f *flowtable.Flow) float64 { return f.Features.Sizes[2].Central.Second }))...)
	same("fwd_header_len", "Fwd Header Length", "bwd_header_len", "Bwd Header Length",
		"fwd_seg_size_min", "Fwd Seg Size Min", "fwd_act_data_pkts", "Fwd Act Data Pkts")
	intervals := func(i int) func(f *features.Flow) *features.Moments {
		return func(f *features.Flow) *features.Moments { return &f.Intervals[i] }
	}
	between := func(i int) string { return "of the times between " + threeSides[i].packets }
	add(features.Intervals, always(pyCICTimes("flow_iat_", between(2), intervals(2), "mean", "max", "min", "std")...)...)
	for i, d := range sides {
		add(features.Intervals, always(pyCICTimes(d.prefix+"_iat_", between(i), intervals(i), "tot", "max", "min", "mean", "std")...)...)
	}
	same("fwd_psh_flags", "Fwd PSH Flags", "bwd_psh_flags", "Bwd PSH Flags", "fwd_urg_flags", "Fwd URG Flags", "bwd_urg_flags", "Bwd URG Flags",
		"fin_flag_cnt", "FIN Flag Count", "syn_flag_cnt", "SYN Flag Count", "rst_flag_cnt", "RST Flag Count", "psh_flag_cnt", "PSH Flag Count",
		"ack_flag_cnt", "ACK Flag Count", "urg_flag_cnt", "URG Flag Count", "ece_flag_cnt", "ECE Flag Count", "down_up_ratio", "Down/Up Ratio")
	add(features.Sizes, pyCICMean("pkt_size_avg", threeSides[2].frames, 2))
	same("init_fwd_win_byts", "FWD Init Win Bytes", "init_bwd_win_byts", "Bwd Init Win Bytes")
	add(features.Periods, always(pyCICTimes("active_", "of the active periods, which a pause of more than 5 seconds ended",
		func(f *features.Flow) *features.Moments { return &f.Periods.Active }, "max", "min", "mean", "std")...)...)
	add(features.Periods, always(pyCICTimes("idle_", "of the pauses of more than 5 seconds",
		func(f *features.Flow) *features.Moments { return &f.Periods.Idle }, "max", "min", "mean", "std")...)...)
	same("fwd_byts_b_avg", "Fwd Bytes/Bulk Avg", "fwd_pkts_b_avg", "Fwd Packet/Bulk Avg", "bwd_byts_b_avg", "Bwd Bytes/Bulk Avg",
		"bwd_pkts_b_avg", "Bwd Packet/Bulk Avg", "fwd_blk_rate_avg", "Fwd Bulk Rate Avg", "bwd_blk_rate_avg", "Bwd Bulk Rate Avg")
	for i, d := range sides {
		add(features.Sizes, pyCICMean(d.prefix+"_seg_size_avg", threeSides[i].frames, i))
	}
	same("cwr_flag_count", "CWR Flag Count", "subflow_fwd_pkts", "Subflow Fwd Packets", "subflow_bwd_pkts", "Subflow Bwd Packets")
	for i, d := range sides {
		add(features.Bulks, saying("size", oneSided(i, floatColumn("subflow_"+d.prefix+"_byts", "bytes",
			"original lengths of the "+d.word+" frames by subflows, between which there is more than a second",
			func(f *flowtable.Flow) float64 { return float64(d.of(f).Bytes) / float64(f.Features.Bulks.Pauses+1) }))...)...)
	}
	return columns
}

// pyCICSizes are the columns of the lengths of frames, of direction i; 2 is both.
func pyCICSizes(prefix, frames string, i int) []*Column {
	what := " of the original lengths of " + frames
	of := func(f *flowtable.Flow) *features.Moments { return &f.Features.Sizes[i] }
	return append(saying("size", oneSided(i,
		uintColumn(prefix+"pkt_len_max", "bytes", "maximum"+what, func(f *flowtable.Flow) uint64 { return of(f).Max }),
		uintColumn(prefix+"pkt_len_min", "bytes", "minimum"+what, func(f *flowtable.Flow) uint64 { return of(f).Min }),
		pyCICMean(prefix+"pkt_len_mean", frames, i))...),
		always(floatColumn(prefix+"pkt_len_std", "bytes", "standard deviation (n)"+what,
			func(f *flowtable.Flow) float64 { return of(f).Central.PopulationDeviation() }))...)
}

func pyCICMean(name, frames string, i int) *Column {
	return saying("size", oneSided(i, floatColumn(name, "bytes", "mean of the original lengths of "+frames,
		func(f *flowtable.Flow) float64 { return f.Features.Sizes[i].Mean() }))...)[0]
}

// pyCICTimes are those of the five numbers that the Python cicflowmeter has of
// a sample of times.
func pyCICTimes(prefix, what string, of func(f *features.Flow) *features.Moments, names ...string) []*Column {
	columns := make([]*Column, 0, len(names))
	for _, name := range names {
		exact := func(definition string, number func(m *features.Moments) uint64) *Column {
			return secondsColumn(prefix+name, definition+" "+what, func(f *features.Flow) uint64 { return number(of(f)) })
		}
		real := func(definition string, number func(m *features.Moments) float64) *Column {
			return floatColumn(prefix+name, "seconds", definition+" "+what,
				func(f *flowtable.Flow) float64 { return number(of(f.Features)) / second })
		}
		var c *Column
		switch name {
		case "tot":
			c = real("sum", func(m *features.Moments) float64 { return m.Sum() })
		case "max":
			c = exact("maximum", func(m *features.Moments) uint64 { return m.Max })
		case "min":
			c = exact("minimum", func(m *features.Moments) uint64 { return m.Min })
		case "mean":
			c = real("mean", func(m *features.Moments) float64 { return m.Mean() })
		case "std":
			c = real("standard deviation (n)", func(m *features.Moments) float64 { return m.Central.PopulationDeviation() })
		}
		columns = append(columns, c)
	}
	return columns
}
