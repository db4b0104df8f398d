package conformance

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/internal/need"
)

// TestL2TPv3EqualsTshark reads sessions whose form tshark is told, and flowfast is not:
// both find the same packets of the same flow.
func TestL2TPv3EqualsTshark(t *testing.T) {
	if _, err := exec.LookPath("tshark"); err != nil {
		need.Missing(t, "CONFORMANCE", err)
	}
	inside := unhex("4500002812340000400600000a090807c0000202" + "c0a801bb 01020304 05060708 50180400 00000000")
	binary.BigEndian.PutUint16(inside[10:], checkValue(inside[:20]))
	const ethernet, tagged = "02005e00000102005e0000020800", "02005e00000102005e000002810000640800"
	for _, form := range []struct {
		kind, cookie, sublayer string
		fronts                 []string // of the session, up to the IP header
	}{
		{"eth", "None", "None", []string{ethernet, tagged}},
		{"eth", "None", "Default L2-Specific", []string{"40000001" + ethernet}},
		{"eth", "4 Byte Cookie", "None", []string{"c0ffee01" + ethernet}},
		{"eth", "8 Byte Cookie", "Default L2-Specific", []string{"c0ffee01deadbeef40000001" + ethernet, "c0ffee01deadbeef00000000" + tagged}},
		{"ppp", "None", "None", []string{"ff030021", "0021"}},
		{"chdlc", "8 Byte Cookie", "None", []string{"c0ffee01deadbeef0f000800"}},
	} {
		t.Run(form.kind+", "+form.cookie+", "+form.sublayer, func(t *testing.T) {
			capture, want := unhex("d4c3b2a1 02000400 00000000 00000000 00000400 65000000"), ""
			for _, front := range form.fronts {
				session := append(unhex("00001234"+front), inside...)
				for _, header := range []string{
					"45000000 00010000 40730000 01010101 02020202",
					"45000000 00010000 40110000 01010101 02020202 c0a806a5 00000000 00030000",
				} {
					packet := append(unhex(header), session...)
					binary.BigEndian.PutUint16(packet[2:], uint16(len(packet)))
					if packet[9] == 17 {
						binary.BigEndian.PutUint16(packet[24:], uint16(len(packet)-20))
					}
					capture = append(capture, 0, 0, 0, 0, 0, 0, 0, 0)
					capture = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(capture, uint32(len(packet))), uint32(len(packet)))
					capture = append(capture, packet...)
					want += "10.9.8.7\t49320\t192.0.2.2\t443\n"
				}
			}
			path := filepath.Join(t.TempDir(), "made.pcap")
			if err := os.WriteFile(path, capture, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command("tshark", "-r", path, "-o", "l2tp.cookie_size:"+form.cookie, "-o", "l2tp.l2_specific:"+form.sublayer,
				"-d", "l2tp.pw_type==0,"+form.kind, "-T", "fields", "-E", "occurrence=l", "-e", "ip.src", "-e", "tcp.srcport", "-e", "ip.dst", "-e", "tcp.dstport").Output()
			if err != nil || string(out) != want {
				t.Errorf("tshark finds %q, want %q; %v", out, want, err)
			}
			run, err := flowfast.Open(flowfast.Options{Tunnels: decode.L2TPv3}, path)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for f, err := range run.Flows(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString(strings.Repeat(fmt.Sprintf("%v\t%d\t%v\t%d\n", f.SrcIP(), f.SrcPort, f.DstIP(), f.DstPort), int(f.Fwd.Packets)))
			}
			if got.String() != want {
				t.Errorf("%q, want %q", got.String(), want)
			}
		})
	}
}

// checkValue is that of an IPv4 header (RFC 791, 3.1).
func checkValue(header []byte) uint16 {
	sum := 0
	for i, x := range header {
		sum += int(x) << (8 - i%2*8)
	}
	return ^uint16(sum % 0xffff)
}
