package export

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/flowtable"
)

// TestDefaultColumns wants of what is written for the default columns at once, as
// JSON and packed, the values that their columns give one by one.
func TestDefaultColumns(t *testing.T) {
	columns := append(Columns(), EndReason)
	one, many := newPacked(columns), newPackedBehind(0, columns)
	json, each := NewJSONLines(columns), NewJSONLines(columns)
	each.first, each.alone = 0, nil
	if one.first == 0 || json.first == 0 {
		t.Fatal("the default columns are not known")
	}
	flows := tableFlows(20_000)
	r := rand.New(rand.NewPCG(25, 26))
	for _, s := range shapes {
		for range 1000 {
			f := s.flow(r)
			flows = append(flows, ofTable(t, &f))
		}
	}
	flows = append(flows, almostLone(t)...)
	for range 2 {
		for _, f := range flows {
			if got, want := json.AppendRow(nil, f), each.AppendRow(nil, f); !bytes.Equal(got, want) {
				t.Fatalf("%+v: \n%s, want\n%s", f, got, want)
			}
		}
		for some := range slices.Chunk(flows, 1000) {
			got, want := sorted(t, one, some), sorted(t, many, some)
			for i, c := range columns {
				if !bytes.Equal(got[i].values, want[i].values) || !bytes.Equal(got[i].ends, want[i].ends) {
					t.Fatalf("packed: other values of %s", c.Name)
				}
				if c.width() < 8 || c.Kind == Text {
					continue
				}
				var told, seen bounds
				told.ofSpan(c, &got[i].span)
				if seen.ofNumbers(c, got[i].values); !got[i].spanned || !bytes.Equal(told.min, seen.min) || !bytes.Equal(told.max, seen.max) {
					t.Fatalf("%s is told to be from %x to %x, but is from %x to %x", c.Name, told.min, told.max, seen.min, seen.max)
				}
			}
		}
		r.Shuffle(len(flows), func(i, k int) { flows[i], flows[k] = flows[k], flows[i] })
	}
}

// sorted returns the columns of packed flows.
func sorted(t *testing.T, p *packed, flows []*flowtable.Flow) []columnBytes {
	t.Helper()
	var rows []byte
	for _, f := range flows {
		rows = p.AppendRow(rows, f)
	}
	var b batch
	b.reset(p, len(flows), true)
	if n, err := b.add(rows, len(flows), len(rows)); n != len(rows) || err != nil {
		t.Fatalf("%d of %d bytes: %v", n, len(rows), err)
	}
	return b.columns
}

// ofTable returns the flow that a table makes of the only packet of one, which is forward,
// so that it is known to be alone; another flow, or one of a longer packet than there is,
// is returned as it is.
func ofTable(t testing.TB, f *flowtable.Flow) *flowtable.Flow {
	t.Helper()
	if f.Fwd.Packets != 1 || f.Bwd.Packets != 0 || f.Last != f.Start || f.Fwd.Bytes > math.MaxUint32 || slices.Max(f.Fwd.Flags[:]) > 1 {
		return f
	}
	gate, err := flowtable.NewGate(flowtable.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := decode.Packet{
		Class: decode.Counted, Proto: f.Protocol, V6: f.V6, Whole: true,
		Src: f.Src, Dst: f.Dst, SrcPort: f.SrcPort, DstPort: f.DstPort,
	}
	for i, n := range f.Fwd.Flags {
		p.RawFlags |= uint8(n << i)
	}
	p.Flags = p.RawFlags
	batch, table := gate.NewBatch(1), gate.NewTable()
	batch.Add(&p, f.Start, uint32(f.Fwd.Bytes), f.Fine)
	gate.Admit(batch)
	table.Add(batch, 0, 0)
	table.End(gate.Latest())
	made := new(flowtable.Flow)
	table.Next(&flowtable.Step{Due: flowtable.All}, made)
	flags, ok := made.Alone()
	if !ok || flags != p.Flags || made.Src != f.Src || made.Dst != f.Dst || made.Start != f.Start || made.Fwd.Bytes != f.Fwd.Bytes {
		t.Fatalf("a table makes\n%+v of the packet of\n%+v", made, f)
	}
	return made
}

// almostLone returns flows of one packet, as a table makes them and as it does not, and
// those that differ from them in one value.
func almostLone(t testing.TB) (flows []*flowtable.Flow) {
	for i := range 8 {
		for _, change := range []func(*flowtable.Flow){
			func(*flowtable.Flow) {},
			func(f *flowtable.Flow) { f.V6, f.Dst.Hi = true, 0xff02<<48 },
			func(f *flowtable.Flow) { f.Last++ },
			func(f *flowtable.Flow) { f.Fwd.Packets = 2 },
			func(f *flowtable.Flow) { f.Bwd = f.Fwd },
			func(f *flowtable.Flow) { f.Fwd, f.Bwd = f.Bwd, f.Fwd },
			func(f *flowtable.Flow) { f.Fwd.Bytes = 0 },
			func(f *flowtable.Flow) { f.Fwd.Bytes = exact - 1 },
			func(f *flowtable.Flow) { f.Fwd.Bytes = exact + 1 },
			func(f *flowtable.Flow) { f.Fwd.Bytes = math.MaxUint64 },
			func(f *flowtable.Flow) { f.Fwd.Flags[i] = 2 },
			func(f *flowtable.Flow) { f.Fwd.Flags[i] = 0 },
			func(f *flowtable.Flow) { f.Start, f.Last = 0, 0 },
		} {
			f := &flowtable.Flow{SrcPort: 1, DstPort: 65535, Protocol: 255, Start: -5, Last: -5}
			f.Src.Lo, f.Dst.Lo = 1<<32-1, 10
			f.Fwd = flowtable.Direction{Packets: 1, Bytes: 1514}
			f.Fwd.Flags[i], f.Fwd.Flags[7] = 1, 1
			change(f)
			flows = append(flows, f, ofTable(t, f))
		}
	}
	return flows
}

// TestLongestJSON wants the room that rows are given to be what the longest takes,
// of the default columns.
func TestLongestJSON(t *testing.T) {
	got := NewJSONLines(Columns()).AppendRow(nil, longestFlow())
	if want := len("{") + rowRoom + len("\n"); len(got) != want {
		t.Errorf("the longest row has %d bytes, want %d", len(got), want)
	}
}

// TestPackedParts wants an error for what is no whole row, and for a row whose texts
// are longer or shorter than the row.
func TestPackedParts(t *testing.T) {
	table := Table{Columns: kinds()}
	for _, name := range []string{"arrows", "parquet"} {
		format, _ := FormatNamed(name)
		row := format.Rows(table).AppendRow(nil, tableFlows(1)[0])
		write := func(b []byte) error {
			w, err := format.NewWriter(new(bytes.Buffer), table)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Write(b)
			return err
		}
		if err := write(bytes.Repeat(row, 3)); err != nil {
			t.Fatal(err)
		}
		for n := 1; n < len(row); n++ {
			if err := write(append(bytes.Clone(row), row[:n]...)); err == nil {
				t.Fatalf("%s: %d bytes of %d are a row", name, n, len(row))
			}
		}
		for what, at := range map[string]int{"kind of address": packedFamily, "length of a text": packedEnd} {
			for _, by := range []byte{2, 255} {
				bad := bytes.Clone(row)
				bad[at] += by
				if err := write(bytes.Repeat(bad, 2)); err == nil {
					t.Errorf("%s: a %s that is other by %d", name, what, int8(by))
				}
				if err := write(bad); err == nil {
					t.Errorf("%s: a %s that is other by %d in the last row", name, what, int8(by))
				}
			}
		}
	}
}
