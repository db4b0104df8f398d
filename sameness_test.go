package flowfast_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
)

// TestSameRows runs every recorded capture with all kinds of options that must
// not show, and wants the same bytes.
func TestSameRows(t *testing.T) {
	for name, c := range recorded(t) {
		path := filepath.Join("testdata", c.Capture)
		for _, of := range []flowfast.Options{
			{IdleTimeout: time.Second}, {IdleTimeout: 600 * time.Second}, {IdleTimeout: time.Second, MaxFlows: 3},
		} {
			one := of
			one.Workers = 1
			want, summary := rows(t, one, path)
			for _, o := range []flowfast.Options{
				{Workers: 2},
				{Workers: 5},
				{Workers: 1, CheckEvery: 7, CheckMost: 1},
				{Workers: 1, CheckEvery: 1000, CheckMost: 1000},
				{Workers: 3, CheckEvery: 100},
				{Workers: 2, CheckMost: 1},
			} {
				o.IdleTimeout, o.MaxFlows = of.IdleTimeout, of.MaxFlows
				got, s := rows(t, o, path)
				if !bytes.Equal(got, want) {
					t.Errorf("%s: other rows with %+v", name, o)
				}
				if s.Packets != summary.Packets || s.Classes != summary.Classes || s.Flows != summary.Flows || s.Evicted != summary.Evicted {
					t.Errorf("%s: another summary with %+v: %+v, want %+v", name, o, s, summary)
				}
			}
			if got := streamed(t, one, path); !bytes.Equal(got, want) {
				t.Errorf("%s: other rows from a stream", name)
			}
			two := of
			two.Workers = 2
			if got := iterated(t, two, path); !bytes.Equal(got, want) {
				t.Errorf("%s: other flows from the iterator", name)
			}
		}
	}
}

// TestSameRowsOfLongCaptures does it with captures that are longer than the
// clock's window, so that flows leave while packets come; in the second the
// clock is set back by an hour again and again.
func TestSameRowsOfLongCaptures(t *testing.T) {
	for _, test := range []struct {
		name string
		step int32
	}{{"dns", 3600}, {"reuse", -3600}, {"options", 20}} {
		length := 200_000
		if testing.Short() {
			length = 70_000 // a little more than a window
		}
		path, packets := repeated(t, test.name, t.TempDir(), length, test.step)
		for _, of := range []flowfast.Options{
			{IdleTimeout: time.Second}, {IdleTimeout: 600 * time.Second}, {IdleTimeout: time.Second, MaxFlows: 5},
		} {
			alone := of
			alone.Workers = 1
			want, one := rows(t, alone, path)
			if one.Packets != uint64(packets) || one.Flows == 0 {
				t.Fatalf("%s: %d packets, %d flows", test.name, one.Packets, one.Flows)
			}
			if stepped := strings.Contains(strings.Join(one.Warnings, "\n"), "steps back"); stepped != (test.step < 0) {
				t.Errorf("%s: warnings %q", test.name, one.Warnings)
			}
			for _, o := range []flowfast.Options{
				{Workers: 2},
				{Workers: 3, CheckEvery: 5000},
				{Workers: 1, CheckEvery: 3000, CheckMost: 10},
			} {
				o.IdleTimeout, o.MaxFlows = of.IdleTimeout, of.MaxFlows
				if got, s := rows(t, o, path); !bytes.Equal(got, want) || s.Classes != one.Classes {
					t.Errorf("%s, %+v: other rows with %+v", test.name, of, o)
				}
			}
			two := of
			two.Workers = 2
			if got := streamed(t, two, path); !bytes.Equal(got, want) {
				t.Errorf("%s, %+v: other rows from a stream", test.name, of)
			}
		}
	}
}

