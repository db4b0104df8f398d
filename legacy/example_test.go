package legacy_test

import (
	"context"
	"fmt"
	"io"
	"log"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/legacy"
)

// The rows of CICFlowMeter itself, of a capture.
func ExampleOriginal() {
	run, err := flowfast.Open(flowfast.Options{Meter: legacy.Original{}}, "../testdata/dns.pcap")
	if err != nil {
		log.Fatal(err)
	}
	if err := run.Write(context.Background(), io.Discard, legacy.Rows{}); err != nil {
		log.Fatal(err)
	}
	s := run.Summary()
	fmt.Println(s.Packets, "packets,", s.Flows, "flows")
	// Output: 116 packets, 12 flows
}
