package ioutil

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// A peer reads all packets of a capture with somebody else's code; without
// Offset and Fine, and with time 0 for a packet that has none.
type peer struct {
	name string
	read func(format string, r io.Reader) ([]kept, error)
}

// alike makes our packets what a peer would say of them: timeless tells which
// ones lie in simple packet blocks.
func alike(all []kept, timeless func(k kept) bool) []kept {
	out := make([]kept, len(all))
	for i, k := range all {
		k.LinkType &= 0xff
		if timeless(k) {
			k.Time = 0
		}
		k.Offset, k.Fine = 0, false
		out[i] = k
	}
	return out
}

// simpleAt tells whether a packet of a pcapng file lies in a simple packet block.
func simpleAt(data []byte) func(k kept) bool {
	return func(k kept) bool { b := data[k.Offset:]; return b[0] == blockSimple || b[3] == blockSimple }
}

func noneTimeless(kept) bool { return false }

// randomPcap writes a pcap file of fewer packets that the peers take as well.
func randomPcap(random *rand.Rand, packets int) []byte {
	b := littleEndian()
	if random.IntN(2) == 0 {
		b = bigEndian()
	}
	magic, limit := uint32(0xa1b2c3d4), uint32(1e6)
	if random.IntN(2) == 0 {
		magic, limit = 0xa1b23c4d, 1e9
	}
	b.pcap(magic, random.Uint32()|1<<20, random.Uint32N(256))
	for range random.IntN(packets) {
		data := randomFrame(random)
		b.record(random.Uint32(), random.Uint32N(limit), uint32(len(data))+random.Uint32N(3)*random.Uint32N(2000), data)
	}
	return b.Bytes()
}

func randomFrame(random *rand.Rand) string {
	n := random.IntN(100)
	switch random.IntN(10) {
	case 0:
		n = random.IntN(100_000)
	case 1, 2, 3:
		n = 1514
	}
	return strings.Repeat(string(rune('!'+random.IntN(90))), n)
}

// randomNG writes a pcapng file that the peers take as well: in resolutions in
// which they count exactly, up to 10^-19 and 2^-9. Each section has fewer than
// so many packets.
func randomNG(random *rand.Rand, packets int) []byte {
	var whole []byte
	for range 1 + random.IntN(3) {
		b := littleEndian()
		if random.IntN(2) == 0 {
			b = bigEndian()
		}
		b.section()
		interfaces := uint32(1 + random.IntN(4))
		for range interfaces {
			options := b.option(2, "eth0"[:random.IntN(5)])
			if random.IntN(2) == 0 {
				options += b.option(9, string([]byte{byte(1 + random.IntN(19))}))
			} else if random.IntN(2) == 0 {
				options += b.option(9, string([]byte{byte(0x81 + random.IntN(9))}))
			}
			if random.IntN(3) == 0 {
				options += b.option(14, b.body(func(b *builder) {
					v := uint64(random.IntN(2_000_000))
					if b.order.String() == "BigEndian" {
						b.u32(uint32(v>>32), uint32(v))
					} else {
						b.u32(uint32(v), uint32(v>>32))
					}
				}))
			}
			b.iface(uint16(random.IntN(256)), random.Uint32N(2)*2000, options+b.option(0, ""))
		}
		for range random.IntN(packets) {
			data := randomFrame(random)
			switch random.IntN(8) {
			case 0:
				if len(data) <= 2000 {
					b.simple(uint32(len(data)), data)
				}
			case 1:
				b.block(blockPacket, b.body(func(b *builder) {
					b.u16(uint16(random.Uint32N(interfaces)), 3).u32(0, random.Uint32(), uint32(len(data)), uint32(len(data)+7)).bytes(data)
				}))
			case 2:
				b.block(0xbad+random.Uint32N(50), data)
			default:
				b.enhanced(random.Uint32N(interfaces), random.Uint64N(1e10), uint32(len(data)), data)
			}
		}
		whole = append(whole, b.Bytes()...)
	}
	return whole
}

func TestPeers(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for i := range 300 {
		format, data, timeless := "pcap", []byte(nil), noneTimeless
		if i%2 == 0 {
			data = randomPcap(random, 200)
		} else {
			format, data = "pcapng", randomNG(random, 100)
			timeless = simpleAt(data)
		}
		ours, err := readFile(t, file(t, data))
		if err != nil {
			t.Fatalf("%s %d: %v", format, i, err)
		}
		streamed, err := readStream(t, bytes.NewReader(data))
		sameKept(t, format+", streamed", streamed, ours, err)
		for _, peer := range peers {
			theirs, err := peer.read(format, bytes.NewReader(data))
			sameKept(t, format+", "+peer.name, theirs, alike(ours, timeless), err)
		}
		if t.Failed() {
			t.Fatalf("file %d: % x", i, data[:min(len(data), 200)])
		}
	}
}

// sameKept compares packets without printing their bytes.
func sameKept(t *testing.T, what string, got, want []kept, err error) {
	t.Helper()
	if err != nil || len(got) != len(want) {
		t.Errorf("%s: %d packets, %v, want %d", what, len(got), err, len(want))
		return
	}
	for i := range got {
		if g, w := got[i], want[i]; g != w {
			t.Errorf("%s: packet %d: time %d, %d of %d bytes, link type %d at %d\nwant: time %d, %d of %d bytes, link type %d at %d", what, i+1,
				g.Time, len(g.Data), g.OrigLen, g.LinkType, g.Offset, w.Time, len(w.Data), w.OrigLen, w.LinkType, w.Offset)
			return
		}
	}
}
