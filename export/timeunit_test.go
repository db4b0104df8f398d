package export

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/flowfast/flowfast/flowtable"
)

// timesOf returns the values of a column of times, and its type.
func timesOf(t *testing.T, name string, b []byte, column int) (values []int64, of *arrow.TimestampType) {
	t.Helper()
	var read interface {
		Next() bool
		RecordBatch() arrow.RecordBatch
	}
	var err error
	if name == "parquet" {
		table, err := pqarrow.ReadTable(t.Context(), bytes.NewReader(b), nil, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
		if err != nil {
			t.Fatal(err)
		}
		read = array.NewTableReader(table, -1)
	} else if read, err = ipc.NewReader(bytes.NewReader(b)); err != nil {
		t.Fatal(err)
	}
	for read.Next() {
		times := read.RecordBatch().Column(column).(*array.Timestamp)
		of = times.DataType().(*arrow.TimestampType)
		for _, v := range times.Values() {
			values = append(values, int64(v))
		}
	}
	return values, of
}

// Times are cut down to the unit, also those before 1970, and say which it is.
func TestTimeUnit(t *testing.T) {
	given := []int64{0, 1, 999, 1000, 1_700_000_000_123_456_789, -1, -1000, -1001, 1<<63 - 1, -1 << 63}
	next := 0
	at := column(Time, "at", "seconds", "", func(v *Value, _ *flowtable.Flow) {
		v.Int = given[next%len(given)]
		next++
	})
	flows := tableFlows(len(given))
	for unit, want := range map[time.Duration][]int64{
		0:                given,
		time.Nanosecond:  given,
		time.Microsecond: {0, 0, 0, 1, 1_700_000_000_123_456, -1, -1, -2, 9223372036854775, -9223372036854776},
	} {
		for _, format := range []string{"parquet", "arrows"} {
			next = 0
			b := written(t, format, Table{Columns: []*Column{at}, TimeUnit: unit}, flows, 3)
			got, of := timesOf(t, format, b, 0)
			if len(got) != len(want) || of.TimeZone != "UTC" || of.Unit.Multiplier() != max(unit, time.Nanosecond) {
				t.Errorf("%s, %v: %d times of type %v", format, unit, len(got), of)
				continue
			}
			for i := range want {
				if got[i] != want[i] {
					t.Errorf("%s, %v: %d became %d, want %d", format, unit, given[i], got[i], want[i])
				}
			}
		}
	}
}

// Readers of old know times in microseconds by the converted type, and none in
// nanoseconds. Bounds are in the unit too.
func TestTimeUnitParquet(t *testing.T) {
	at := column(Time, "at", "seconds", "", func(v *Value, f *flowtable.Flow) { v.Int = 1_700_000_000_123_456_789 })
	for unit, want := range map[time.Duration]string{time.Nanosecond: "none", time.Microsecond: "TIMESTAMP_MICROS"} {
		f := openParquet(t, written(t, "parquet", Table{Columns: []*Column{at}, TimeUnit: unit}, tableFlows(5), 5))
		got := "none"
		if of := f.MetaData().FileMetaData.GetSchema()[1].ConvertedType; of != nil { // as it stands in the file
			got = of.String()
		}
		if got != want {
			t.Errorf("%v: converted type %v, want %v", unit, got, want)
		}
		chunk, err := f.MetaData().RowGroup(0).ColumnChunk(0)
		if err != nil {
			t.Fatal(err)
		}
		bounds, err := chunk.Statistics()
		if err != nil {
			t.Fatal(err)
		}
		if got := int64(binary.LittleEndian.Uint64(bounds.EncodeMin())); got != 1_700_000_000_123_456_789/int64(unit) {
			t.Errorf("%v: the least is %d", unit, got)
		}
	}
}

// Definitions are left out of a file where they stand elsewhere.
func TestUndefined(t *testing.T) {
	for _, undefined := range []bool{false, true} {
		f := openParquet(t, written(t, "parquet", Table{Columns: Columns(), Undefined: undefined, Notes: []Note{{"version", "1"}}}, nil, 1))
		text := f.MetaData().KeyValueMetadata().FindValue("flowfast.definitions")
		if (text == nil) != undefined {
			t.Errorf("undefined: %v, definitions: %v", undefined, text)
		}
		if text != nil && !json.Valid([]byte(*text)) {
			t.Errorf("definitions %s", *text)
		}
		if version := f.MetaData().KeyValueMetadata().FindValue("flowfast.version"); version == nil || *version != "1" {
			t.Errorf("version %v", version)
		}
	}
}

// A batch ends where it is told to.
func TestEndBatch(t *testing.T) {
	flows := tableFlows(1000)
	for _, name := range []string{"parquet", "arrow", "arrows"} {
		format, _ := FormatNamed(name)
		table := Table{Columns: Columns()}
		var out bytes.Buffer
		w, err := format.NewWriter(&out, table)
		if err != nil {
			t.Fatal(err)
		}
		rows := format.Rows(table)
		for i, f := range flows {
			if i == 250 {
				if err := w.(BatchWriter).EndBatch(); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := w.Write(rows.AppendRow(nil, f)); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, flushes := w.(interface{ Flush() error }); name == "parquet" && flushes {
			t.Error("a Parquet file, which nobody reads before its end, is flushed")
		}
		if name == "arrows" {
			r, err := ipc.NewReader(&out)
			if err != nil {
				t.Fatal(err)
			}
			batch, err := r.Read()
			if err != nil && err != io.EOF {
				t.Fatal(err)
			}
			if batch.NumRows() != 250 {
				t.Errorf("the first batch has %d rows, want 250", batch.NumRows())
			}
		} else if out.Len() <= len(written(t, name, table, flows, 100)) {
			t.Errorf("%s: no further batch", name)
		}
	}
}
