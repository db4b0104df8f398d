package flowfast_test

import (
	"context"
	"fmt"
	"log"
	"os"
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
