package export_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// A packet of the worked examples in the specifications of the peers' columns:
// IPv4 between A, 10.0.0.1, and B, 10.0.0.2, in Ethernet frames padded to 60
// bytes. The first is sent at 1,600,000,000 s.
type packet struct {
	at      float64 // seconds
	fromB   bool
	flags   byte // of TCP; UDP has none
	payload int
	window  uint16
}

const (
	fin = 1 << iota
	syn
	_
	psh
	ack
)

// clientCloses is example 8.1 of CICFlowMeter's columns, port 1000 to 80.
var clientCloses = []packet{
	{0.0, false, syn, 0, 111},
	{0.1, true, syn | ack, 0, 222},
	{0.2, false, ack, 0, 333},
	{0.3, false, psh | ack, 100, 334},
	{0.4, true, psh | ack, 300, 223},
	{0.5, false, fin | ack, 0, 1000},
	{0.6, true, ack, 0, 224},
	{0.65, true, psh | ack, 10, 224},
	{0.7, true, fin | ack, 0, 225},
	{0.8, false, ack, 0, 1000},
}

// capture returns the packets as a pcap file.
func capture(protocol byte, portA, portB uint16, packets []packet) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	b := []byte{0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 1, 0, 0, 0}
	for _, p := range packets {
		src, dst, srcPort, dstPort := byte(1), byte(2), portA, portB
		if p.fromB {
			src, dst, srcPort, dstPort = dst, src, dstPort, srcPort
		}
		transport := be.AppendUint16(be.AppendUint16(nil, srcPort), dstPort)
		if protocol == 6 {
			transport = append(transport, 0, 0, 0, 0, 0, 0, 0, 0, 5<<4, p.flags)
			transport = append(be.AppendUint16(transport, p.window), 0, 0, 0, 0)
		} else {
			transport = append(be.AppendUint16(transport, uint16(8+p.payload)), 0, 0)
		}
		transport = append(transport, make([]byte, p.payload)...)
		frame := append(make([]byte, 12), 8, 0, 0x45, 0)
		frame = append(be.AppendUint16(frame, uint16(20+len(transport))), 0, 0, 0, 0, 64, protocol, 0, 0)
		frame = append(frame, 10, 0, 0, src, 10, 0, 0, dst)
		frame = append(frame, transport...)
		frame = append(frame, make([]byte, max(0, 60-len(frame)))...)
		micros := uint64(math.Round(p.at * 1e6))
		b = le.AppendUint32(b, uint32(1_600_000_000+micros/1e6))
		b = le.AppendUint32(b, uint32(micros%1e6))
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(frame))), uint32(len(frame)))
		b = append(b, frame...)
	}
	return b
}

// rows returns the rows of a capture by a profile: values by columns.
func rows(t *testing.T, profile string, splt int, pcap []byte) (rows []map[string]string) {
	p, err := export.FindProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	columns := p.Columns
	if splt > 0 {
		columns = slices.Concat(columns, p.SPLT(splt))
	}
	run, err := flowfast.NewReader(flowfast.Options{}.For(p.Demand(columns, splt, nil)), bytes.NewReader(pcap), "example")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := run.Write(context.Background(), &b, export.NewCSV(columns)); err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, values := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = values[i]
		}
		rows = append(rows, row)
	}
	return rows
}

// expect compares values of a row.
func expect(t *testing.T, row map[string]string, want map[string]any) {
	t.Helper()
	for column, w := range want {
		got, ok := row[column]
		if !ok {
			t.Errorf("no column %q", column)
			continue
		}
		if text, isText := w.(string); isText {
			if got != text {
				t.Errorf("%s: got %s, want %s", column, got, text)
			}
			continue
		}
		number, err := strconv.ParseFloat(got, 64)
		v, isFloat := w.(float64)
		if !isFloat {
			v = float64(w.(int))
		}
		if err != nil || math.Abs(number-v) > 1e-9*max(1, math.Abs(v)) {
			t.Errorf("%s: got %s, want %v", column, got, w)
		}
	}
}

// TestNFStreamExample is section 10 of its specification, in accounting mode 0.
func TestNFStreamExample(t *testing.T) {
	all := rows(t, "nfstream", 6, capture(6, 1000, 80, clientCloses))
	if len(all) != 1 {
		t.Fatalf("%d rows, want 1", len(all))
	}
	expect(t, all[0], map[string]any{
		"id": 0, "expiration_id": 0, "src_ip": "10.0.0.1", "dst_port": 80, "protocol": 6, "ip_version": 4, "vlan_id": 0,
		"bidirectional_bytes": 992, "src2dst_bytes": 394, "dst2src_bytes": 598,
		"bidirectional_min_ps": 60, "bidirectional_mean_ps": 99.2, "bidirectional_max_ps": 354,
		"splt_ps": "[60, 60, 60, 154, 354, 60]", "splt_direction": "[0, 1, 0, 0, 1, 0]", "splt_piat_ms": "[0, 100, 100, 100, 100, 100]",
		"bidirectional_first_seen_ms": 1600000000000, "bidirectional_last_seen_ms": 1600000000800, "bidirectional_duration_ms": 800,
		"bidirectional_packets": 10, "src2dst_packets": 5, "dst2src_packets": 5,
		"bidirectional_min_piat_ms": 50, "bidirectional_mean_piat_ms": 800.0 / 9, "bidirectional_max_piat_ms": 100,
		"bidirectional_stddev_piat_ms": 22.04792759220492,
		"src2dst_min_piat_ms":          100, "src2dst_mean_piat_ms": 200, "src2dst_max_piat_ms": 300,
		"dst2src_first_seen_ms": 1600000000100, "dst2src_last_seen_ms": 1600000000700,
		"bidirectional_syn_packets": 2, "src2dst_ack_packets": 4, "dst2src_fin_packets": 1,
	})
}

