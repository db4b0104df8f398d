package ioutil

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"testing"
)

// TestBehindTheEnd reads compressed captures with something behind their end. Zeros
// are noted; garbage is an error behind the packets, but for bzip2, whose program
// leaves it out with a warning (xz, zstd and lz4 exit with 1).
func TestBehindTheEnd(t *testing.T) {
	type packed struct {
		name string
		z    []byte
		want []kept
	}
	sample, _ := readStream(t, bytes.NewReader(samplePcap()))
	all := []packed{{"bzip2", must(base64.StdEncoding.DecodeString(bzip2Pcap)), []kept{{1e9, "hello", 24, 5, 1, false, 0}, {2e9, "world", 45, 5, 1, false, 0}}}}
	for _, p := range packers {
		all = append(all, packed{p.name, p.bytes(samplePcap()), sample})
	}
	for _, p := range all {
		if p.name == "gzip" {
			continue // see TestBehindGzip
		}
		for _, n := range []int{4, 100, 511, 1 << 20} {
			c := must(NewCapture(bytes.NewReader(append(slices.Clone(p.z), make([]byte, n)...)), "capture"))
			got, err := readAll(t, c, 5)
			say := []string{fmt.Sprintf("capture: %s data: %d zero bytes behind the end: left out", p.name, n)}
			if err != nil || !slices.Equal(got, p.want) || !slices.Equal(c.Warnings(), say) {
				t.Errorf("%s, %d zeros: %d packets, %v, warnings %q", p.name, n, len(got), err, c.Warnings())
			}
			c.Close()
		}
		for _, garbage := range [][]byte{[]byte("garbage"), append(make([]byte, 512), "garbage"...), append([]byte("garbage"), make([]byte, 512)...)} {
			c := must(NewCapture(bytes.NewReader(slices.Concat(p.z, garbage)), "capture"))
			got, err := readAll(t, c, 5)
			_, broken := errors.AsType[*FormatError](err)
			if lenient := p.name == "bzip2"; !slices.Equal(got, p.want) || broken == lenient || lenient != (len(c.Warnings()) == 1) {
				t.Errorf("%s, %q: %d packets, %v, warnings %q", p.name, garbage[:4], len(got), err, c.Warnings())
			}
			c.Close()
		}
	}
}
