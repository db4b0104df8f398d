package flowtable

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
)

// TestHeaderInFragments cuts TCP segments into fragments at any 8 bytes: they have the
// header and the payload of the segment between them, and none of its header is payload.
func TestHeaderInFragments(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for range 2000 {
		options, length := 4*rng.IntN(11), rng.IntN(200)
		segment := make([]byte, 20+options+length)
		binary.BigEndian.PutUint16(segment, 1234)
		segment[12], segment[13] = byte(20+options)<<2, 0x18
		for i := range length {
			segment[20+options+i] = 'p'
		}
		before := rng.IntN(2) * 24 // of a destination header in IPv6
		var cuts []int
		for at := 0; at < len(segment)+before; {
			at += 8 * (1 + rng.IntN(4))
			if len(cuts) == 0 && before > 0 {
				at += before
			}
			cuts = append(cuts, min(at, len(segment)+before))
		}
		gate, err := NewGate(Options{Features: features.Options{Set: features.Details}})
		if err != nil {
			t.Fatal(err)
		}
		b := gate.NewBatch(1)
		from := 0
		for _, to := range cuts {
			b2 := fragmentFrame(segment, before, from, to)
			var p decode.Packet
			if c := p.Decode(1, b2, uint32(len(b2))); c != decode.Counted && c != decode.Fragment {
				t.Fatalf("%d to %d of %d: class %v", from, to, len(segment), c)
			}
			b.Add(&p, 0, uint32(len(b2)), false)
			b.AddDetails(&p, 1, b2)
			from = to
		}
		gate.Admit(b)
		header, payload := 0, 0
		for i, d := range b.details {
			header += int(d.headers.HeaderLen)
			payload += int(d.headers.Payload)
			for _, x := range b.payload[d.from:d.to] {
				if x != 'p' {
					t.Fatalf("cut at %v: fragment %d has %q for payload", cuts, i, b.payload[d.from:d.to])
				}
			}
		}
		if header != 20+options || payload != length {
			t.Fatalf("cut at %v behind %d: header of %d bytes and %d of payload, want %d and %d", cuts, before, header, payload, 20+options, length)
		}
	}
}

// fragmentFrame is an Ethernet frame with a part of a datagram that has a TCP segment,
// of IPv4, or of IPv6 with a destination header of some bytes before.
func fragmentFrame(segment []byte, before, from, to int) []byte {
	b := make([]byte, 14, 200)
	more := to < before+len(segment)
	if before == 0 {
		b[12] = 8
		ip := make([]byte, 20)
		ip[0], ip[9], ip[8], ip[15], ip[19] = 0x45, 6, 64, 1, 2
		binary.BigEndian.PutUint16(ip[2:], uint16(20+to-from))
		binary.BigEndian.PutUint16(ip[6:], uint16(from/8))
		if more {
			ip[6] |= 0x20
		}
		return append(append(b, ip...), segment[from:to]...)
	}
	b[12], b[13] = 0x86, 0xdd
	ip := make([]byte, 48)
	ip[0], ip[6], ip[7], ip[23], ip[39] = 0x60, 44, 64, 1, 2
	binary.BigEndian.PutUint16(ip[4:], uint16(8+to-from))
	ip[40] = 60
	binary.BigEndian.PutUint16(ip[42:], uint16(from))
	if more {
		ip[43] |= 1
	}
	destination := make([]byte, before)
	destination[0], destination[1] = 6, byte(before/8-1)
	for at := 2; at+2 <= before; at += 2 {
		destination[at] = 1 // PadN of no bytes
	}
	return append(append(b, ip...), append(destination, segment...)[from:to]...)
}
