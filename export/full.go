package export

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// fullColumns are the columns of the profile full behind those of the default
// one.
var fullColumns = makeFullColumns()

func makeFullColumns() []*Column {
	var columns []*Column
	add := func(needs features.Set, more ...*Column) {
		for _, c := range more {
			c.Needs |= needs
		}
		columns = append(columns, more...)
	}

	for i, d := range threeSides {
		add(features.Sizes, saying("size", oneSided(i, momentColumns(d.prefix+"_pkt_size_", "bytes", 1, "of the original lengths of "+d.frames,
			func(f *features.Flow) *features.Moments { return &f.Sizes[i] })...)...)...)
	}
	for i, d := range threeSides {
		add(features.Intervals, always(momentColumns(d.prefix+"_iat_", "seconds", second, "of the times between "+d.packets,
			func(f *features.Flow) *features.Moments { return &f.Intervals[i] })...)...)
	}
	add(features.Intervals, always(
		secondsColumn("flow_iat_min", "shortest time between consecutive packets of the flow",
			func(f *features.Flow) uint64 { return f.Intervals[2].Min }),
		secondsColumn("flow_iat_max", "longest time between consecutive packets of the flow",
			func(f *features.Flow) uint64 { return f.Intervals[2].Max }))...)
	for i, d := range sides {
		add(features.Payload, oneSided(i,
			featureColumn(d.prefix+"_payload_byte", "bytes", "transport payload of the "+d.word+" packets, by the lengths in the headers as far as the frame goes",
				func(f *features.Flow) uint64 { return uint64(f.Payload.Bytes[i].Sum()) }),
			featureColumn(d.prefix+"_payload_pkt", "packets", d.word+" packets with payload",
				func(f *features.Flow) uint64 { return f.Payload.With[i] }),
			featureColumn(d.prefix+"_header_byte", "bytes", "transport headers of the "+d.word+" packets",
				func(f *features.Flow) uint64 { return f.Payload.Sum[i] }))...)
	}
	for i, d := range sides {
		add(features.TCP, oneSided(i, streamColumns(d.prefix, d.word, i)...)...)
	}
	add(features.TCP, always(as(RoleHost,
		secondsColumn("tcp_rtt_synack", "time from the first forward SYN to the first SYN+ACK after it, 0 if there is none",
			func(f *features.Flow) uint64 { return f.TCP.SynAck }),
		secondsColumn("tcp_rtt_ack", "time from that SYN+ACK to the first forward ACK after it, 0 if there is none",
			func(f *features.Flow) uint64 { return f.TCP.Ack }))...)...)
	for i, d := range sides {
		add(features.IP, oneSided(i, headerColumns(d.prefix, d.word, i)...)...)
	}
	add(features.Periods, periodColumns("active", "active periods, which a pause of more than 5 seconds ended",
		func(f *features.Flow) *features.Moments { return &f.Periods.Active })...)
	add(features.Periods, periodColumns("idle", "pauses of more than 5 seconds",
		func(f *features.Flow) *features.Moments { return &f.Periods.Idle })...)
	for i, d := range sides {
		add(features.Entropy, oneSided(i, floatColumn(d.prefix+"_entropy", "bits per byte",
			"entropy of the first 1,024 captured bytes of payload of the "+d.word+" packets",
			func(f *flowtable.Flow) float64 { return f.Features.Entropy[i] }))...)
	}
	add(features.Link, linkColumns()...)
	add(0, EndReason, flowID, communityID)
	return columns
}

var threeSides = [3]struct{ prefix, frames, packets string }{
	{"fwd", "the forward frames", "consecutive forward packets"},
	{"bwd", "the backward frames", "consecutive backward packets"},
	{"flow", "the frames of both directions", "consecutive packets of both directions"},
}

func floatColumn(name, unit, definition string, of func(f *flowtable.Flow) float64) *Column {
	return column(Float, name, unit, definition, func(v *Value, f *flowtable.Flow) { v.Float = of(f) })
}

func featureColumn(name, unit, definition string, of func(f *features.Flow) uint64) *Column {
	return column(Uint, name, unit, definition, func(v *Value, f *flowtable.Flow) { v.Uint = of(f.Features) })
}

func intColumn(name, unit, definition string, of func(f *features.Flow) int64) *Column {
	return column(Int, name, unit, definition, func(v *Value, f *flowtable.Flow) { v.Int = of(f.Features) })
}

func secondsColumn(name, definition string, of func(f *features.Flow) uint64) *Column {
	return column(Seconds, name, "seconds", definition, func(v *Value, f *flowtable.Flow) {
		v.Uint, v.Quarters, v.Fine, v.None = of(f.Features), 0, f.Fine, false
	})
}

