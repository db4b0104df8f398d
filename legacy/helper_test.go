package legacy

import (
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/flowfast/flowfast/ioutil"
)

// bytesOf turns hex digits into bytes. Spaces may stand anywhere.
func bytesOf(text string) []byte {
	b, err := hex.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		panic(err)
	}
	return b
}

// join puts headers in a row: hex text, or bytes of another function.
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

// The hosts of every packet built here, unless said otherwise.
const (
	hostA = 0x0a000001 // 10.0.0.1
	hostB = 0x0a000002 // 10.0.0.2

	macs = "02005e000001 02005e000002"
	src6 = "20010db8 00000000 00000000 00000001"
	dst6 = "20010db8 00000000 00000000 00000002"
)

// ipv4From is an IPv4 header without options in front of a payload.
func ipv4From(src, dst uint32, proto byte, payload ...any) []byte {
	b := join("45 00 0000  1234 0000  40 00 0000  00000000 00000000", join(payload...))
	b[9] = proto
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	binary.BigEndian.PutUint32(b[12:], src)
	binary.BigEndian.PutUint32(b[16:], dst)
	return b
}

// ip is an IPv4 packet from A to B.
func ip(proto byte, payload ...any) []byte { return ipv4From(hostA, hostB, proto, payload...) }

// frame is an Ethernet frame with an IPv4 packet.
func frame(packet []byte) []byte { return join(macs, "0800", packet) }

// tcpFrom is a TCP header without options in front of n bytes.
func tcpFrom(src, dst uint16, flags uint8, window uint16, n int) []byte {
	b := join("0000 0000  00000000  00000000  50 00 0000  0000 0000", make([]byte, n))
	binary.BigEndian.PutUint16(b, src)
	binary.BigEndian.PutUint16(b[2:], dst)
	b[13] = flags
	binary.BigEndian.PutUint16(b[14:], window)
	return b
}

// udpFrom is a UDP header in front of n bytes.
func udpFrom(src, dst uint16, n int) []byte {
	b := join("0000 0000  0000 0000", make([]byte, n))
	binary.BigEndian.PutUint16(b, src)
	binary.BigEndian.PutUint16(b[2:], dst)
	binary.BigEndian.PutUint16(b[4:], uint16(len(b)))
	return b
}

// record is a record of a whole frame, at microseconds since the epoch.
func record(t int64, frame []byte) *ioutil.Record {
	return &ioutil.Record{Time: t * 1000, Data: frame, OrigLen: uint32(len(frame)), LinkType: 1}
}
