package flowfast

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// fragmentOf is a fragment over IPv4 and Ethernet between two routers.
func fragmentOf(protocol byte, at int, more bool, body []byte) []byte {
	be := binary.BigEndian
	word := uint16(at / 8)
	if more {
		word |= 0x2000
	}
	b := append([]byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00"), 0x45, 0)
	b = be.AppendUint16(b, uint16(20+len(body)))
	b = be.AppendUint16(append(b, 0, 9), word)
	return append(append(b, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2), body...)
}

// The later fragments of a tunnel's datagram belong to the flow of what its first
// fragment carries, whatever the tunnel.
func TestFragmentedTunnels(t *testing.T) {
	be := binary.BigEndian
	data := make([]byte, 64)
	udp := func(src, dst uint16, data []byte) []byte {
		b := be.AppendUint16(be.AppendUint16(nil, src), dst)
		return append(append(be.AppendUint16(b, uint16(8+len(data))), 0, 0), data...)
	}
	ipv4 := func(protocol byte, body []byte) []byte {
		b := be.AppendUint16([]byte{0x45, 0}, uint16(20+len(body)))
		return append(append(b, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2), body...)
	}
	inner := ipv4(17, udp(5000, 53, data))
	inner6 := append(append([]byte{0x60, 0, 0, 0, 0, 72, 17, 64}, "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"+
		"\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02"...), udp(5000, 53, data)...)
	bridged := append([]byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00"), inner...)
	for _, test := range []struct {
		name     string
		protocol byte
		body     []byte
		v6       bool
	}{
		{"IP in IP", 4, inner, false},
		{"IPv6 in IP", 41, inner6, true},
		{"GRE with a key", 47, append([]byte{0x20, 0, 8, 0, 0, 0, 0, 7}, inner...), false},
		{"VXLAN", 17, udp(40000, 4789, append([]byte{8, 0, 0, 0, 0, 0, 7, 0}, bridged...)), false},
		{"IP in IP in GRE", 47, append([]byte{0, 0, 8, 0}, ipv4(4, inner)...), false},
	} {
		const cut = 64
		frames := [][]byte{
			fragmentOf(test.protocol, 0, true, test.body[:cut]),
			fragmentOf(test.protocol, cut, true, test.body[cut:cut+8]),
			fragmentOf(test.protocol, cut+8, false, test.body[cut+8:]),
		}
		b := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
		for _, f := range frames {
			b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(f)), 0, 0, 0, byte(len(f)), 0, 0, 0)
			b = append(b, f...)
		}
		file := filepath.Join(t.TempDir(), "a.pcap")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, o := range []Options{
			{Workers: 1}, {Workers: 2, Tunnels: decode.AllTunnels},
			{Workers: 1, Tunnels: decode.AllTunnels, Keys: flowtable.Keys{Encapsulation: decode.TunnelEnds}},
		} {
			if test.protocol == 17 && o.Tunnels == 0 {
				continue // a flow of the tunnel's own
			}
			run, err := Open(o, file)
			if err != nil {
				t.Fatal(err)
			}
			flows := 0
			for f, err := range run.Flows(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
				flows++
				if f.Fwd.Packets != 3 || f.SrcPort != 5000 || f.V6 != test.v6 || !test.v6 && f.Src.Lo != 0x0a000001 {
					t.Errorf("%s: %+v", test.name, f)
				}
			}
			if c := run.Summary().Classes; flows != 1 || c.Counted != 3 {
				t.Errorf("%s: %d flows, %+v, want 1 with 3 packets counted", test.name, flows, c)
			}
		}
	}
}
