package decode

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// describeCounted is describe without what gopacket does not know, and "" for a
// packet that is not counted. gopacket shows the control bits of every header.
func describeCounted(p *Packet) string {
	if p.Class != Counted {
		return ""
	}
	q := *p
	q.Flags, q.Whole, q.FirstFragment = p.RawFlags, false, false
	return describe(&q)
}

// gopacketSays reads a frame with gopacket's layers: the first TCP or UDP header
// and the addresses of the IP header above it, as describeCounted gives them, or
// "". It also returns the names of the layers met.
//
// It is "" as well where gopacket is known to differ: it takes IPv4 and IPv6
// headers of any version, gives the next stop of a source route as destination,
// lists TCP and UDP headers that it could not read with all their fields 0,
// lets a UDP length below the header's pass, and takes the EtherType 0xffff for
// IP of either version.
func gopacketSays(linkType uint32, frame []byte) (says, names string) {
	var src, dst netip.Addr
	var path []string
	headers := gopacket.NewPacket(frame, layers.LinkType(linkType), gopacket.NoCopy).Layers()
	for len(headers) > 0 {
		layer := headers[0]
		headers = headers[1:]
		path = append(path, layer.LayerType().String())
		names = strings.Join(path, ":")
		first := layers.IPProtocol(0)
		if announces(layer) == layers.EthernetTypeRaw {
			return "", names
		}
		switch layer := layer.(type) {
		case *layers.IPv4:
			if layer.Version != 4 || slices.ContainsFunc(layer.Options, isSourceRoute) {
				return "", names
			}
			src, _ = netip.AddrFromSlice(layer.SrcIP)
			dst, _ = netip.AddrFromSlice(layer.DstIP)
			if layer.Flags&layers.IPv4MoreFragments != 0 && layer.FragOffset == 0 {
				first = layer.Protocol
			}
		case *layers.IPv6:
			if layer.Version != 6 {
				return "", names
			}
			src, _ = netip.AddrFromSlice(layer.SrcIP)
			dst, _ = netip.AddrFromSlice(layer.DstIP)
		case *layers.IPv6Fragment:
			if layer.FragmentOffset == 0 {
				first = layer.NextHeader
			}
		case *layers.TCP:
			if len(layer.LayerContents()) == 0 {
				return "", names
			}
			return fmt.Sprintf("tcp %v > %v flags %02x", netip.AddrPortFrom(src, uint16(layer.SrcPort)),
				netip.AddrPortFrom(dst, uint16(layer.DstPort)), controlBits(layer)), names
		case *layers.UDP:
			if len(layer.LayerContents()) == 0 || layer.Length < 8 && (layer.Length != 0 || !src.Is6()) {
				return "", names
			}
			return fmt.Sprintf("udp %v > %v", netip.AddrPortFrom(src, uint16(layer.SrcPort)),
				netip.AddrPortFrom(dst, uint16(layer.DstPort))), names
		}
		if first != 0 { // gopacket leaves what a first fragment carries unread
			headers = gopacket.NewPacket(layer.LayerPayload(), first.LayerType(), gopacket.NoCopy).Layers()
		}
	}
	return "", names
}

// announces returns the EtherType of what follows a layer, 0 if it says none.
func announces(layer gopacket.Layer) layers.EthernetType {
	switch layer := layer.(type) {
	case *layers.Ethernet:
		return layer.EthernetType
	case *layers.LinuxSLL:
		return layer.EthernetType
	case *layers.LinuxSLL2:
		return layer.ProtocolType
	case *layers.Dot1Q:
		return layer.Type
	case *layers.SNAP:
		return layer.Type
	case *layers.GRE:
		return layer.Protocol
	}
	return 0
}

func isSourceRoute(option layers.IPv4Option) bool {
	return option.OptionType == 131 || option.OptionType == 137
}

func controlBits(tcp *layers.TCP) (bits byte) {
	for i, set := range []bool{tcp.FIN, tcp.SYN, tcp.RST, tcp.PSH, tcp.ACK, tcp.URG, tcp.ECE, tcp.CWR} {
		if set {
			bits |= 1 << i
		}
	}
	return bits
}

// gopacket does not look at the device type of a cooked capture, and takes a
// netlink message type for an EtherType.
func isNetlink(linkType uint32, frame []byte) bool {
	return linkType == linkCooked && len(frame) >= 4 && frame[2] == deviceNetlink>>8 && frame[3] == deviceNetlink&0xff
}

// checkGopacket compares Decode with gopacket where gopacket finds a TCP or UDP
// header.
func checkGopacket(t *testing.T, linkType uint32, frame []byte, wireLen uint32) (names string) {
	t.Helper()
	want, names := gopacketSays(linkType, frame)
	if want == "" || isNetlink(linkType, frame) {
		return names
	}
	var p Packet
	p.Decode(linkType, frame, wireLen)
	if got := describeCounted(&p); got != want {
		t.Errorf("link type %d, %d of %d bytes: %s %s, gopacket (%s): %s\n%s", linkType, len(frame), wireLen, p.Class, got, names, want, hex.Dump(frame[:min(len(frame), 128)]))
	}
	return names
}

// On the shared captures gopacket and Decode count the same packets, but for what
// gopacket cannot read: it knows neither all our link types nor WCCP.
func TestCapturesAgainstGopacket(t *testing.T) {
	compared := 0
	for _, r := range sharedRecords(t) {
		names := checkGopacket(t, r.linkType, r.frame, r.wireLen)
		if strings.HasPrefix(names, "DecodeFailure") || strings.HasSuffix(names, ":GRE") {
			continue
		}
		compared++
		var p Packet
		p.Decode(r.linkType, r.frame, r.wireLen)
		if says, _ := gopacketSays(r.linkType, r.frame); says == "" && p.Class == Counted {
			t.Errorf("%s: packet %d: %s, gopacket: none (%s)", r.file, r.number, describe(&p), names)
		}
	}
	t.Logf("%d packets compared", compared)
	if compared < 40000 {
		t.Errorf("only %d packets were compared", compared)
	}
}

// Where a few bytes at the front are changed, gopacket refuses more: options of
// IPv4 and data offsets that Decode has no use for. What it still reads, Decode
// reads too. The twin reads everything.
func TestChangedCaptures(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, r := range sharedRecords(t) {
		frame := slices.Clone(r.frame)
		checkTwin(t, r.linkType, frame, r.wireLen)
		for range 3 {
			copy(frame, r.frame)
			for range min(len(frame), 1+rng.IntN(3)) {
				frame[rng.IntN(min(len(frame), 80))] = byte(rng.Uint32())
			}
			checkTwin(t, r.linkType, frame, r.wireLen)
			checkGopacket(t, r.linkType, frame, r.wireLen)
		}
		if t.Failed() {
			t.Fatalf("from %s, packet %d", r.file, r.number)
		}
	}
}
