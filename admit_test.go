package flowfast

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
)

// BenchmarkSerial is the part of a run that is done for one piece after the
// other, whatever the number of workers: to take it, and to admit it. Mapped
// files are read in spans; of the others the serial part includes reading and
// decoding.
func BenchmarkSerial(b *testing.B) {
	for _, name := range workload.Names() {
		path := filepath.Join(b.TempDir(), name)
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := workload.Write(f, name, 0.1, 1); err != nil {
			b.Fatal(err)
		}
		f.Close()
		for _, how := range []string{"spans", "stream"} {
			b.Run(fmt.Sprintf("%s/%s", name, how), func(b *testing.B) {
				serial, packets := time.Duration(0), uint64(0)
				for b.Loop() {
					run := open(b, path, how)
					in := run.intake
					p := in.newPiece(2)
					for more := true; more; {
						began := time.Now()
						in.take(p)
						serial += time.Since(began)
						in.decode(p)
						began = time.Now()
						more = in.admit(p)
						serial += time.Since(began)
					}
					packets += in.summary.Packets
				}
				b.ReportMetric(float64(serial.Nanoseconds())/float64(packets), "ns/packet")
			})
		}
	}
}

func open(b *testing.B, path, how string) *Run {
	b.Helper()
	if how == "spans" {
		run, err := Open(Options{}, path)
		if err != nil {
			b.Fatal(err)
		}
		return run
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	run, err := NewReader(Options{}, f, path)
	if err != nil {
		b.Fatal(err)
	}
	return run
}
