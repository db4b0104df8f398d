package intake

import (
	"testing"

	"github.com/flowfast/flowfast/internal/testpcap"
)

// TestSpoolingKeepsToItsRoom counts the files that are open, and how often packets are
// spooled.
func TestSpoolingKeepsToItsRoom(t *testing.T) {
	names := testpcap.Tangled(t, 60)
	for _, files := range []int{2, 3, 6, 12} {
		in := opened(t, names...)
		in.OverlapFiles = files
		p := in.NewPiece(1)
		level, most := 0, 0
		for more := true; more; {
			p.Take()
			p.Decode()
			more = p.Admit()
			open := 0
			for _, c := range in.overlap {
				level = max(level, c.level)
				open += c.load().files
			}
			if in.spooling != nil {
				open++
				for _, c := range in.spooling.from {
					open += c.load().files
				}
			}
			most = max(most, open)
		}
		in.Stop()
		if most > files+2 || level == 0 || files <= 6 && level < 2 {
			t.Errorf("room for %d files: %d were open, packets were spooled %d times", files, most, level)
		}
	}
}
