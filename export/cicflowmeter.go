package export

import (
	"strconv"
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// cicFlowMeter is the table of CICFlowMeter (github.com/ahlashkari/CICFlowMeter,
// commit 98a5eba) with what its columns promise in place of what it computes:
// the corrections are those of the fork github.com/GintsEngelen/CICFlowMeter
// (Engelen, Rimmer, Joosen, Troubleshooting an Intrusion Detection Dataset, SPW
// 2021) and of LycoSTand (Rosay, Cheval, Carlier, Leroux, Network Intrusion
// Detection: A Comprehensive Analysis of CIC-IDS2017, ICISSP 2022).
//
// A packet's length is that of its transport payload, by the headers; times are
// whole microseconds.
var cicFlowMeter = Profile{
	Name:        "cicflowmeter",
	Definition:  "the columns of CICFlowMeter, with the values that their names promise",
	Columns:     cicFlowMeterColumns(),
	IdleTimeout: 120 * time.Second,
	Resolution:  time.Microsecond,
	Keys:        flowtable.Keys{Portless: decode.AllProtocols.Without(decode.TCP, decode.UDP, decode.DCCP, decode.SCTP, decode.UDPLite)}, // those that have ports
	Rules: flowtable.Rules{
		ActiveTimeout: 120 * time.Second,
		TCPEnd:        flowtable.EndFIN | flowtable.EndRST,
		NoReuse:       true,
		SYNACKTurns:   true,
	},
}

const micros = "microseconds"

func cicFlowMeterColumns() []*Column {
	var columns []*Column
	add := func(needs features.Set, more ...*Column) {
		for _, c := range more {
			c.Needs = needs
		}
		columns = append(columns, more...)
	}
	count := func(name, unit, definition string, of func(f *flowtable.Flow) uint64) *Column {
		return uintColumn(name, unit, definition, of)
	}
	real := func(name, unit, definition string, of func(f *flowtable.Flow) float64) *Column {
		return floatColumn(name, unit, definition, of)
	}
	sides := [2]struct {
		name, word string
		of         func(f *flowtable.Flow) *flowtable.Direction
	}{{"Fwd", "forward", sides[0].of}, {"Bwd", "backward", sides[1].of}}

	add(0,
		plainColumn("Flow ID", "source and destination address, source and destination port and protocol, with - between", cicID),
		plainColumn("Src IP", "source address", func(b []byte, f *flowtable.Flow) []byte { return appendIP(b, f.Src, f.V6) }),
		count("Src Port", "", "source port", func(f *flowtable.Flow) uint64 { return uint64(f.SrcPort) }),
		plainColumn("Dst IP", "destination address", func(b []byte, f *flowtable.Flow) []byte { return appendIP(b, f.Dst, f.V6) }),
		count("Dst Port", "", "destination port", func(f *flowtable.Flow) uint64 { return uint64(f.DstPort) }),
		count("Protocol", "", "IP protocol number", func(f *flowtable.Flow) uint64 { return uint64(f.Protocol) }),
		plainColumn("Timestamp", "time of the first packet, UTC", func(b []byte, f *flowtable.Flow) []byte { return appendTimestamp(b, f.StartTime()) }),
	)
	as(RoleIdentifier, columns[:5]...)
	as(RoleTime, find(columns, "Timestamp"))
	add(0, always(
		count("Flow Duration", micros, "latest packet time less the first packet's", duration),
		count("Total Fwd Packet", "packets", "forward packets", func(f *flowtable.Flow) uint64 { return f.Fwd.Packets }),
		count("Total Bwd packets", "packets", "backward packets", func(f *flowtable.Flow) uint64 { return f.Bwd.Packets }),
	)...)
	for i, d := range sides {
		add(features.Payload, saying("payload", oneSided(i, real("Total Length of "+d.name+" Packet", "bytes", "payload of the "+d.word+" packets, by the lengths in the headers as far as the frame goes",
			func(f *flowtable.Flow) float64 { return f.Features.Payload.Bytes[i].Sum() }))...)...)
	}
	for i, d := range sides {
		what := "of the payload of the " + d.word + " packets"
		of := func(f *flowtable.Flow) *features.Moments { return &f.Features.Payload.Bytes[i] }
		add(features.Payload, saying("payload", oneSided(i,
			count(d.name+" Packet Length Max", "bytes", "maximum "+what, func(f *flowtable.Flow) uint64 { return of(f).Max }),
			count(d.name+" Packet Length Min", "bytes", "minimum "+what, func(f *flowtable.Flow) uint64 { return of(f).Min }),
			real(d.name+" Packet Length Mean", "bytes", "mean "+what, func(f *flowtable.Flow) float64 { return of(f).Mean() }),
			always(real(d.name+" Packet Length Std", "bytes", "standard deviation (n-1) "+what,
				func(f *flowtable.Flow) float64 { return of(f).Central.Deviation() }))[0])...)...)
	}
	add(features.Payload, always(real("Flow Bytes/s", "bytes per second", "payload of both directions by duration; 0 if that is 0",
		func(f *flowtable.Flow) float64 { return rate(f.Features.Payload.Bytes[2].Sum(), duration(f)) }))...)
	add(0, always(real("Flow Packets/s", "packets per second", "packets by duration; 0 if that is 0",
		func(f *flowtable.Flow) float64 { return rate(float64(f.Fwd.Packets+f.Bwd.Packets), duration(f)) }))...)
	add(features.Intervals, cicIntervals("Flow IAT ", "consecutive packets of both directions", 2)...)
	for i, d := range sides {
		add(features.Intervals, always(real(d.name+" IAT Total", micros, "sum of the times between consecutive "+d.word+" packets",
			func(f *flowtable.Flow) float64 { return f.Features.Intervals[i].Sum() / microsecond }))...)
		add(features.Intervals, cicIntervals(d.name+" IAT ", "consecutive "+d.word+" packets", i)...)
	}
	for _, bit := range []controlBit{psh, urg} {
		for i, d := range sides {
			add(0, saying(bit.name, oneSided(i, count(d.name+" "+bit.word+" Flags", "packets", d.word+" packets with "+bit.word,
				func(f *flowtable.Flow) uint64 { return bit.in(d.of(f)) }))...)...)
		}
	}
	for i, d := range sides {
		add(features.Payload, saying("header", oneSided(i, count(d.name+" Header Length", "bytes", "transport headers of the "+d.word+" packets",
			func(f *flowtable.Flow) uint64 { return f.Features.Payload.Sum[i] }))...)...)
	}
	for _, d := range sides {
		add(0, always(real(d.name+" Packets/s", "packets per second", d.word+" packets by duration; 0 if that is 0",
			func(f *flowtable.Flow) float64 { return rate(float64(d.of(f).Packets), duration(f)) }))...)
	}
	both := func(f *flowtable.Flow) *features.Moments { return &f.Features.Payload.Bytes[2] }
	what := "of the payload of all packets"
	add(features.Payload, saying("payload",
		count("Packet Length Min", "bytes", "minimum "+what, func(f *flowtable.Flow) uint64 { return both(f).Min }),
		count("Packet Length Max", "bytes", "maximum "+what, func(f *flowtable.Flow) uint64 { return both(f).Max }),
		real("Packet Length Mean", "bytes", "mean "+what, func(f *flowtable.Flow) float64 { return both(f).Mean() }))...)
	add(features.Payload, always(
		real("Packet Length Std", "bytes", "standard deviation (n-1) "+what, func(f *flowtable.Flow) float64 { return both(f).Central.Deviation() }),
		real("Packet Length Variance", "bytes²", "variance (n-1) "+what, func(f *flowtable.Flow) float64 { return both(f).Central.Variance() }))...)
	for _, bit := range [8]controlBit{fin, syn, rst, psh, ack, urg, cwr, ece} {
		add(0, saying(bit.name, count(bit.word+" Flag Count", "packets", "packets with "+bit.word,
			func(f *flowtable.Flow) uint64 { return bit.in(&f.Fwd) + bit.in(&f.Bwd) }))...)
	}
	add(0, always(real("Down/Up Ratio", "", "backward packets by forward packets; 0 without forward packets",
		func(f *flowtable.Flow) float64 { return ratio(float64(f.Bwd.Packets), float64(f.Fwd.Packets)) }))...)
	add(features.Payload, saying("payload",
		real("Average Packet Size", "bytes", "mean "+what, func(f *flowtable.Flow) float64 { return both(f).Mean() }))...)
	for i, d := range sides {
		add(features.Payload, saying("payload", oneSided(i, real(d.name+" Segment Size Avg", "bytes", "mean of the payload of the "+d.word+" packets",
			func(f *flowtable.Flow) float64 { return f.Features.Payload.Bytes[i].Mean() }))...)...)
	}
	for i, d := range sides {
		add(features.Bulks, always(
			real(d.name+" Bytes/Bulk Avg", "bytes", "payload of the "+d.word+" bulks by their number: runs of 4 packets with payload or more, "+
				"each at most a second after the one before, without payload from the other side",
				func(f *flowtable.Flow) float64 {
					return ratio(float64(f.Features.Bulks.Bytes[i]), float64(f.Features.Bulks.Count[i]))
				}),
			real(d.name+" Packet/Bulk Avg", "packets", "packets of the "+d.word+" bulks by their number",
				func(f *flowtable.Flow) float64 {
					return ratio(float64(f.Features.Bulks.Packets[i]), float64(f.Features.Bulks.Count[i]))
				}),
			real(d.name+" Bulk Rate Avg", "bytes per second", "payload of the "+d.word+" bulks by their time",
				func(f *flowtable.Flow) float64 {
					return rate(float64(f.Features.Bulks.Bytes[i]), f.Features.Bulks.Time[i]/microsecond)
				}))...)
	}
	for i, d := range sides {
		subflows := func(f *flowtable.Flow) float64 { return float64(f.Features.Bulks.Pauses + 1) }
		add(features.Bulks, always(real("Subflow "+d.name+" Packets", "packets", d.word+" packets by subflows, between which there is more than a second",
			func(f *flowtable.Flow) float64 { return float64(d.of(f).Packets) / subflows(f) }))...)
		add(features.Bulks|features.Payload, saying("payload", oneSided(i, real("Subflow "+d.name+" Bytes", "bytes", "payload of the "+d.word+" packets by subflows",
			func(f *flowtable.Flow) float64 { return f.Features.Payload.Bytes[i].Sum() / subflows(f) }))...)...)
	}
	for i, name := range []string{"FWD", "Bwd"} {
		add(features.TCP, as(RoleHost, oneSided(i, count(name+" Init Win Bytes", "bytes", "TCP window of the first "+sides[i].word+" packet, as it stands",
			func(f *flowtable.Flow) uint64 { return uint64(f.Features.TCP.Directions[i].FirstWindow) }))...)...)
	}
	add(features.Payload, oneSided(0,
		count("Fwd Act Data Pkts", "packets", "forward packets with payload", func(f *flowtable.Flow) uint64 { return f.Features.Payload.With[0] }),
		saying("header", count("Fwd Seg Size Min", "bytes", "shortest transport header of the forward packets",
			func(f *flowtable.Flow) uint64 { return uint64(f.Features.Payload.Least[0]) }))[0])...)
	add(features.Periods, cicPeriods("Active", "active periods, which a pause of more than 5 seconds ended",
		func(f *features.Flow) *features.Moments { return &f.Periods.Active })...)
	add(features.Periods, cicPeriods("Idle", "pauses of more than 5 seconds", func(f *features.Flow) *features.Moments { return &f.Periods.Idle })...)
	add(0, always(plainColumn("Label", "NeedManualLabel: what the flow is called is for someone who knows",
		func(b []byte, _ *flowtable.Flow) []byte { return append(b, "NeedManualLabel"...) }))...)
	as(RoleHost, find(columns, "Fwd Seg Size Min")) // which tells the options of a system
	as(RoleLabel, find(columns, "Label"))
	return columns
}

func cicID(b []byte, f *flowtable.Flow) []byte {
	b = append(appendIP(b, f.Src, f.V6), '-')
	b = append(appendIP(b, f.Dst, f.V6), '-')
	for _, n := range []uint64{uint64(f.SrcPort), uint64(f.DstPort), uint64(f.Protocol)} {
		b = append(strconv.AppendUint(b, n, 10), '-')
	}
	return b[:len(b)-1]
}

// appendTimestamp appends a time of a year of four digits, as all are that a flow
// can have, in the layout 2006-01-02 15:04:05.000000.
func appendTimestamp(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	micros := t.Nanosecond() / microsecond
	b = appendTwo(appendTwo(b, year/100), year%100)
	b = appendTwo(append(b, '-'), int(month))
	b = appendTwo(append(b, '-'), day)
	b = appendTwo(append(b, ' '), hour)
	b = appendTwo(append(b, ':'), minute)
	b = appendTwo(append(b, ':'), second)
	b = append(append(b, '.'), three[micros/1000][:3]...)
	return append(b, three[micros%1000][:3]...)
}

// appendTwo appends a number of two digits.
func appendTwo(b []byte, n int) []byte { return append(b, three[n][1:3]...) }

// duration returns the duration of a flow in microseconds.
func duration(f *flowtable.Flow) uint64 { return f.Nanoseconds() / microsecond }

// rate returns an amount by microseconds, per second; 0 in no time.
func rate(amount float64, micros uint64) float64 { return ratio(amount, float64(micros)/1e6) }

// ratio returns a by b, 0 if b is 0.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func cicIntervals(prefix, what string, i int) []*Column {
	what = "of the times between " + what
	return cicMoments(prefix, what, func(f *features.Flow) *features.Moments { return &f.Intervals[i] })
}

func cicPeriods(prefix, what string, of func(f *features.Flow) *features.Moments) []*Column {
	return cicMoments(prefix+" ", "of the "+what, of)
}

// cicMoments are the numbers that CICFlowMeter has of a sample of times.
func cicMoments(prefix, what string, of func(f *features.Flow) *features.Moments) []*Column {
	real := func(name, definition string, number func(m *features.Moments) float64) *Column {
		return floatColumn(prefix+name, micros, definition+" "+what, func(f *flowtable.Flow) float64 { return number(of(f.Features)) / microsecond })
	}
	return always(
		real("Mean", "mean", func(m *features.Moments) float64 { return m.Mean() }),
		real("Std", "standard deviation (n-1)", func(m *features.Moments) float64 { return m.Central.Deviation() }),
		real("Max", "maximum", func(m *features.Moments) float64 { return float64(m.Max) }),
		real("Min", "minimum", func(m *features.Moments) float64 { return float64(m.Min) }),
	)
}
