// Package bench measures what crosses several rooms: whole captures through
// whole runs. The benchmarks of one room lie beside it.
package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowfast/flowfast"
	"github.com/flowfast/flowfast/bench/workload"
	"github.com/flowfast/flowfast/export"
	"github.com/flowfast/flowfast/ioutil"
)

// scale makes captures of some 10 to 80 MB: large enough for a figure, small
// enough for a laptop.
const scale = 0.1

func generated(b *testing.B, name string) (path string, bytes int64) {
	path = filepath.Join(b.TempDir(), name+".pcap")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	if err := workload.Write(f, name, scale, 1); err != nil {
		b.Fatal(err)
	}
	info, err := f.Stat()
	if err != nil {
		b.Fatal(err)
	}
	return path, info.Size()
}

// BenchmarkRun is the whole job, rows included: ns/packet is what a packet
// costs, workers=0 stands for reading the records and doing nothing with them.
func BenchmarkRun(b *testing.B) {
	for _, name := range workload.Names() {
		path, size := generated(b, name)
		packets := float64(workload.Packets(name, scale))
		for workers := range 3 {
			b.Run(fmt.Sprintf("%s/workers=%d", name, workers), func(b *testing.B) {
				b.SetBytes(size)
				b.ReportAllocs()
				for b.Loop() {
					if workers == 0 {
						read(b, path)
						continue
					}
					run, err := flowfast.Open(flowfast.Options{Workers: workers}, path)
					if err != nil {
						b.Fatal(err)
					}
					if err := run.Write(context.Background(), io.Discard, export.CSV{}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
			})
		}
	}
}

func read(b *testing.B, path string) {
	c, err := ioutil.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	var records [1024]ioutil.Record
	for err == nil {
		_, err = c.Read(records[:])
	}
	if err != io.EOF {
		b.Fatal(err)
	}
}
