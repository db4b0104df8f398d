package flowfast

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowfast/flowfast/internal/testpcap"
	"github.com/flowfast/flowfast/ioutil"
)

// stepsBack counts, with a map, the packets that are earlier than one before
// them from the same source to the same destination: in a capture of packets
// that are all of one size and type of header, which begin flows once.
func stepsBack(t *testing.T, file string) (n uint64) {
	c, err := ioutil.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	latest := map[string]int64{}
	var records [8]ioutil.Record
	for {
		k, err := c.Read(records[:])
		for _, r := range records[:k] {
			direction := string(r.Data[26:38]) // addresses and ports
			if last, ok := latest[direction]; ok && r.Time < last {
				n++
			}
			latest[direction] = max(r.Time, latest[direction])
		}
		if err != nil || k == 0 {
			return n
		}
	}
}

// Packets that step back in time inside a direction of their flow are counted,
// the same for any number of workers, and said where there are many.
func TestStepsBack(t *testing.T) {
	capture := func(seconds ...byte) string {
		b := []byte(testpcap.Header)
		for _, s := range seconds {
			b = append(b, testpcap.Record(time.Unix(int64(s), 0), 4096)...)
		}
		file := filepath.Join(t.TempDir(), "a.pcap")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	files := map[string]uint64{
		capture(0, 5, 3, 6, 2): 2,
		capture(5, 3, 4, 5, 6): 2, // 4 is before 5 as well
		capture(1, 1, 2, 3):    0,
		capture(append([]byte{9, 8}, slices.Repeat([]byte{9}, 998)...)...): 1, // 1 in 1,000: no warning
	}
	if shared := "../shared/cases/14-backward.pcap"; fileThere(shared) {
		files[shared] = 2
	}
	for file, want := range files {
		if n := stepsBack(t, file); n != want {
			t.Fatalf("%s: the model counts %d steps back, want %d", file, n, want)
		}
		for _, workers := range []int{1, 2, 3} {
			run, err := Open(Options{Workers: workers}, file)
			if err != nil {
				t.Fatal(err)
			}
			for _, err := range run.Flows(context.Background()) {
				if err != nil {
					t.Fatal(err)
				}
			}
			s := run.Summary()
			warned := slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "stamped earlier") })
			if s.StepsBack != want || warned != (want > s.Packets/1000) {
				t.Errorf("%s, %d workers: %d steps back, warnings %q; want %d", file, workers, s.StepsBack, s.Warnings, want)
			}
		}
	}
}

func fileThere(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}
