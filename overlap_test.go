package flowfast

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flowfast/flowfast/export"
)

// Captures that overlap at their seams are read in spans between them.
func TestSpansBetweenOverlaps(t *testing.T) {
	const files, packets, common = 3, 30_000, 300
	dir := t.TempDir()
	var names []string
	start := time.Unix(1_700_000_000, 0)
	for i := range files {
		capture := []byte(pcapHeader)
		for k := range packets {
			at := start.Add(time.Duration(i*(packets-common)+k) * time.Millisecond)
			capture = append(capture, udpRecord(at, uint16(k%50))...)
		}
		names = append(names, filepath.Join(dir, fmt.Sprintf("%d.pcap", i)))
		if err := os.WriteFile(names[i], capture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run, err := Open(Options{Workers: 1}, names...)
	if err != nil {
		t.Fatal(err)
	}
	in := run.intake
	p := in.newPiece(1)
	inSpans, all := 0, 0
	for more := true; more; {
		in.take(p)
		in.decode(p)
		before := p.of != nil && p.Len() > 0
		more = in.admit(p)
		all += p.Len()
		if before && p.of != nil {
			inSpans += p.Len()
		}
	}
	run.finish()
	if all != files*packets || inSpans < all*8/10 {
		t.Errorf("%d of %d packets in spans, want most of %d", inSpans, all, files*packets)
	}
	if read := run.Progress().Read; read != int64(files*(len(pcapHeader)+packets*(16+42))) {
		t.Errorf("progress tells %d bytes", read)
	}
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
