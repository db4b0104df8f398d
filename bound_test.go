package flowfast_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/flowtable"
)

// A floodReader is a pcap of UDP packets, each of a flow of its own but for
// every tenth, which is of the flow before it.
type floodReader struct {
	packets, made int
	rest          []byte
}

func (r *floodReader) Read(b []byte) (int, error) {
	le, be := binary.LittleEndian, binary.BigEndian
	if r.made == 0 && r.rest == nil {
		r.rest = le.AppendUint32(nil, 0xa1b2c3d4)
		for _, v := range []uint32{4<<16 | 2, 0, 0, 65535, 101} { // raw IP
			r.rest = le.AppendUint32(r.rest, v)
		}
	}
	n := 0
	for n < len(b) {
		if len(r.rest) == 0 {
			if r.made == r.packets {
				break
			}
			r.rest = r.rest[:0]
			for _, v := range []int{r.made / 1_000_000, r.made % 1_000_000, 28, 28} {
				r.rest = le.AppendUint32(r.rest, uint32(v))
			}
			r.rest = append(r.rest, 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10)
			flow := r.made - r.made%10/9
			r.rest = append(r.rest, byte(flow>>16), byte(flow>>8), byte(flow), 192, 0, 2, 1)
			r.rest = be.AppendUint16(r.rest, uint16(flow>>24)+1)
			r.rest = append(r.rest, 0, 53, 0, 8, 0, 0)
			r.made++
		}
		copied := copy(b[n:], r.rest)
		r.rest, n = r.rest[copied:], n+copied
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestMaxMemory floods runs that may take little memory: flows are evicted, and
// every packet is in a row nevertheless.
func TestMaxMemory(t *testing.T) {
	for _, workers := range []int{1, 2} {
		if testing.Short() && workers == 2 {
			continue // a million flows
		}
		packets := uint64(500_000 * workers)
		o := flowfast.Options{Workers: workers, MaxMemory: workers * flowfast.MinMemory}
		run, err := flowfast.NewReader(o, &floodReader{packets: int(packets)}, "flood")
		if err != nil {
			t.Fatal(err)
		}
		inRows, evicted := uint64(0), uint64(0)
		for f, err := range run.Flows(context.Background()) {
			if err != nil {
				t.Fatal(err)
			}
			inRows += f.Fwd.Packets + f.Bwd.Packets
			if f.Reason == flowtable.Evicted {
				evicted++
			}
		}
		s := run.Summary()
		if inRows != packets || s.Classes.Counted != packets {
			t.Errorf("%d workers: %d packets in rows, %d counted, want %d", workers, inRows, s.Classes.Counted, packets)
		}
		if evicted == 0 || s.Evicted != evicted || len(s.Warnings) != 1 {
			t.Errorf("%d workers: %d flows evicted, %d in the summary, warnings %q", workers, evicted, s.Evicted, s.Warnings)
		}
	}
}

// TestMaxFlowsEvictsTheOldest sends packets of flows one after the other with
// room for two of them.
func TestMaxFlowsEvictsTheOldest(t *testing.T) {
	run, err := flowfast.NewReader(flowfast.Options{MaxFlows: 2}, &floodReader{packets: 10}, "flood")
	if err != nil {
		t.Fatal(err)
	}
	var reasons []flowtable.Reason
	for f, err := range run.Flows(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		if f.First != uint64(len(reasons)) {
			t.Errorf("row %d is that of packet %d", len(reasons), f.First)
		}
		reasons = append(reasons, f.Reason)
	}
	for i, r := range reasons {
		if want := []flowtable.Reason{flowtable.Evicted, flowtable.End}[i/7]; r != want {
			t.Errorf("row %d of %d ended by %v, want %v", i, len(reasons), r, want)
		}
	}
	if got := run.Summary().Evicted; got != 7 {
		t.Errorf("%d flows evicted, want 7", got)
	}
}

func TestBadBounds(t *testing.T) {
	for _, o := range []flowfast.Options{{MaxFlows: -1}, {MaxMemory: -1}, {MaxMemory: flowfast.MinMemory - 1}} {
		if _, err := flowfast.NewReader(o, bytes.NewReader(nil), "x"); err == nil {
			t.Errorf("no error for %+v", o)
		}
	}
}
