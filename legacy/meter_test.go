package legacy

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast/decode"
)

// A sent packet goes from port 1000 of A to port 80 of B by TCP, or back, or if
// flags is -1 from port 5000 to port 53 by UDP.
type sent struct {
	at     float64 // seconds
	from   string  // A or B
	flags  int
	length int // of the payload
	window uint16
}

const udpSent = -1

const (
	fin = decode.FIN
	syn = decode.SYN
	rst = decode.RST
	psh = decode.PSH
	ack = decode.ACK
	urg = decode.URG
)

// epoch is when the packets are sent, in microseconds.
const epoch = 1_600_000_000_123_456

func (s sent) packet() []byte {
	proto, src, dst := byte(6), uint16(1000), uint16(80)
	if s.flags == udpSent {
		proto, src, dst = 17, 5000, 53
	}
	from, to := uint32(hostA), uint32(hostB)
	if s.from == "B" {
		from, to, src, dst = to, from, dst, src
	}
	if s.flags == udpSent {
		return frame(ipv4From(from, to, proto, udpFrom(src, dst, s.length)))
	}
	return frame(ipv4From(from, to, proto, tcpFrom(src, dst, uint8(s.flags), s.window, s.length)))
}

// rowsOf returns the rows of the packets, by the names of their columns.
func rowsOf(t *testing.T, packets ...sent) []map[string]string {
	t.Helper()
	var m Meter
	var flows []*Flow
	for _, s := range packets {
		r := record(epoch+int64(s.at*1e6+0.5), s.packet())
		if f := m.Add(r); f != nil {
			flows = append(flows, f)
		}
	}
	flows = append(flows, m.Rest()...)
	checkCounts(t, &m, len(packets))
	var rows []map[string]string
	for _, f := range flows {
		rows = append(rows, named(t, string(CSV{}.AppendRow(nil, f))))
	}
	return rows
}

// checkCounts checks that all packets left a Meter, by one door each.
func checkCounts(t *testing.T, m *Meter, packets int) {
	t.Helper()
	n := m.Counts()
	if n.Packets != uint64(packets) || n.Discarded+n.Repeated+n.Lost+n.Given != n.Packets {
		t.Errorf("the counts of %d packets do not add up: %+v", packets, n)
	}
}

var columns = Columns()

// named returns the values of a row by the names of their columns.
func named(t *testing.T, line string) map[string]string {
	t.Helper()
	values := strings.Split(strings.TrimSuffix(line, "\n"), ",")
	if len(values) != len(columns) {
		t.Fatalf("%d values, want %d: %s", len(values), len(columns), line)
	}
	row := map[string]string{}
	for i, c := range columns {
		row[c.Name] = values[i]
		if kind := kindOf(values[i]); kind != c.Kind && (c.Kind != Real || values[i] != "0") {
			t.Errorf("%s: %q is of kind %d, want %d", c.Name, values[i], kind, c.Kind)
		}
	}
	return row
}

// kindOf tells how a value is written.
func kindOf(value string) Kind {
	if _, err := strconv.ParseInt(value, 10, 64); err == nil {
		return Integer
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil {
		return Real
	}
	return Text
}

// check compares rows in the columns that are named: "Total Fwd Packet: 4, …".
func check(t *testing.T, got []map[string]string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d: %v", len(got), len(want), got)
	}
	for i, row := range want {
		for value := range strings.SplitSeq(row, ",") {
			name, text, _ := strings.Cut(strings.TrimSpace(value), ": ")
			v, ok := got[i][name]
			if !ok {
				t.Fatalf("no column %s in %v", name, slices.Sorted(maps.Keys(got[i])))
			}
			if v != text {
				t.Errorf("row %d, %s: got %s, want %s", i, name, v, text)
			}
		}
	}
}

