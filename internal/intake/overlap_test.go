package intake

import (
	"testing"

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
