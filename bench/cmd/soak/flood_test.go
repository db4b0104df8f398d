//go:build linux

package main

import (
	"bytes"
	"io"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// TestFlood reads a flood with gopacket: times rise by a microsecond, and every
// packet that should be is of a flow of its own.
func TestFlood(t *testing.T) {
	const packets = 2 * batch
	f := newFlood()
	f.next = 1e6 - 5 // so that a second begins
	first := f.next
	r, err := pcapgo.NewReader(io.MultiReader(bytes.NewReader(fileHeader), bytes.NewReader(bytes.Clone(f.fill(batch))),
		bytes.NewReader(f.fill(batch))))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[gopacket.Flow]bool{}
	begun, known := 0, 0
	for n := range int64(packets) {
		b, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if want := start*int64(1e6) + first + n; info.Timestamp.UnixMicro() != want {
			t.Fatalf("packet %d: time %d, want %d", n, info.Timestamp.UnixMicro(), want)
		}
		packet := gopacket.NewPacket(b, layers.LayerTypeEthernet, gopacket.Default)
		tcp, ok := packet.TransportLayer().(*layers.TCP)
		if !ok || packet.ErrorLayer() != nil || tcp.DstPort != 80 || len(tcp.Payload) > 0 {
			t.Fatalf("packet %d: %v", n, packet)
		}
		flow := packet.NetworkLayer().NetworkFlow()
		switch {
		case tcp.SYN == seen[flow]:
			if n >= back { // what came before the first packet here is not known
				t.Fatalf("packet %d: SYN %v, but its flow is known: %v", n, tcp.SYN, seen[flow])
			}
		case tcp.SYN:
			begun++
		default:
			known++
		}
		seen[flow] = true
	}
	if want := flows(first+packets) - flows(first); int64(begun) != want || known == 0 {
		t.Errorf("%d flows begun, want %d; %d packets of known ones", begun, want, known)
	}
}

func TestSize(t *testing.T) {
	for bound, want := range map[string]int64{
		"": 0, "256MiB": 256 << 20, "1GiB": 1 << 30, "64KiB": 64 << 10, "256": -1, "MiB": -1, "0MiB": -1, "-1MiB": -1, "1 MB": -1,
	} {
		got, err := size(bound)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d (%v), want %d", bound, got, err, want)
		}
	}
}

func BenchmarkFlood(b *testing.B) {
	f := newFlood()
	b.SetBytes(batch * recordLen)
	for b.Loop() {
		f.fill(batch)
	}
	b.ReportMetric(float64(b.N)*batch/b.Elapsed().Seconds()/1e6, "Mpackets/s")
}