// TestExamples has rows that the original was seen to give.
func TestExamples(t *testing.T) {
	t.Run("client closes first", func(t *testing.T) {
		check(t, rowsOf(t,
			sent{0, "A", syn, 0, 111},
			sent{0.1, "B", syn | ack, 0, 222},
			sent{0.2, "A", ack, 0, 333},
			sent{0.3, "A", psh | ack, 100, 334},
			sent{0.4, "B", psh | ack, 300, 223},
			sent{0.5, "A", fin | ack, 0, 1000},
			sent{0.6, "B", ack, 0, 224},
			sent{0.65, "B", psh | ack, 10, 224},
			sent{0.7, "B", fin | ack, 0, 225},
			sent{0.8, "A", ack, 0, 1000}, // starts a flow of one packet, which is lost
		), `Flow ID: 10.0.0.1-10.0.0.2-1000-80-6, Flow Duration: 700000,
			Timestamp: 13/09/2020 12:26:40 PM, Label: NeedManualLabel,
			Total Fwd Packet: 4, Total Bwd packets: 5,
			Total Length of Fwd Packet: 100.0, Total Length of Bwd Packet: 310.0,
			Fwd Packet Length Mean: 25.0, Fwd Packet Length Std: 50.0,
			Bwd Packet Length Mean: 62.0, Bwd Packet Length Std: 133.1164903383499,
			Flow Bytes/s: 585.7142857142858, Flow Packets/s: 12.857142857142858,
			Flow IAT Mean: 87500.0, Flow IAT Std: 23145.502494313787,
			Fwd IAT Total: 500000.0, Fwd IAT Mean: 166666.66666666666, Fwd IAT Max: 200000.0, Fwd IAT Min: 100000.0,
			Bwd IAT Total: 600000.0, Bwd IAT Mean: 150000.0, Bwd IAT Max: 300000.0, Bwd IAT Min: 50000.0,
			Fwd Header Length: 80, Bwd Header Length: 100,
			Packet Length Mean: 41.0, Packet Length Std: 96.20002310002032, Packet Length Variance: 9254.444444444443,
			FIN Flag Count: 2, SYN Flag Count: 2, PSH Flag Count: 3, ACK Flag Count: 8,
			Fwd PSH Flags: 0, Bwd PSH Flags: 0, Down/Up Ratio: 1.0, Average Packet Size: 45.55555555555556,
			FWD Init Win Bytes: 111, Bwd Init Win Bytes: 225, Fwd Act Data Pkts: 1, Fwd Seg Size Min: 20`)
	})
	t.Run("server closes first", func(t *testing.T) {
		check(t, rowsOf(t,
			sent{0, "A", syn, 0, 111},
			sent{0.1, "B", syn | ack, 0, 222},
			sent{0.2, "A", ack, 0, 333},
			sent{0.3, "A", psh | ack, 100, 334},
			sent{0.4, "B", psh | ack, 300, 223},
			sent{0.5, "B", fin | ack, 0, 225},
			sent{0.6, "A", ack, 0, 224},
			sent{0.65, "A", psh | ack, 10, 224},
			sent{0.7, "A", fin | ack, 0, 1000},
			sent{0.8, "B", ack, 0, 226},
		), `Total Fwd Packet: 3, Total Bwd packets: 3, Flow Duration: 500000`,
			`Flow ID: 10.0.0.1-10.0.0.2-1000-80-6, Total Fwd Packet: 3, Total Bwd packets: 1, Flow Duration: 200000,
			FIN Flag Count: 1, FWD Init Win Bytes: 224`)
	})
	t.Run("timeout", func(t *testing.T) {
		check(t, rowsOf(t,
			sent{0, "A", udpSent, 10, 0},
			sent{1, "B", udpSent, 20, 0},
			sent{130, "B", udpSent, 30, 0},
			sent{131, "A", udpSent, 40, 0},
			sent{132, "B", udpSent, 50, 0},
		), `Total Fwd Packet: 1, Total Bwd packets: 1, Flow Duration: 1000000`,
			`Flow ID: 10.0.0.1-10.0.0.2-5000-53-17, Src IP: 10.0.0.1, Src Port: 5000, Dst IP: 10.0.0.2, Dst Port: 53,
			Total Fwd Packet: 2, Total Length of Fwd Packet: 70.0,
			Total Bwd packets: 1, Total Length of Bwd Packet: 50.0,
			Flow Duration: 2000000, Fwd Act Data Pkts: 1, Packet Length Mean: 37.5, Average Packet Size: 50.0`)
	})
	t.Run("mixed bulk", func(t *testing.T) {
		var packets []sent
		for i := range 10 {
			packets = append(packets, sent{float64(i) / 10, "AB"[i%2 : i%2+1], ack, 100 - i%2*90, 0})
		}
		check(t, rowsOf(t, packets...), `Fwd Bytes/Bulk Avg: 0, Fwd Packet/Bulk Avg: 0, Fwd Bulk Rate Avg: 0,
			Bwd Bytes/Bulk Avg: 550, Bwd Packet/Bulk Avg: 10, Bwd Bulk Rate Avg: 611`)
	})
	t.Run("no duration", func(t *testing.T) {
		check(t, rowsOf(t, sent{0, "A", udpSent, 1, 0}, sent{0, "B", udpSent, 0, 0}),
			`Flow Duration: 0, Flow Bytes/s: Infinity, Flow Packets/s: Infinity, Fwd Packets/s: 0.0`)
		check(t, rowsOf(t, sent{0, "A", udpSent, 0, 0}, sent{0, "B", udpSent, 0, 0}),
			`Flow Duration: 0, Flow Bytes/s: NaN, Flow Packets/s: Infinity, Fwd Packets/s: 0.0`)
	})
}

