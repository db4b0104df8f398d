package export

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/flowfast/flowfast/flowtable"
)

// kinds are columns of every kind, with values that formats can get wrong.
func kinds() []*Column {
	floats := []float64{0, math.NaN(), math.Inf(1), 1e-9, -1.0 / 3, 1e300}
	texts := []string{"", "a,b", `say "no"`, `C:\x`, "line\nbreak\x00\x1f", "käse 漢", "\xff\xfe x"}
	return append(Columns(), EndReason,
		column(Int, "int", "", "", func(v *Value, f *flowtable.Flow) { v.Int = int64(f.Start) - int64(f.SrcPort) }),
		column(Float, "float", "", "", func(v *Value, f *flowtable.Flow) { v.Float = floats[int(f.SrcPort)%len(floats)] }),
		textColumn("text", "", func(b []byte, f *flowtable.Flow) []byte {
			return append(b, texts[int(f.SrcPort)%len(texts)]...)
		}),
		column(List, "list", "", "", func(v *Value, f *flowtable.Flow) {
			v.List = v.List[:0]
			for i := range f.DstPort % 5 {
				v.List = append(v.List, int64(i)-int64(f.SrcPort))
			}
		}))
}

// tableFlows are flows whose sizes an int64 can hold, as those of captures.
func tableFlows(n int) []*flowtable.Flow {
	r := rand.New(rand.NewPCG(21, 22))
	flows := make([]*flowtable.Flow, n)
	for i := range flows {
		f := someFlow(r)
		for _, d := range []*flowtable.Direction{&f.Fwd, &f.Bwd} {
			d.Bytes >>= 1
			for k := range d.Sizes.Whole {
				d.Sizes.Whole[k] >>= 1
			}
			d.Sizes.Quarters[0], d.Sizes.Quarters[4] = 0, 0
		}
		if f.Fwd.Packets == 1 {
			f.Fwd.Sizes = same(f.Fwd.Bytes)
		}
		flows[i] = f
	}
	return flows
}

