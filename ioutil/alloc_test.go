package ioutil

import (
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestAllocations reads in steady state: nothing is allocated for a packet, a
// batch or a chunk.
func TestAllocations(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads millions of packets")
	}
	pcap := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	ng := littleEndian().section().iface(1, 0, "").iface(1, 0, littleEndian().option(9, "\x09"))
	for i := range uint32(20_000) {
		n := 40 + int(i*7919%1400)
		pcap.record(i, 0, 1514, strings.Repeat("x", n))
		ng.enhanced(i&1, uint64(i), 1514, strings.Repeat("x", n)).simple(uint32(n), strings.Repeat("x", n))
	}
	for format, b := range map[string]*builder{"pcap": pcap, "pcapng": ng} {
		for name, z := range compressed(t, b.Bytes()) {
			for _, mapped := range []bool{true, false} {
				if name == "xz" || name == "lz4" || mapped && name != "plain" {
					continue // the decoders of xz and lz4 allocate by themselves
				}
				f, err := os.Open(file(t, z))
				if err != nil {
					t.Fatal(err)
				}
				c, err := open(f, f.Name(), mapped)
				if err != nil {
					t.Fatal(err)
				}
				recs := make([]Record, 64)
				for range 40 {
					c.Read(recs)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				packets := 0
				for {
					n, err := c.Read(recs)
					packets += n
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatal(err)
					}
				}
				runtime.ReadMemStats(&after)
				// The runtime and the decompressors have a few of their own.
				if n := after.Mallocs - before.Mallocs; n > 200 || packets < 15_000 {
					t.Errorf("%s, %s, mapped %v: %d allocations for %d packets", format, name, mapped, n, packets)
				}
				c.Close()
			}
		}
	}
}

// TestAllocationsOfABatch is the same to the last allocation, where no other
// goroutine is at work.
func TestAllocationsOfABatch(t *testing.T) {
	for format, data := range samples() {
		c, err := Open(file(t, data))
		if err != nil {
			t.Fatal(err)
		}
		recs := make([]Record, 2)
		readAll(t, c, 2)
		start := c.window
		allocs := testing.AllocsPerRun(100, func() {
			c.pos, c.err = start.released, nil
			if format == "pcap" {
				c.pos = pcapHeaderLen
			}
			for {
				if n, _ := c.Read(recs); n == 0 {
					break
				}
			}
		})
		// The end itself asks for the file's size.
		if end := testing.AllocsPerRun(100, func() { c.err = nil; c.Read(recs) }); allocs > end {
			t.Errorf("%s: %v allocations, of them %v at the end", format, allocs, end)
		}
		c.Close()
	}
}
