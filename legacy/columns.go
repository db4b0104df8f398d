package legacy

import (
	"regexp"
	"slices"
)

// A Column describes one column of a row.
type Column struct {
	Name       string // as in the header, with the original's capitals
	Unit       string // "" for texts and numbers of ports and protocols
	Definition string
	Kind       Kind
}

// A Kind says how the values of a column are written.
type Kind uint8

const (
	Real    Kind = iota // with a point, an exponent, Infinity or NaN; 0 alone where there is no sample
	Integer             // whole numbers
	Text
)

// Columns returns the columns of a row, in order, with the names of the
// original's FlowFeature and the values of its BasicFlow.
//
// A payload is what stands behind a TCP or UDP header in the captured data, 0 for
// other protocols. Where there are no samples a value is 0. Deviations and
// variances are those of a sample, with the divisor n-1. Times that go back in a
// capture can make durations, intervals and rates negative; nothing else is.
func Columns() []Column {
	c := []Column{
		{Name: "Flow ID", Unit: "", Definition: "addresses, ports and protocol, in the direction of the flow's first packet"},
		{Name: "Src IP", Unit: "", Definition: "IPv4 address of the sender of the first packet"},
		{Name: "Src Port", Unit: "", Definition: "its port, 0 to 65535; 0 unless TCP or UDP"},
		{Name: "Dst IP", Unit: "", Definition: "IPv4 address of the receiver of the first packet"},
		{Name: "Dst Port", Unit: "", Definition: "its port, 0 to 65535; 0 unless TCP or UDP"},
		{Name: "Protocol", Unit: "", Definition: "6 TCP, 17 UDP, 0 any other"},
		{Name: "Timestamp", Unit: "", Definition: "time of the first packet: day/month/year, 12-hour clock, AM or PM, whole seconds"},
		{Name: "Flow Duration", Unit: "microseconds", Definition: "latest packet less first packet; 120000000 at most"},
		{Name: "Total Fwd Packet", Unit: "packets", Definition: "packets of the source's address, whatever their port; 1 or more"},
		{Name: "Total Bwd packets", Unit: "packets", Definition: "the others"},
		{Name: "Total Length of Fwd Packet", Unit: "bytes", Definition: "sum of the forward payloads"},
		{Name: "Total Length of Bwd Packet", Unit: "bytes", Definition: "sum of the backward payloads"},
	}
	add := func(name, unit, definition string) {
		c = append(c, Column{Name: name, Unit: unit, Definition: definition})
	}
	directions := [2]struct{ prefix, word string }{{"Fwd", "forward"}, {"Bwd", "backward"}}
	for _, d := range directions {
		add(d.prefix+" Packet Length Max", "bytes", "maximum of the "+d.word+" payloads")
		add(d.prefix+" Packet Length Min", "bytes", "minimum of the "+d.word+" payloads")
		add(d.prefix+" Packet Length Mean", "bytes", "mean of the "+d.word+" payloads")
		add(d.prefix+" Packet Length Std", "bytes", "standard deviation of the "+d.word+" payloads")
	}
	add("Flow Bytes/s", "bytes per second", "payloads of both directions by duration; without it Infinity or NaN")
	add("Flow Packets/s", "packets per second", "packets by duration; without duration Infinity")
	four := func(prefix, unit, definition string) {
		add(prefix+" Mean", unit, "mean of the "+definition)
		add(prefix+" Std", unit, "standard deviation of the "+definition)
		add(prefix+" Max", unit, "maximum of the "+definition)
		add(prefix+" Min", unit, "minimum of the "+definition)
	}
	four("Flow IAT", "microseconds", "intervals between successive packets")
	for _, d := range directions {
		add(d.prefix+" IAT Total", "microseconds", "sum of the intervals between successive "+d.word+" packets")
		four(d.prefix+" IAT", "microseconds", "intervals between successive "+d.word+" packets")
	}
	for _, flag := range []string{"PSH", "URG"} {
		add("Fwd "+flag+" Flags", "packets", "1 if the first packet has "+flag+" set, else 0")
		add("Bwd "+flag+" Flags", "packets", "0: the first packet is never backward")
	}
	for _, d := range directions {
		add(d.prefix+" Header Length", "bytes", "sum of the "+d.word+" TCP or UDP headers, as far as they were captured")
	}
	for _, d := range directions {
		add(d.prefix+" Packets/s", "packets per second", d.word+" packets by duration; 0 unless that is above 0")
	}
	add("Packet Length Min", "bytes", "minimum of the payloads")
	add("Packet Length Max", "bytes", "maximum of the payloads")
	add("Packet Length Mean", "bytes", "mean of the payloads, the first packet's taken twice")
	add("Packet Length Std", "bytes", "standard deviation of the payloads, the first packet's taken twice")
	add("Packet Length Variance", "bytes squared", "variance of the payloads, the first packet's taken twice")
	for _, flag := range []string{"FIN", "SYN", "RST", "PSH", "ACK", "URG", "CWR", "ECE"} {
		add(flag+" Flag Count", "packets", "packets with the TCP control bit "+flag)
	}
	add("Down/Up Ratio", "", "backward packets by forward packets, cut to an integer")
	add("Average Packet Size", "bytes", "sum of the payloads, the first packet's taken twice, by the number of packets")
	for _, d := range directions {
		add(d.prefix+" Segment Size Avg", "bytes", "mean of the "+d.word+" payloads")
	}
	add("Fwd Bytes/Bulk Avg", "bytes", "0: never computed")
	add("Fwd Packet/Bulk Avg", "packets", "0: never computed")
	add("Fwd Bulk Rate Avg", "bytes per second", "0: never computed")
	add("Bwd Bytes/Bulk Avg", "bytes", "bytes in bulks by their number, cut to an integer; a bulk is "+
		"4 or more packets of both directions with payload, none more than a second after the one before")
	add("Bwd Packet/Bulk Avg", "packets", "packets in bulks by their number, cut to an integer")
	add("Bwd Bulk Rate Avg", "bytes per second", "bytes in bulks by their duration, cut to an integer")
	for _, d := range directions {
		add("Subflow "+d.prefix+" Packets", "packets", d.word+" packets by the number of intervals above a second, "+
			"cut to an integer; 0 if there is none")
		add("Subflow "+d.prefix+" Bytes", "bytes", d.word+" payloads by that number, cut to an integer")
	}
	add("FWD Init Win Bytes", "bytes", "TCP window of the first packet, not scaled, 0 to 65535; 0 for UDP")
	add("Bwd Init Win Bytes", "bytes", "TCP window of the latest backward packet, not scaled")
	add("Fwd Act Data Pkts", "packets", "forward packets with payload, but for the first packet")
	add("Fwd Seg Size Min", "bytes", "minimum of the forward TCP or UDP headers")
	four("Active", "microseconds", "times between two silences of more than 5 seconds, from packet to packet")
	four("Idle", "microseconds", "silences of more than 5 seconds")
	add("Label", "", label)
	for i := range c {
		switch name := c[i].Name; {
		case slices.Contains([]string{"Flow ID", "Src IP", "Dst IP", "Timestamp", "Label"}, name):
			c[i].Kind = Text
		case integers.MatchString(name):
			c[i].Kind = Integer
		}
	}
	return c
}

// integers are the names of the columns that the original keeps as int or long.
var integers = regexp.MustCompile(`^(Src Port|Dst Port|Protocol|Flow Duration|Total Fwd Packet|Total Bwd packets|` +
	`(Fwd|Bwd) (PSH|URG) Flags|... Flag Count|.* Header Length|.* Bulk Rate Avg|.*/Bulk Avg|Subflow .*|.* Init Win Bytes|Fwd Act Data Pkts|Fwd Seg Size Min)$`)
