package export

import (
	"bytes"
	"io"
	"slices"
	"sync"
	"testing"
)

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
		encoder := format.NewEncoder(table)
		if packed := name == "parquet" || name == "arrow" || name == "arrows"; packed != (encoder != nil) {
			t.Fatalf("%s: encoder %v", name, encoder)
		}
		if encoder == nil {
			continue
		}
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
			if size += len(row); n >= encoder.BatchRows() || size >= encoder.BatchBytes() {
				batches, batch, n, size = append(batches, batch), nil, 0, 0
			}
		}
		if batches = append(batches, batch); len(batches) < 4 {
			t.Fatalf("%s: %d batches", name, len(batches))
		}
		var out bytes.Buffer
		w, err := format.NewWriter(&out, table)
		if err != nil {
			t.Fatal(err)
		}
		encoded := make([]Encoded, 3)
		for some := range slices.Chunk(batches, len(encoded)) {
			var all sync.WaitGroup
			for i, b := range some {
				all.Go(func() { encoder.Encode(&encoded[i], b) })
			}
			all.Wait()
			for i := range some {
				if err := w.(EncodedWriter).WriteEncoded(&encoded[i]); err != nil {
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

// TestEncoderErrors wants the error of a batch that was no rows from WriteEncoded, and
// nothing of it left in the next one.
func TestEncoderErrors(t *testing.T) {
	table := Table{Columns: Columns()}
	for _, name := range []string{"parquet", "arrows"} {
		format, _ := FormatNamed(name)
		encoder := format.NewEncoder(table)
		row := format.Rows(table).AppendRow(nil, tableFlows(1)[0])
		bad := bytes.Clone(row)
		bad[packedEnd+7] = 255 // bits of columns that there are not
		var into, fresh Encoded
		encoder.Encode(&into, [][]byte{row, bad})
		w, err := format.NewWriter(io.Discard, table)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.(EncodedWriter).WriteEncoded(&into); err == nil {
			t.Errorf("%s: no error", name)
		}
		encoder.Encode(&into, [][]byte{row})
		encoder.Encode(&fresh, [][]byte{row})
		if into.err != nil || into.Rows() != 1 {
			t.Errorf("%s: %d rows, %v", name, into.Rows(), into.err)
		}
		for i := range fresh.batch.columns {
			if !bytes.Equal(into.batch.columns[i].values, fresh.batch.columns[i].values) {
				t.Errorf("%s: column %d has something left", name, i)
			}
		}
	}
}

// TestEncoderAllocations wants no allocation for a batch that grows with its rows.
func TestEncoderAllocations(t *testing.T) {
	table := Table{Columns: Columns()}
	for _, name := range []string{"parquet", "arrows"} {
		format, _ := FormatNamed(name)
		encoder := format.NewEncoder(table)
		var rows []byte
		for _, f := range tableFlows(4000) {
			rows = format.Rows(table).AppendRow(rows, f)
		}
		var into Encoded
		if n := testing.AllocsPerRun(5, func() { encoder.Encode(&into, [][]byte{rows}) }); n > 400 {
			t.Errorf("%s: %v allocations for a batch", name, n)
		}
	}
}
