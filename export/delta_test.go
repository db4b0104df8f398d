package export

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/flowtable"
)

// parquetTexts reads the columns of a Parquet file, without the rest of it, as texts.
func parquetTexts(t *testing.T, b []byte) [][]string {
	t.Helper()
	table, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(b), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	columns := make([][]string, table.NumCols())
	for i := range columns {
		for _, chunk := range table.Column(i).Data().Chunks() {
			for row := range chunk.Len() {
				columns[i] = append(columns[i], arrowText(chunk, row))
			}
		}
	}
	return columns
}

// TestDeltaPages wants the library to read times, and integers that are 0 or 1, as they
// were: of any number, with any differences. The file must say how they are encoded.
func TestDeltaPages(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	var values []int64
	columns := []*Column{
		column(Time, "time", "", "", func(v *Value, f *flowtable.Flow) { v.Int = values[f.First] }),
		column(Int, "bit", "", "", func(v *Value, f *flowtable.Flow) { v.Int = values[f.First]&1 - 1 }),
	}
	for _, width := range []int{1, 2, 7, 8, 31, 32, 33, 47, 63, 64} {
		for _, n := range []int{1, 2, 31, 32, 33, 127, 128, 129, 130, 257, 1000} {
			values = values[:0]
			flows := make([]*flowtable.Flow, n)
			var want [2][]string
			for i := range flows {
				v := int64(r.Uint64() & (1<<width - 1))
				if width == 64 && i%100 < 2 {
					v = []int64{math.MinInt64, math.MaxInt64}[i%100]
				}
				flows[i], values = &flowtable.Flow{First: uint64(i)}, append(values, v)
				want[0], want[1] = append(want[0], fmt.Sprint(v)), append(want[1], fmt.Sprint(v&1-1))
			}
			b := written(t, "parquet", Table{Columns: columns}, flows, n)
			for i, got := range parquetTexts(t, b) {
				if !slices.Equal(got, want[i]) {
					t.Fatalf("%d values of %d bits: column %d is\n%v, want\n%v", n, width, i, got, want[i])
				}
				chunk, err := openParquet(t, b).MetaData().RowGroup(0).ColumnChunk(i)
				if err != nil {
					t.Fatal(err)
				}
				said, same := chunk.Encodings(), len(slices.Compact(slices.Clone(want[i]))) == 1
				if encoding := map[bool]parquet.Encoding{false: parquet.Encodings.DeltaBinaryPacked, true: parquet.Encodings.Plain}[same]; !slices.Equal(said, []parquet.Encoding{encoding}) {
					t.Fatalf("%d values of %d bits: column %d has encodings %v, want %v", n, width, i, said, encoding)
				}
			}
		}
	}
}

// TestPorts wants the library to read ports as they were, few, random or one after the
// other, of which the last two take less as differences.
func TestPorts(t *testing.T) {
	r := rand.New(rand.NewPCG(37, 38))
	for name, port := range map[string]func(i int) uint16{
		"few":     func(int) uint16 { return uint16(443 * r.IntN(20)) },
		"random":  func(int) uint16 { return uint16(r.Uint32()) },
		"ordered": func(i int) uint16 { return uint16(3 * i) },
	} {
		var flows []*flowtable.Flow
		var want []string
		for i := range 3000 {
			f := &flowtable.Flow{SrcPort: port(i)}
			flows, want = append(flows, f), append(want, fmt.Sprint(f.SrcPort))
		}
		b := written(t, "parquet", Table{Columns: Columns()[numSrcPort : numSrcPort+1]}, flows, 1000)
		if got := parquetTexts(t, b)[0]; !slices.Equal(got, want) {
			t.Errorf("%s: other ports", name)
		}
		chunk, err := openParquet(t, b).MetaData().RowGroup(0).ColumnChunk(0)
		if err != nil {
			t.Fatal(err)
		}
		if delta := slices.Contains(chunk.Encodings(), parquet.Encodings.DeltaBinaryPacked); delta != (name != "few") {
			t.Errorf("%s: encodings %v", name, chunk.Encodings())
		}
		stats, err := chunk.Statistics()
		if err != nil || !stats.HasMinMax() {
			t.Fatalf("%s: no bounds: %v", name, err)
		}
		least, greatest := slices.MinFunc(flows, byPort).SrcPort, slices.MaxFunc(flows, byPort).SrcPort
		if s := stats.(*metadata.Int32Statistics); s.Min() != int32(least) || s.Max() != int32(greatest) {
			t.Errorf("%s: from %d to %d, want from %d to %d", name, s.Min(), s.Max(), least, greatest)
		}
	}
}

func byPort(a, b *flowtable.Flow) int { return cmp.Compare(a.SrcPort, b.SrcPort) }

// TestLiterals wants the library to read texts that hardly repeat as they were, from not
// many more bytes than it needs itself with a search; and others to be searched.
func TestLiterals(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 34))
	var p pages
	if err := p.make(&batch{packed: newPacked(nil)}); err != nil {
		t.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for name, text := range map[string]func(i int) string{
		"random": func(int) string {
			return fmt.Sprintf("%d.%d.%d.%d", r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(256))
		},
		"bytes": func(int) string {
			return string([]byte{byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256))})
		},
		"same":    func(int) string { return "192.0.2.1" },
		"ordered": func(i int) string { return fmt.Sprintf("10.1.%d.%d", i>>8&255, i&255) },
		"few":     func(int) string { return fmt.Sprintf("10.0.0.%d", r.IntN(100)) },
	} {
		for _, n := range []int{100, 5000, 20_000, 40_000} {
			c := columnBytes{ends: make([]byte, 4)}
			for i := range n {
				c.values = append(c.values, text(i)...)
				c.ends = le32(c.ends, len(c.values))
			}
			plain := bytes.Clone(p.texts(&c))
			if search := p.repeat(&c, plain); search != (n == 100 || name != "random" && name != "bytes") {
				t.Errorf("%s: %d texts, %d bytes: searched %v", name, n, len(plain), search)
			}
			b := p.appendLiterals([]byte("x"), plain)
			if got, err := d.DecodeAll(b[1:], nil); err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%s: %d texts: %v", name, n, err)
			}
			if searched := p.zstd.EncodeAll(plain, nil); name == "random" && len(b) > len(searched)*13/10 {
				t.Errorf("%d random texts: %d bytes, %d with a search", n, len(b), len(searched))
			}
		}
	}
}

func le32(b []byte, v int) []byte {
	return append(b, byte(v), byte(v>>8), byte(v>>16), byte(v>>24))
}
