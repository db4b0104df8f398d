package export

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
)

// flatField returns where a field of a table of FlatBuffers stands.
func flatField(b []byte, table, field int) int {
	le := binary.LittleEndian
	fields := table - int(int32(le.Uint32(b[table:])))
	return table + int(le.Uint16(b[fields+4+2*field:]))
}

// flatReference returns what is referred to.
func flatReference(b []byte, at int) int { return at + int(binary.LittleEndian.Uint32(b[at:])) }

// flatVector returns how many elements there are, and where they stand.
func flatVector(b []byte, at int) (n, from int) {
	at = flatReference(b, at)
	return int(binary.LittleEndian.Uint32(b[at:])), at + 4
}

// TestArrowVectors wants of the tables of a record batch and of a file what readers other
// than the library rely on: numbers of elements, at multiples of 8 bytes.
func TestArrowVectors(t *testing.T) {
	smaller(t)
	table := Table{Columns: kinds()} // four texts and a list among them
	var out bytes.Buffer
	w := batchWriter(t, "arrow", &out, table)
	batch := w.NewBatch().(*pending)
	rows := newPacked(table.Columns).AppendRow(nil, tableFlows(1)[0])
	for range 3 {
		batch.Encode([][]byte{rows, rows})
		if err := w.WriteBatch(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	message := batch.record.message[8:]
	record := flatReference(message, flatField(message, flatReference(message, 0), 2))
	nodes, at := flatVector(message, flatField(message, record, 1))
	if want := len(table.Columns) + 1; nodes != want || at%8 != 0 {
		t.Errorf("%d columns at %d, want %d", nodes, at, want)
	}
	buffers, at := flatVector(message, flatField(message, record, 2))
	if want := 2*len(table.Columns) + 4 + 2; buffers != want || at%8 != 0 || at+16*buffers != len(message) {
		t.Errorf("%d buffers at %d of %d, want %d", buffers, at, len(message), want)
	}
	file := strings.TrimSuffix(out.String(), arrowFooterEnd)
	footer := []byte(file[len(file)-4-int(binary.LittleEndian.Uint32([]byte(file[len(file)-4:]))) : len(file)-4])
	if n, at := flatVector(footer, flatField(footer, flatReference(footer, 0), 3)); n != 3 || at%8 != 0 || at+24*n != len(footer) {
		t.Errorf("%d batches at %d of %d, want 3", n, at, len(footer))
	}
}
