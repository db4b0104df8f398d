package workload

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// scale leaves every workload some thousand packets.
const scale = 0.002

func written(t *testing.T, name string, seed uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, name, scale, seed); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestSameBytes wants the bytes that the published figures were measured on.
// When they change, version must too.
func TestSameBytes(t *testing.T) {
	if version != 2 {
		t.Error("these are the bytes of version 2")
	}
	for name, want := range map[string]string{
		"benign":    "b852713ba65dac3a",
		"elephant":  "eacb2cb8e4ad4e33",
		"slow":      "786d6144451bd56f",
		"flood":     "5c42b4719149f652",
		"dos":       "1e7a2215bdc4925f",
		"flood1000": "95fa04f5110bf234",
	} {
		sum := sha256.Sum256(written(t, name, 1))
		if got := hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if bytes.Equal(written(t, name, 1), written(t, name, 2)) {
			t.Errorf("%s: seeds 1 and 2 give the same bytes", name)
		}
	}
}

// TestPackets reads every workload with gopacket.
func TestPackets(t *testing.T) {
	for _, name := range append(Names(), "flood1000") {
		t.Run(name, func(t *testing.T) {
			r, err := pcapgo.NewReader(bytes.NewReader(written(t, name, 1)))
			if err != nil {
				t.Fatal(err)
			}
			n, last := 0, time.Time{}
			for packet := range gopacket.NewPacketSource(r, layers.LayerTypeEthernet).Packets() {
				if at := packet.Metadata().Timestamp; at.Before(last) {
					t.Fatalf("packet %d: %v is before %v", n, at, last)
				} else {
					last = at
				}
				if err := wrong(packet); err != nil {
					t.Fatalf("packet %d: %v\n%v", n, err, packet)
				}
				n++
			}
			if n != Packets(name, scale) {
				t.Errorf("%d packets, want %d", n, Packets(name, scale))
			}
		})
	}
}

// wrong says what is wrong with a packet: gopacket, given what it read, must
// come to the same checksum.
func wrong(packet gopacket.Packet) error {
	if packet.Metadata().Truncated || packet.ErrorLayer() != nil {
		return errors.New("truncated or malformed")
	}
	var got, want uint16
	var err error
	compute := gopacket.SerializeOptions{ComputeChecksums: true}
	switch l := packet.TransportLayer().(type) {
	case *layers.TCP:
		got = l.Checksum
		err = l.SetNetworkLayerForChecksum(packet.NetworkLayer())
		if err == nil {
			err = gopacket.SerializeLayers(gopacket.NewSerializeBuffer(), compute, l, gopacket.Payload(l.Payload))
		}
		want = l.Checksum
	case *layers.UDP:
		got = l.Checksum
		err = l.SetNetworkLayerForChecksum(packet.NetworkLayer())
		if err == nil {
			err = gopacket.SerializeLayers(gopacket.NewSerializeBuffer(), compute, l, gopacket.Payload(l.Payload))
		}
		want = l.Checksum
	default:
		return errors.New("neither TCP nor UDP")
	}
	if err == nil && got != want {
		err = fmt.Errorf("checksum %#04x, want %#04x", got, want)
	}
	return err
}

// TestFloodSources wants every packet of a flood from an address of its own.
func TestFloodSources(t *testing.T) {
	const packets = 100_000
	var b bytes.Buffer
	if err := Write(&b, "flood100000", 1, 1); err != nil {
		t.Fatal(err)
	}
	sources := make(map[[4]byte]bool, packets)
	for at := 24; at < b.Len(); at += recordLen + shortest {
		sources[[4]byte(b.Bytes()[at+recordLen+26:])] = true
	}
	if len(sources) != packets {
		t.Errorf("%d packets from %d sources", packets, len(sources))
	}
}

func TestBadWorkloads(t *testing.T) {
	for _, name := range []string{"", "unknown", "flood0", "flood-1", "flood3000000000", "floodx"} {
		if err := Write(io.Discard, name, 1, 1); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
	for _, bad := range []float64{0, -1, 1e-9} {
		if err := Write(io.Discard, "benign", bad, 1); err == nil {
			t.Errorf("scale %v: no error", bad)
		}
	}
	if err := Write(full{}, "slow", 0.1, 1); err != errFull {
		t.Errorf("a full disk: error %v", err)
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFile(t *testing.T) {
	dir := t.TempDir() + "/new"
	path, size, err := File(dir, "benign", scale, 3)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, written(t, "benign", 3)) || int64(len(got)) != size {
		t.Errorf("%s has %d bytes, size %d: want what Write writes", path, len(got), size)
	}
	again, size2, err := File(dir, "benign", scale, 3)
	if again != path || size2 != size || err != nil {
		t.Errorf("again: %s, %d, %v", again, size2, err)
	}
	if other, _, _ := File(dir, "benign", scale/2, 3); other == path || !strings.HasPrefix(other, dir) {
		t.Errorf("at another scale: %s", other)
	}
	if _, _, err := File(dir, "unknown", 1, 1); err == nil {
		t.Error("unknown: no error")
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left in the folder: %v", left)
	}
}
