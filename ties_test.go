package flowfast

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/flowfast/flowfast/internal/testpcap"
)

// Flows of one time stamp leave in the order of their first packets, for any number
// of workers.
func TestTiesByPosition(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	ports := random.Perm(500)
	capture := []byte(testpcap.Header)
	for _, port := range ports {
		capture = append(capture, testpcap.Record(time.Unix(1_700_000_000, 0), uint16(port))...)
	}
	for workers := 1; workers <= 5; workers++ {
		run, err := NewReader(Options{Workers: workers}, bytes.NewReader(capture), "ties")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for f, err := range run.Flows(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			if int(f.SrcPort) != ports[n] {
				t.Fatalf("%d workers: flow %d is of port %d, want %d", workers, n, f.SrcPort, ports[n])
			}
			n++
		}
		if n != len(ports) {
			t.Errorf("%d workers: %d flows", workers, n)
		}
	}
}
