package conformance

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/internal/need"
	"github.com/flowfast/flowfast/ioutil"
)

// TestJoinEqualsMergecap deals the packets of captures out to several files, in
// order and not, with equal times among them, and wants the rows of all joined to
// be those of what mergecap makes of them, whatever the number of workers.
func TestJoinEqualsMergecap(t *testing.T) {
	if _, err := exec.LookPath("mergecap"); err != nil {
		need.Missing(t, "CONFORMANCE", err)
	}
	dir := sharedFolder(t, "captures")
	rng := rand.New(rand.NewPCG(10, 20))
	for _, name := range []string{"ndpi-1kxun.pcap", "ndpi-zoom2.pcap", "tcpflow-test5-lines-randomized.pcap", "pcapplusplus-4KHttpRequests.pcap"} {
		for files := 2; files < 9; files += 3 {
			t.Run(fmt.Sprintf("%s/%d", name, files), func(t *testing.T) {
				parts := deal(t, filepath.Join(dir, name), files, rng)
				merged := filepath.Join(t.TempDir(), "merged.pcap")
				if out, err := exec.Command("mergecap", append([]string{"-F", "nsecpcap", "-w", merged}, parts...)...).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				want := joinedRows(t, 1, merged)
				for _, workers := range []int{1, 2, 5} {
					if got := joinedRows(t, workers, parts...); got != want {
						t.Errorf("%d workers: %d lines, want %d", workers, strings.Count(got, "\n"), strings.Count(want, "\n"))
					}
				}
			})
		}
	}
}

func joinedRows(t *testing.T, workers int, files ...string) string {
	t.Helper()
	var b strings.Builder
	run, err := flowfast.Open(flowfast.Options{Workers: workers, IdleTimeout: 5 * time.Second}, files...)
	if err == nil {
		err = run.Write(t.Context(), &b, export.CSV{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// deal writes the packets of a capture to so many files: runs of packets to one or
// the other, some of them with the time of the packet before, some long ago.
func deal(t *testing.T, capture string, files int, rng *rand.Rand) []string {
	c, err := ioutil.Open(capture)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	dir := t.TempDir()
	names := make([]string, files)
	writers := make([]*pcapgo.Writer, files)
	for i := range names {
		names[i] = filepath.Join(dir, fmt.Sprintf("%d.pcap", files-i)) // not in the order of their names
		f, err := os.Create(names[i])
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		writers[i] = pcapgo.NewWriterNanos(f)
		if err := writers[i].WriteFileHeader(262144, layers.LinkTypeEthernet); err != nil {
			t.Fatal(err)
		}
	}
	records := make([]ioutil.Record, 64)
	to, last := 0, int64(0)
	for {
		n, err := c.Read(records)
		if err == io.EOF {
			return names
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range records[:n] {
			r := &records[i]
			switch rng.IntN(20) {
			case 0:
				to = rng.IntN(files)
			case 1:
				r.Time = last
			case 2:
				if rng.IntN(20) == 0 {
					r.Time -= int64(3 * time.Second)
				}
			}
			last = r.Time
			info := gopacket.CaptureInfo{Timestamp: time.Unix(0, r.Time), CaptureLength: len(r.Data), Length: int(r.OrigLen)}
			if err := writers[to].WritePacket(info, r.Data); err != nil {
				t.Fatal(err)
			}
		}
	}
}
