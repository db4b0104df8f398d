package decode

import (
	"strings"
	"testing"
)

// FuzzDecode compares Decode with the twin on any frame, and with gopacket on
// frames of headers that both read alike.
func FuzzDecode(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(uint16(seed.linkType), seed.frame, uint16(0))
		f.Add(uint16(seed.linkType), seed.frame[:len(seed.frame)-6], uint16(6))
	}
	f.Fuzz(func(t *testing.T, linkType uint16, frame []byte, cut uint16) {
		// No byte beyond the frame may be reached by slicing.
		frame = frame[:len(frame):len(frame)]
		wireLen := uint32(len(frame)) + uint32(cut)
		checkTwin(t, uint32(linkType), frame, wireLen)

		says, names := gopacketSays(uint32(linkType), frame)
		for name := range strings.SplitSeq(names, ":") {
			switch name {
			case "Ethernet", "Linux SLL", "Dot1Q", "IPv4", "IPv6", "TCP", "UDP":
			default:
				says = ""
			}
		}
		if says != "" {
			checkGopacket(t, uint32(linkType), frame, wireLen)
		}
	})
}
