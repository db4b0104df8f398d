package conformance

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/need"
	"github.com/flowfast/flowfast/ioutil"
)

// TestFCSEqualsTshark writes frames of which the capture says how long a frame
// check sequence they have, and wants the TCP payloads and frame lengths that
// tshark gives.
func TestFCSEqualsTshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		need.Missing(t, "CONFORMANCE", err)
	}
	ethernet := framesWithFCS()
	var cooked, wifi, raw, ppp []string
	for _, f := range ethernet {
		if f[12:14] == "\x08\x00" {
			cooked = append(cooked, "\x00\x00\x00\x01\x00\x06\x01\x01\x01\x01\x01\x01\x00\x00"+f[12:])
			wifi = append(wifi, "\x08\x01\x00\x00"+strings.Repeat("\x02", 18)+"\x00\x00\xaa\xaa\x03\x00\x00\x00"+f[12:])
			raw = append(raw, f[14:])
			ppp = append(ppp, "\xff\x03\x00\x21"+f[14:])
		}
	}
	for _, test := range []struct {
		name   string
		frames []string
		pcap   uint32 // the link type word of a pcap file, or:
		ng     uint16 // the link type of a pcapng file
		iface  string // and the value of its if_fcslen
		flags  uint32 // and those of its packets
	}{
		{"none", ethernet, 1, 0, "", 0},
		{"0 bits", ethernet, 0x04000001, 0, "", 0},
		{"16 bits", ethernet, 0x14000001, 0, "", 0},
		{"32 bits", ethernet, 0x24000001, 0, "", 0},
		{"64 bits", ethernet, 0x44000001, 0, "", 0},
		{"32 bits, not meant", ethernet, 0x20000001, 0, "", 0},
		{"32 bits and the reserved bit beside", ethernet, 0x2c000001, 0, "", 0},
		{"Linux cooked", cooked, 0x24000071, 0, "", 0},
		{"802.11", wifi, 0x24000069, 0, "", 0},
		{"raw IP", raw, 0x24000065, 0, "", 0},
		{"PPP", ppp, 0x24000032, 0, "", 0},
		{"an interface without", ethernet, 0, 1, "", 0},
		{"an interface with 32 bits", ethernet, 0, 1, "\x20", 0},
		{"an interface with 16 bits", ethernet, 0, 1, "\x10", 0},
		{"an interface with 20 bits", ethernet, 0, 1, "\x14", 0},
		{"an interface with 4", ethernet, 0, 1, "\x04", 0},
		{"an interface with 7", ethernet, 0, 1, "\x07", 0},
		{"an interface with 8", ethernet, 0, 1, "\x08", 0},
		{"an interface whose length has two bytes", ethernet, 0, 1, "\x20\x00", 0},
		{"flags with 4 bytes", ethernet, 0, 1, "", 4 << 5},
		{"flags over an interface", ethernet, 0, 1, "\x20", 2 << 5},
		{"flags without a length", ethernet, 0, 1, "\x20", 1},
		{"802.11 of an interface", wifi, 0, 105, "\x20", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			le := binary.LittleEndian
			words := func(v ...uint32) (b []byte) {
				for _, v := range v {
					b = le.AppendUint32(b, v)
				}
				return b
			}
			block := func(kind uint32, body ...[]byte) []byte {
				all := slices.Concat(body...)
				all = append(all, make([]byte, -len(all)&3)...)
				n := uint32(len(all) + 12)
				return slices.Concat(words(kind, n), all, words(n))
			}
			option := func(code uint16, value string) []byte {
				b := le.AppendUint16(le.AppendUint16(nil, code), uint16(len(value)))
				return append(append(b, value...), make([]byte, -len(value)&3)...)
			}
			data := words(0xa1b2c3d4, 2|4<<16, 0, 0, 65535, test.pcap)
			if test.ng != 0 {
				iface := words(uint32(test.ng), 0)
				if test.iface != "" {
					iface = append(iface, option(13, test.iface)...)
				}
				data = append(block(0x0a0d0d0a, words(0x1a2b3c4d, 1, 0xffffffff, 0xffffffff)), block(1, iface)...)
			}
			for i, f := range test.frames {
				n := uint32(len(f))
				if test.ng == 0 {
					data = append(append(data, words(1_700_000_000+uint32(i), 0, n, n)...), f...)
					continue
				}
				frame := append([]byte(f), make([]byte, -len(f)&3)...)
				if test.flags != 0 {
					frame = append(frame, option(2, string(words(test.flags)))...)
				}
				data = append(data, block(6, words(0, 0, uint32(i), n, n), frame)...)
			}
			path := filepath.Join(t.TempDir(), "fcs")
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("tshark", "-r", path, "-T", "fields", "-e", "frame.len", "-e", "tcp.len").Output()
			if err != nil {
				t.Fatal(err)
			}
			if got := payloads(t, path); got != string(out) {
				t.Errorf("got\n%swant\n%s", got, out)
			}
		})
	}
}

// framesWithFCS returns Ethernet frames with a TCP header and four bytes behind
// the frame's end, with IP lengths that leave it to the frame, that are right, and
// that are too long.
func framesWithFCS() (all []string) {
	const addresses, fcs = "\x02\x02\x02\x02\x02\x02\x04\x04\x04\x04\x04\x04", "\xde\xad\xbe\xef"
	ip := func(total uint16, payload string) string {
		b := binary.BigEndian.AppendUint16([]byte{0x45, 0}, total)
		return string(b) + "\x00\x01\x00\x00\x40\x06\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" +
			"\x03\xe8\x00\x50\x00\x00\x00\x01\x00\x00\x00\x02\x50\x10\x00\x64\x00\x00\x00\x00" + payload
	}
	for _, total := range []uint16{0, 60, 62, 64, 66} {
		all = append(all,
			addresses+"\x08\x00"+ip(total, strings.Repeat("a", 20))+fcs,
			addresses+"\x81\x00\x00\x05\x08\x00"+ip(total, strings.Repeat("a", 20))+fcs,
			addresses+"\x00\x44\xaa\xaa\x03\x00\x00\x00\x08\x00"+ip(total, strings.Repeat("a", 20))+fcs)
	}
	return append(all, addresses+"\x08\x00"+ip(40, "\x00\x00\x00\x00\x00\x00")+fcs)
}

// payloads returns what tshark is asked for of each packet, by our own reading.
func payloads(t *testing.T, path string) string {
	c, err := ioutil.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var b strings.Builder
	records := make([]ioutil.Record, 64)
	n, err := c.Read(records)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records[:n] {
		var p decode.Packet
		var d decode.Details
		if class := p.Decode(r.LinkType, r.Data, r.OrigLen-uint32(r.FCS)); class != decode.Counted {
			t.Fatalf("class %v", class)
		}
		p.Details(&d, r.Data)
		fmt.Fprintf(&b, "%d\t%d\n", r.OrigLen, d.Payload)
	}
	return b.String()
}
