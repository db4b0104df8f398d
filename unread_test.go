package flowfast

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/decode"
)

// Where less than half of the packets are counted, a line says what the others
// are, the commonest first, the same for any number of workers.
func TestUnread(t *testing.T) {
	const addresses = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
	ip := func(protocol string) string {
		return addresses + "\x08\x00\x45\x00\x00\x1c\x00\x00\x00\x00\x40" + protocol + "\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" + "\x10\x00\x00\x35\x00\x08\x00\x00"
	}
	with := func(packet string, at int, text string) string { return packet[:at] + text + packet[at+len(text):] }
	arp, icmp, udp := addresses+"\x08\x06"+strings.Repeat("\x00", 28), ip("\x01"), ip("\x11")
	for _, test := range []struct {
		packets []string
		want    string
	}{
		{[]string{arp, icmp, arp}, "2 of 3 packets: EtherType 0x0806 (ARP); 1 of 3 packets: protocol 1 (ICMP), see --protocols icmp"},
		{[]string{icmp, udp, icmp}, "2 of 3 packets: protocol 1 (ICMP), see --protocols icmp"},
		{[]string{with(udp, 14+6, "\x00\x01"), arp, with(udp, 14+6, "\x00\x01")}, "2 of 3 packets: later fragments without the first; 1 of 3 packets: EtherType 0x0806 (ARP)"},
		{[]string{with(udp, 14, "\x44")}, "1 of 1 packets: malformed, lengths or versions in headers contradict each other"},
		{[]string{udp[:30], arp}, "1 of 2 packets: EtherType 0x0806 (ARP); 1 of 2 packets: truncated, the snap length cut the headers"},
		{[]string{icmp, udp}, ""},
		{[]string{udp}, ""},
		{nil, ""},
	} {
		b := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
		for _, p := range test.packets {
			b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(p)), 0, 0, 0, byte(max(len(p), len(arp))), 0, 0, 0)
			b = append(b, p...)
		}
		file := filepath.Join(t.TempDir(), "a.pcap")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, workers := range []int{1, 3} {
			run, err := Open(Options{Workers: workers}, file)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range run.Flows(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
			}
			s := run.Summary()
			if got := WhyUncounted(s.Classes, s.Unread); got != test.want {
				t.Errorf("%d workers: %q, want %q", workers, got, test.want)
			}
			twice := SumUnread(s.Unread, s.Unread)
			for i := range twice {
				if twice[i].Packets != 2*s.Unread[i].Packets {
					t.Errorf("twice is %+v, once %+v", twice, s.Unread)
				}
			}
		}
	}
}

// Where most packets are of tunnels in UDP that are not looked into, a line says so,
// with the option that does.
func TestTunnelled(t *testing.T) {
	udp := func(port string) string {
		return "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00" +
			"\x45\x00\x00\x1c\x00\x00\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" + "\x10\x00" + port + "\x00\x08\x00\x00"
	}
	vxlan, gtpu, dns := udp("\x12\xb5"), udp("\x08\x68"), udp("\x00\x35")
	for _, test := range []struct {
		tunnels decode.Tunnels
		packets []string
		want    string
	}{
		{0, []string{vxlan, gtpu, vxlan, dns}, "2 of 4 packets: UDP port 4789 (VXLAN), see --decap vxlan; 1 of 4 packets: UDP port 2152 (GTP-U), see --decap gtpu"},
		{decode.GTPU, []string{vxlan, gtpu, vxlan}, "2 of 3 packets: UDP port 4789 (VXLAN), see --decap vxlan"},
		{decode.VXLAN, []string{vxlan, vxlan}, ""},
		{0, []string{vxlan, dns}, ""},
		{0, []string{dns}, ""},
		{0, nil, ""},
	} {
		b := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
		for _, p := range test.packets {
			b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(p)), 0, 0, 0, byte(len(p)), 0, 0, 0)
			b = append(b, p...)
		}
		for _, workers := range []int{1, 3} {
			run, err := NewReader(Options{Workers: workers, Tunnels: test.tunnels}, bytes.NewReader(b), "tunnels")
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range run.Flows(t.Context()) {
				if err != nil {
					t.Fatal(err)
				}
			}
			s := run.Summary()
			if got := WhyTunnelled(s.Packets, s.Tunnels); got != test.want {
				t.Errorf("%d workers: %q, want %q", workers, got, test.want)
			}
		}
	}
}
