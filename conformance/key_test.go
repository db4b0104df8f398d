package conformance

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A wrapping puts a header around what an EtherType says comes next.
type wrapping func(etherType uint16, b []byte) (uint16, []byte)

func tagged(protocol, id uint16) wrapping {
	return func(etherType uint16, b []byte) (uint16, []byte) {
		head := binary.BigEndian.AppendUint16(nil, 0x2000|id)
		return protocol, append(binary.BigEndian.AppendUint16(head, etherType), b...)
	}
}

func labelled(labels ...uint32) wrapping {
	return func(_ uint16, b []byte) (uint16, []byte) {
		var head []byte
		for i, label := range labels {
			entry := label<<12 | 64
			if i == len(labels)-1 {
				entry |= 1 << 8
			}
			head = binary.BigEndian.AppendUint32(head, entry)
		}
		return 0x8847, append(head, b...)
	}
}

// ipv4Header returns an IPv4 header in front of b, between two addresses that
// differ in the last byte.
func ipv4Header(protocol, src, dst byte, b []byte) []byte {
	head := binary.BigEndian.AppendUint16([]byte{0x45, 0}, uint16(20+len(b)))
	return append(append(head, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, src, 10, 0, 0, dst), b...)
}

func inIP(src, dst byte) wrapping {
	return func(_ uint16, b []byte) (uint16, []byte) { return 0x0800, ipv4Header(4, src, dst, b) }
}

// inGRE wraps in a GRE header: flags and, if they have its bit, a key.
func inGRE(src, dst byte, flags uint16, key uint32) wrapping {
	return func(etherType uint16, b []byte) (uint16, []byte) {
		head := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, flags), etherType)
		if flags&0x8000 != 0 {
			head = append(head, 0, 0, 0, 0)
		}
		if flags&0x2000 != 0 {
			head = binary.BigEndian.AppendUint32(head, key)
		}
		if flags&0x1000 != 0 {
			head = append(head, 0, 0, 0, 1)
		}
		return 0x0800, ipv4Header(47, src, dst, append(head, b...))
	}
}

func inEthernet(etherType uint16, b []byte) (uint16, []byte) {
	head := []byte{2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, 8}
	return 0x6558, append(binary.BigEndian.AppendUint16(head, etherType), b...)
}

// TestKey compares the flows of random packets, whose few addresses and ports are
// in many encapsulations, with those of the reference for each set of parts in
// the key.
func TestKey(t *testing.T) {
	needReference(t)
	r := rand.New(rand.NewPCG(1, 2))
	var captures []string
	for i := range 3 {
		captures = append(captures, filepath.Join(t.TempDir(), fmt.Sprintf("key%d.pcap", i)))
		if err := os.WriteFile(captures[i], encapsulated(r, 400), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	flowfast := built(t)
	rows := map[string]int{}
	for _, parts := range []string{"none", "vlan", "mpls", "tunnel", "vlan,mpls", "vlan,mpls,tunnel"} {
		for _, capture := range captures {
			want := output(t, "python3", "reference/columns.py", "--profile", "pyflowmeter",
				"--key", strings.TrimPrefix(parts, "none"), capture)
			got, err := io.ReadAll(output(t, flowfast, "-q", "--profile", "pyflowmeter", "--key", parts, capture, "-"))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range compareColumns(want, bytes.NewReader(got), false) {
				t.Errorf("--key %s: %s", parts, d)
			}
			rows[parts] += bytes.Count(got, []byte("\n")) - 1
		}
	}
	for parts, n := range rows {
		if parts != "none" && n < 2*rows["none"] {
			t.Errorf("--key %s makes %d flows, none of it %d", parts, n, rows["none"])
		}
	}
	t.Log(rows)
}

// encapsulated returns a capture of random packets.
func encapsulated(r *rand.Rand, packets int) []byte {
	le, be := binary.LittleEndian, binary.BigEndian
	b := le.AppendUint32(nil, 0xa1b2c3d4)
	b = append(b, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	b = le.AppendUint32(le.AppendUint32(b, 262144), 1)
	for i := range packets {
		src := byte(1 + r.IntN(2))
		udp := be.AppendUint16(be.AppendUint16(nil, 1000+uint16(src)), 1003-uint16(src))
		etherType, frame := uint16(0x0800), ipv4Header(17, src, 3-src, append(udp, 0, 8, 0, 0))
		out := byte(101 + r.IntN(2)) // which end of the tunnels sends
		in := 203 - out
		ways := [][]wrapping{
			nil,
			{tagged(0x8100, 0)}, {tagged(0x8100, 5)}, {tagged(0x8100, 6)},
			{tagged(0x8100, 5), tagged(0x88a8, 6)}, {tagged(0x8100, 6), tagged(0x88a8, 5)}, {tagged(0x8100, 6), tagged(0x9100, 0)},
			{labelled(100)}, {labelled(100, 200)}, {labelled(0, 100)}, {labelled(100, 7, uint32(1000+r.IntN(1000)))},
			{inIP(out, in)}, {inIP(out, 110)}, {inIP(out, in), inIP(in, 111)},
			{inGRE(out, in, 0, 0)}, {inGRE(out, in, 0x2000, 1)}, {inGRE(out, in, 0x2000, 2)}, {inGRE(out, in, 0xb000, 1)},
			{inEthernet, inGRE(out, in, 0x2000, 0x100|r.Uint32N(2))}, {inEthernet, inGRE(out, in, 0x2000, 0x200)},
			{tagged(0x8100, 5), inEthernet, inGRE(out, in, 0x2000, 0x100), tagged(0x8100, 6)},
			{inIP(out, in), labelled(100), tagged(0x8100, 5)},
		}
		for _, wrap := range ways[r.IntN(len(ways))] {
			etherType, frame = wrap(etherType, frame)
		}
		_, frame = inEthernet(etherType, frame)
		b = le.AppendUint32(le.AppendUint32(b, uint32(1_600_000_000+i)), 0)
		b = le.AppendUint32(le.AppendUint32(b, uint32(len(frame))), uint32(len(frame)))
		b = append(b, frame...)
	}
	return b
}
