package features

import (
	"testing"
	"unsafe"

	"github.com/flowfast/flowfast/decode"
	"github.com/flowfast/flowfast/stats"
)

// TestSizes has the sizes that the comment on Store tells, and what a flow of
// one packet takes at most.
func TestSizes(t *testing.T) {
	for what, v := range map[string][2]uintptr{
		"small": {unsafe.Sizeof(small{}), 48}, "link": {unsafe.Sizeof(decode.Link{}), 60}, "large": {unsafe.Sizeof(large{}), 80}, "spans": {unsafe.Sizeof(spans{}), 64},
		"layers": {unsafe.Sizeof(layers{}), 424}, "sample": {unsafe.Sizeof(Sample{}), 64}, "powers": {unsafe.Sizeof(stats.Powers{}), 72}, "earlies": {unsafe.Sizeof(earlyChunk{}), 136},
	} {
		if v[0] != v[1] {
			t.Errorf("%s: %d bytes, want %d", what, v[0], v[1])
		}
	}
	for set, most := range map[Set]int{everything: 110, Sizes | Gaps: 48, Quantiles: 0} {
		if n := NewStore(Options{Set: set, First: 1000}).Cost(); n > most {
			t.Errorf("%b: a flow of one packet takes %d bytes, want at most %d", set, n, most)
		}
	}
}
