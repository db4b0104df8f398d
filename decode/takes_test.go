package decode

import "testing"

// TestTakesPlain decodes plain frames by decoders of all kinds: those that say that they
// make the same of them as Packet.Decode do, and the others are there for a reason.
func TestTakesPlain(t *testing.T) {
	udp := []byte("\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00" +
		"\x45\x00\x00\x24\x12\x34\x00\x00\x40\x11\x00\x00\x0a\x00\x00\x01\xc0\x00\x02\x02" +
		"\x12\xb5\x12\xb5\x00\x10\x00\x00\x08\x00\x00\x00\x00\x00\x01\x00")
	tcp := append([]byte(nil), udp...)
	tcp[23], tcp[17] = protoTCP, 0x28
	tcp = append(tcp, make([]byte, 4)...)
	tcp[14+20+12] = 5 << 4
	for name, c := range map[string]struct {
		decoder *Decoder
		takes   bool
	}{
		"none":       {nil, true},
		"usual":      {&Decoder{}, true},
		"all":        {&Decoder{Protocols: AllProtocols}, true},
		"tags":       {&Decoder{Encapsulation: VLANTags}, true},
		"portless":   {&Decoder{Protocols: AllProtocols, Portless: AllProtocols.Without(protoTCP, protoUDP)}, true},
		"no TCP":     {&Decoder{Protocols: AllProtocols.Without(protoTCP)}, false},
		"no UDP":     {&Decoder{Protocols: AllProtocols.Without(protoUDP)}, false},
		"tunnels":    {&Decoder{Tunnels: VXLAN}, false},
		"no ports":   {&Decoder{Portless: AllProtocols}, false},
		"NFStream's": {&Decoder{Protocols: AllProtocols, Encapsulation: VLANTags, Portless: AllProtocols.Without(protoTCP, protoUDP)}, true},
	} {
		if got := c.decoder.TakesPlain(); got != c.takes {
			t.Errorf("%s: TakesPlain returned %t", name, got)
		}
		if !c.takes {
			continue
		}
		for _, frame := range [][]byte{udp, tcp} {
			var got, want Packet
			c.decoder.Decode(&got, LinkEthernet, frame, uint32(len(frame)))
			if want.Decode(LinkEthernet, frame, uint32(len(frame))); want.Class != Counted || want.Class != got.Class || want.Proto != got.Proto ||
				want.Src != got.Src || want.Dst != got.Dst || want.SrcPort != got.SrcPort || want.DstPort != got.DstPort || want.OneWay != got.OneWay ||
				want.Flags != got.Flags || want.RawFlags != got.RawFlags || want.Whole != got.Whole || want.Encapsulation != got.Encapsulation {
				t.Errorf("%s: got %+v, want %+v", name, got, want)
			}
		}
	}
}
