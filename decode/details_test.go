package decode

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// TestDetailsEqualGopacket compares the details of recorded and shared packets
// with what gopacket reads, where that ends at the same headers.
func TestDetailsEqualGopacket(t *testing.T) {
	compared := 0
	compare := func(name string, linkType uint32, frame []byte, wireLen uint32) {
		var p Packet
		if p.Decode(linkType, frame, wireLen) != Counted || linkType != LinkEthernet || p.FirstFragment {
			return
		}
		packet := gopacket.NewPacket(frame, layers.LinkTypeEthernet, gopacket.DecodeOptions{NoCopy: true})
		if packet.ErrorLayer() != nil {
			return
		}
		var d Details
		payload := p.Details(&d, frame)
		want := Details{WindowScale: -1}
		ipPayload := 0
		for _, l := range packet.Layers() { // the last one before the transport header counts
			if l == gopacket.Layer(packet.TransportLayer()) {
				break
			}
			switch l := l.(type) {
			case *layers.IPv4:
				want.TTL, want.TOS = l.TTL, l.TOS
				ipPayload = int(l.Length) - int(l.IHL)*4
			case *layers.IPv6:
				if l.HopByHop != nil || l.NextHeader != layers.IPProtocolTCP && l.NextHeader != layers.IPProtocolUDP {
					return // its length is that of more
				}
				want.TTL, want.TOS = l.HopLimit, l.TrafficClass
				ipPayload = int(l.Length)
			}
		}
		var wantPayload []byte
		switch l := packet.TransportLayer().(type) {
		case *layers.TCP:
			want.Segment, want.Window, want.HeaderLen = true, l.Window, l.DataOffset*4
			for _, o := range l.Options {
				switch {
				case !l.SYN:
				case o.OptionType == layers.TCPOptionKindMSS && len(o.OptionData) == 2:
					want.MSS = binary.BigEndian.Uint16(o.OptionData)
				case o.OptionType == layers.TCPOptionKindWindowScale && len(o.OptionData) == 1:
					want.WindowScale = int8(o.OptionData[0])
				case o.OptionType == layers.TCPOptionKindSACKPermitted:
					want.SACKPermitted = true
				}
			}
			wantPayload = l.Payload
		case *layers.UDP:
			want.HeaderLen = 8
			wantPayload = l.Payload
		default:
			return
		}
		if ipPayload <= 0 || ipPayload > int(wireLen)-34 { // segmentation offload, or more than there was
			return
		}
		want.Payload = uint32(max(0, ipPayload-int(want.HeaderLen)))
		if d != want {
			t.Errorf("%s: got %+v, want %+v\n% x", name, d, want, frame)
		}
		if p.Proto == protoTCP && !bytes.Equal(payload, wantPayload) {
			t.Errorf("%s: payload of %d bytes, want %d", name, len(payload), len(wantPayload))
		}
		compared++
	}
	for _, r := range sharedRecords(t) {
		compare(fmt.Sprintf("%s, packet %d", r.file, r.number), r.linkType, r.frame, r.wireLen)
	}
	if compared < 1000 {
		t.Errorf("only %d packets compared", compared)
	}
	t.Logf("%d packets compared", compared)
}

func TestLink(t *testing.T) {
	const macs = "02005e100001 02005e100002 "
	for _, test := range []struct {
		rule     string
		linkType uint32
		frame    string
		want     Link
	}{
		{"Ethernet", 1, macs + "0800 45", Link{MPLS: -1}},
		{"one tag", 1, macs + "8100 6064 0800 45", Link{VLANs: [maxTags]uint16{100}, NumVLANs: 1, MPLS: -1}},
		{"two tags, the outermost first", 1, macs + "88a8 0001 8100 0fff 0800", Link{VLANs: [maxTags]uint16{1, 4095}, NumVLANs: 2, MPLS: -1}},
		{"a tag and labels: the one at the top", 1, macs + "8100 0002 8847 00010040 00020140", Link{VLANs: [maxTags]uint16{2}, NumVLANs: 1, MPLS: 16}},
		{"cut in a tag", 1, macs + "8100 00", Link{MPLS: -1}},
	} {
		frame := bytesOf(test.frame)
		want := test.want
		want.HasSrc, want.HasDst = true, true
		want.Dst, want.Src = [6]byte(frame), [6]byte(frame[6:])
		var l Link
		if l.Read(test.linkType, frame); l != want {
			t.Errorf("%s: got %+v, want %+v", test.rule, l, want)
		}
	}
	var l Link
	l.Read(linkCooked, bytesOf("0000 0001 0006 02005e100002 0000 8100 0005 0800"))
	if want := (Link{Src: [6]byte(bytesOf("02005e100002")), HasSrc: true, VLANs: [maxTags]uint16{5}, NumVLANs: 1, MPLS: -1}); l != want {
		t.Errorf("cooked: got %+v, want %+v", l, want)
	}
	l.Read(linkCooked2, bytesOf("0800 0000 00000001 0001 00 06 02005e100002 0000"))
	if want := (Link{Src: [6]byte(bytesOf("02005e100002")), HasSrc: true, MPLS: -1}); l != want {
		t.Errorf("cooked 2: got %+v, want %+v", l, want)
	}
	l.Read(linkPPP, bytesOf("ff03 0281 00010140"))
	if want := (Link{MPLS: 16}); l != want {
		t.Errorf("PPP: got %+v, want %+v", l, want)
	}
	l.Read(linkPPI, bytesOf("00 00 0800 01000000 02005e100001 02005e100002 0800 45"))
	if want := (Link{Src: [6]byte(bytesOf("02005e100002")), Dst: [6]byte(bytesOf("02005e100001")), HasSrc: true, HasDst: true, MPLS: -1}); l != want {
		t.Errorf("PPI: got %+v, want %+v", l, want)
	}
	if l.Read(linkRaw, bytesOf("45")); l != (Link{MPLS: -1}) {
		t.Errorf("raw IP: got %+v", l)
	}
}

// A first fragment with the front of a TCP header alone has no payload, and no
// segment that windows and options could be read from.
func TestDetailsOfTinyFragment(t *testing.T) {
	for _, n := range []int{4, 8, 12} {
		frame := ethernetIPv4(ipv4Fragment(6, 0x2000, tcpHeader[:n]))
		for _, frame := range [][]byte{frame, frame[:len(frame):len(frame)]} {
			var p Packet
			var d Details
			p.Decode(LinkEthernet, frame, uint32(len(frame)))
			payload := p.Details(&d, frame)
			if want := (Details{HeaderLen: uint8(n), TTL: d.TTL, TOS: d.TOS, WindowScale: -1}); d != want || len(payload) != 0 {
				t.Errorf("%d bytes: got %+v and %d bytes of payload, want %+v", n, d, len(payload), want)
			}
		}
	}
}
