// Package fuzz holds fuzz targets and sweeps that cross several rooms: whole
// captures through whole runs. The targets of one room lie beside it. All of
// them, and what each compares:
//
//	readers            ioutil        FuzzCapture  streamed, mapped, by the byte, cut
//	                   ioutil        FuzzSpans    in spans and in order
//	                   ioutil        FuzzPeers    with two versions of pcapgo
//	decoder            decode        FuzzDecode   with a slow twin and gopacket
//	                   fuzz/stacks   FuzzStacks   with what was built
//	engine             fuzz          FuzzRun      with a count packet by packet
//	flow table         flowtable     FuzzTable    with a map and sorted slices
//	statistics         stats         FuzzSeries   with sorting, whole and merged
//	                   stats         FuzzMerge    many parts in any order
//	flags, names, text cmd/flowfast  FuzzFlags, FuzzOutputNames, FuzzPrintable
//
// TestCuts and TestSweep damage captures in every place, TestHostile makes what
// no honest sender sends, BenchmarkHostile what is made to be slow. TestStacks, in
// fuzz/stacks, compares random stacks of valid headers with tshark. Seeds come from
// internal/mutate; inputs that found a fault are kept in testdata/fuzz beside each
// target.
package fuzz

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/flowtable"
	"github.com/flowfast/flowfast/internal/mutate"
)

// recordings are the beginnings of the recorded captures: enough packets to make
// flows, few enough to change quickly.
func recordings(t testing.TB) (all [][]byte) {
	files, err := filepath.Glob("../testdata/*.pcap*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures in testdata: %v", err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, ".zst") {
			b = b[:min(len(b), 4096)]
		}
		all = append(all, b)
	}
	return all
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

// An opener starts a run over a capture.
type opener func(flowfast.Options) (*flowfast.Run, error)

func streamed(capture []byte) opener {
	return func(o flowfast.Options) (*flowfast.Run, error) {
		return flowfast.NewReader(o, bytes.NewReader(capture), "fuzz")
	}
}

func mapped(path string) opener {
	return func(o flowfast.Options) (*flowfast.Run, error) { return flowfast.Open(o, path) }
}

