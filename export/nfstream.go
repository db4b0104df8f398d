package export

import (
	"time"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// nfStream is the table of NFStream (github.com/nfstream/nfstream, release
// 6.5.4) without what its inspection of contents adds: the core columns and
// those of statistical_analysis, of frames (accounting_mode 0), with
// decode_tunnels off. Times are whole milliseconds that do not go back.
var nfStream = Profile{
	Name:        "nfstream",
	Definition:  "the core and statistical columns of NFStream, and with --splt those of its first packets",
	Columns:     nfStreamColumns(),
	IdleTimeout: 120 * time.Second,
	Resolution:  time.Millisecond,
	Monotone:    true,
	first:       nfSPLT,
	Keys:        flowtable.Keys{Encapsulation: decode.VLANTags, Portless: decode.AllProtocols.Without(decode.TCP, decode.UDP)},
	Protocols:   decode.AllProtocols,
	Rules:       flowtable.Rules{ActiveTimeout: 1800 * time.Second, NoReuse: true, AtTimeout: true, Turn: true},
}

const millis = "milliseconds"

func nfStreamColumns() []*Column {
	var columns []*Column
	add := func(needs features.Set, more ...*Column) {
		for _, c := range more {
			c.Needs = needs
		}
		columns = append(columns, more...)
	}
	mac := func(end, what string, of func(l *decode.Link) *[6]byte) (address, oui *Column) { // zeros where there is none
		column := func(name, definition string, bytes int) *Column {
			return plainColumn(name, definition, func(b []byte, f *flowtable.Flow) []byte {
				return appendMAC(b, of(&f.Features.Link)[:bytes])
			})
		}
		return column(end+"_mac", "address of the flow's "+what+" in the first packet's frame", 6), column(end+"_oui", "its first three bytes", 3)
	}
	srcMAC, srcOUI := mac("src", "source", func(l *decode.Link) *[6]byte { return &l.Src })
	dstMAC, dstOUI := mac("dst", "destination", func(l *decode.Link) *[6]byte { return &l.Dst })
	add(0,
		numbered(uintColumn("id", "", "number of the row, from 0", func(f *flowtable.Flow) uint64 { return f.Number })),
		column(Int, "expiration_id", "", "0 idle or at the end of the capture, 1 by the active timeout, -1 otherwise", func(v *Value, f *flowtable.Flow) {
			switch f.Reason {
			case flowtable.Idle, flowtable.End:
				v.Int = 0
			case flowtable.Active:
				v.Int = 1
			default:
				v.Int = -1
			}
		}),
		plainColumn("src_ip", "source address", func(b []byte, f *flowtable.Flow) []byte { return appendIP(b, f.Src, f.V6) }))
	add(features.Link, srcMAC, srcOUI)
	add(0, uintColumn("src_port", "", "source port", func(f *flowtable.Flow) uint64 { return uint64(f.SrcPort) }),
		plainColumn("dst_ip", "destination address", func(b []byte, f *flowtable.Flow) []byte { return appendIP(b, f.Dst, f.V6) }))
	add(features.Link, dstMAC, dstOUI)
	add(0, uintColumn("dst_port", "", "destination port", func(f *flowtable.Flow) uint64 { return uint64(f.DstPort) }),
		uintColumn("protocol", "", "IP protocol number", func(f *flowtable.Flow) uint64 { return uint64(f.Protocol) }),
		uintColumn("ip_version", "", "4 or 6", func(f *flowtable.Flow) uint64 {
			if f.V6 {
				return 6
			}
			return 4
		}))
	add(features.Link, uintColumn("vlan_id", "", "identifier of the innermost VLAN tag of the first packet, 0 without tags",
		func(f *flowtable.Flow) uint64 {
			l := &f.Features.Link
			if l.NumVLANs == 0 {
				return 0
			}
			return uint64(l.VLANs[l.NumVLANs-1])
		}))
	for _, c := range columns {
		switch c.Name {
		case "expiration_id":
			c.Role = RoleTime
		case "src_oui", "dst_oui", "ip_version", "vlan_id":
			c.Role = RoleHost
		case "protocol":
		default:
			c.Role = RoleIdentifier
		}
	}

	scopes := [3]struct {
		name, word string
		i          int
	}{{"bidirectional", "packets", 2}, {"src2dst", "forward packets", 0}, {"dst2src", "backward packets", 1}}
	for _, s := range scopes {
		seen := func(f *flowtable.Flow) *features.Span { return &f.Features.Seen[s.i] }
		add(features.Spans, saying("seen", oneSided(s.i,
			as(RoleTime, column(Int, s.name+"_first_seen_ms", millis, "time of the first of the "+s.word+" since the Unix epoch, 0 without any",
				func(v *Value, f *flowtable.Flow) { v.Int = seen(f).First / millisecond }))[0],
			as(RoleTime, column(Int, s.name+"_last_seen_ms", millis, "time of the last of the "+s.word+" since the Unix epoch, 0 without any",
				func(v *Value, f *flowtable.Flow) { v.Int = seen(f).Last / millisecond }))[0],
			always(column(Int, s.name+"_duration_ms", millis, "the one less the other",
				func(v *Value, f *flowtable.Flow) { v.Int = (seen(f).Last - seen(f).First) / millisecond }))[0])...)...)
		add(0, always(
			uintColumn(s.name+"_packets", "packets", s.word, func(f *flowtable.Flow) uint64 {
				return scope(f, s.i, func(d *flowtable.Direction) uint64 { return d.Packets })
			}))...)
		add(0, saying("size", oneSided(s.i,
			uintColumn(s.name+"_bytes", "bytes", "sum of the original lengths of the "+s.word,
				func(f *flowtable.Flow) uint64 {
					return scope(f, s.i, func(d *flowtable.Direction) uint64 {
						if d.Packets == 0 {
							return 0
						}
						return d.Bytes
					})
				}))...)...)
	}
	for _, s := range scopes {
		add(features.Sizes, saying("size", oneSided(s.i, nfMoments(s.name, "ps", "bytes", 1, "of the original lengths of the "+s.word,
			func(f *features.Flow) *features.Moments { return &f.Sizes[s.i] })...)...)...)
	}
	for _, s := range scopes {
		add(features.Intervals, always(nfMoments(s.name, "piat_ms", millis, millisecond, "of the times between consecutive "+s.word,
			func(f *features.Flow) *features.Moments { return &f.Intervals[s.i] })...)...)
	}
	for _, s := range scopes {
		for _, bit := range [8]controlBit{syn, cwr, ece, urg, ack, psh, rst, fin} {
			add(0, saying(bit.name, oneSided(s.i, uintColumn(s.name+"_"+bit.name+"_packets", "packets", s.word+" with "+bit.word,
				[3]func(f *flowtable.Flow) uint64{
					func(f *flowtable.Flow) uint64 { return bit.in(&f.Fwd) },
					func(f *flowtable.Flow) uint64 { return bit.in(&f.Bwd) },
					func(f *flowtable.Flow) uint64 { return bit.in(&f.Fwd) + bit.in(&f.Bwd) },
				}[s.i]))...)...)
		}
	}
	return columns
}

const millisecond = 1_000_000

// scope returns the sum of what a function says of the directions in a scope: 0
// forward, 1 backward, 2 both.
func scope(f *flowtable.Flow, i int, of func(d *flowtable.Direction) uint64) uint64 {
	switch i {
	case 0:
		return of(&f.Fwd)
	case 1:
		return of(&f.Bwd)
	}
	return of(&f.Fwd) + of(&f.Bwd)
}

// nfMoments are the numbers that NFStream has of a sample.
func nfMoments(scope, name, unit string, scale float64, what string, of func(f *features.Flow) *features.Moments) []*Column {
	whole := func(which, word string, number func(m *features.Moments) uint64) *Column {
		return uintColumn(scope+"_"+which+"_"+name, unit, word+" "+what, func(f *flowtable.Flow) uint64 { return number(of(f.Features)) / uint64(scale) })
	}
	real := func(which, word string, number func(m *features.Moments) float64) *Column {
		return floatColumn(scope+"_"+which+"_"+name, unit, word+" "+what, func(f *flowtable.Flow) float64 { return number(of(f.Features)) / scale })
	}
	return []*Column{
		whole("min", "minimum", func(m *features.Moments) uint64 { return m.Min }),
		real("mean", "mean", func(m *features.Moments) float64 { return m.Mean() }),
		always(real("stddev", "standard deviation (n-1)", func(m *features.Moments) float64 { return m.Central.Deviation() }))[0],
		whole("max", "maximum", func(m *features.Moments) uint64 { return m.Max }),
	}
}

// nfSPLT are NFStream's columns of the first n packets.
func nfSPLT(n int) []*Column {
	list := func(name, unit, definition string, of func(e *features.Early) int64) *Column {
		c := column(List, name, unit, definition+"; -1 beyond the flow's last packet", func(v *Value, f *flowtable.Flow) {
			v.List = v.List[:0]
			for i := range f.Features.First {
				v.List = append(v.List, of(&f.Features.First[i]))
			}
			for len(v.List) < n {
				v.List = append(v.List, -1)
			}
		})
		c.Needs = features.First
		return c
	}
	return []*Column{
		list("splt_direction", "", "0 for a forward packet, 1 for a backward one", func(e *features.Early) int64 {
			if e.Backward {
				return 1
			}
			return 0
		}),
		list("splt_ps", "bytes", "original length", func(e *features.Early) int64 { return int64(e.Size) }),
		list("splt_piat_ms", millis, "time since the flow's packet before, 0 for the first",
			func(e *features.Early) int64 { return int64(e.Gap / millisecond) }),
	}
}