// TestPyFlowMeterExample is section 5 of its specification, as corrected there.
func TestPyFlowMeterExample(t *testing.T) {
	all := rows(t, "pyflowmeter", 0, capture(6, 1000, 80, clientCloses))
	if len(all) != 1 {
		t.Fatalf("%d rows, want 1", len(all))
	}
	expect(t, all[0], map[string]any{
		"duration": 0.8, "protocol": "TCP", "src_port": 1000, "dst_port": 80,
		"fwd_tot_pkt": 5, "fwd_tot_byte": 394, "bwd_tot_pkt": 5, "bwd_tot_byte": 598,
		"fwd_pkt_size_mean": 78.8, "fwd_pkt_size_std": 37.6, "fwd_pkt_size_skewness": 1.5, "fwd_pkt_size_kurtosis": 0.25,
		"fwd_pkt_size_min": 60, "fwd_pkt_size_max": 154,
		"bwd_pkt_size_mean": 119.6, "bwd_pkt_size_std": 117.2102384606396, "bwd_pkt_size_skewness": 1.499347915188795,
		"bwd_pkt_size_kurtosis": 0.2491207068466692, "bwd_pkt_size_min": 60, "bwd_pkt_size_max": 354,
		"fwd_iat_mean": 0.1, "fwd_iat_std": 0, "fwd_iat_skewness": 0, "fwd_iat_kurtosis": -3, "fwd_iat_min": 0.1, "fwd_iat_max": 0.1,
		"bwd_iat_mean": 0.08, "bwd_iat_std": math.Sqrt(0.0006), "bwd_iat_skewness": -0.408248290463863, "bwd_iat_kurtosis": -11.0 / 6,
		"bwd_iat_min": 0.05, "bwd_iat_max": 0.1,
		"fwd_FIN_cnt": 1, "fwd_SYN_cnt": 1, "fwd_RST_cnt": 0, "fwd_PUSH_cnt": 1, "fwd_ACK_cnt": 4, "fwd_URG_cnt": 0, "fwd_CWE_cnt": 0, "fwd_ECE_cnt": 0,
		"bwd_FIN_cnt": 1, "bwd_SYN_cnt": 1, "bwd_RST_cnt": 0, "bwd_PUSH_cnt": 2, "bwd_ACK_cnt": 5, "bwd_URG_cnt": 0, "bwd_CWE_cnt": 0, "bwd_ECE_cnt": 0,
	})
}

// TestFlags gives each control bit another number of packets: n forward ones and
// 2n backward ones of bit n, from 1.
func TestFlags(t *testing.T) {
	var packets []packet
	for bit := range 8 {
		for n := range 3 * (bit + 1) {
			packets = append(packets, packet{at: float64(len(packets)) / 100, fromB: n > bit, flags: 1 << bit})
		}
	}
	pcap := capture(6, 1000, 80, packets)
	lower := []string{"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"}
	for _, test := range []struct {
		profile string
		bits    []string // from the lowest
		columns []string // forward, backward
	}{
		{"default", lower, []string{"fwd_%s_cnt", "bwd_%s_cnt"}},
		{"full", lower, []string{"fwd_%s_cnt", "bwd_%s_cnt"}},
		{"pyflowmeter", []string{"FIN", "SYN", "RST", "PUSH", "ACK", "URG", "ECE", "CWE"}, []string{"fwd_%s_cnt", "bwd_%s_cnt"}},
		{"nfstream", lower, []string{"src2dst_%s_packets", "dst2src_%s_packets", "bidirectional_%s_packets"}},
	} {
		all := rows(t, test.profile, 0, pcap)
		for i, bit := range test.bits {
			for k, column := range test.columns {
				column = fmt.Sprintf(column, bit)
				got, want := 0, (k+1)*(i+1)
				for _, row := range all { // a SYN may begin another
					n, err := strconv.Atoi(row[column])
					if err != nil {
						t.Fatalf("%s: %s: %v", test.profile, column, err)
					}
					got += n
				}
				if got != want {
					t.Errorf("%s: %s: got %d, want %d", test.profile, column, got, want)
				}
			}
		}
	}
}

