package flowfast_test

import (
	"errors"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/internal/testnet"
	"github.com/flowfast/flowfast/live"
)

// Flows of an interface come as they end; those that are open come when the ring ends.
func TestLive(t *testing.T) {
	if !testnet.Inside(t) {
		return
	}
	if _, _, err := flowfast.Live("vb", flowfast.Options{}, live.Options{}); !errors.Is(err, live.ErrNoInterface) {
		t.Errorf("no interface: %v", err)
	}
	if _, _, err := flowfast.Live("vb", flowfast.Options{Workers: -1}, live.Options{}); err == nil {
		t.Error("options that make no sense are taken")
	}
	testnet.Pair(t, "va", "vb")
	run, ring, err := flowfast.Live("vb", flowfast.Options{IdleTimeout: 100 * time.Millisecond, Disorder: 50 * time.Millisecond, Flush: 50 * time.Millisecond}, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer ring.Close()
	web := testnet.Frames(t, "testdata/web.pcap.zst")
	sent := testnet.Send(t, "va", web)
	packets := uint64(0)
	for flow, err := range run.Flows(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		packets += flow.Fwd.Packets + flow.Bwd.Packets
		ring.End() // the first has come while the wire is silent
	}
	if s := run.Summary(); s.Packets != uint64(sent) || packets != s.Classes.Counted || packets == 0 {
		t.Errorf("%d packets sent, %d in flows, summary %+v", sent, packets, s)
	}
}