// TestRules has the rules of flows and columns that no example shows.
func TestRules(t *testing.T) {
	const micro = 1e-6
	for _, test := range []struct {
		name    string
		packets []sent
		rows    []string
	}{
		{"one packet is lost", []sent{{0, "A", syn, 0, 0}}, nil},
		{"one packet is lost at a timeout",
			[]sent{{0, "A", udpSent, 1, 0}, {121, "A", udpSent, 2, 0}, {122, "A", udpSent, 4, 0}},
			[]string{"Total Fwd Packet: 2, Total Length of Fwd Packet: 6.0"}},
		{"120 seconds are no timeout", []sent{{0, "A", udpSent, 1, 0}, {120, "A", udpSent, 2, 0}},
			[]string{"Flow Duration: 120000000"}},
		{"a microsecond more is", []sent{{0, "A", udpSent, 1, 0}, {120 + micro, "A", udpSent, 2, 0}}, nil},
		{"the timeout runs from the first packet",
			[]sent{{0, "A", udpSent, 1, 0}, {119, "B", udpSent, 2, 0}, {121, "A", udpSent, 4, 0}},
			[]string{"Flow Duration: 119000000"}},
		{"a timeout goes before FIN",
			[]sent{{0, "A", ack, 0, 0}, {1, "A", ack, 0, 0}, {121, "B", fin, 0, 0}, {122, "B", ack, 0, 0}},
			[]string{"Total Fwd Packet: 2", "FIN Flag Count: 1, Total Fwd Packet: 1, Total Bwd packets: 1"}},
		{"the flow of B's first packet is that of B", []sent{{0, "B", syn | ack, 0, 0}, {1, "A", ack, 0, 0}},
			[]string{"Flow ID: 10.0.0.2-10.0.0.1-80-1000-6, Total Fwd Packet: 1, Total Bwd packets: 1"}},
		{"RST closes", []sent{{0, "A", ack, 0, 0}, {1, "A", rst, 0, 0}, {2, "A", ack, 0, 0}, {3, "A", ack, 0, 0}},
			[]string{"RST Flag Count: 1, Total Fwd Packet: 2", "RST Flag Count: 0, Total Fwd Packet: 2"}},
		{"a backward RST closes", []sent{{0, "A", ack, 0, 0}, {1, "B", rst, 0, 0}, {2, "A", ack, 0, 0}},
			[]string{"RST Flag Count: 1, Total Bwd packets: 1"}},
		{"RST of the first packet does not", []sent{{0, "A", rst, 0, 0}, {1, "A", ack, 0, 0}},
			[]string{"RST Flag Count: 1, Total Fwd Packet: 2"}},
		{"a forward FIN with RST does not",
			[]sent{{0, "A", ack, 0, 0}, {1, "A", fin | rst, 0, 0}, {2, "A", ack, 0, 0}},
			[]string{"RST Flag Count: 1, Total Fwd Packet: 3"}},
		{"a second forward FIN is dropped",
			[]sent{{0, "A", ack, 0, 0}, {1, "A", fin, 5, 0}, {2, "A", fin, 5, 0}, {3, "A", ack, 7, 0}},
			[]string{"FIN Flag Count: 1, Total Fwd Packet: 3, Total Length of Fwd Packet: 12.0"}},
		{"a FIN of the first packet does not count for that",
			[]sent{{0, "A", fin, 0, 0}, {1, "A", fin, 0, 0}, {2, "A", fin, 0, 0}},
			[]string{"FIN Flag Count: 2, Total Fwd Packet: 2"}},
		{"SYN starts nothing", []sent{{0, "A", syn, 0, 0}, {1, "B", syn | ack, 0, 0}, {2, "A", syn, 0, 0}},
			[]string{"SYN Flag Count: 3, Total Fwd Packet: 2"}},
		{"times that go back", []sent{{2, "A", udpSent, 1, 0}, {1, "B", udpSent, 1, 0}, {0, "A", udpSent, 1, 0}},
			[]string{`Flow Duration: -2000000, Flow IAT Min: -1000000.0, Fwd IAT Total: -2000000.0, Fwd Packets/s: 0.0,
				Flow Packets/s: -1.5`}},
		{"PSH and URG of the first packet alone",
			[]sent{{0, "A", psh | urg, 0, 0}, {1, "A", psh | urg, 0, 0}, {2, "B", psh | urg, 0, 0}},
			[]string{`Fwd PSH Flags: 1, Bwd PSH Flags: 0, PSH Flag Count: 3,
				Fwd URG Flags: 1, Bwd URG Flags: 0, URG Flag Count: 3`}},
		{"control bits have their columns", []sent{{0, "A", decode.CWR, 0, 0}, {1, "B", decode.CWR | decode.ECE, 0, 0}},
			[]string{"CWR Flag Count: 2, ECE Flag Count: 1, FIN Flag Count: 0"}},
		{"windows: forward of the first, backward of the latest",
			[]sent{{0, "A", ack, 0, 7}, {1, "A", ack, 0, 8}, {2, "B", ack, 0, 9}, {3, "B", ack, 0, 10}},
			[]string{"FWD Init Win Bytes: 7, Bwd Init Win Bytes: 10"}},
		{"ratios are cut",
			[]sent{{0, "A", ack, 0, 0}, {1, "A", ack, 0, 0}, {2, "B", ack, 0, 0}, {3, "B", ack, 0, 0},
				{3, "B", ack, 0, 0}},
			[]string{"Down/Up Ratio: 1.0"}},
		{"a silence of a second is no subflow", []sent{{0, "A", ack, 1, 0}, {1, "A", ack, 1, 0}},
			[]string{"Subflow Fwd Packets: 0, Subflow Fwd Bytes: 0"}},
		{"subflows are divided by their gaps",
			[]sent{{0, "A", ack, 5, 0}, {2, "A", ack, 4, 0}, {4, "B", ack, 3, 0}, {4.5, "B", ack, 4, 0}},
			[]string{"Subflow Fwd Packets: 1, Subflow Fwd Bytes: 4, Subflow Bwd Packets: 1, Subflow Bwd Bytes: 3"}},
		{"a silence of 5 seconds is not idle", []sent{{0, "A", ack, 1, 0}, {5, "A", ack, 1, 0}},
			[]string{"Idle Max: 0, Active Max: 0"}},
		{"a single packet is not active",
			[]sent{{0, "A", ack, 1, 0}, {6, "A", ack, 1, 0}, {8, "A", ack, 1, 0}, {15, "A", ack, 1, 0},
				{16, "A", ack, 1, 0}},
			[]string{`Active Mean: 2000000.0, Active Std: 0.0,
				Idle Mean: 6500000.0, Idle Max: 7000000.0, Idle Min: 6000000.0`}},
		{"a silence ends with the packet that closes",
			[]sent{{0, "A", ack, 1, 0}, {1, "A", ack, 1, 0}, {9, "A", rst, 1, 0}},
			[]string{"Active Mean: 1000000.0, Idle Mean: 8000000.0"}},
		{"three packets are no bulk",
			[]sent{{0, "A", ack, 1, 0}, {0.1, "A", ack, 1, 0}, {0.2, "A", ack, 1, 0}, {0.3, "A", ack, 0, 0}},
			[]string{"Bwd Packet/Bulk Avg: 0, Bwd Bulk Rate Avg: 0"}},
		{"a second does not end a run, more does",
			[]sent{{0, "A", ack, 1, 0}, {1, "A", ack, 1, 0}, {2 + micro, "A", ack, 1, 0}, {3, "A", ack, 2, 0},
				{4, "A", ack, 3, 0}, {5, "A", ack, 4, 0}, {6, "A", ack, 5, 0}},
			[]string{"Bwd Packet/Bulk Avg: 5, Bwd Bytes/Bulk Avg: 15, Bwd Bulk Rate Avg: 3"}},
		{"a bulk without duration has no rate",
			[]sent{{0, "A", ack, 1, 0}, {0, "A", ack, 1, 0}, {0, "A", ack, 1, 0}, {0, "A", ack, 1, 0}},
			[]string{"Bwd Bytes/Bulk Avg: 4, Bwd Bulk Rate Avg: 0"}},
		{"one direction alone has texts 0 for the other", []sent{{0, "A", ack, 1, 0}, {1, "A", ack, 2, 0}},
			[]string{`Bwd Packet Length Max: 0, Bwd IAT Total: 0,
				Bwd Segment Size Avg: 0.0, Total Length of Bwd Packet: 0.0, Bwd Packets/s: 0.0`}},
	} {
		t.Run(test.name, func(t *testing.T) { check(t, rowsOf(t, test.packets...), test.rows...) })
	}
}

