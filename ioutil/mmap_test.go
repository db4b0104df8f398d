//go:build linux || darwin

package ioutil

import (
	"io"
	"strings"
	"testing"
)

// TestReleaseBehind reads a long mapped file: the pages behind the reader are
// given back, and their bytes are still there for who looks again.
func TestReleaseBehind(t *testing.T) {
	b := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	frame := strings.Repeat("x", 64<<10)
	for i := range uint32(400) {
		b.record(i, 0, uint32(len(frame)), frame)
	}
	c, err := Open(file(t, b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	recs := make([]Record, 7)
	var first []byte
	packets := 0
	for {
		n, err := c.Read(recs)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if packets == 0 {
			first = recs[0].Data
		}
		for i, r := range recs[:n] {
			if string(r.Data) != frame {
				t.Fatalf("packet %d is not what was written", packets+i+1)
			}
		}
		packets += n
		if kept := c.pos - c.released; kept > 16<<20 {
			t.Fatalf("after packet %d %d bytes behind the reader are held", packets, kept)
		}
	}
	if packets != 400 || c.released < 16<<20 || string(first) != frame {
		t.Errorf("%d packets, %d bytes given back, first packet whole: %v", packets, c.released, string(first) == frame)
	}
}
