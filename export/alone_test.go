package export

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/features"
	"github.com/flowfast/flowfast/flowtable"
)

// aloneFlow returns a flow of one packet, with the features that a store says.
func aloneFlow(r *rand.Rand, s *features.Store, direction int) *flowtable.Flow {
	size := 1 + r.Uint32N(70000)
	at := flowtable.Time(r.Int64() >> r.IntN(40))
	f := &flowtable.Flow{
		Src: decode.Addr{Lo: uint64(r.Uint32())}, Dst: decode.Addr{Lo: uint64(r.Uint32())},
		SrcPort: uint16(r.Uint32()), DstPort: uint16(r.Uint32()), Protocol: []uint8{1, 6, 17, 132}[r.IntN(4)],
		Fine: r.IntN(2) == 0, Reason: flowtable.Reason(r.IntN(6)), Start: at, Last: at, Finish: at + 5, First: r.Uint64(), Number: r.Uint64(),
		Encapsulation: r.Uint64N(2) * r.Uint64(), Features: &features.Flow{},
	}
	if f.V6 = r.IntN(2) == 0; f.V6 {
		f.Src.Hi, f.Dst.Hi = r.Uint64(), r.Uint64()
	}
	flags := uint8(r.Uint32())
	flags &= uint8(r.Uint32()) // fewer
	d := []*flowtable.Direction{&f.Fwd, &f.Bwd}[direction]
	d.Packets, d.Bytes = 1, uint64(size)
	for i := range d.Sizes.Whole {
		d.Sizes.Whole[i] = d.Bytes
	}
	for i := range d.Flags {
		d.Flags[i] = uint64(flags >> i & 1)
	}
	payload := make([]byte, r.IntN(2)*r.IntN(2000))
	for i := range payload {
		payload[i] = byte(r.IntN(1 + r.IntN(256)))
	}
	p := &features.Packet{
		Time: int64(at), Size: size, Seq: r.Uint32(), Flags: flags, Bytes: payload,
		Details: &decode.Details{
			Payload: uint32(len(payload)), HeaderLen: uint8(r.IntN(2) * 4 * r.IntN(16)), TTL: uint8(r.Uint32()), TOS: uint8(r.Uint32()),
			Segment: r.IntN(4) > 0, Window: uint16(r.Uint32N(2) * r.Uint32()), MSS: uint16(r.Uint32()), WindowScale: int8(r.IntN(16) - 1), SACKPermitted: r.IntN(2) == 0,
		},
		Link: &decode.Link{HasSrc: r.IntN(2) == 0, HasDst: r.IntN(2) == 0, Src: [6]byte{byte(r.Uint32()), 2}, Dst: [6]byte{1, byte(r.Uint32())}, MPLS: int32(r.IntN(9) - 1)},
	}
	if r.IntN(2) == 0 {
		p.Link.NumVLANs, p.Link.VLANs[0], p.Link.VLANs[1] = uint8(r.IntN(3)), 7, uint16(r.IntN(4096))
	}
	s.Begin(1)
	s.Add(1, p, direction)
	s.Fill(f.Features, 1)
	s.Free(1)
	for i := range f.Features.Quantiles {
		size := 0.0
		if i == direction {
			size = float64(d.Bytes)
		}
		f.Features.Quantiles[i] = features.Order{Sizes: []float64{size, size}, Intervals: []float64{0, 0}}
	}
	return f
}

// TestTemplates compares the rows of flows of one packet with what their columns
// say, one by one, in the order of their profile and in others.
func TestTemplates(t *testing.T) {
	const first = 3
	for _, p := range Profiles() {
		columns := p.With(first, []float64{0.05, 0.9})
		same := 0
		for _, c := range columns {
			if c.same[0] {
				same++
			}
		}
		if same < len(columns)/3 {
			t.Errorf("%s: of %d columns, %d are the same for all flows of one packet", p.Name, len(columns), same)
		}
		r := rand.New(rand.NewPCG(8, 1))
		checkTemplates(t, p.Name, columns, first, r, 3000)
		for range 100 {
			checkTemplates(t, p.Name+" in another order", inPieces(r, columns), first, r, 10)
		}
	}
}

// inPieces returns columns in another order, in which few at a time stay together.
func inPieces(r *rand.Rand, columns []*Column) []*Column {
	var pieces [][]*Column
	for rest := columns; len(rest) > 0; {
		n := min(1+r.IntN(6), len(rest))
		pieces = append(pieces, rest[:n])
		rest = rest[n:]
	}
	r.Shuffle(len(pieces), func(i, k int) { pieces[i], pieces[k] = pieces[k], pieces[i] })
	return slices.Concat(pieces...)
}

func checkTemplates(t *testing.T, name string, columns []*Column, first int, r *rand.Rand, rounds int) {
	t.Helper()
	s := features.NewStore(features.Options{Set: Needs(columns), First: first})
	rows, lines := NewCSV(columns), NewJSONLines(columns)
	for range rounds {
		f := aloneFlow(r, s, r.IntN(2))
		if !isAlone(f) {
			t.Fatalf("%s: %+v is not alone", name, f)
		}
		got, gotLine := rows.AppendRow(nil, f), lines.AppendRow(nil, f)
		f.Features.Alone = false
		if isAlone(f) {
			t.Fatal("a flow is alone whose features are not said to be so")
		}
		if want := rows.AppendRow(nil, f); !bytes.Equal(got, want) {
			t.Fatalf("%s: got  %swant %s", name, got, want)
		}
		if want := lines.AppendRow(nil, f); !bytes.Equal(gotLine, want) {
			t.Fatalf("%s: got  %swant %s", name, gotLine, want)
		}
	}
}
