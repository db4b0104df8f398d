package flowfast_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// The main job: a capture in, rows out.
func Example() {
	run, err := flowfast.Open(flowfast.Options{}, "testdata/flags.pcap")
	if err != nil {
		log.Fatal(err)
	}
	if err := run.Write(context.Background(), os.Stderr, export.CSV{}); err != nil {
		log.Fatal(err)
	}
	s := run.Summary()
	fmt.Println(s.Packets, "packets,", s.Classes.Counted, "counted,", s.Flows, "flows")
	// Output: 94 packets, 85 counted, 11 flows
}

// Flows can be looked at one by one.
func ExampleRun_Flows() {
	run, err := flowfast.Open(flowfast.Options{IdleTimeout: 15 * time.Second}, "testdata/flags.pcap")
	if err != nil {
		log.Fatal(err)
	}
	packets, bytes := uint64(0), uint64(0)
	for flow, err := range run.Flows(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		packets += flow.Fwd.Packets + flow.Bwd.Packets
		bytes += flow.Fwd.Bytes + flow.Bwd.Bytes
	}
	fmt.Println(packets, "packets,", bytes, "bytes")
	// Output: 85 packets, 8272 bytes
}

// Only the flows with one of many addresses and ports.
func ExampleParseEndpoints() {
	const list = `
203.0.113.0/24
198.51.100.80:7000   # one service of this machine
1000-1009
`
	endpoints, err := flowfast.ParseEndpoints(strings.NewReader(list), "list") // or a file
	if err != nil {
		log.Fatal(err)
	}
	run, err := flowfast.Open(flowfast.Options{Choice: flowfast.Choice{Endpoints: endpoints}}, "testdata/flags.pcap")
	if err != nil {
		log.Fatal(err)
	}
	for _, err := range run.Flows(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
	}
	s := run.Summary()
	fmt.Println(s.Flows, "flows,", s.Classes.LeftOut, "packets left out")
	// Output: 5 flows, 49 packets left out
}

// The columns of a profile, by its flow rules.
func ExampleOptions_For() {
	profile, err := export.FindProfile("nfstream")
	if err != nil {
		log.Fatal(err)
	}
	columns := profile.With(0, nil)
	run, err := flowfast.Open(flowfast.Options{}.For(profile.Demand(columns, 0, nil)), "testdata/flags.pcap")
	if err != nil {
		log.Fatal(err)
	}
	if err := run.Write(context.Background(), io.Discard, export.NewCSV(columns)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(run.Summary().Flows, "flows")
	// Output: 17 flows
}

// A column of one's own beside those of a profile, written as Parquet.
func ExampleRun_Write_parquet() {
	ratio := export.NewColumn("bytes_ratio", "", "backward bytes by forward bytes", func(f *flowfast.Flow) float64 {
		return float64(f.Bwd.Bytes) / float64(max(f.Fwd.Bytes, 1))
	})
	table := export.Table{Columns: append(export.Columns(), ratio)}
	format, _ := export.FormatNamed("parquet")

	run, err := flowfast.Open(flowfast.Options{}, "testdata/flags.pcap")
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer // or a file
	rows, err := format.NewWriter(&file, table)
	if err != nil {
		log.Fatal(err)
	}
	if err := run.Write(context.Background(), rows, format.Rows(table)); err != nil {
		log.Fatal(err)
	}
	if err := rows.Close(); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s…%s, %d flows\n", file.Bytes()[:4], file.Bytes()[file.Len()-4:], run.Summary().Flows)
	// Output: PAR1…PAR1, 11 flows
}

// pings are packets that a program makes itself.
type pings struct{ sent int }

func (p *pings) Read(ctx context.Context, packets []flowfast.Packet) (int, error) {
	if p.sent == 3 {
		return 0, io.EOF
	}
	p.sent++
	packets[0] = flowfast.Packet{
		Time:     int64(time.Duration(p.sent) * time.Second), // since the Unix epoch
		LinkType: 101,                                        // raw IP
		OrigLen:  60,
		Data: []byte("\x45\x00\x00\x3c\x00\x00\x40\x00\x40\x11\x00\x00\xc0\x00\x02\x01\xc0\x00\x02\x02" +
			"\x9c\x40\x00\x07\x00\x28\x00\x00"),
	}
	return 1, nil
}

// Packets that stand in no capture file.
func ExampleNewSource() {
	run, err := flowfast.NewSource(flowfast.Options{}, &pings{}, "pings")
	if err != nil {
		log.Fatal(err)
	}
	for flow, err := range run.Flows(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(flow.SrcIP(), flow.SrcPort, flow.DstIP(), flow.DstPort, flow.Duration(), flow.Fwd.Packets, flow.Fwd.Bytes)
	}
	// Output: 192.0.2.1 40000 192.0.2.2 7 2s 3 180
}
