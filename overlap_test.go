package flowfast

import (
	"bytes"
	"testing"

	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/testpcap"
)

// Captures that overlap at their seams have the same rows for any number of workers.
func TestOverlaps(t *testing.T) {
	names := testpcap.Overlapping(t, 3, 30_000, 300)
	var want string
	for workers := 1; workers <= 3; workers++ {
		run, err := Open(Options{Workers: workers}, names...)
		var rows bytes.Buffer
		if err == nil {
			err = run.Write(t.Context(), &rows, export.CSV{})
		}
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = rows.String()
		}
		if rows.String() != want || run.Summary().StepsBack != 0 {
			t.Errorf("%d workers: other rows, or steps back", workers)
		}
	}
}
