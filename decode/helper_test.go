package decode

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// bytesOf turns hex digits into bytes. Spaces may stand anywhere; what follows a
// '#' on a line is a comment.
func bytesOf(text string) []byte {
	var digits strings.Builder
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		digits.WriteString(strings.Join(strings.Fields(line), ""))
	}
	b, err := hex.DecodeString(digits.String())
	if err != nil {
		panic(err)
	}
	return b
}

// join puts headers in a row: hex text, or bytes of another helper.
func join(parts ...any) []byte {
	var b []byte
	for _, part := range parts {
		switch part := part.(type) {
		case string:
			b = append(b, bytesOf(part)...)
		case []byte:
			b = append(b, part...)
		}
	}
	return b
}

const (
	// The addresses and ports of every packet built here, unless said otherwise.
	src4, dst4 = "0a000001", "c0000202" // 10.0.0.1, 192.0.2.2
	src6       = "20010db8 00000000 00000000 00000001"
	dst6       = "20010db8 00000000 00000000 00000002"

	macs = "02005e000001 02005e000002"
)

// tcpHeader has the ports 49320 and 443, sequence number 0x01020304,
// acknowledgment number 0x05060708, and PSH and ACK set.
var tcpHeader = bytesOf("c0a8 01bb  01020304  05060708  50 18 ffff  0000 0000")

// udpHeader has the ports 49320 and 53 and an empty payload.
var udpHeader = bytesOf("c0a8 0035  0008 0000")

// ipv4Packet is an IPv4 header without options in front of a payload.
func ipv4Packet(proto byte, payload ...any) []byte {
	b := join("45 00 0000  1234 0000  40 00 0000", src4, dst4, join(payload...))
	b[9] = proto
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}

// ipv4Fragment is the same with the identification 0x1234, the flags and the
// fragment offset as they stand in the header.
func ipv4Fragment(proto byte, flagsAndOffset uint16, payload ...any) []byte {
	b := ipv4Packet(proto, payload...)
	binary.BigEndian.PutUint16(b[6:], flagsAndOffset)
	return b
}

// ipv6Packet is an IPv6 header in front of a payload.
func ipv6Packet(next byte, payload ...any) []byte {
	b := join("60000000 0000 00 40", src6, dst6, join(payload...))
	b[6] = next
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)-40))
	return b
}

// ethernetFrame is an Ethernet header in front of a payload.
func ethernetFrame(etherType string, payload ...any) []byte {
	return join(macs, etherType, join(payload...))
}

func ethernetIPv4(packet []byte) []byte { return ethernetFrame("0800", packet) }
func ethernetIPv6(packet []byte) []byte { return ethernetFrame("86dd", packet) }
