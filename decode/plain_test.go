package decode

import (
	"math/rand/v2"
	"testing"

	"github.com/flowfast/flowfast/internal/mutate"
)

// plainSeeds are frames that are plain, and the bytes at which they may cease to
// be.
func plainSeeds() (frames [][]byte) {
	payload := make([]byte, 30)
	for _, packet := range [][]byte{
		ipv4Packet(6, tcpHeader), ipv4Packet(6, tcpHeader, payload), ipv4Packet(17, udpHeader, payload[:8]), ipv4Packet(17, udpHeader, payload),
	} {
		frames = append(frames, ethernetIPv4(packet), ethernetFrame("8100 0064 0800", packet))
	}
	for _, packet := range [][]byte{
		ipv6Packet(6, tcpHeader), ipv6Packet(6, tcpHeader, payload), ipv6Packet(17, udpHeader, payload[:8]), ipv6Packet(17, udpHeader, payload),
	} {
		frames = append(frames, ethernetIPv6(packet), ethernetFrame("8100 0064 86dd", packet))
	}
	return frames
}

// checkPlain compares what is said of a plain frame with what the ladder says,
// and reports whether it was plain.
func checkPlain(t *testing.T, linkType uint32, frame []byte, wireLen uint32) bool {
	t.Helper()
	frame = frame[:len(frame):len(frame)]
	got, want := Packet{Seq: 1, Unread: Unread{1, 2}, At: 3, FirstFragment: true}, Packet{}
	if !got.plain(linkType, frame, wireLen) {
		return false
	}
	if c := want.climb(linkType, frame, wireLen); c != Counted {
		t.Fatalf("link type %d, %d bytes on the wire, % x: plain, but %v", linkType, wireLen, frame, c)
	}
	if got != want {
		t.Fatalf("link type %d, %d bytes on the wire, % x:\nplain  %+v\nladder %+v", linkType, wireLen, frame, got, want)
	}
	if got.Decode(linkType, frame, wireLen); got != want {
		t.Fatalf("link type %d, %d bytes on the wire, % x:\nDecode %+v\nladder %+v", linkType, wireLen, frame, got, want)
	}
	return true
}

// TestPlain changes each byte of plain frames to each value, and cuts them
// everywhere.
func TestPlain(t *testing.T) {
	for _, whole := range plainSeeds() {
		n := uint32(len(whole))
		if !checkPlain(t, LinkEthernet, whole, n) {
			t.Errorf("% x: not plain", whole)
		}
		if new(Packet).plain(linkRaw, whole, n) {
			t.Errorf("% x: plain as raw IP", whole)
		}
		for i := range whole {
			frame := append([]byte(nil), whole...)
			for v := range 256 {
				frame[i] = byte(v)
				checkPlain(t, LinkEthernet, frame, n)
			}
			for _, wireLen := range []uint32{0, uint32(i), n, n + 10, 1<<32 - 1} {
				checkPlain(t, LinkEthernet, whole[:i], wireLen)
				checkPlain(t, LinkEthernet, append(whole[:n:n], make([]byte, i)...), wireLen) // padding
			}
		}
	}
}

// FuzzPlain compares frames that are plain with the ladder.
func FuzzPlain(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 10))
	all := plainSeeds()
	for i, seed := range all {
		f.Add(seed, uint32(len(seed)))
		for _, frame := range mutate.Many(r, 10, seed, all[(i+1)%len(all)]) {
			f.Add(frame, uint32(len(frame)))
		}
	}
	for _, r := range testdataRecords(f) {
		f.Add(r.frame, r.wireLen)
	}
	f.Fuzz(func(t *testing.T, frame []byte, wireLen uint32) {
		checkPlain(t, LinkEthernet, frame, wireLen)
	})
}
