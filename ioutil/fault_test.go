//go:build linux

package ioutil

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

// TestShrinkingFile cuts files while they are mapped: the packets before the cut
// come whole, then there is an error with the place, and no crash.
func TestShrinkingFile(t *testing.T) {
	const length = 1000
	pcap := littleEndian().pcap(0xa1b2c3d4, 65535, 1)
	ng := littleEndian().section().iface(1, 0, "")
	for i := range uint32(400) {
		pcap.record(i+1, 0, length, strings.Repeat("x", length))
		ng.enhanced(0, uint64(i), length, strings.Repeat("x", length))
	}
	tests := []struct {
		name   string
		in     []byte
		record int // bytes of each with its header
		header int
	}{
		{"pcap", pcap.Bytes(), length + 16, 24},
		{"pcapng", ng.Bytes(), length + 32, 48},
	}
	for _, test := range tests {
		for _, size := range []int{100_000, 98304, 98304 + 1, 399_000, 0, len(test.in) - 1} {
			for _, before := range []int{0, 20} { // packets read before the cut
				t.Run(fmt.Sprintf("%s/%d after %d", test.name, size, before), func(t *testing.T) {
					path := file(t, test.in)
					c, err := Open(path)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					packets := 0
					recs := make([]Record, 20)
					if before > 0 {
						packets, _ = c.Read(recs)
					}
					if err := os.Truncate(path, int64(size)); err != nil {
						t.Fatal(err)
					}
					n := 0
					for ; err == nil; n, err = c.Read(recs) {
						packets += n
					}
					want := max((size-test.header)/test.record, before)
					if size > 0 && want < 400 && packets == want+1 && (size-test.header)%test.record != 0 {
						want++ // the one across the new end lies within its page
					}
					if packets != want {
						t.Errorf("%d packets, want %d", packets, want)
					}
					format, ok := errors.AsType[*FormatError](err)
					if !ok || !strings.Contains(err.Error(), "shrank to") {
						t.Fatalf("error %v, want a FormatError that says that the file shrank", err)
					}
					if end := max(size, test.header+want*test.record); format.Offset != int64(end) && packets > 0 {
						t.Errorf("offset %d, want %d", format.Offset, end)
					}
				})
			}
		}
	}
}

// TestFaultBehindDeclaration has a fault in a batch behind an interface
// description: what is read again then is read once.
func TestFaultBehindDeclaration(t *testing.T) {
	const length = 1000
	b := littleEndian().section().iface(1, 0, "")
	for i := range uint64(200) {
		if i == 10 {
			b.iface(101, 0, "")
		}
		b.enhanced(0, i, length, strings.Repeat("x", length))
	}
	path := file(t, b.Bytes())
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := os.Truncate(path, 64<<10); err != nil {
		t.Fatal(err)
	}
	c.touch = never // so that the fault comes while the blocks are read
	recs := make([]Record, 300)
	packets := 0
	for n := 0; err == nil; n, err = c.Read(recs) {
		packets += n
	}
	if want := (64<<10 - 48 - 20) / (length + 32); packets != want || len(c.ng.interfaces) != 2 {
		t.Errorf("%d packets and %d interfaces, want %d and 2", packets, len(c.ng.interfaces), want)
	}
}

// TestFault is a consumer that recovers from a fault in lent bytes.
func TestFault(t *testing.T) {
	path := file(t, littleEndian().pcap(0xa1b2c3d4, 65535, 1).record(1, 0, 9000, strings.Repeat("x", 9000)).Bytes())
	c, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	recs := make([]Record, 1)
	if _, err := c.Read(recs); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	func() {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		defer func() {
			err = c.Fault(recover(), recs[0].Offset)
		}()
		sinkByte = recs[0].Data[8999]
	}()
	if err == nil || !strings.Contains(err.Error(), "shrank to 100 bytes") {
		t.Errorf("Fault = %v, want an error that says that the file shrank", err)
	}
	if _, again := c.Read(recs); again != err {
		t.Errorf("Read = %v, want the error of Fault", again)
	}
	for _, p := range []any{nil, "other", io.EOF} {
		if err := c.Fault(p, 24); err != nil {
			t.Errorf("Fault(%v) = %v, want nil", p, err)
		}
	}
}
