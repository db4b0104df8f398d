package intake

import (
	"flag"
	"io"
	"math"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
)

var serialScale = flag.Float64("scale", 0.1, "part of the full size of the captures of BenchmarkSerial")

// BenchmarkSerial is the part of a run that is done for one piece after the
// other, whatever the number of workers: to take it, and to admit it. Mapped
// files are read in spans, of which as many as 16 workers have are decoded before the
// first of them is admitted, which is then not in the nearest cache, as if another
// core had decoded it. Streams are cut into them, one after the other. What it takes
// to wake workers up, and to wait for what reads a stream ahead, is not in it: that
// is done by one goroutine as well, but beside the others; pipe is what it takes to
// copy the capture from one. It is processor time, and the least of the iterations.
func BenchmarkSerial(b *testing.B) {
	for _, name := range workload.Names() {
		b.Run(name, func(b *testing.B) {
			path, _, err := workload.File(b.TempDir(), name, *serialScale, 1)
			if err != nil {
				b.Fatal(err)
			}
			for _, how := range []string{"spans", "stream"} {
				b.Run(how, func(b *testing.B) {
					least := math.Inf(1)
					for b.Loop() {
						in := open(b, path, how)
						least = min(least, float64(admitAll(in).Nanoseconds())/float64(in.report.Packets))
					}
					b.ReportMetric(least, "ns/packet")
				})
			}
			b.Run("pipe", func(b *testing.B) {
				least := math.Inf(1)
				for b.Loop() {
					least = min(least, float64(copyAll(b, path).Nanoseconds()))
				}
				b.ReportMetric(least/float64(workload.Packets(name, *serialScale)), "ns/packet")
			})
		})
	}
}

// copyAll copies a file from a pipe, in reads as what reads a stream ahead makes them,
// and returns how long that took.
func copyAll(b *testing.B, path string) time.Duration {
	all, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	from, to, err := os.Pipe()
	if err != nil {
		b.Fatal(err)
	}
	defer from.Close()
	go func() {
		defer to.Close()
		to.Write(all)
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	chunks := make([]byte, 16<<20) // as many as a stream has with so many workers
	began := threadTime()
	for at, n := 0, 0; err == nil; at = (at + n) % (len(chunks) - 1<<20) {
		n, err = from.Read(chunks[at : at+1<<20])
	}
	if err != io.EOF {
		b.Fatal(err)
	}
	return threadTime() - began
}

// admitAll takes all pieces of the captures and admits them, and returns how long
// that took.
func admitAll(in *Intake) (serial time.Duration) {
	const workers, piecesPerWorker = 16, 4
	pieces := make([]*Piece, piecesPerWorker*workers)
	if in.cutter.stream != nil {
		pieces = pieces[:1] // a stream lends no more until they are decoded
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range pieces {
		pieces[i] = in.NewPiece(workers)
	}
	for more := true; more; {
		waitAhead(in)
		began := threadTime()
		for _, p := range pieces {
			p.Take()
		}
		serial += threadTime() - began
		for _, p := range pieces {
			p.Decode()
		}
		began = threadTime()
		for i := 0; i < len(pieces) && more; i++ {
			more = pieces[i].Admit()
		}
		serial += threadTime() - began
	}
	return serial
}

// waitAhead waits until a stream has been read two MiB ahead of its capture, or to its
// end.
func waitAhead(in *Intake) {
	if in.cutter.stream == nil {
		return
	}
	info, err := os.Stat(in.name)
	for err == nil {
		if read, _ := in.cutter.stream.Progress(); read >= min(info.Size(), in.cutter.stream.Offset()+2<<20) {
			return
		}
		runtime.Gosched()
	}
}

func open(b *testing.B, path, how string) *Intake {
	b.Helper()
	in, err := New(Options{Readers: 2})
	if err != nil {
		b.Fatal(err)
	}
	if how == "spans" {
		if err := in.Open(path); err != nil {
			b.Fatal(err)
		}
		return in
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	if err := in.Read(f, path); err != nil {
		b.Fatal(err)
	}
	return in
}
