package export

import (
	"math"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// The head of the default profile: who sent, and when. Its columns, and how each format
// has them at once.

// The numbers of its columns.
const (
	numSrc = iota
	numSrcPort
	numDst
	numDstPort
	numProtocol
	numStart
	numDuration
	numHead
)

func headColumns() []*Column {
	columns := []*Column{
		numSrc: plainColumn("src_ip", "address of the flow's source: the sender of its first packet; after a cut by the active timeout that of the flow before",
			func(b []byte, f *flowtable.Flow) []byte { return appendIP(b, f.Src, f.V6) }),
		numSrcPort: narrow(16, uintColumn("src_port", "", "its port, or what another protocol has in its place", func(f *flowtable.Flow) uint64 { return uint64(f.SrcPort) })),
		numDst: plainColumn("dst_ip", "address of the flow's destination",
			func(b []byte, f *flowtable.Flow) []byte { return appendIP(b, f.Dst, f.V6) }),
		numDstPort:  narrow(16, uintColumn("dst_port", "", "its port, or what another protocol has in its place", func(f *flowtable.Flow) uint64 { return uint64(f.DstPort) })),
		numProtocol: narrow(8, uintColumn("protocol", "", "IP protocol number, such as 6 for TCP and 17 for UDP", func(f *flowtable.Flow) uint64 { return uint64(f.Protocol) })),
		numStart: column(Time, "start_time", "seconds", "time of the first packet, since the Unix epoch",
			func(v *Value, f *flowtable.Flow) { v.Int, v.Fine = int64(f.Start), f.Fine }),
		numDuration: always(column(Seconds, "duration", "seconds", "latest packet time less start time",
			func(v *Value, f *flowtable.Flow) {
				v.Uint, v.Quarters, v.Fine, v.None = f.Nanoseconds(), 0, f.Fine, false
			}))[0],
	}
	as(RoleIdentifier, columns[numSrc:numProtocol]...)
	as(RoleTime, columns[numStart])
	return columns
}

// head writes the values of the head with a comma behind each.
func (r *row) head(f *flowtable.Flow) (n int) {
	if f.V6 {
		n = r.addr(0, f.Src, true)
		n = r.port(n, f.SrcPort)
		n = r.addr(n, f.Dst, true)
	} else { // as ipv4 has it: a call for each takes a tenth of the instructions of a row
		src, dst := uint32(f.Src.Lo), uint32(f.Dst.Lo)
		n = r.octet(r.octet(r.octet(r.octet(0, src>>24), src>>16), src>>8), src)
		r[at(n-1)] = ','
		n = r.port(n, f.SrcPort)
		n = r.octet(r.octet(r.octet(r.octet(n, dst>>24), dst>>16), dst>>8), dst)
		r[at(n-1)] = ','
	}
	n = r.port(n, f.DstPort)
	n = r.small(n, uint64(f.Protocol))
	n = r.time(n, f.Start, f.Fine)
	if f.Last == f.Start {
		return r.noSeconds(n, f.Fine)
	}
	return r.seconds(n, f.Nanoseconds(), 0, f.Fine)
}

// port writes a port.
func (r *row) port(n int, v uint16) int {
	if v >= 1000 {
		n = r.small(n, uint64(v/1000))
		r.put(n-1, &three[v%1000]) // over the comma
		return n + len("000")
	}
	return r.small(n, uint64(v))
}

// headKeys writes them with a key before each too.
func (r *row) headKeys(f *flowtable.Flow) (n int) {
	n = r.quotedAddr(r.key(0, numSrc), f.Src, f.V6)
	n = r.uint(r.key(n, numSrcPort), uint64(f.SrcPort))
	n = r.quotedAddr(r.key(n, numDst), f.Dst, f.V6)
	n = r.uint(r.key(n, numDstPort), uint64(f.DstPort))
	n = r.uint(r.key(n, numProtocol), uint64(f.Protocol))
	n = r.time(r.key(n, numStart), f.Start, f.Fine)
	return r.seconds(r.key(n, numDuration), f.Nanoseconds(), 0, f.Fine)
}

// quotedAddr writes an address in quotation marks.
func (r *row) quotedAddr(n int, a decode.Addr, v6 bool) int {
	r[at(n)] = '"'
	n = r.addr(n+1, a, v6)
	r[at(n-1)], r[at(n)] = '"', ','
	return n + 1
}

// The bits of those that have 8, and of the groups behind the head.
const (
	bitStart = iota
	bitDuration
	bitGroups
)

// head packs the wide ones.
func (p packer) head(f *flowtable.Flow) packer {
	p = p.put(bitStart, uint64(f.Start))
	if ns := f.Nanoseconds(); ns > 0 {
		p = p.put(bitDuration, math.Float64bits(seconds(ns, 0)))
	}
	return p
}
