package flowtable

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// FuzzTable drives the table and its model with the same packets, made from
// bytes: 8 of them a packet, by the layout below. The window of the clock is
// as long as the input, so that the model, which knows no horizon, holds.
//
//	0    control bits; of another protocol, 1 for one whose packets go one way
//	1    from the low bit: protocol; Whole; Fine; V6; a data offset that hides the
//	     control bits; and of the first packet, how often and how far the table
//	     is looked through
//	2    endpoints: two bits each for the addresses and the ports
//	3    sequence and acknowledgment numbers, 4 bits each
//	4-5  time since the packet before, signed
//	6-7  length; of the first packet, how many flows may be open
func FuzzTable(f *testing.F) {
	f.Add([]byte{2, 3, 0x1b, 0x10, 1, 0, 60, 0, 0x12, 3, 0xb1, 0x22, 1, 0, 60, 0, 2, 3, 0x1b, 0x30, 1, 0, 60, 0})
	f.Add([]byte{0, 0, 0x1b, 0, 0xff, 0x7f, 60, 0, 0, 0, 0x1b, 0, 0xff, 0x7f, 60, 0, 0, 0, 0x1c, 0, 0x00, 0x80, 60, 0})
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{5, 20, 60, 200} {
		b := make([]byte, 8*n)
		for i := 0; i < len(b); i += 8 {
			binary.LittleEndian.PutUint64(b[i:], r.Uint64())
			b[i] = []byte{0x02, 0x12, 0x10, 0x11, 0x04}[r.IntN(5)]
			if b[i+3] &= 0x33; r.IntN(4) > 0 { // mostly small steps forth
				b[i+5] = 0
			}
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var looks Looks
		if len(b) > 1 {
			looks = Looks{Every: 1 + int(b[1]>>5&3), Most: int(b[1] >> 7)}
		}
		var packets []arrival
		at := int64(0)
		for ; len(b) >= 8 && len(packets) < 500; b = b[8:] {
			at += int64(int16(binary.LittleEndian.Uint16(b[4:])))
			p := arrival{Time: Time(at), Len: uint32(binary.LittleEndian.Uint16(b[6:])), Position: uint64(len(packets)), Fine: b[1]&4 != 0}
			p.Proto, p.V6 = 17, b[1]&8 != 0
			if b[1]&1 == 0 && b[0]&1 != 0 {
				p.Proto, p.OneWay = 50, true
			}
			if b[1]&1 != 0 {
				p.Proto = 6
				if p.RawFlags = b[0]; b[1]&16 == 0 {
					p.Flags = b[0]
				}
				p.Whole = b[1]&2 != 0
				p.Seq, p.Ack = uint32(b[3]>>4), uint32(b[3]&15)
			}
			p.Src.Lo, p.Dst.Lo = uint64(b[2]>>6), uint64(b[2]>>4&3)
			p.SrcPort, p.DstPort = uint16(b[2]>>2&3), uint16(b[2]&3)
			packets = append(packets, p)
		}
		if len(packets) == 0 {
			return
		}
		most := int(packets[0].Len >> 8 & 7) // open flows
		m := model{timeout: 1000, most: most, open: map[string]*modelFlow{}, clock: math.MinInt64}
		for _, p := range packets {
			m.add(p)
		}
		e := newFeed(t, len(packets)+1, packets[0].Time, Options{Looks: looks}, 1+int(packets[0].Len%40))
		e.gate.hasher.mask = uint32(len(packets) % 4) // collisions
		if most > 0 {
			e.table.bounds.flows = most
		}
		e.add(packets)
		e.table.checkInvariants()
		e.end()
		var want []string
		for _, f := range m.end() {
			want = append(want, f.describe())
		}
		if most > 0 { // what was evicted came when it was
			slices.Sort(want)
			slices.Sort(e.rows)
		}
		if len(want) != len(e.rows) {
			t.Fatalf("%d rows, want %d", len(e.rows), len(want))
		}
		for i, row := range e.rows {
			if row != want[i] {
				t.Fatalf("row %d:\ngot  %s\nwant %s", i, row, want[i])
			}
		}
	})
}
