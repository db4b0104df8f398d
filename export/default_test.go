package export

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/flowfast/flowfast/flowtable"
)

// TestDefaultColumns wants of what is written for the default columns at once, as
// JSON and packed, the bytes that their columns give one by one.
func TestDefaultColumns(t *testing.T) {
	columns := append(Columns(), EndReason)
	one, many := newPacked(columns), newPacked(columns)
	many.first = 0
	json, each := NewJSONLines(columns), NewJSONLines(columns)
	each.first, each.alone = 0, nil
	if one.first == 0 || json.first == 0 || one.at[len(defaultColumns)] != packedEnd {
		t.Fatal("the default columns are not known")
	}
	check := func(f *flowtable.Flow) {
		t.Helper()
		if got, want := one.AppendRow(nil, f), many.AppendRow(nil, f); !bytes.Equal(got, want) {
			t.Fatalf("%+v: packed\n%x, want\n%x", f, got, want)
		}
		if got, want := json.AppendRow(nil, f), each.AppendRow(nil, f); !bytes.Equal(got, want) {
			t.Fatalf("%+v: \n%s, want\n%s", f, got, want)
		}
	}
	for _, f := range tableFlows(20_000) {
		check(f)
	}
	r := rand.New(rand.NewPCG(25, 26))
	for _, s := range shapes {
		for range 1000 {
			f := s.flow(r)
			check(&f)
		}
	}
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
		for _, by := range []byte{1, 255} {
			bad := bytes.Clone(row)
			bad[packedSrc] += by
			if err := write(bytes.Repeat(bad, 2)); err == nil {
				t.Errorf("%s: a text that is longer by %d", name, int8(by))
			}
			if err := write(bad); err == nil {
				t.Errorf("%s: a text that is longer by %d in the last row", name, int8(by))
			}
		}
	}
}
