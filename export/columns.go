package export

// A Column describes one column of a row.
type Column struct {
	Name       string
	Unit       string // "" for addresses, numbers of ports and protocols
	Definition string
}

// EndReason is the column that says why a flow ended.
var EndReason = Column{"end_reason", "", "why the flow ended: `idle` for longer than the idle timeout, " +
	"`reuse` of its ports by a TCP SYN, `end` of the capture, `evicted` to keep to a bound of flows or memory"}

// Columns returns the columns of a row of the default profile, in order.
func Columns() []Column {
	columns := []Column{
		{"src_ip", "", "address of the sender of the flow's first packet"},
		{"src_port", "", "its port"},
		{"dst_ip", "", "address of the receiver of the flow's first packet"},
		{"dst_port", "", "its port"},
		{"protocol", "", "IP protocol number: 6 TCP, 17 UDP"},
		{"start_time", "seconds", "time of the first packet, since the Unix epoch"},
		{"duration", "seconds", "latest packet time less start time"},
	}
	add := func(name, unit, definition string) {
		columns = append(columns, Column{name, unit, definition})
	}
	directions := [2]struct{ prefix, word string }{{"fwd", "forward"}, {"bwd", "backward"}}
	for _, d := range directions {
		add(d.prefix+"_tot_pkt", "packets", d.word+" packets")
		add(d.prefix+"_tot_byte", "bytes", "sum of the original lengths of the "+d.word+" frames")
	}
	five := [5]struct{ suffix, word string }{
		{"min", "minimum"}, {"q1", "first quartile"}, {"median", "median"}, {"q3", "third quartile"}, {"max", "maximum"},
	}
	for _, d := range directions {
		for _, n := range five {
			add(d.prefix+"_pkt_size_"+n.suffix, "bytes", n.word+" of the original lengths of the "+d.word+" frames")
		}
	}
	for _, d := range directions {
		for _, n := range five {
			add(d.prefix+"_iat_"+n.suffix, "seconds", n.word+" of the times between consecutive "+d.word+" packets")
		}
	}
	flags := [8][2]string{
		{"fin", "FIN"}, {"syn", "SYN"}, {"rst", "RST"}, {"psh", "PSH"},
		{"ack", "ACK"}, {"urg", "URG"}, {"ece", "ECE"}, {"cwr", "CWR"},
	}
	for _, d := range directions {
		for _, f := range flags {
			add(d.prefix+"_"+f[0]+"_cnt", "packets", d.word+" packets with the TCP control bit "+f[1])
		}
	}
	return columns
}
