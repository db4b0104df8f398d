// Package fuzz holds fuzz targets that cross several rooms: whole captures
// through whole runs. The targets of one room lie beside it, in ioutil, decode,
// flowtable and stats.
package fuzz

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// seeds are the beginnings of the recorded captures: enough packets to make
// flows, few enough to change quickly.
func seeds(f *testing.F) {
	files, err := filepath.Glob("../testdata/*.pcap*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no captures in testdata: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if !strings.HasSuffix(file, ".zst") {
			b = b[:min(len(b), 4096)]
		}
		f.Add(b, uint16(1000), uint16(len(b)/2))
	}
}

// A total is what a run gave out.
type total struct {
	rows    []byte
	summary flowfast.Summary
	packets uint64
	bytes   uint64
	ordered bool
	err     error
}

func run(t *testing.T, capture []byte, o flowfast.Options) (sum total) {
	r, err := flowfast.NewReader(o, bytes.NewReader(capture), "fuzz")
	sum.ordered = true
	if err != nil {
		sum.err = err
		return sum
	}
	var last flowfast.Flow
	for flow, err := range r.Flows(context.Background()) {
		if err != nil {
			sum.err = err
			break
		}
		sum.rows = export.CSV{}.AppendRow(sum.rows, flow)
		for _, d := range []int{0, 1} {
			half := &flow.Fwd
			if d == 1 {
				half = &flow.Bwd
			}
			sum.packets += half.Packets
			sum.bytes += half.Bytes
			for _, n := range half.Flags {
				if n > half.Packets {
					t.Fatalf("%d packets, %d with a control bit", half.Packets, n)
				}
			}
		}
		if flow.Finish < last.Finish || flow.Finish == last.Finish && flow.Start < last.Start {
			sum.ordered = false
		}
		last = *flow
	}
	sum.summary = r.Summary()
	return sum
}

// FuzzRun takes any bytes for a capture. Whatever they are: every packet falls
// into one class, the packets of all rows are those counted, rows come in
// order, and neither the workers nor the looks for idle flows show. Of the
// bytes before any cut, no more packets are read, and the same classes up to
// there.
func FuzzRun(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, capture []byte, milliseconds, cut uint16) {
		o := flowfast.Options{Workers: 1, IdleTimeout: time.Duration(milliseconds)*time.Millisecond + 1}
		one := run(t, capture, o)
		if one.summary.Classes.Sum() != one.summary.Packets {
			t.Fatalf("%d packets in the classes %+v", one.summary.Packets, one.summary.Classes)
		}
		if one.packets != one.summary.Classes.Counted {
			t.Fatalf("%d packets in all rows, %d counted", one.packets, one.summary.Classes.Counted)
		}
		if !one.ordered {
			t.Fatal("rows are out of order")
		}
		for _, other := range []flowfast.Options{
			{Workers: 3},
			{Workers: 1, CheckEvery: 3, CheckMost: 1},
			{Workers: 2, CheckEvery: 1000},
		} {
			other.IdleTimeout = o.IdleTimeout
			same := run(t, capture, other)
			if !bytes.Equal(same.rows, one.rows) || same.summary.Classes != one.summary.Classes {
				t.Fatalf("%+v gives other rows:\n%s\nwant\n%s", other, same.rows, one.rows)
			}
			if (same.err == nil) != (one.err == nil) {
				t.Fatalf("%+v gives another error: %v, want %v", other, same.err, one.err)
			}
		}

		part := run(t, capture[:min(int(cut), len(capture))], o)
		if part.summary.Packets > one.summary.Packets || part.summary.Classes.Counted > one.summary.Classes.Counted {
			t.Fatalf("the first %d bytes have %d packets, %d counted; all of them %d and %d", cut,
				part.summary.Packets, part.summary.Classes.Counted, one.summary.Packets, one.summary.Classes.Counted)
		}
		if errors.Is(part.err, io.EOF) {
			t.Fatalf("a bare end of file: %v", part.err)
		}
	})
}