func streamed(t *testing.T, o flowfast.Options, path string) []byte {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	run, err := flowfast.NewReader(o, f, path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run.Write(context.Background(), &out, export.CSV{}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func iterated(t *testing.T, o flowfast.Options, path string) []byte {
	run, err := flowfast.Open(o, path)
	if err != nil {
		t.Fatal(err)
	}
	out := export.CSV{}.AppendHeader(nil)
	for flow, err := range run.Flows(context.Background()) {
		if err != nil {
			t.Fatal(err)
		}
		out = export.CSV{}.AppendRow(out, flow)
	}
	return out
}

// TestIteratorStops leaves the loop early, with and without workers.
func TestIteratorStops(t *testing.T) {
	for workers := 1; workers <= 3; workers++ {
		run, err := flowfast.Open(flowfast.Options{Workers: workers, IdleTimeout: time.Millisecond}, "testdata/web.pcap.zst")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for range run.Flows(context.Background()) {
			if n++; n == 5 {
				break
			}
		}
		if s := run.Summary(); n != 5 || s.Classes.Sum() != s.Packets {
			t.Errorf("%d workers: %d flows, want 5; summary %+v", workers, n, s)
		}
	}
}

func TestCancelKeepsWhatWasRead(t *testing.T) {
	for workers := 1; workers <= 2; workers++ {
		run, err := flowfast.Open(flowfast.Options{Workers: workers, IdleTimeout: time.Millisecond}, "testdata/web.pcap.zst")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var packets, flows uint64
		var last error
		for flow, err := range run.Flows(ctx) {
			cancel()
			if last = err; err == nil {
				flows++
				packets += flow.Fwd.Packets + flow.Bwd.Packets
			}
		}
		s := run.Summary()
		if !errors.Is(last, context.Canceled) || packets != s.Classes.Counted || flows != s.Flows {
			t.Errorf("%d workers: error %v; %d flows with %d packets, summary %+v", workers, last, flows, packets, s)
		}
	}
}

// TestJoin cuts a capture in three files and reads them, named in any order, as
// one.
func TestJoin(t *testing.T) {
	whole := capture(t, "testdata/reuse.pcap")
	dir := t.TempDir()
	var parts []string
	third := len(whole.packets) / 3
	for i := range 3 {
		end := (i + 1) * third
		if i == 2 {
			end = len(whole.packets)
		}
		parts = append(parts, filepath.Join(dir, fmt.Sprintf("part%d.pcap", i)))
		writeFile(t, parts[i], whole.header, whole.packets[i*third:end]...)
	}
	empty := filepath.Join(dir, "empty.pcap")
	writeFile(t, empty, whole.header)
	want, _ := rows(t, flowfast.Options{}, "testdata/reuse.pcap")
	order := append(slices.Clone(parts), empty)
	slices.Reverse(order)
	if got, s := rows(t, flowfast.Options{}, order...); !bytes.Equal(got, want) || len(s.Captures) != 4 {
		t.Errorf("other rows from the parts; captures %v", s.Captures)
	}

	// A part that can't be read is told, and the others are read.
	bad := filepath.Join(dir, "bad.pcap")
	writeFile(t, bad, []byte("no capture"))
	run, err := flowfast.Open(flowfast.Options{}, append(order, bad)...)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run.Write(context.Background(), &out, export.CSV{}); err == nil || !bytes.Equal(out.Bytes(), want) {
		t.Errorf("error %v; want one, and all rows", err)
	}
}

// A file is a pcap file in pieces.
type file struct {
	header  []byte
	packets [][]byte // with their record headers
}

// capture reads a little-endian pcap file.
func capture(t *testing.T, path string) file {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := file{header: b[:24]}
	for b = b[24:]; len(b) > 0; {
		n := 16 + int(b[8]) + int(b[9])<<8 + int(b[10])<<16
		f.packets = append(f.packets, b[:n])
		b = b[n:]
	}
	return f
}

func writeFile(t *testing.T, path string, header []byte, packets ...[]byte) {
	if err := os.WriteFile(path, append(slices.Clone(header), bytes.Join(packets, nil)...), 0o666); err != nil {
		t.Fatal(err)
	}
}