// momentColumns are the mean, the standard deviation, the skewness and the
// kurtosis of a sample, whose values are scale times the unit.
func momentColumns(prefix, unit string, scale float64, what string, of func(f *features.Flow) *features.Moments) []*Column {
	return append([]*Column{
		floatColumn(prefix+"mean", unit, "mean "+what, func(f *flowtable.Flow) float64 { return of(f.Features).Mean() / scale }),
	}, always(
		floatColumn(prefix+"std", unit, "standard deviation (n-1) "+what,
			func(f *flowtable.Flow) float64 { return of(f.Features).Central.Deviation() / scale }),
		shaped(floatColumn(prefix+"skew", "", "skewness m3/m2^1.5 "+what+"; 0 if all are equal",
			func(f *flowtable.Flow) float64 { return of(f.Features).Central.Skewness() })),
		shaped(floatColumn(prefix+"kurt", "", "excess kurtosis m4/m2^2-3 "+what+"; -3 if all are equal",
			func(f *flowtable.Flow) float64 { return of(f.Features).Central.Kurtosis() })),
	)...)
}

// shaped says that a column is computed from third or fourth moments.
func shaped(c *Column) *Column {
	c.Needs |= features.Shape
	return c
}

func periodColumns(prefix, what string, of func(f *features.Flow) *features.Moments) []*Column {
	return always(
		featureColumn(prefix+"_cnt", "periods", "number of "+what, func(f *features.Flow) uint64 { return of(f).N }),
		floatColumn(prefix+"_mean", "seconds", "mean length of the "+what, func(f *flowtable.Flow) float64 { return of(f.Features).Mean() / second }),
		floatColumn(prefix+"_std", "seconds", "standard deviation (n-1) of the lengths of the "+what,
			func(f *flowtable.Flow) float64 { return of(f.Features).Central.Deviation() / second }),
		secondsColumn(prefix+"_min", "shortest of the "+what, func(f *features.Flow) uint64 { return of(f).Min }),
		secondsColumn(prefix+"_max", "longest of the "+what, func(f *features.Flow) uint64 { return of(f).Max }),
	)
}

func streamColumns(prefix, word string, i int) []*Column {
	column := func(name, unit, definition string, of func(s *features.Stream) uint64) *Column {
		return featureColumn(prefix+"_"+name, unit, definition, func(f *features.Flow) uint64 { return of(&f.TCP.Directions[i]) })
	}
	columns := []*Column{
		column("win_init", "", "TCP window of the first "+word+" segment, as it stands in the header",
			func(s *features.Stream) uint64 { return uint64(s.FirstWindow) }),
		column("win_min", "", "smallest TCP window of the "+word+" segments", func(s *features.Stream) uint64 { return uint64(s.MinWindow) }),
		column("win_max", "", "largest TCP window of the "+word+" segments", func(s *features.Stream) uint64 { return uint64(s.MaxWindow) }),
		column("win_zero_cnt", "packets", word+" segments with window 0 and without RST",
			func(s *features.Stream) uint64 { return s.ZeroWindows }),
		always(column("retrans_cnt", "packets", word+" segments that begin before the next expected sequence number and fill no gap, keep-alives among them",
			func(s *features.Stream) uint64 { return s.Retransmissions }))[0],
		always(column("ooo_cnt", "packets", word+" segments that fill the latest gap in the sequence numbers",
			func(s *features.Stream) uint64 { return s.OutOfOrder }))[0],
		column("mss", "bytes", "maximum segment size in the first "+word+" SYN, 0 if it is not there",
			func(s *features.Stream) uint64 { return uint64(s.MSS) }),
		intColumn(prefix+"_wscale", "", "shift count of the window scale in the first "+word+" SYN, -1 if it is not there",
			func(f *features.Flow) int64 {
				if s := &f.TCP.Directions[i]; s.Segments > 0 {
					return int64(s.WindowScale)
				}
				return -1
			}),
		column("sack_permitted", "", "1 if the first "+word+" SYN permits selective acknowledgments, else 0",
			func(s *features.Stream) uint64 {
				if s.SACKPermitted {
					return 1
				}
				return 0
			}),
	}
	as(RoleHost, saying("window", columns[:3]...)...)
	as(RoleHost, columns[6:]...) // options of a SYN
	return columns
}

func headerColumns(prefix, word string, i int) []*Column {
	var columns []*Column
	for _, field := range []struct {
		name, what string
		of         func(h *features.Header) *features.Range
	}{
		{"ttl", "TTL or hop limit", func(h *features.Header) *features.Range { return &h.TTL }},
		{"dscp", "DSCP", func(h *features.Header) *features.Range { return &h.DSCP }},
		{"ecn", "ECN bits", func(h *features.Header) *features.Range { return &h.ECN }},
	} {
		for _, which := range []struct {
			name, word string
			of         func(r *features.Range) uint8
		}{
			{"first", "first", func(r *features.Range) uint8 { return r.First }},
			{"min", "least", func(r *features.Range) uint8 { return r.Min }},
			{"max", "greatest", func(r *features.Range) uint8 { return r.Max }},
		} {
			columns = append(columns, saying(field.name, featureColumn(prefix+"_"+field.name+"_"+which.name, "", which.word+" "+field.what+" of the "+word+" packets",
				func(f *features.Flow) uint64 { return uint64(which.of(field.of(&f.IP[i]))) }))...)
		}
	}
	return as(RoleHost, columns...)
}

