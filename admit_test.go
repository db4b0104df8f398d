package flowfast

import (
	"flag"
	"math"
	"os"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
)

var serialScale = flag.Float64("scale", 0.1, "part of the full size of the captures of BenchmarkSerial")

// BenchmarkSerial is the part of a run that is done for one piece after the
// other, whatever the number of workers: to take it, and to admit it. Mapped
// files are read in spans; of the others the serial part includes reading and
// decoding. As many pieces as 16 workers have are decoded before the first of them
// is admitted, which is then not in the nearest cache, as if another core had
// decoded it. What it takes to wake workers up is not in it. The least of the
// iterations is reported, for another process may take the processor meanwhile.
func BenchmarkSerial(b *testing.B) {
	for _, name := range workload.Names() {
		b.Run(name, func(b *testing.B) {
			path := generated(b, name)
			for _, how := range []string{"spans", "stream"} {
				b.Run(how, func(b *testing.B) {
					least := math.Inf(1)
					for b.Loop() {
						in := open(b, path, how).intake
						least = min(least, float64(admitAll(in).Nanoseconds())/float64(in.summary.Packets))
					}
					b.ReportMetric(least, "ns/packet")
				})
			}
		})
	}
}

// admitAll takes all pieces of the captures and admits them, and returns how long
// that took.
func admitAll(in *intake) (serial time.Duration) {
	const workers = 16
	pieces := make([]*piece, piecesPerWorker*workers)
	for i := range pieces {
		pieces[i] = in.newPiece(workers)
	}
	for more := true; more; {
		began := time.Now()
		for _, p := range pieces {
			in.take(p)
		}
		serial += time.Since(began)
		for _, p := range pieces {
			in.decode(p)
		}
		began = time.Now()
		for i := 0; i < len(pieces) && more; i++ {
			more = in.admit(pieces[i])
		}
		serial += time.Since(began)
	}
	return serial
}

// generated returns the file of a workload.
func generated(b *testing.B, name string) string {
	b.Helper()
	path, _, err := workload.File(b.TempDir(), name, *serialScale, 1)
	if err != nil {
		b.Fatal(err)
	}
	return path
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
