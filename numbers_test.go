package flowfast

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/testpcap"
)

// TestNumbers wants rows that say their number to count from 0 in order, and to be
// the same bytes for any number of workers, in each format: where many flows finish
// at once, and where there is a step for nearly each.
func TestNumbers(t *testing.T) {
	flood := new(bytes.Buffer)
	if err := workload.Write(flood, "flood5000", 1, 1); err != nil {
		t.Fatal(err)
	}
	steps := []byte(testpcap.Header)
	for i := range 2000 {
		steps = append(steps, testpcap.Record(time.Unix(1_700_000_000+int64(i), 0), uint16(i*i))...)
	}
	profile, err := export.FindProfile("nfstream")
	if err != nil {
		t.Fatal(err)
	}
	const splt = 3
	more := []string{"src_ip", "default:fwd_iat_q1", "id"} // the number last, and without features
	some, err := profile.Select(more, splt, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, capture := range map[string][]byte{"flood": flood.Bytes(), "steps": steps} {
		for _, columns := range [][]*export.Column{profile.With(splt, nil), some} {
			options := Options{IdleTimeout: 5 * time.Second}.For(profile.Demand(columns, splt, nil))
			for _, format := range []string{"csv", "jsonl", "parquet", "arrows"} {
				options.Workers = 1
				want := tableOf(t, options, capture, format, columns)
				for workers := 2; workers <= 5; workers += 3 {
					options.Workers = workers
					got := tableOf(t, options, capture, format, columns)
					if !bytes.Equal(got, want) {
						t.Errorf("%s, %d columns: other %s with %d workers", name, len(columns), format, workers)
					}
					if format == "csv" {
						checkNumbers(t, got)
					}
				}
			}
			checkFlowNumbers(t, options, capture)
		}
	}
}

// tableOf returns what a run writes.
func tableOf(t *testing.T, o Options, capture []byte, name string, columns []*export.Column) []byte {
	format, ok := export.FormatNamed(name)
	if !ok {
		t.Fatal(name)
	}
	var out bytes.Buffer
	table := export.Table{Columns: columns}
	w, err := format.NewWriter(&out, table)
	if err != nil {
		t.Fatal(err)
	}
	run, err := NewReader(o, bytes.NewReader(capture), "numbers")
	if err != nil {
		t.Fatal(err)
	}
	if err := run.Write(t.Context(), w, format.Rows(table)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// checkNumbers wants the column id of a table to count its rows.
func checkNumbers(t *testing.T, table []byte) {
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range rows[0] {
		for n, row := range rows[1:] {
			if name == "id" && row[i] != strconv.Itoa(n) {
				t.Fatalf("row %d has the number %s", n, row[i])
			}
		}
	}
	if len(rows) < 1000 {
		t.Errorf("%d rows: too few to tell", len(rows))
	}
}

// checkFlowNumbers wants flows that are not written to have their numbers too.
func checkFlowNumbers(t *testing.T, o Options, capture []byte) {
	run, err := NewReader(o, bytes.NewReader(capture), "numbers")
	if err != nil {
		t.Fatal(err)
	}
	n := uint64(0)
	for f, err := range run.Flows(t.Context()) {
		if err != nil || f.Number != n {
			t.Fatalf("flow %d has the number %d, error %v", n, f.Number, err)
		}
		n++
	}
}
