package flowfast_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// TestAllocations runs captures of 200 and of 600 thousand packets through
// reader, decoder, table, statistics and rows, with new flows and expiries all
// the way: the same traffic again and again, an hour later each time. What a
// run allocates must not depend on its length: nothing per packet, and nothing
// per row. (The horizon keeps the flows of up to 131,072 packets.)
func TestAllocations(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads millions of packets")
	}
	for _, name := range []string{"reuse", "dns", "options"} {
		dir := t.TempDir()
		short, packets := repeated(t, name, dir, 200_000, 3600)
		long, morePackets := repeated(t, name, dir, 600_000, 3600)
		for workers := 1; workers <= 2; workers++ {
			o := flowfast.Options{IdleTimeout: time.Second, Workers: workers}
			if name == "dns" {
				o.Choice.Endpoints = parsed(t, "53\n203.0.113.0/24\n2001:db8:2::80\n[2001:db8:2::81]:7")
			}
			few, fewRows := allocations(t, o, short)
			many, manyRows := allocations(t, o, long)
			if manyRows < 2*fewRows {
				t.Fatalf("%s: %d rows, and %d of a capture three times as long", name, fewRows, manyRows)
			}
			// The longer run may grow a few buffers once more than the shorter.
			const once = 100
			if many > few+once {
				t.Errorf("%s, %d workers: %d allocations for %d packets and %d rows, %d for %d and %d",
					name, workers, few, packets, fewRows, many, morePackets, manyRows)
			}
		}
	}
}

// repeated writes a capture again and again, each time with timestamps that are
// step seconds later, until there are n packets.
func repeated(t *testing.T, name, dir string, n int, step int32) (path string, packets int) {
	f := capture(t, filepath.Join("testdata", name+".pcap"))
	path = filepath.Join(dir, fmt.Sprintf("%s%d.pcap", name, n))
	all := append([]byte(nil), f.header...)
	for packets < n {
		packets += len(f.packets)
		for _, p := range f.packets {
			all = append(all, p...)
			seconds := binary.LittleEndian.Uint32(p)
			binary.LittleEndian.PutUint32(p, seconds+uint32(step))
		}
	}
	writeFile(t, path, all)
	return path, packets
}

// allocations returns how often a run allocates.
func allocations(t *testing.T, o flowfast.Options, path string) (n, rows uint64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	run, err := flowfast.Open(o, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Write(context.Background(), io.Discard, export.CSV{}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs, run.Summary().Flows
}
