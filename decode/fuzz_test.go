package decode

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flowfast/flowfast/internal/mutate"
)

// testdataRecords returns a few short frames of each recorded capture that is
// not compressed.
func testdataRecords(f *testing.F) (some []record) {
	files, err := filepath.Glob("../testdata/*.pcap")
	if err != nil || len(files) == 0 {
		f.Fatalf("no captures in testdata: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		n := 0
		for _, r := range pcap(nil, binary.LittleEndian, data) {
			if n < 8 && len(r.frame) < 200 {
				some = append(some, r)
				n++
			}
		}
	}
	return some
}

// FuzzDecode compares Decode with the twin on any frame, also a Decoder that is
// asked for more, and with gopacket on frames of headers that both read alike.
func FuzzDecode(f *testing.F) {
	r := rand.New(rand.NewPCG(7, 8))
	rows := append(seeds(), tunnelSeeds()...)
	for i, seed := range rows {
		f.Add(uint16(seed.linkType), seed.frame[:len(seed.frame)-6], uint16(6), uint8(i))
		for k, frame := range mutate.Many(r, 5, seed.frame, rows[(i+1)%len(rows)].frame) {
			f.Add(uint16(seed.linkType), frame, uint16(0), uint8(k))
		}
	}
	for i, r := range testdataRecords(f) {
		f.Add(uint16(r.linkType), r.frame, uint16(r.wireLen)-uint16(len(r.frame)), uint8(i))
	}
	f.Fuzz(func(t *testing.T, linkType uint16, frame []byte, cut uint16, choice uint8) {
		// No byte beyond the frame may be reached by slicing.
		frame = frame[:len(frame):len(frame)]
		wireLen := uint32(len(frame)) + uint32(cut)
		checkTwin(t, uint32(linkType), frame, wireLen)
		checkChoice(t, int(choice)%len(choices), uint32(linkType), frame, wireLen)

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
