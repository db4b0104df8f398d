package export

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"

	"github.com/cespare/xxhash/v2"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// flowID names a flow by what makes it: the same flow of the same capture has
// the same name in every run.
var flowID = as(RoleIdentifier, plainColumn("flow_id", "16 hexadecimal digits that name the flow: xxHash64 of protocol, IP version, source address and port, "+
	"destination address and port, start time in nanoseconds, and what else makes the flow if it is not 0: identifier of ICMP, digest of --key; "+
	"big endian",
	func(b []byte, f *flowtable.Flow) []byte {
		version := byte(4)
		if f.V6 {
			version = 6
		}
		var room [64]byte
		text := append(room[:0], f.Protocol, version)
		text = binary.BigEndian.AppendUint16(appendAddr(text, f.Src, f.V6), f.SrcPort)
		text = binary.BigEndian.AppendUint16(appendAddr(text, f.Dst, f.V6), f.DstPort)
		text = binary.BigEndian.AppendUint64(text, uint64(f.Start))
		if f.Identifier != 0 {
			text = binary.BigEndian.AppendUint16(text, f.Identifier)
		}
		if f.Encapsulation != 0 {
			text = binary.BigEndian.AppendUint64(text, f.Encapsulation)
		}
		var sum [8]byte
		binary.BigEndian.PutUint64(sum[:], xxhash.Sum64(text))
		return hex.AppendEncode(b, sum[:])
	}))[0]

// communityID is the Community ID of a flow, version 1 with seed 0
// (https://github.com/corelight/community-id-spec): SHA-1 of the seed and the
// five-tuple, the lesser endpoint first.
var communityID = as(RoleIdentifier, plainColumn("community_id", "Community ID version 1 with seed 0",
	AppendCommunityID))[0]

// AppendCommunityID appends the Community ID of a flow.
func AppendCommunityID(b []byte, f *flowtable.Flow) []byte {
	src, dst, srcPort, dstPort := f.Src, f.Dst, f.SrcPort, f.DstPort
	if (dst.Less(src) || src == dst && dstPort < srcPort) && decode.TwoWay(f.Protocol, srcPort) {
		src, dst, srcPort, dstPort = dst, src, dstPort, srcPort
	}
	var room [64]byte
	text := append(room[:0], 0, 0)
	text = appendAddr(appendAddr(text, src, f.V6), dst, f.V6)
	text = append(text, f.Protocol, 0)
	switch f.Protocol {
	case 1, 6, 17, 58, 132: // those that the specification has ports for
		text = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(text, srcPort), dstPort)
	}
	sum := sha1.Sum(text)
	return base64.StdEncoding.AppendEncode(append(b, "1:"...), sum[:])
}

func appendAddr(b []byte, a decode.Addr, v6 bool) []byte {
	if !v6 {
		return binary.BigEndian.AppendUint32(b, uint32(a.Lo))
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, a.Hi), a.Lo)
}
