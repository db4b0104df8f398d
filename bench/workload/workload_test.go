package workload

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// TestSameBytes wants the bytes that the published figures were measured on.
func TestSameBytes(t *testing.T) {
	for name, want := range map[string]string{
		"benign":   "373337cabf7f0225",
		"elephant": "e77a7792106518a5",
		"slow":     "d61d955fd52aeed9",
		"flood":    "5b81596ffb640b44",
		"dos":      "c49b8e0bd28f2693",
	} {
		var b bytes.Buffer
		if err := Write(&b, name, 0.001, 1); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(b.Bytes())
		if got := hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestPackets reads every workload with gopacket.
func TestPackets(t *testing.T) {
	for _, name := range Names() {
		var b bytes.Buffer
		if err := Write(&b, name, 0.001, 1); err != nil {
			t.Fatal(err)
		}
		r, err := pcapgo.NewReader(&b)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for packet := range gopacket.NewPacketSource(r, layers.LayerTypeEthernet).Packets() {
			if packet.TransportLayer() == nil || packet.Metadata().Truncated {
				t.Fatalf("%s: packet %d: %v", name, n, packet)
			}
			n++
		}
		if n != Packets(name, 0.001) {
			t.Errorf("%s: %d packets, want %d", name, n, Packets(name, 0.001))
		}
	}
	if err := Write(&bytes.Buffer{}, "unknown", 1, 1); err == nil {
		t.Error("no error for an unknown workload")
	}
}
