package live_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"os/signal"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/live"
)

// Flows of two interfaces, as they end, until an interrupt.
func ExampleOpenAll() {
	ring, err := live.OpenAll([]string{"eth0", "eth1"}, live.Options{Promiscuous: true})
	if err != nil {
		log.Fatal(err)
	}
	defer ring.Close()
	run, err := flowfast.NewSource(flowfast.Options{IdleTimeout: time.Minute, Flush: time.Second}, ring, "eth0 and eth1")
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, ring.End) // what is in the ring still counts
	for flow, err := range run.Flows(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(flow.SrcIP(), flow.DstIP(), flow.Fwd.Packets, flow.Bwd.Packets)
	}
	fmt.Println(ring.Counters().Dropped, "dropped")
}
