package legacy

import (
	"strings"
	"testing"

	"github.com/flowfast/flowfast/ioutil"
)

func addrs(src, dst uint32, srcPort, dstPort uint16, protocol uint8) key {
	return key{src: src, dst: dst, srcPort: srcPort, dstPort: dstPort, protocol: protocol}
}

// TestRead has the rules by which frames are read. Those marked "run" were seen
// in the original's output for such frames; the others follow from its code.
func TestRead(t *testing.T) {
	var (
		tcpPacket = ip(6, tcpFrom(1000, 80, 0x18, 500, 10))
		udpPacket = ip(17, udpFrom(5000, 53, 30))
		tcpKey    = addrs(hostA, hostB, 1000, 80, 6)
		udpKey    = addrs(hostA, hostB, 5000, 53, 17)
		other     = addrs(hostA, hostB, 0, 0, 0)
		padding   = make([]byte, 6)
		arp       = bytesOf("d46a6a000002 0806 0001 0800 06 04 0001 d46a6a000002 0a000001 000000000000 0a000002")
	)
	// with changes a byte of a packet.
	with := func(packet []byte, at int, value byte) []byte {
		packet = append([]byte(nil), packet...)
		packet[at] = value
		return packet
	}
	ip6 := func(next byte, rest ...any) []byte {
		return with(join("60000000 0000 00 40", src6, dst6, join(rest...)), 6, next)
	}
	// options is an IPv4 packet with TCP behind options.
	options := func(hex string) []byte {
		o := bytesOf(hex)
		p := ip(6, o, tcpFrom(1000, 80, 0, 0, 10))
		p[0] = byte(0x40 | 5 + len(o)/4)
		return p
	}
	// tcpOptions is a TCP header with the data offset and bytes behind 20 bytes.
	withOptions := func(words byte, rest string) []byte {
		return ip(6, with(tcpFrom(1000, 80, 0, 0, 0), 12, words<<4), rest)
	}

	for _, test := range []struct {
		name    string
		frame   []byte
		cut     int // bytes the snap length cut
		ok      bool
		key     key
		header  int
		payload int
	}{
		{"TCP", frame(tcpPacket), 0, true, tcpKey, 20, 10},
		{"UDP", frame(udpPacket), 0, true, udpKey, 8, 30},
		{"padding directly below Ethernet does not count (run)",
			join(frame(tcpPacket), padding), 0, true, tcpKey, 20, 10},
		{"a snap length cuts the payload (run)", frame(tcpPacket)[:60], 4, true, tcpKey, 20, 6},
		{"a snap length cuts the TCP options: the header is what is left",
			frame(withOptions(8, "0101080a 00000000 00000000"))[:62], 4, true, tcpKey, 28, 0},
		{"all TCP options cut is an exception", frame(withOptions(8, "0101080a 00000000 00000000"))[:54], 12,
			false, key{}, 0, 0},
		{"one byte of TCP options, no operation", frame(withOptions(8, "0101080a 00000000 00000000"))[:55], 11,
			true, tcpKey, 21, 0},
		{"one byte of TCP options, another one, is an exception",
			frame(withOptions(8, "080a0101 00000000 00000000"))[:55], 11, false, key{}, 0, 0},
		{"less than 20 bytes of TCP are not TCP", frame(tcpPacket)[:53], 11, true, other, 0, 0},
		{"TCP header of 0 bytes is none", frame(withOptions(0, "")), 0, true, other, 0, 0},
		{"TCP header of 12 bytes is an exception", frame(withOptions(3, "")), 0, false, key{}, 0, 0},
		{"TCP header of 16 bytes is read", frame(withOptions(4, "")), 0, true, tcpKey, 16, 4},
		{"less than 8 bytes of UDP are not UDP", frame(udpPacket)[:41], 31, true, other, 0, 0},
		{"a record longer than its frame was is cut", frame(tcpPacket), -4, true, tcpKey, 20, 6},

		{"IP options, router alert", frame(options("94040000")), 0, true, tcpKey, 20, 10},
		{"IP options, no operation and end", frame(options("01010100")), 0, true, tcpKey, 20, 10},
		{"the last byte of IP options is one with a length: an exception", frame(options("01010187")), 0,
			false, key{}, 0, 0},
		{"an unknown IP option ends them", frame(options("01011a87")), 0, true, tcpKey, 20, 10},
		{"the step over an IP option is too long by one", frame(options("07030400 01010187")), 0,
			false, key{}, 0, 0},
		{"IP options cut by the snap length are an exception", frame(options("01010101 01010101"))[:40], 40,
			false, key{}, 0, 0},
		{"23 is a known IP option", frame(options("01010117")), 0, false, key{}, 0, 0},
		{"IP options cut behind their end are none", options("00000000 00000000")[:24], 34, true, other, 0, 0},
		{"an IP header that reaches beyond the frame, but not its packet, is an exception",
			with(options("00000000 00000000"), 3, 20)[:24], 34, false, key{}, 0, 0},
		{"so is one with more fragments to come",
			with(options("00000000 00000000"), 6, 0x20)[:24], 34, false, key{}, 0, 0},
		{"options of a record longer than its frame was are cut",
			with(options("01010101 01010101"), 3, 27), -32, false, key{}, 0, 0},
		{"IP header of 16 bytes is an exception", frame(with(tcpPacket, 0, 0x44)), 0, false, key{}, 0, 0},
		{"IP header of 0 bytes is none", frame(with(tcpPacket, 0, 0x40)), 0, false, key{}, 0, 0},
		{"the version is not looked at", frame(with(tcpPacket, 0, 0x95)), 0, true, tcpKey, 20, 10},

		{"802.1Q (run)", join(macs, "8100 0005 0800", tcpPacket), 0, true, tcpKey, 20, 10},
		{"802.1ad (run)", join(macs, "88a8 0005 8100 0006 0800", tcpPacket), 0, true, tcpKey, 20, 10},
		{"0x9100", join(macs, "9100 0005 0800", tcpPacket), 0, true, tcpKey, 20, 10},
		{"padding behind a VLAN tag counts (run)", join(macs, "8100 0005 0800", tcpPacket, padding), 0,
			true, tcpKey, 20, 16},
		{"MPLS is discarded (run)",
			join("00005e000001 02005e000002 8847 00001140", tcpPacket), 0, false, key{}, 0, 0},
		{"802.3 with SNAP: the length is taken for the frame's, so 14 bytes are missing",
			join(macs, "003e aaaa03 000000 0800", ip(6, tcpFrom(1000, 80, 0, 0, 14))), 0, true, tcpKey, 20, 0},
		{"LLC is 4 bytes long if it is numbered information",
			join(macs, "004f aaaa00 00 000000 0800", ip(6, tcpFrom(1000, 80, 0, 0, 14))), 0, true, tcpKey, 20, 14},
		{"LLC behind a VLAN tag",
			join(macs, "8100 0005 0040 aaaa03 000000 0800", tcpPacket), 0, true, tcpKey, 20, 10},
		{"SNAP of another organisation", join("00005e000001 02005e000002 003e aaaa03 00000c 0800", tcpPacket), 0,
			false, key{}, 0, 0},

		{"total length 0: no ports, no payload (run)", frame(with(tcpPacket, 3, 0)), 0, true, other, 0, 0},
		{"total length below the header", frame(with(tcpPacket, 3, 17)), 0, true, other, 0, 0},
		{"a total length beyond the frame is not believed", frame(with(tcpPacket, 2, 1)), 0, true, tcpKey, 20, 10},
		{"ICMP (run)", frame(ip(1, "08000000 00010001", padding)), 0, true, other, 0, 0},
		{"GRE (run)", frame(ip(47, "00000800", tcpPacket)), 0, true, other, 0, 0},
		{"destination unreachable, UDP: ports of the quoted packet (run)",
			frame(ip(1, "03010000 00000000", ipv4From(hostB, 0x01020304, 17, udpFrom(7, 8, 0)))), 0,
			true, addrs(hostA, hostB, 7, 8, 17), 8, 0},
		{"destination unreachable, 8 bytes of TCP",
			frame(ip(1, "03010000 00000000", ipv4From(hostB, 0x01020304, 6, tcpFrom(7, 8, 0, 0, 0))[:28])), 0,
			true, other, 0, 0},
		{"parameter problem", frame(ip(1, "0c000000 00000000", tcpPacket)), 0, true, tcpKey, 20, 10},
		{"time exceeded quotes nothing", frame(ip(1, "0b000000 00000000", tcpPacket)), 0, true, other, 0, 0},
		{"IP in IP: outer addresses, inner ports (run)",
			frame(ip(4, ipv4From(0x01020304, 0x01020305, 6, tcpFrom(7, 8, 0, 0, 3)))), 0,
			true, addrs(hostA, hostB, 7, 8, 6), 20, 3},
		{"first fragment (run)", frame(with(udpPacket, 6, 0x20)), 0, true, udpKey, 8, 30},
		{"later fragment (run)", frame(with(udpPacket, 7, 1)), 0, true, other, 0, 0},
		{"IPv4 in IPv6 (run)", join("03005e000001 02005e000002 86dd", ip6(4, tcpPacket)), 0, true, tcpKey, 20, 10},
		{"IPv4 in IPv6 behind an extension header",
			join("03005e000001 02005e000002 86dd", ip6(0, "04 00 000000000000", tcpPacket)), 0, true, tcpKey, 20, 10},
		{"an extension header is too long if it ends beyond the frame less the offset of IPv6",
			join(macs, strings.Repeat("8100 0005", 20), "86dd", ip6(0, "04 00 000000000000", tcpPacket)), 0,
			false, key{}, 0, 0},
		{"ICMP below IPv6 can quote IPv4",
			join("03005e000001 02005e000002 86dd", ip6(1, "03010000 00000000", tcpPacket)), 0,
			true, tcpKey, 20, 10},
		{"IPv6 (run)",
			join("03005e000001 02005e000002 86dd", ip6(6, tcpFrom(1000, 80, 0, 0, 10))), 0, false, key{}, 0, 0},

		{"L2TP over IP", frame(ip(115, "0002 0001 0001 ff03 0021", tcpPacket)), 0, true, tcpKey, 20, 10},
		{"L2TP over UDP: TCP within goes before UDP",
			frame(ip(17, udpFrom(1701, 9, 0), "0002 0001 0001 ff03 0021", tcpPacket)), 0, true, tcpKey, 20, 10},
		{"L2TP over UDP, to its port",
			frame(ip(17, udpFrom(9, 1701, 0), "0002 0001 0001 ff03 0021", tcpPacket)), 0, true, tcpKey, 20, 10},
		{"L2TP over UDP: the outer of two UDP headers",
			frame(ip(17, udpFrom(9, 1701, 0), "0002 0001 0001 ff03 0021", udpPacket)), 0,
			true, addrs(hostA, hostB, 9, 1701, 17), 8, 10 + 58},
		{"L2TP with length, Ns and Nr, offset",
			frame(ip(17, udpFrom(1701, 9, 0), "4a02 0000 0001 0001 0000 0000 0000 0000 ff03 0021", tcpPacket)), 0,
			true, tcpKey, 20, 10},
		{"L2TP control", frame(ip(17, udpFrom(1701, 9, 0), "8002 0001 0001 ff03 0021", tcpPacket)), 0,
			true, addrs(hostA, hostB, 1701, 9, 17), 8, 10 + 50},
		{"not L2TP: the destination's port goes first",
			frame(ip(17, udpFrom(1701, 5060, 0), "0002 0001 0001 ff03 0021", tcpPacket)), 0,
			true, addrs(hostA, hostB, 1701, 5060, 17), 8, 10 + 50},
		{"PPP with IPv6, with IPv4 in it",
			frame(ip(115, "0002 0001 0001 ff03 0057", ip6(4, tcpPacket))), 0, true, tcpKey, 20, 10},

		// What is no IPv4 is read as if it were (run). The low four bits of the
		// first byte, of a MAC address in Ethernet, are the header length.
		{"ARP",
			join("d46a6a000001", arp), 0,
			false, key{}, 0, 0},
		{"ARP, header length 5",
			join("056a6a000001", arp), 0,
			true, addrs(0x08060001, 0x08000604, 0, 0, 0), 0, 0},
		{"raw IP", tcpPacket, 0, true, tcpKey, 20, 10},
		{"raw IP, padding counts", join(tcpPacket, padding), 0, true, tcpKey, 20, 16},
		{"empty", nil, 0, false, key{}, 0, 0},
		{"one byte", []byte{5}, 0, false, key{}, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &ioutil.Record{Time: 1500, Data: test.frame, OrigLen: uint32(len(test.frame) + test.cut)}
			var p packet
			if ok := p.read(r.Data, int(r.OrigLen), r.Time); ok != test.ok {
				t.Fatalf("% x: got %v, want %v", test.frame, ok, test.ok)
			}
			if !test.ok {
				return
			}
			if p.key != test.key || p.header != test.header || p.payload != test.payload || p.time != 1 {
				t.Errorf("% x:\ngot  %+v\nwant %+v, header %d, payload %d", test.frame, p, test.key, test.header, test.payload)
			}
		})
	}
}

func TestMicroseconds(t *testing.T) {
	for ns, want := range map[int64]int64{0: 0, 999: 0, 1000: 1, -1: -1, -1000: -1, -1001: -2} {
		if got := microseconds(ns); got != want {
			t.Errorf("%d ns: got %d, want %d", ns, got, want)
		}
	}
}
