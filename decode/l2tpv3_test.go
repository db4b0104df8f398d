package decode

import (
	"encoding/binary"
	"testing"
)

// summed gives the IPv4 header at the front of b its check value.
func summed(b []byte) []byte {
	sum := 0
	for i := 0; i < int(b[0]&0xf)*4; i += 2 {
		if i != 10 {
			sum += int(binary.BigEndian.Uint16(b[i:]))
		}
	}
	binary.BigEndian.PutUint16(b[10:], ^uint16(sum%0xffff))
	return b
}

// TestL2TPv3 reads sessions of every form that is guessed, and none of what is odd.
func TestL2TPv3(t *testing.T) {
	tcp, tcpV6 := summed(ipv4Packet(6, tcpHeader)), ipv6Packet(6, tcpHeader)
	over := func(payload ...any) []byte {
		return with(ethernetIPv4(ipv4Packet(115, payload...)), 14+12, "01010101 02020202")
	}
	overUDP := func(payload ...any) []byte {
		return with(ethernetIPv4(udpPacket(49320, 1701, payload...)), 14+12, "01010101 02020202")
	}
	const session, cookie, sublayer, udp = "00001234", "c0ffee01 deadbeef", "40000001", "udp 1.1.1.1:49320 > 2.2.2.2:1701"
	testRowsWith(t, decoderOf("tcp,udp", "l2tpv3"), []row{
		{"Ethernet", 1, over(session, ethernetIPv4(tcp)), 0, tcp4},
		{"a cookie of 4 bytes", 1, over(session, "c0ffee01", ethernetIPv4(tcp)), 0, tcp4},
		{"a cookie of 8 bytes", 1, over(session, cookie, ethernetIPv6(tcpV6)), 0, tcp6},
		{"a sublayer", 1, over(session, sublayer, ethernetIPv4(tcp)), 0, tcp4},
		{"both", 1, over(session, cookie, sublayer, ethernetIPv4(tcp)), 0, tcp4},
		{"two tags", 1, over(session, ethernetFrame("88a8 0001 8100 0064 0800", tcp)), 0, tcp4},
		{"padding behind IPv4", 1, over(session, ethernetIPv4(tcp), make([]byte, 6)), 0, tcp4},
		{"PPP", 1, over(session, "ff03 0021", tcp), 0, tcp4},
		{"PPP without address", 1, over(session, cookie, "0057", tcpV6), 0, tcp6},
		{"Cisco HDLC", 1, over(session, sublayer, "0f00 0800", tcp), 0, tcp4},
		{"IPv4", 1, over(session, tcp), 0, tcp4},
		{"IPv6", 1, over(session, cookie, tcpV6), 0, tcp6},
		{"over UDP", 1, overUDP("0003 0000", session, cookie, ethernetIPv4(tcp)), 0, tcp4},
		{"the first fragment", 1, with(over(session, ethernetIPv4(summed(with(tcp, 2, "05dc")))), 14+6, "2000"), 0, tcp4},
		{"a control message", 1, over("00000000", ethernetIPv4(tcp)), 0, "other protocol"},
		{"a control message over UDP", 1, overUDP("c803 0014 00000001 0000 0000"), 0, udp},
		{"a wrong check value", 1, over(session, ethernetIPv4(with(tcp, 10, "beef"))), 0, "other protocol"},
		{"a wrong check value over UDP", 1, overUDP("0003 0000", session, ethernetIPv4(with(tcp, 10, "beef"))), 0, udp},
		{"IPv6 that is shorter than what follows", 1, over(session, ethernetIPv6(tcpV6), "00"), 0, "other protocol"},
		{"IPv6 with a protocol that nobody has", 1, over(session, ethernetIPv6(with(tcpV6, 6, "fd"))), 0, "other protocol"},
		{"a front of 16 bytes", 1, over(session, cookie, cookie, tcp), 0, "other protocol"},
		{"ARP", 1, over(session, ethernetFrame("0806 0001 0800 06 04 0001", make([]byte, 20))), 0, "other protocol"},
		{"nothing", 1, over(session), 0, "other protocol"},
		{"cut", 1, over(session, ethernetIPv4(tcp)), 30, "other protocol"},
	})
	testRowsWith(t, decoderOf("tcp,udp", "l2tp"), []row{
		{"not asked for", 1, over(session, ethernetIPv4(tcp)), 0, "other protocol"},
		{"not asked for, over UDP", 1, overUDP("0003 0000", session, ethernetIPv4(tcp)), 0, udp},
	})
	testRowsWith(t, decoderOf("tcp,115", "l2tpv3"), []row{
		{"protocol 115 is asked for, and TCP is there", 1, over(session, ethernetIPv4(tcp)), 0, tcp4},
		{"it is asked for, and UDP is there", 1, over(session, ethernetIPv4(summed(udpPacket(1, 2)))), 0, "protocol 115 1.1.1.1:0 > 2.2.2.2:0"},
		{"it is asked for, and nothing that is known", 1, over(session, "00"), 0, "protocol 115 1.1.1.1:0 > 2.2.2.2:0"},
	})
	testRowsWith(t, decoderOf("tcp,udp", "l2tpv3"), []row{
		{"a later fragment", 1, with(over(session), 14+6, "00b9"), 0, "fragment 1.1.1.1 > 2.2.2.2 of 115/1234"},
	})
}
