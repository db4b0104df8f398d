package decode

import (
	"fmt"
	"testing"
)

// encapsulatedFrames are frames with the same datagram, or its answer, by what
// stands around it in the words of a key; two that are of one flow have the same
// words.
func encapsulatedFrames() map[string][][]byte {
	there := ipv4Packet(17, "c0a8 0035 0008 0000")
	back := with(with(with(there, 12, "c0000202"), 16, "0a000001"), 20, "0035 c0a8")
	both := func(frame func(datagram []byte) []byte) [][]byte { return [][]byte{frame(there), frame(back)} }
	// Tunnels have ends of their own, which answer each other.
	ends := [2]string{"0a000065", "0a000066"}
	tunnel := func(protocol byte, header string, inside func([]byte) []byte) [][]byte {
		var frames [][]byte
		for i, datagram := range [][]byte{there, back} {
			outer := ipv4Packet(protocol, header, inside(datagram))
			frames = append(frames, ethernetIPv4(with(with(outer, 12, ends[i]), 16, ends[1-i])))
		}
		return frames
	}
	same := func(b []byte) []byte { return b }
	udp := func(port int, header string) [][]byte {
		size := 8 + len(bytesOf(header)) + len(ethernetIPv4(there))
		return tunnel(17, fmt.Sprintf("c0a8 %04x %04x 0000 %s", port, size, header), func(b []byte) []byte { return ethernetIPv4(b) })
	}
	return map[string][][]byte{
		"": append(both(func(b []byte) []byte { return ethernetIPv4(b) }),
			ethernetFrame("8100 e000 0800", there)), // a priority, no VLAN
		"vlan 5":   both(func(b []byte) []byte { return ethernetFrame("8100 0005 0800", b) }),
		"vlan 6":   append(both(func(b []byte) []byte { return ethernetFrame("88a8 0006 0800", b) }), ethernetFrame("8100 e006 0800", back)),
		"vlan 5 6": both(func(b []byte) []byte { return ethernetFrame("88a8 0005 8100 0006 0800", b) }),
		"vlan 6 5": both(func(b []byte) []byte { return ethernetFrame("88a8 0006 8100 0005 0800", b) }),
		"mpls 16": append(both(func(b []byte) []byte { return ethernetFrame("8847 00010140", b) }),
			ethernetFrame("8847 00000040 000101ff", there), // explicit null above
			ethernetFrame("8847 00010040 00007040 12345140", there), ethernetFrame("8847 00010040 00007040 54321140", back)),
		"mpls 16 17":          both(func(b []byte) []byte { return ethernetFrame("8847 00010040 00011140", b) }),
		"ends":                tunnel(4, "", same),
		"ends in GRE":         tunnel(47, "0000 0800", same),
		"ends, key 1":         append(tunnel(47, "2000 0800 00000001", same), tunnel(47, "b000 0800 00000000 00000001 00000007", same)...),
		"ends, key 2":         tunnel(47, "2000 0800 00000002", same),
		"ends, NVGRE 1":       append(tunnel(47, "2000 6558 00000101", func(b []byte) []byte { return ethernetIPv4(b) }), tunnel(47, "2000 6558 00000102", func(b []byte) []byte { return ethernetIPv4(b) })...),
		"ends, NVGRE 2":       tunnel(47, "2000 6558 00000201", func(b []byte) []byte { return ethernetIPv4(b) }),
		"ends, VXLAN 0x123":   udp(4789, "08 000000 000123 00"),
		"ends, VXLAN 0x124":   udp(4789, "08 000000 000124 00"),
		"ends, Geneve 0x123":  udp(6081, "00 00 6558 000123 00"),
		"ends, Geneve 0x125":  udp(6081, "00 00 6558 000125 00"),
		"ends and other ends": tunnel(4, "", func(b []byte) []byte { return ipv4Packet(4, b) }),
	}
}

// The digest of the encapsulation is one for the packets of a flow, and tells it
// from the others.
func TestEncapsulation(t *testing.T) {
	d := decoderWith("tcp,udp", "all", "all")
	digests := map[uint64]string{}
	for words, frames := range encapsulatedFrames() {
		if words == "ends in GRE" || words == "ends, Geneve 0x123" || words == "ends, NVGRE 1" || words == "ends, NVGRE 2" {
			continue // below
		}
		digest := digestOf(t, d, words, frames)
		if other, taken := digests[digest]; taken {
			t.Errorf("%q and %q have the same digest", words, other)
		}
		digests[digest] = words
	}
	// The kind of the tunnel has no say: its ends and the identifier have.
	for words, as := range map[string]string{"ends in GRE": "ends", "ends, Geneve 0x123": "ends, VXLAN 0x123", "ends, NVGRE 1": "ends, key 1", "ends, NVGRE 2": "ends, key 2"} {
		if other := digests[digestOf(t, d, words, encapsulatedFrames()[words])]; other != as {
			t.Errorf("%q is as %q, not as %q", words, other, as)
		}
	}
}

func digestOf(t *testing.T, d *Decoder, words string, frames [][]byte) uint64 {
	t.Helper()
	var first uint64
	for i, frame := range frames {
		var p Packet
		if class := d.Decode(&p, LinkEthernet, frame, uint32(len(frame))); class != Counted || p.Proto != protoUDP {
			t.Fatalf("%q: %s", words, describe(&p))
		}
		if i == 0 {
			first = p.Encapsulation
		}
		if p.Encapsulation != first {
			t.Errorf("%q: frame %d has another digest", words, i)
		}
	}
	return first
}

// A part has a say only if it is asked for.
func TestEncapsulationParts(t *testing.T) {
	say := map[string]string{"": "", "vlan 5": "vlan", "mpls 16": "mpls", "ends": "tunnel", "ends, key 1": "tunnel", "ends, VXLAN 0x123": "tunnel"}
	for _, part := range []string{"none", "vlan", "mpls", "tunnel"} {
		for words, its := range say {
			var p Packet
			frame := encapsulatedFrames()[words][0]
			decoderWith("tcp,udp", "all", part).Decode(&p, LinkEthernet, frame, uint32(len(frame)))
			if p.Class != Counted || (p.Encapsulation != 0) != (its == part) {
				t.Errorf("%q, asked for %s: %s, digest %x", words, part, describe(&p), p.Encapsulation)
			}
		}
	}
}
