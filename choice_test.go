package flowfast_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/net/bpf"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/flowtable"
)

// flowPackets returns the packets in each direction of all flows, by their keys.
func flowPackets(t *testing.T, o flowfast.Options, path string) (map[string][2]uint64, flowfast.Classes) {
	run, err := flowfast.Open(o, path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][2]uint64{}
	for f, err := range run.Flows(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprint(f.SrcIP(), f.SrcPort, f.DstIP(), f.DstPort, f.Protocol)
		n := all[name]
		all[name] = [2]uint64{n[0] + f.Fwd.Packets, n[1] + f.Bwd.Packets}
	}
	s := run.Summary()
	if s.Classes.Sum() != s.Packets {
		t.Errorf("%s: classes %+v of %d packets", path, s.Classes, s.Packets)
	}
	return all, s.Classes
}

// TestOneWay wants the forward and the backward packets of each flow in rows of
// their own.
func TestOneWay(t *testing.T) {
	for name, c := range recorded(t) {
		path := "testdata/" + c.Capture
		both, _ := flowPackets(t, flowfast.Options{}, path)
		one, classes := flowPackets(t, flowfast.Options{Keys: flowtable.Keys{OneWay: true}}, path)
		want, got := uint64(0), uint64(0)
		for _, n := range both {
			want += n[0] + n[1]
		}
		for key, n := range one {
			if n[1] != 0 {
				t.Errorf("%s: %q has %d backward packets", name, key, n[1])
			}
			got += n[0]
		}
		if got != want || classes.Counted != want {
			t.Errorf("%s: %d packets in rows, want %d", name, got, want)
		}
	}
}

// TestSamplesAreDisjoint wants a flow to be whole in a sample or not at all, and
// the fragments of a datagram with it.
func TestSamplesAreDisjoint(t *testing.T) {
	for name, c := range recorded(t) {
		path := "testdata/" + c.Capture
		all, whole := flowPackets(t, flowfast.Options{}, path)
		some, classes := flowPackets(t, flowfast.Options{Keys: flowtable.Keys{Sample: 3}}, path)
		for key, n := range some {
			if all[key] != n {
				t.Errorf("%s: %q has %v packets in the sample, %v in all", name, key, n, all[key])
			}
		}
		if len(all) > 100 && (len(some) < len(all)/6 || len(some) > len(all)/2) {
			t.Errorf("%s: %d of %d flows in a sample of a third", name, len(some), len(all))
		}
		if classes.Counted+classes.LeftOut != whole.Counted {
			t.Errorf("%s: %+v, of all %+v", name, classes, whole)
		}
	}
}

// filterOf returns a filter of one program for every link type.
func filterOf(program ...bpf.RawInstruction) flowfast.Filter {
	return func(uint32) ([]bpf.RawInstruction, error) { return program, nil }
}

func TestBadChoice(t *testing.T) {
	for _, o := range []flowfast.Options{
		{AnonymizeKey: make([]byte, 31)},
		{Choice: flowfast.Choice{Filter: filterOf(bpf.RawInstruction{Op: 0xffff})}},
		{Choice: flowfast.Choice{From: time.Unix(5, 0), To: time.Unix(5, 0)}},
		{Choice: flowfast.Choice{Filter: filterOf(bpf.RawInstruction{Op: 0x28, K: 12})}}, // no return
	} {
		if _, err := flowfast.Open(o, "testdata/nano.pcap"); err == nil {
			t.Errorf("no error for %+v", o)
		}
	}
}