// run takes all flows of a run, which must agree with each other.
func run(t *testing.T, open opener, o flowfast.Options) (sum total) {
	t.Helper()
	r, err := open(o)
	sum.ordered = true
	if err != nil {
		sum.err = err
		return sum
	}
	last := flowfast.Flow{Finish: math.MinInt64, Start: math.MinInt64}
	for flow, err := range r.Flows(context.Background()) {
		if err != nil {
			sum.err = err
			break
		}
		sum.rows = export.CSV{}.AppendRow(sum.rows, flow)
		for _, half := range []*flowtable.Direction{&flow.Fwd, &flow.Bwd} {
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

// check wants a run to give what the first n packets of the census are.
func (s *census) check(t *testing.T, what string, got total, n int) {
	t.Helper()
	classes, size := s.of(n)
	switch {
	case got.summary.Classes != classes || got.summary.Packets != uint64(n):
		t.Errorf("%s: %d packets in the classes %+v, want %d in %+v", what, got.summary.Packets, got.summary.Classes, n, classes)
	case got.summary.Classes.Sum() != got.summary.Packets:
		t.Errorf("%s: %d packets in the classes %+v", what, got.summary.Packets, got.summary.Classes)
	case got.packets != classes.Counted || got.bytes != size:
		t.Errorf("%s: %d packets of %d bytes in all rows, counted are %d of %d", what, got.packets, got.bytes, classes.Counted, size)
	case !got.ordered:
		t.Errorf("%s: rows are out of order", what)
	case errors.Is(got.err, io.EOF):
		t.Errorf("%s: a bare end of file: %v", what, got.err)
	}
}

// checkCut wants a run over the first bytes of a capture to give what the whole
// records in them are, and to say so if the cut leaves a part of one.
func (s *census) checkCut(t *testing.T, what string, edges []edge, cut int, part total) {
	t.Helper()
	before, exact := slices.BinarySearchFunc(edges, cut, func(e edge, cut int) int { return e.at - cut })
	n := 0
	switch {
	case exact:
		n = edges[before].packets
	case before > 0:
		n = edges[before-1].packets
	}
	s.check(t, what, part, min(n, len(s.packets))) // reading may have ended before the cut
	if !exact && part.err == nil && len(part.summary.Warnings) == 0 {
		t.Errorf("%s: no error and no warning, though a record is cut", what)
	}
	if exact && endsInRecord(part) {
		t.Errorf("%s: error %v and warnings %q, though no record is cut", what, part.err, part.summary.Warnings)
	}
}

// endsInRecord reports whether a run says that its capture was cut.
func endsInRecord(sum total) bool {
	return slices.ContainsFunc(sum.summary.Warnings, func(w string) bool {
		return strings.Contains(w, "the capture ends in the middle of a record")
	})
}

// A scratch is a file that is written again and again, in memory where the
// system has such a file system.
type scratch string

func newScratch(t testing.TB) scratch {
	dir, err := os.MkdirTemp("/dev/shm", "flowfast-fuzz-")
	if err != nil {
		return scratch(filepath.Join(t.TempDir(), "capture"))
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return scratch(filepath.Join(dir, "capture"))
}

func (s scratch) holding(t *testing.T, b []byte) opener {
	t.Helper()
	if err := os.WriteFile(string(s), b, 0o666); err != nil {
		t.Fatal(err)
	}
	return mapped(string(s))
}

// FuzzRun takes any bytes for a capture. Whatever they are: the classes are
// those of a count packet by packet, packets and bytes of all rows are those
// counted, rows come in order, and neither mapping nor workers nor the looks for
// idle flows show. Of the bytes before any cut come just the packets whose
// records are whole.
func FuzzRun(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	seeds := append([][]byte{mixedPcap(), mixedNG()}, recordings(f)...)
	for i, seed := range seeds {
		for _, b := range mutate.Many(r, 3, seed, seeds[(i+1)%len(seeds)]) {
			f.Add(b, uint16(1000), uint16(len(b)/2))
		}
	}
	file := newScratch(f)
	f.Fuzz(func(t *testing.T, capture []byte, milliseconds, cut uint16) {
		if len(capture) > 1<<20 {
			return
		}
		s := takeCensus(capture)
		o := flowfast.Options{Workers: 1, IdleTimeout: time.Duration(milliseconds)*time.Millisecond + 1}
		one := run(t, streamed(capture), o)
		if s.door != nil && one.err == nil {
			t.Fatalf("no error, want %v", s.door)
		}
		if s.err != nil && one.err == nil && len(one.summary.Warnings) == 0 {
			t.Fatalf("no error and no warning, want %v", s.err)
		}
		s.check(t, "whole", one, len(s.packets))
		open := file.holding(t, capture)
		for _, other := range []struct {
			open    opener
			options flowfast.Options
		}{
			{streamed(capture), flowfast.Options{Workers: 3}},
			{open, flowfast.Options{Workers: 1, CheckEvery: 3, CheckMost: 1}},
			{open, flowfast.Options{Workers: 2, CheckEvery: 1000}},
		} {
			other.options.IdleTimeout = o.IdleTimeout
			same := run(t, other.open, other.options)
			if !bytes.Equal(same.rows, one.rows) || same.summary.Classes != one.summary.Classes {
				t.Fatalf("%+v gives other rows:\n%s\nwant\n%s", other.options, same.rows, one.rows)
			}
			if (same.err == nil) != (one.err == nil) || len(same.summary.Warnings) != len(one.summary.Warnings) {
				t.Fatalf("%+v gives error %v and warnings %q, want %v and %q", other.options,
					same.err, same.summary.Warnings, one.err, one.summary.Warnings)
			}
		}

		front := capture[:min(int(cut), len(capture))]
		part := run(t, streamed(front), o)
		if all := edges(capture); all != nil {
			s.checkCut(t, "cut, streamed", all, len(front), part)
			s.checkCut(t, "cut, mapped", all, len(front), run(t, file.holding(t, front), o))
		} else if part.summary.Packets > one.summary.Packets || part.summary.Classes.Counted > one.summary.Classes.Counted {
			t.Fatalf("the first %d bytes have %d packets, %d counted; all of them %d and %d", cut,
				part.summary.Packets, part.summary.Classes.Counted, one.summary.Packets, one.summary.Classes.Counted)
		}
	})
}
