package decode

import (
	"slices"
	"testing"
)

// BenchmarkDecode decodes a ring of 256 copies of a frame: warm, but not always
// the same bytes of memory.
func BenchmarkDecode(b *testing.B) {
	payload := make([]byte, 400)
	for _, bench := range []struct {
		name     string
		linkType uint32
		frame    []byte
	}{
		{"ipv4+tcp", LinkEthernet, ethernetIPv4(ipv4Packet(6, tcpHeader, payload))},
		{"ipv4+udp", LinkEthernet, ethernetIPv4(ipv4Packet(17, udpHeader, payload))},
		{"ipv4+options+tcp", LinkEthernet, ethernetIPv4(join("46 00 01c0 1234 0000 40 06 0000", src4, dst4, "94040000", tcpHeader, payload))},
		{"ipv4+fragment", LinkEthernet, ethernetIPv4(ipv4Fragment(17, 0x00b9, payload))},
		{"ipv6+tcp", LinkEthernet, ethernetIPv6(ipv6Packet(6, tcpHeader, payload))},
		{"ipv6+hopbyhop", LinkEthernet, ethernetIPv6(ipv6Packet(0, "06 00 0502 0000 0100", tcpHeader, payload))},
		{"ipv6+fragment", LinkEthernet, ethernetIPv6(ipv6Packet(44, "06 00 0001 00001234", tcpHeader, payload))},
		{"vlan", LinkEthernet, ethernetFrame("8100 0064 0800", ipv4Packet(6, tcpHeader, payload))},
		{"qinq", LinkEthernet, ethernetFrame("88a8 0064 8100 00c8 0800", ipv4Packet(6, tcpHeader, payload))},
		{"mpls", LinkEthernet, ethernetFrame("8847 00010040 00011140", ipv4Packet(6, tcpHeader, payload))},
		{"pppoe", LinkEthernet, ethernetFrame("8864 1100 0001 01ba 0021", ipv4Packet(6, tcpHeader, payload))},
		{"4in6", LinkEthernet, ethernetIPv6(ipv6Packet(4, ipv4Packet(6, tcpHeader, payload)))},
		{"gre", LinkEthernet, ethernetIPv4(ipv4Packet(47, "2000 0800 00000001", ipv4Packet(6, tcpHeader, payload)))},
		{"raw", linkRaw, ipv4Packet(6, tcpHeader, payload)},
		{"cooked", linkCooked, join("0000 0001 0006 02005e000001 0000 0800", ipv4Packet(6, tcpHeader, payload))},
		{"radiotap", linkRadiotap, join("00 00 0900 02000000 00", "08 01 0000 02005e000001 02005e000002 02005e000003 1000", "aaaa03 000000 0800", ipv4Packet(6, tcpHeader, payload))},
		{"arp", LinkEthernet, ethernetFrame("0806", payload[:46])},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var frames [256][]byte
			for i := range frames {
				frames[i] = append([]byte(nil), bench.frame...)
			}
			var p Packet
			b.SetBytes(int64(len(bench.frame)))
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				frame := frames[i&255]
				p.Decode(bench.linkType, frame, uint32(len(frame)))
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpkt/s")
		})
	}
}

// BenchmarkChains decodes the frames that take longest: headers in headers, and
// options of single bytes, as many as the limits let through. What it costs is
// in proportion to the bytes that were captured, whatever is nested in what.
func BenchmarkChains(b *testing.B) {
	options := append(bytesOf("3c ff"), make([]byte, 2046)...) // one header of single bytes
	hopByHop := append(bytesOf("29 ff"), make([]byte, 2046)...)
	jumbo := join("29 ff c204 7fffffff", make([]byte, 2040))
	nested := func(n int) []byte {
		packet := ipv6Packet(17, udpHeader)
		for range n {
			packet = ipv6Packet(0, hopByHop, packet)
		}
		return packet
	}
	radiotap := append(bytesOf("00 00 fcff"), make([]byte, 0xfffc-4)...)
	for i := 7; i < len(radiotap); i += 4 {
		radiotap[i] = 0x80
	}
	ppi := append(bytesOf("00 00 fcff c0000000"), make([]byte, 0xfffc-8)...) // empty fields
	for _, bench := range []struct {
		name     string
		linkType uint32
		frame    []byte
	}{
		{"options", LinkEthernet, ethernetIPv6(ipv6Packet(60, slices.Repeat(options, 31)))},
		{"jumbo", LinkEthernet, ethernetIPv6(join("60000000 0000 00 40", src6, dst6, jumbo, nested(14)))},
		{"ipv6+hopbyhop=1", LinkEthernet, ethernetIPv6(nested(1))},
		{"ipv6+hopbyhop=15", LinkEthernet, ethernetIPv6(nested(15))},
		{"vlan", LinkEthernet, ethernetFrame("8100", repeat("0001 8100", 65000))},
		{"mpls", LinkEthernet, ethernetFrame("8847", repeat("00000040", 65000))},
		{"radiotap", linkRadiotap, radiotap},
		{"ppi", linkPPI, slices.Repeat(ppi, 4)},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var p Packet
			b.SetBytes(int64(len(bench.frame)))
			for b.Loop() {
				p.Decode(bench.linkType, bench.frame, uint32(len(bench.frame)))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(bench.frame)), "ns/byte")
		})
	}
}

// BenchmarkDecoder decodes with all protocols and tunnels.
func BenchmarkDecoder(b *testing.B) {
	tcp := ipv4Packet(6, tcpHeader, make([]byte, 400))
	for _, bench := range []struct {
		name  string
		frame []byte
	}{
		{"ipv4+tcp", ethernetIPv4(tcp)},
		{"ipv4+udp", ethernetIPv4(ipv4Packet(17, udpHeader, make([]byte, 400)))},
		{"icmp", ethernetIPv4(ipv4Packet(1, "0800 0000 0001 0001", make([]byte, 56)))},
		{"gre", ethernetIPv4(ipv4Packet(47, "2000 0800 00000001", tcp))},
		{"vxlan", ethernetIPv4(udpPacket(49320, 4789, vxlanHeader, ethernetIPv4(tcp)))},
		{"gtpu", ethernetIPv4(udpPacket(2152, 2152, gtpuPacket("34", "0000 00 85  01 1009 00", tcp)))},
		{"vxlan+arp", ethernetIPv4(udpPacket(49320, 4789, vxlanHeader, ethernetFrame("0806", make([]byte, 46))))},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var p Packet
			d := decoderOf("all", "all")
			b.SetBytes(int64(len(bench.frame)))
			b.ReportAllocs()
			for b.Loop() {
				d.Decode(&p, LinkEthernet, bench.frame, uint32(len(bench.frame)))
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mpkt/s")
		})
	}
}
