package flowfast_test

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

// Flows of an interface, as they end, until an interrupt.
func ExampleLive() {
	run, ring, err := flowfast.Live("eth0", flowfast.Options{IdleTimeout: time.Minute}, live.Options{Promiscuous: true})
	if err != nil {
		log.Fatal(err)
	}
	defer ring.Close()
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
