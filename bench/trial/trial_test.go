package trial

import (
	"context"
	"math"
	"os"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/bench/workload"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// TestFlows wants the flows that flowfast finds when silence ends none. The
// trial does not know that ports are used again, so it is asked about the others.
func TestFlows(t *testing.T) {
	dir := t.TempDir()
	for _, name := range workload.Names() {
		path, _, err := workload.File(dir, name, 0.005, 1)
		if err != nil {
			t.Fatal(err)
		}
		capture, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		table, packets, err := Run(capture)
		if want := workload.Packets(name, 0.005); packets != want || err != nil {
			t.Errorf("%s: %d packets (%v), want %d", name, packets, err, want)
		}
		flows, reused := 0, map[key]bool{}
		run, err := flowfast.Open(flowfast.Options{IdleTimeout: math.MaxInt64 * time.Nanosecond, Workers: 1}, path)
		if err != nil {
			t.Fatal(err)
		}
		for f, err := range run.Flows(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			k, swapped := keyOf(&decode.Packet{Src: f.Src, Dst: f.Dst, SrcPort: f.SrcPort, DstPort: f.DstPort, Proto: f.Protocol, V6: f.V6})
			if f.Reason == flowtable.Reuse {
				reused[k] = true
				continue
			}
			flows++
			if got := table.find(&k); reused[k] {
				continue
			} else if !got.used || got.swapped != swapped || !same(got, 0, &f.Fwd) || !same(got, 1, &f.Bwd) {
				t.Fatalf("%s: got %+v, want %+v", name, *got, *f)
			}
		}
		if table.Flows() != flows || flows < 8 {
			t.Errorf("%s: %d flows, want %d and at least 8", name, table.Flows(), flows)
		}
	}
}

// same reports whether direction d of a flow counts what flowfast counts.
func same(f *flow, d int, want *flowtable.Direction) bool {
	if uint64(f.packets[d]) != want.Packets || f.bytes[d] != want.Bytes {
		return false
	}
	if want.Packets == 0 {
		return true
	}
	for i, n := range want.Flags {
		if uint64(f.flags[d][i]) != n {
			return false
		}
	}
	if float64(f.sizeMin[d]) != want.Sizes.Float(0) || float64(f.sizeMax[d]) != want.Sizes.Float(4) {
		return false
	}
	return want.Packets == 1 || float64(f.iatMin[d]) == want.IATs.Float(0) && float64(f.iatMax[d]) == want.IATs.Float(4)
}

func TestCut(t *testing.T) {
	path, size, err := workload.File(t.TempDir(), "flood3", 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	capture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	record := (int(size) - fileHeader) / 3
	for left := range capture {
		table, packets, err := Run(capture[:left])
		if left < fileHeader {
			if err == nil {
				t.Errorf("cut to %d bytes: no error", left)
			}
			continue
		}
		if want := (left - fileHeader) / record; packets != want || table.Flows() != want || err != nil {
			t.Fatalf("cut to %d bytes: %d packets, %d flows (%v), want %d", left, packets, table.Flows(), err, want)
		}
	}
}
