package flowfast

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Where less than half of the packets are counted, a line says what the others
// are, the commonest first, the same for any number of workers.
func TestUnread(t *testing.T) {
	const addresses = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
	ip := func(protocol string) string {
		return addresses + "\x08\x00\x45\x00\x00\x1c\x00\x00\x00\x00\x40" + protocol + "\x00\x00\x0a\x00\x00\x01\x0a\x00\x00\x02" + "\x10\x00\x00\x35\x00\x08\x00\x00"
	}
	arp, icmp, udp := addresses+"\x08\x06"+strings.Repeat("\x00", 28), ip("\x01"), ip("\x11")
	for _, test := range []struct {
		packets []string
		want    string
	}{
		{[]string{arp, icmp, arp}, "2 of 3 packets: EtherType 0x0806 (ARP); 1 of 3 packets: protocol 1 (ICMP), see --protocols icmp"},
		{[]string{icmp, udp, icmp}, "2 of 3 packets: protocol 1 (ICMP), see --protocols icmp"},
		{[]string{icmp, udp}, ""},
		{[]string{udp}, ""},
		{nil, ""},
	} {
		b := []byte("\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
		for _, p := range test.packets {
			b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, byte(len(p)), 0, 0, 0, byte(len(p)), 0, 0, 0)
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
			if got := WhyUncounted(s.Packets, s.Classes.Counted, s.Unread); got != test.want {
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