// written writes flows in a format, so many with each Write.
func written(t testing.TB, name string, table Table, flows []*flowtable.Flow, each int) []byte {
	t.Helper()
	format, ok := FormatNamed(name)
	if !ok {
		t.Fatalf("no format %s", name)
	}
	var out bytes.Buffer
	w, err := format.NewWriter(&out, table)
	if err != nil {
		t.Fatal(err)
	}
	rows := format.Rows(table)
	b := rows.AppendHeader(nil)
	for i, f := range flows {
		if b = rows.AppendRow(b, f); (i+1)%each == 0 {
			if n, err := w.Write(b); err != nil || n != len(b) {
				t.Fatalf("%d of %d bytes: %v", n, len(b), err)
			}
			b = b[:0]
		}
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// writtenFlows does it with flows, and with rows among them; nil for a format that takes
// none.
func writtenFlows(t *testing.T, name string, table Table, flows []*flowtable.Flow) []byte {
	t.Helper()
	var out bytes.Buffer
	format, _ := FormatNamed(name)
	w := batchWriter(t, name, &out, table)
	if w == nil {
		return nil
	}
	rows := format.Rows(table)
	if !w.Appends(rows) || w.Appends(format.Rows(Table{Columns: table.Columns[1:]})) || w.Appends(CSV{}) {
		t.Errorf("%s does not tell its rows from others", name)
	}
	for i, f := range flows {
		var err error
		if i%1000 < 300 {
			_, err = w.Write(rows.AppendRow(nil, f))
		} else {
			err = w.WriteFlow(f)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// texts returns what CSV says, with whatever a format of types can't keep
// written as it would write it: numbers as float64 does, text as UTF-8.
func texts(t *testing.T, columns []*Column, flows []*flowtable.Flow) [][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(written(t, "csv", Table{Columns: columns}, flows, 100))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		for i, c := range columns {
			switch c.Kind {
			case Float, Quarters, Seconds:
				v, err := strconv.ParseFloat(row[i], 64)
				if err != nil {
					t.Fatal(err)
				}
				row[i] = fmt.Sprint(v)
			case Time:
				whole, fraction, _ := strings.Cut(row[i], ".")
				row[i] = whole + (fraction + "000")[:9]
				row[i] = strings.TrimLeft(row[i], "0")
				if row[i] == "" {
					row[i] = "0"
				}
			case Text:
				row[i] = strings.ReplaceAll(string([]rune(row[i])), "\r\n", "\n")
			}
		}
	}
	return rows
}

// compare compares rows with those of CSV, the header first.
func compare(t *testing.T, format string, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", format, len(got), len(want))
	}
	for i := range want {
		for k := range want[i] {
			if got[i][k] != want[i][k] {
				t.Fatalf("%s: row %d, column %s: %q, want %q", format, i, want[0][k], got[i][k], want[i][k])
			}
		}
	}
}

// TestFormatsAgree reads every format back with its library, and wants what CSV
// says in each value.
func TestFormatsAgree(t *testing.T) {
	columns := kinds()
	for _, n := range []int{0, 1, 255, 256, 257, 1000} {
		flows := tableFlows(n)
		want := texts(t, columns, flows)
		for _, name := range FormatNames() {
			b := written(t, name, Table{Columns: columns, Notes: []Note{{"idle-timeout", "600"}}}, flows, 100)
			switch {
			case strings.HasPrefix(name, "csv"):
				if got := unzipped(t, name, b); !bytes.Equal(got, written(t, "csv", Table{Columns: columns}, flows, 7)) {
					t.Errorf("%s: not the rows of csv", name)
				}
			case strings.HasPrefix(name, "jsonl"):
				compare(t, name, readJSON(t, columns, unzipped(t, name, b)), want)
			case name == "parquet":
				compare(t, name, readParquet(t, columns, b), want)
			default:
				compare(t, name, readArrow(t, columns, name, b), want)
			}
		}
	}
}

func unzipped(t *testing.T, name string, b []byte) []byte {
	var r io.Reader = bytes.NewReader(b)
	var err error
	switch {
	case strings.HasSuffix(name, ".gz"):
		r, err = gzip.NewReader(r)
	case strings.HasSuffix(name, ".zst"):
		r, err = zstd.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err = io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func namesOf(columns []*Column) (all []string) {
	for _, c := range columns {
		all = append(all, c.Name)
	}
	return all
}

func readJSON(t *testing.T, columns []*Column, b []byte) [][]string {
	rows := [][]string{namesOf(columns)}
	for line := range bytes.Lines(b) {
		var all map[string]json.RawMessage
		if err := json.Unmarshal(line, &all); err != nil || len(all) != len(columns) {
			t.Fatalf("%s: %v", line, err)
		}
		var row []string
		for _, c := range columns {
			text := string(all[c.Name])
			switch c.Kind {
			case Text:
				if err := json.Unmarshal(all[c.Name], &text); err != nil {
					t.Fatal(err)
				}
			case Float, Quarters, Seconds:
				v, err := strconv.ParseFloat(text, 64)
				if text == "null" {
					row = append(row, "null")
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				text = fmt.Sprint(v)
			case Time:
				whole, fraction, _ := strings.Cut(text, ".")
				if text = strings.TrimLeft(whole+(fraction + "000")[:9], "0"); text == "" {
					text = "0"
				}
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	// JSON has no number for these.
	for i, row := range rows {
		for k, c := range columns {
			if i > 0 && c.Kind == Float && row[k] == "null" {
				row[k] = []string{"NaN", "+Inf"}[nullOf(t, columns, row)]
			}
		}
	}
	return rows
}

// nullOf tells which of the two it was that became null, by the port.
func nullOf(t *testing.T, columns []*Column, row []string) int {
	port, err := strconv.Atoi(row[1])
	if err != nil || columns[1].Name != "src_port" {
		t.Fatal(err)
	}
	return port%6 - 1
}

func readParquet(t *testing.T, columns []*Column, b []byte) [][]string {
	f := openParquet(t, b)
	if text := f.MetaData().KeyValueMetadata().FindValue("flowfast.idle-timeout"); text == nil || *text != "600" {
		t.Errorf("idle-timeout %v in the metadata", text)
	}
	table, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(b), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	rows := make([][]string, 1+table.NumRows())
	for i := range columns {
		rows[0] = append(rows[0], table.Column(i).Name())
		at := 1
		for _, chunk := range table.Column(i).Data().Chunks() {
			for row := range chunk.Len() {
				rows[at] = append(rows[at], arrowText(chunk, row))
				at++
			}
		}
	}
	return rows
}

func openParquet(t *testing.T, b []byte) *file.Reader {
	t.Helper()
	f, err := file.NewParquetReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func arrowBatches(t *testing.T, name string, b []byte) (schema *arrow.Schema, batches []arrow.RecordBatch) {
	t.Helper()
	if name == "arrow" {
		r, err := ipc.NewFileReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		schema = r.Schema()
		for i := range r.NumRecords() {
			batch, err := r.RecordBatch(i)
			if err != nil {
				t.Fatal(err)
			}
			batches = append(batches, batch)
		}
	} else {
		r, err := ipc.NewReader(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		schema = r.Schema()
		for r.Next() {
			batch := r.RecordBatch()
			batch.Retain()
			batches = append(batches, batch)
		}
		if r.Err() != nil {
			t.Fatal(r.Err())
		}
	}
	return schema, batches
}

func readArrow(t *testing.T, columns []*Column, name string, b []byte) [][]string {
	schema, batches := arrowBatches(t, name, b)
	if i := schema.Metadata().FindKey("flowfast.idle-timeout"); i < 0 {
		t.Error("no idle-timeout in the metadata")
	}
	rows := [][]string{nil}
	for i, field := range schema.Fields() {
		rows[0] = append(rows[0], field.Name)
		if unit, _ := field.Metadata.GetValue("unit"); unit != columns[i].Unit {
			t.Errorf("%s: unit %q of %s", name, unit, field.Name)
		}
		if role, _ := field.Metadata.GetValue("role"); role != columns[i].Role.String() {
			t.Errorf("%s: role %q of %s", name, role, field.Name)
		}
	}
	for _, batch := range batches {
		for row := range int(batch.NumRows()) {
			texts := make([]string, len(columns))
			for i, c := range batch.Columns() {
				texts[i] = arrowText(c, row)
			}
			rows = append(rows, texts)
		}
	}
	return rows
}

func arrowText(a arrow.Array, row int) string {
	switch a := a.(type) {
	case *array.Timestamp:
		return fmt.Sprint(int64(a.Value(row)))
	case *array.Float64:
		return fmt.Sprint(a.Value(row))
	case *array.List:
		from, to := a.ValueOffsets(row)
		return string(appendList(nil, a.ListValues().(*array.Int64).Int64Values()[from:to]))
	}
	return a.ValueStr(row)
}

// smaller makes row groups and batches small for a test.
func smaller(t *testing.T) {
	group, page, batch := groupSize, pageRows, batchSize
	groupSize, pageRows, batchSize = 1<<20, 500, 1<<20
	t.Cleanup(func() { groupSize, pageRows, batchSize = group, page, batch })
}

// TestFormatBytes wants the same bytes however many rows come with a Write, over
// several row groups, batches and compressed blocks.
func TestFormatBytes(t *testing.T) {
	const n = 10_000
	smaller(t)
	few := tableFlows(1000)
	flows := make([]*flowtable.Flow, n)
	for i := range flows {
		flows[i] = few[i*7%len(few)]
	}
	for i, f := range almostLone(t) {
		flows[13*i] = f
	}
	for _, columns := range [][]*Column{Columns(), kinds()} {
		formatBytes(t, Table{Columns: columns}, flows)
	}
}

func formatBytes(t *testing.T, table Table, flows []*flowtable.Flow) {
	for _, name := range FormatNames() {
		want := written(t, name, table, flows, 613)
		for _, each := range []int{1, 4096} {
			if got := written(t, name, table, flows, each); !bytes.Equal(got, want) {
				t.Errorf("%s: %d rows with each Write: other bytes", name, each)
			}
		}
		if got := writtenFlows(t, name, table, flows); got != nil && !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes from flows", name)
		}
		if again := written(t, name, table, flows, 613); !bytes.Equal(again, want) {
			t.Errorf("%s: other bytes the second time", name)
		}
		if name == "parquet" {
			if openParquet(t, want).NumRowGroups() < 2 {
				t.Error("one row group")
			}
		}
	}
}

// TestParts wants all rows in order, in several files that are not much longer
// than they may be, and none without rows before the last.
func TestParts(t *testing.T) {
	smaller(t)
	few := tableFlows(1000)
	flows := make([]*flowtable.Flow, 10_000)
	for i := range flows {
		flows[i] = few[i*7%len(few)]
	}
	var files []*bytes.Buffer
	next := func() (io.Writer, error) {
		files = append(files, new(bytes.Buffer))
		return files[len(files)-1], nil
	}
	table := Table{Columns: Columns(), PartSize: 1, Next: next}
	first := written(t, "parquet", table, flows, 1000)
	rows := 0
	for i, b := range append([][]byte{first}, parts(files)...) {
		f := openParquet(t, b)
		if f.NumRowGroups() != 1 {
			t.Errorf("file %d has %d row groups", i, f.NumRowGroups())
		}
		if f.NumRows() == 0 {
			t.Errorf("file %d has no rows", i)
		}
		rows += int(f.NumRows())
	}
	if rows != len(flows) || len(files) < 2 {
		t.Errorf("%d rows in %d further files, want %d", rows, len(files), len(flows))
	}
}

func parts(files []*bytes.Buffer) (all [][]byte) {
	for _, f := range files {
		all = append(all, f.Bytes())
	}
	return all
}

// TestFloats wants the float64 that the decimals are read as, also where a
// product would round twice.
func TestFloats(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for _, kind := range []Kind{Quarters, Seconds} {
		c := &Column{Kind: kind}
		for range 50_000 {
			v := Value{Uint: r.Uint64() >> r.IntN(64), Quarters: uint8(r.IntN(4)), Fine: r.IntN(2) == 0}
			want, err := strconv.ParseFloat(string(c.appendNumber(nil, &v)), 64)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.float(&v); got != want {
				t.Fatalf("%+v: %v, want %v", v, got, want)
			}
		}
	}
}

// TestFormatAllocations wants no allocation for a row of text, and of the others
// none that grows with the rows of a batch or a row group.
func TestFormatAllocations(t *testing.T) {
	flows := tableFlows(1000)
	for _, name := range []string{"csv", "jsonl", "parquet", "arrow"} {
		format, _ := FormatNamed(name)
		rows := format.Rows(Table{Columns: append(Columns(), EndReason)})
		b := make([]byte, 0, 8<<10)
		i := 0
		if n := testing.AllocsPerRun(1000, func() {
			b = rows.AppendRow(b[:0], flows[i%len(flows)])
			i++
		}); n != 0 {
			t.Errorf("%s: %v allocations for a row", name, n)
		}
	}
	for name, most := range map[string]float64{"csv.zst": 0.001, "jsonl.gz": 0.001, "parquet": 0.3, "arrow": 0.1} {
		format, _ := FormatNamed(name)
		table := Table{Columns: Columns()}
		rows := format.Rows(table)
		var b []byte
		for _, f := range flows {
			b = rows.AppendRow(b, f)
		}
		w, err := format.NewWriter(io.Discard, table)
		if err != nil {
			t.Fatal(err)
		}
		const writes = 100
		n := testing.AllocsPerRun(writes, func() { w.Write(b) }) / float64(len(flows))
		t.Logf("%s: %.4f allocations for a row written", name, n)
		if n > most {
			t.Errorf("%s: %v allocations for a row written, want %v at most", name, n, most)
		}
	}
}

// TestFormatErrors wants the error of the file from Write or Close, whichever
// of its writes fails.
func TestFormatErrors(t *testing.T) {
	flows := tableFlows(2000)
	table := Table{Columns: Columns()}
	for _, name := range FormatNames() {
		format, _ := FormatNamed(name)
		rows := format.Rows(table)
		var b []byte
		for _, f := range flows {
			b = rows.AppendRow(b, f)
		}
		for _, room := range []int64{0, 100} {
			w, err := format.NewWriter(&shortWriter{room}, table)
			if err == nil {
				_, err = w.Write(b)
				if closed := w.Close(); err == nil {
					err = closed
				}
			}
			if err == nil || !strings.Contains(err.Error(), "full") {
				t.Errorf("%s, room for %d bytes: error %v", name, room, err)
			}
		}
	}
}

type shortWriter struct{ room int64 }

func (w *shortWriter) Write(b []byte) (int, error) {
	if w.room -= int64(len(b)); w.room < 0 {
		return 0, fmt.Errorf("full")
	}
	return len(b), nil
}
