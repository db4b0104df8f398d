package intake

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flowfast/flowfast/internal/testpcap"
)

// Captures that overlap at their seams are read in spans between them.
func TestSpansBetweenOverlaps(t *testing.T) {
	const files, packets, common = 3, 30_000, 300
	in := opened(t, testpcap.Overlapping(t, files, packets, common)...)
	p := in.NewPiece(1)
	inSpans, all := 0, 0
	for more := true; more; {
		p.Take()
		p.Decode()
		before := p.of != nil && p.batch.Len() > 0
		more = p.Admit()
		all += p.batch.Len()
		if before && p.of != nil {
			inSpans += p.batch.Len()
		}
	}
	in.Stop()
	if all != files*packets || inSpans < all*8/10 {
		t.Errorf("%d of %d packets in spans, want most of %d", inSpans, all, files*packets)
	}
	if read := in.Progress().Read; read != int64(files*(len(testpcap.Header)+packets*(16+42))) {
		t.Errorf("progress tells %d bytes", read)
	}
}

// The last of joined captures, where it is a stream, is cut from its first packet on:
// who opens it reads none of it, since others may have begun to cut it.
func TestOpenedAndCut(t *testing.T) {
	const packets = 3
	dir := t.TempDir()
	names := []string{filepath.Join(dir, "a.pcap"), filepath.Join(dir, "b.pcap.gz")}
	for i, name := range names {
		capture := []byte(testpcap.Header)
		for k := range packets {
			capture = append(capture, testpcap.Record(time.Unix(int64(i*packets+k), 0), 1)...)
		}
		if i == 1 {
			capture = testpcap.Gzipped(capture)
		}
		if err := os.WriteFile(name, capture, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for readers := 1; readers <= 2; readers++ {
		in, err := New(Options{Readers: readers})
		if err == nil {
			err = in.Open(names...)
		}
		if err != nil {
			t.Fatal(err)
		}
		p := in.NewPiece(1)
		all, cut := 0, false
		for more := true; more; {
			p.Take()
			p.Decode()
			before := in.cutter.cut
			more = p.Admit()
			all += p.batch.Len()
			if !before && in.cutter.cut {
				cut = true
				if n := p.batch.Len(); n > 0 {
					t.Errorf("%d packets were read in order of what is cut", n)
				}
			}
		}
		in.Stop()
		if all != len(names)*packets || !cut {
			t.Errorf("%d packets, cut: %t", all, cut)
		}
	}
}
