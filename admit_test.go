package flowfast

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/flowfast/flowfast/bench/workload"
)

// BenchmarkSerial is the part of a run that is done for one piece after the
// other, whatever the number of workers: to take it, and to admit it. Mapped
// files are read in spans, streams are cut into them. To wait for the goroutine that
// reads a stream ahead is left out: what that takes depends on what it reads from. It
// is processor time, which tells something on a busy machine too.
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
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				serial, packets := time.Duration(0), uint64(0)
				asked := threadTime()
				for range 999 {
					threadTime()
				}
				asked = (threadTime() - asked) / 1000
				for b.Loop() {
					run := open(b, path, how)
					in := run.intake
					p := in.newPiece(2)
					for more := true; more; {
						waitAhead(in)
						began := threadTime()
						in.take(p)
						serial += threadTime() - began
						in.decode(p)
						began = threadTime()
						more = in.admit(p)
						serial += threadTime() - began - 2*asked
					}
					packets += in.summary.Packets
				}
				b.ReportMetric(float64(serial.Nanoseconds())/float64(packets), "ns/packet")
			})
		}
	}
}

// waitAhead waits until a stream has been read two MiB ahead of its capture, or to its
// end.
func waitAhead(in *intake) {
	if in.stream == nil {
		return
	}
	info, err := os.Stat(in.name)
	for err == nil {
		if read, _ := in.stream.Progress(); read >= min(info.Size(), in.stream.Offset()+2<<20) {
			return
		}
		runtime.Gosched()
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
