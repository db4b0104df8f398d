package export

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/flowfast/flowfast/flowtable"
)

// batchWriter returns a writer of a format, nil for one that takes no batches.
func batchWriter(t *testing.T, name string, to io.Writer, table Table) BatchWriter {
	t.Helper()
	format, _ := FormatNamed(name)
	w, err := format.NewWriter(to, table)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := w.(BatchWriter)
	return b
}

// TestEncoder wants the bytes that a writer of rows writes from batches that several
// goroutines encode, into memory that they use again, from slices of rows of any
// size.
func TestEncoder(t *testing.T) {
	smaller(t)
	few := tableFlows(1000)
	for i := 0; i < len(few); i += 3 {
		few[i] = few[0] // rows of the same form, one behind the other
	}
	table := Table{Columns: kinds(), Notes: []Note{{"version", "1"}}}
	for _, name := range FormatNames() {
		format, _ := FormatNamed(name)
		var out bytes.Buffer
		w := batchWriter(t, name, &out, table)
		if packed := name == "parquet" || name == "arrow" || name == "arrows"; packed != (w != nil) {
			t.Fatalf("%s: writer of batches %v", name, w)
		}
		if w == nil {
			continue
		}
		next, mostRows, mostBytes := w.Batches()
		for range 5 {
			few = append(few, few[:1000]...)
		}
		want := written(t, name, table, few, 613)
		rows := format.Rows(table)
		var batches [][][]byte
		var batch [][]byte
		n, size := 0, 0
		for i, f := range few {
			row := rows.AppendRow(nil, f)
			if last := len(batch) - 1; i%7 != 0 && last >= 0 {
				batch[last] = append(batch[last], row...)
			} else {
				batch = append(batch, row)
			}
			n++
			if size += len(row); n >= next || size >= mostBytes {
				batches, batch, n, size = append(batches, batch), nil, 0, 0
				next = min(2*next, mostRows)
			}
		}
		if batches = append(batches, batch); len(batches) < 4 {
			t.Fatalf("%s: %d batches", name, len(batches))
		}
		encoded := []Batch{w.NewBatch(), w.NewBatch(), w.NewBatch()}
		for some := range slices.Chunk(batches, len(encoded)) {
			var all sync.WaitGroup
			for i, b := range some {
				all.Go(func() { encoded[i].Encode(b) })
			}
			all.Wait()
			for i := range some {
				if err := w.WriteBatch(encoded[i]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%s: other bytes from batches", name)
		}
	}
}

// TestEncoderErrors wants the error of a batch that was no rows from WriteBatch, and
// nothing of it left in the next one.
func TestEncoderErrors(t *testing.T) {
	table := Table{Columns: Columns()}
	for _, name := range []string{"parquet", "arrows"} {
		format, _ := FormatNamed(name)
		row := format.Rows(table).AppendRow(nil, tableFlows(1)[0])
		bad := bytes.Clone(row)
		bad[packedBits+7] = 255 // bits of columns that there are not
		w := batchWriter(t, name, io.Discard, table)
		into, fresh := w.NewBatch().(*pending), w.NewBatch().(*pending)
		into.Encode([][]byte{row, bad})
		if err := w.WriteBatch(into); err == nil {
			t.Errorf("%s: no error", name)
		}
		into.Encode([][]byte{row})
		fresh.Encode([][]byte{row})
		if into.err != nil || into.batch.rows != 1 {
			t.Errorf("%s: %d rows, %v", name, into.batch.rows, into.err)
		}
		for i := range fresh.batch.columns {
			if !bytes.Equal(into.batch.columns[i].values, fresh.batch.columns[i].values) {
				t.Errorf("%s: column %d has something left", name, i)
			}
		}
	}
}

// TestBatchAgain wants nothing of the rows of earlier batches in one whose memory is used
// again, whatever part of the rows was of flows that are alone.
func TestBatchAgain(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	alone := make([]*flowtable.Flow, 40)
	for i := range alone {
		f := shapes[i/38].flow(r) // most have the same control bits
		f.Fwd.Flags[4] = uint64(i / 37)
		alone[i] = ofTable(t, &f)
	}
	others := append(tableFlows(300), almostLone(t)...)
	for _, columns := range [][]*Column{Columns(), kinds()} {
		p := newPacked(columns)
		var again batch
		again.reset(p, 1<<20, true)
		for round := range 200 {
			some := []int{0, 0, 3, 3, 100}[r.IntN(5)] // percent that are others
			flows := make([]*flowtable.Flow, []int{1 + r.IntN(5*blockRows), 5 * blockRows}[r.IntN(2)])
			for i := range flows {
				if flows[i] = alone[r.IntN(len(alone))]; r.IntN(100) < some {
					flows[i] = others[r.IntN(len(others))]
				}
			}
			again.reset(p, 1<<20, true)
			var rows []byte
			for _, f := range flows {
				rows = p.AppendRow(rows, f)
			}
			if _, err := again.add(rows, 1<<20, 1<<30); err != nil {
				t.Fatal(err)
			}
			for i, want := range sorted(t, p, flows) {
				if !bytes.Equal(again.columns[i].values, want.values) || !bytes.Equal(again.columns[i].ends, want.ends) {
					t.Fatalf("batch %d: other values of %s", round, columns[i].Name)
				}
			}
		}
	}
}

// TestEncoderAllocations wants no allocation for a batch that grows with its rows.
func TestEncoderAllocations(t *testing.T) {
	table := Table{Columns: Columns()}
	for name, most := range map[string]float64{"parquet": 400, "arrows": 0} {
		format, _ := FormatNamed(name)
		batch := batchWriter(t, name, io.Discard, table).NewBatch()
		var rows []byte
		for _, f := range tableFlows(4000) {
			rows = format.Rows(table).AppendRow(rows, f)
		}
		all := [][]byte{rows}
		if n := testing.AllocsPerRun(5, func() { batch.Encode(all) }); n > most {
			t.Errorf("%s: %v allocations for a batch", name, n)
		}
	}
}

// TestFirstBatches wants the batches of a stream to begin with few rows and to grow,
// those that came encoded among them, and those of a file, which nobody reads before
// its end, to be large.
func TestFirstBatches(t *testing.T) {
	table, flows := Table{Columns: Columns()}, tableFlows(100)
	for name, want := range map[string][]int64{"arrows": {256, 512, 100, 2048, 84}, "arrow": {768, 100, 2132}} {
		format, _ := FormatNamed(name)
		var out bytes.Buffer
		w := batchWriter(t, name, &out, table)
		rows := format.Rows(table)
		write := func(n int) {
			for i := range n {
				if _, err := w.Write(rows.AppendRow(nil, flows[i%100])); err != nil {
					t.Fatal(err)
				}
			}
		}
		var encoded []byte
		for _, f := range flows {
			encoded = rows.AppendRow(encoded, f)
		}
		write(768)
		b := w.NewBatch()
		b.Encode([][]byte{encoded})
		if err := w.WriteBatch(b); err != nil {
			t.Fatal(err)
		}
		write(2132)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		_, batches := arrowBatches(t, name, out.Bytes())
		var got []int64
		for _, b := range batches {
			got = append(got, b.NumRows())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: batches of %v rows, want %v", name, got, want)
		}
	}
}