// Both ends of a flow can have one address. Then all packets are forward.
func TestDirectionIsByAddress(t *testing.T) {
	var m Meter
	m.Add(record(0, frame(ipv4From(hostA, hostA, 17, udpFrom(1, 2, 0)))))
	m.Add(record(1, frame(ipv4From(hostA, hostA, 17, udpFrom(2, 1, 0)))))
	flows := m.Rest()
	if len(flows) != 1 || flows[0].fwd.lengths.n != 2 {
		t.Errorf("got %+v, want one flow of two forward packets", flows)
	}
}

// Flows come as they close, then by their first packets.
func TestOrder(t *testing.T) {
	var m Meter
	var got []string
	note := func(f *Flow) {
		if f != nil {
			got = append(got, fmt.Sprint(f.srcPort))
		}
	}
	for i, port := range []uint16{5, 9, 3, 7, 9, 3, 7, 5} {
		flags := uint8(ack)
		if i == 5 {
			flags = rst
		}
		note(m.Add(record(int64(i), frame(ip(6, tcpFrom(port, 80, flags, 0, 0))))))
	}
	for _, f := range m.Rest() {
		note(f)
	}
	if want := "3 5 9 7"; strings.Join(got, " ") != want {
		t.Errorf("got flows of the ports %v, want %s", got, want)
	}
	if len(m.Rest()) != 0 {
		t.Error("there are flows after the rest")
	}
}