// TestCICFlowMeterExamples are those of section 8 of its specification, as
// corrected there.
func TestCICFlowMeterExamples(t *testing.T) {
	data := func(at float64, fromB bool, payload int) packet {
		return packet{at: at, fromB: fromB, payload: payload}
	}
	serverCloses := slices.Clone(clientCloses[:5])
	serverCloses = append(serverCloses,
		packet{0.5, true, fin | ack, 0, 1000}, packet{0.6, false, ack, 0, 224}, packet{0.65, false, psh | ack, 10, 224},
		packet{0.7, false, fin | ack, 0, 225}, packet{0.8, true, ack, 0, 1000})
	var mixed []packet
	for i := range 10 {
		mixed = append(mixed, data(float64(i)/10, i%2 == 1, []int{100, 10}[i%2]))
	}
	bulks := map[string]any{}
	for _, d := range []string{"Fwd", "Bwd"} {
		for _, name := range []string{" Bytes/Bulk Avg", " Packet/Bulk Avg", " Bulk Rate Avg"} {
			bulks[d+name] = 0
		}
	}
	for _, test := range []struct {
		name         string
		protocol     byte
		portA, portB uint16
		packets      []packet
		want         []map[string]any
	}{
		{"8.1", 6, 1000, 80, clientCloses, []map[string]any{{
			"Flow ID": "10.0.0.1-10.0.0.2-1000-80-6", "Flow Duration": 800000, "Total Fwd Packet": 5, "Total Bwd packets": 5,
			"Total Length of Fwd Packet": 100, "Total Length of Bwd Packet": 310,
			"Fwd Packet Length Mean": 20, "Fwd Packet Length Std": 44.721359549995796,
			"Bwd Packet Length Mean": 62, "Bwd Packet Length Std": 133.1164903383499,
			"Flow Bytes/s": 512.5, "Flow Packets/s": 12.5, "Flow IAT Mean": 800000.0 / 9, "Flow IAT Std": 22047.92759220492,
			"Fwd IAT Total": 800000, "Fwd IAT Mean": 200000, "Fwd IAT Std": 81649.6580927726, "Fwd IAT Max": 300000, "Fwd IAT Min": 100000,
			"Bwd IAT Total": 600000, "Bwd IAT Mean": 150000, "Bwd IAT Max": 300000, "Bwd IAT Min": 50000,
			"Fwd Header Length": 100, "Bwd Header Length": 100, "Fwd PSH Flags": 1, "Bwd PSH Flags": 2,
			"Packet Length Mean": 41, "Packet Length Std": 96.20002310002032, "Packet Length Variance": 9254.444444444443,
			"FIN Flag Count": 2, "SYN Flag Count": 2, "PSH Flag Count": 3, "ACK Flag Count": 9,
			"Down/Up Ratio": 1, "Average Packet Size": 41, "FWD Init Win Bytes": 111, "Bwd Init Win Bytes": 222,
			"Fwd Packets/s": 6.25, "Bwd Packets/s": 6.25, "Fwd Segment Size Avg": 20, "Fwd Act Data Pkts": 1, "Fwd Seg Size Min": 20,
			"Subflow Fwd Packets": 5, "Subflow Fwd Bytes": 100, "Subflow Bwd Packets": 5, "Subflow Bwd Bytes": 310,
		}}},
		{"8.2", 6, 1000, 80, serverCloses, []map[string]any{{"Total Fwd Packet": 6, "Total Bwd packets": 4, "FIN Flag Count": 2}}},
		{"8.3", 17, 5000, 53, []packet{data(0, false, 10), data(1, true, 20), data(130, true, 30), data(131, false, 40), data(132, true, 50)},
			[]map[string]any{
				{"Src Port": 5000, "Total Fwd Packet": 1, "Total Bwd packets": 1, "Flow Duration": 1000000},
				{"Src Port": 53, "Dst Port": 5000, "Total Fwd Packet": 2, "Total Length of Fwd Packet": 80, "Total Bwd packets": 1,
					"Total Length of Bwd Packet": 40, "Flow Duration": 2000000, "Packet Length Mean": 40},
			}},
		{"3.3: an answer comes first", 6, 1000, 80, clientCloses[1:4], []map[string]any{{
			"Src IP": "10.0.0.1", "Src Port": 1000, "Total Fwd Packet": 2, "Total Bwd packets": 1, "FWD Init Win Bytes": 333, "Bwd Init Win Bytes": 222,
		}}},
		{"8.4", 6, 1000, 80, mixed, []map[string]any{bulks}},
		{"8.5", 17, 5000, 53, []packet{data(0, false, 10), data(0, true, 20)},
			[]map[string]any{{"Flow Bytes/s": 0, "Flow Packets/s": 0, "Fwd Packets/s": 0, "Bwd Packets/s": 0}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := rows(t, "cicflowmeter", 0, capture(test.protocol, test.portA, test.portB, test.packets))
			if len(all) != len(test.want) {
				t.Fatalf("%d rows, want %d", len(all), len(test.want))
			}
			for i, want := range test.want {
				expect(t, all[i], want)
			}
		})
	}
}