// appendMAC appends bytes of an address in hexadecimal, with colons between them.
func appendMAC(b, address []byte) []byte {
	const size = len("00:")
	b = slices.Grow(b, len(address)*size+1)
	n := len(b)
	for _, v := range address {
		*(*text)(b[n : n+len(text{})]) = hexPair[v]
		n += size
	}
	return b[:n-1] // without the last colon
}

func linkColumns() []*Column {
	mac := func(b []byte, there bool, address *[6]byte) []byte {
		if !there {
			return b
		}
		return appendMAC(b, address[:])
	}
	columns := []*Column{
		plainColumn("src_mac", "address of the flow's source in the first packet's outermost link header, empty unless that is Ethernet or Linux cooked",
			func(b []byte, f *flowtable.Flow) []byte { l := &f.Features.Link; return mac(b, l.HasSrc, &l.Src) }),
		plainColumn("dst_mac", "address of the flow's destination there; a Linux cooked header has the sender's alone",
			func(b []byte, f *flowtable.Flow) []byte { l := &f.Features.Link; return mac(b, l.HasDst, &l.Dst) }),
		plainColumn("vlan_ids", "VLAN identifiers of the first packet's tags, the outermost first, with blanks between",
			func(b []byte, f *flowtable.Flow) []byte {
				for i, id := range f.Features.Link.VLANs[:f.Features.Link.NumVLANs] {
					if i > 0 {
						b = append(b, ' ')
					}
					b = strconv.AppendUint(b, uint64(id), 10)
				}
				return b
			}),
		intColumn("mpls_label", "", "label at the top of the first packet's stack, -1 if it has none",
			func(f *features.Flow) int64 { return int64(f.Link.MPLS) }),
	}
	as(RoleIdentifier, columns[:2]...)
	as(RoleHost, columns[2:]...)
	return columns
}

// SPLT returns the columns of the first packets of a flow.
func SPLT() []*Column {
	list := func(name, unit, what string, of func(e *features.Early) int64) *Column {
		c := column(List, name, unit, what+" of the first packets of both directions", func(v *Value, f *flowtable.Flow) {
			v.List = v.List[:0]
			for i := range f.Features.First {
				v.List = append(v.List, of(&f.Features.First[i]))
			}
		})
		c.Needs = features.First
		return c
	}
	return []*Column{
		list("splt_size", "bytes", "original lengths, negative for backward ones,", func(e *features.Early) int64 {
			if e.Backward {
				return -int64(e.Size)
			}
			return int64(e.Size)
		}),
		list("splt_iat", "nanoseconds", "times since the flow's packet before, 0 for the first,",
			func(e *features.Early) int64 { return int64(min(e.Gap, math.MaxInt64)) }),
		list("splt_flags", "", "TCP control bits, as a number with FIN for 1 and CWR for 128,",
			func(e *features.Early) int64 { return int64(e.Flags) }),
	}
}

// Quantiles returns the columns of quantiles of sizes and inter-arrival times,
// from 0 to 1 each.
func Quantiles(at []float64) []*Column {
	var columns []*Column
	for i, d := range sides {
		for k, q := range at {
			name, from := "p"+percent(q), len(columns)
			what := fmt.Sprintf("quantile %v of the ", q)
			columns = append(columns, oneSided(i,
				floatColumn(d.prefix+"_pkt_size_"+name, "bytes", what+"original lengths of the "+d.word+" frames",
					func(f *flowtable.Flow) float64 { return f.Features.Quantiles[i].Sizes[k] }))...)
			columns = append(columns, always(
				floatColumn(d.prefix+"_iat_"+name, "seconds", what+"times between consecutive "+d.word+" packets",
					func(f *flowtable.Flow) float64 { return f.Features.Quantiles[i].Intervals[k] / second }))...)
			for _, c := range columns[from:] {
				c.quantiles = k + 1
			}
		}
	}
	for _, c := range columns {
		c.Needs = features.Quantiles
	}
	return columns
}

// percent returns a hundred times a number from 0 to 1, in as many digits as
// tell it from all others.
func percent(q float64) string {
	whole, part, _ := strings.Cut(strconv.FormatFloat(q, 'f', -1, 64), ".")
	part += "00"
	text := strings.TrimLeft(whole+part[:2], "0")
	if rest := strings.TrimRight(part[2:], "0"); rest != "" {
		text += "." + rest
	}
	if text == "" || text[0] == '.' {
		text = "0" + text
	}
	return text
}