func TestHeader(t *testing.T) {
	header := string(CSV{}.AppendHeader(nil))
	if n := strings.Count(header, ",") + 1; n != 84 || !strings.HasSuffix(header, ",Label\n") {
		t.Errorf("%d columns, want 84: %s", n, header)
	}
}

func TestTimestamp(t *testing.T) {
	east := time.FixedZone("", 5*3600+1800)
	for _, test := range []struct {
		format CSV
		micros int64
		want   string
	}{
		{CSV{}, 0, "01/01/1970 12:00:00 AM"},
		{CSV{}, 43_200_000_000, "01/01/1970 12:00:00 PM"},
		{CSV{}, 46_799_999_999, "01/01/1970 12:59:59 PM"},
		{CSV{}, epoch, "13/09/2020 12:26:40 PM"},
		{CSV{Location: east}, epoch, "13/09/2020 05:56:40 PM"},
		{CSV{}, -1, "01/01/1970 12:00:00 AM"}, // milliseconds are cut towards 1970
		{CSV{}, -1000, "31/12/1969 11:59:59 PM"},
	} {
		f := newFlow(&packet{time: test.micros}, 1)
		if got := named(t, string(test.format.AppendRow(nil, f)))["Timestamp"]; got != test.want {
			t.Errorf("%d µs, %v: got %s, want %s", test.micros, test.format.Location, got, test.want)
		}
	}
}

// A rate that does not fit into an integer ends at the ends of integers.
func TestBulkRate(t *testing.T) {
	for _, test := range []struct{ bytes, duration, want int64 }{
		{611, 1_000_000, 611},
		{1, 0, 0},
		{5, -2_000_000, -2},
		{1 << 60, 1, 1<<63 - 1},
		{1 << 60, -1, -1 << 63},
	} {
		b := bulk{bytes: test.bytes, duration: test.duration}
		if got := b.rate(); got != test.want {
			t.Errorf("%d bytes in %d µs: got %d, want %d", test.bytes, test.duration, got, test.want)
		}
	}
}

// A time before the epoch, and the epoch itself, start every run anew.
func TestBulkBeforeTheEpoch(t *testing.T) {
	for start, want := range map[int64]int64{-10: 0, -2: 0, -1: 1, 1: 1} {
		var b bulk
		for i := range int64(6) {
			b.add(start+i, 1)
		}
		if b.bulks != want {
			t.Errorf("from %d µs on: got %d bulks, want %d", start, b.bulks, want)
		}
	}
}
